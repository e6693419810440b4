"""`trunkline purchase-orders list|show|create|send|change|receive|cancel|close|import`."""

from __future__ import annotations

import argparse

from hub.commands.api import Api, acting, reading, segment
from hub.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    CommandError,
    Json,
    Subparsers,
    at_most,
    command,
    group,
    print_json,
    print_lines,
    print_table,
    quantity,
    read_file,
    wants_json,
)
from hub.commands.paging import collect
from hub.commands.purchase_files import COLUMNS, FORM

_FAULTS_SHOWN = 5
_PATH = "/purchase-orders"
_MATCHED = ("ordered", "acknowledged", "shipped", "received", "invoiced", "incoming", "unit_cost")


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "purchase-orders", "What we order from suppliers, and what becomes of it")
    listing = command(verbs, "list", "Purchase orders, newest first", _list)
    listing.add_argument("--supplier", help="one supplier only, by its account or name")
    listing.add_argument("--state")
    listing.add_argument("--limit", type=at_most, default=50, help="at most this many (default 50)")
    for verb, about, run in (
        ("show", "One order: ordered, acknowledged, shipped, received and invoiced per line", _show),
        ("send", "Send a draft", _send),
    ):
        command(verbs, verb, about, run).add_argument("number", metavar="NUMBER")
    for verb, about, run in (
        ("cancel", "Cancel an order and tell its supplier", _cancel),
        ("close", "Expect nothing more of an order; nothing is sent", _close),
    ):
        parser = command(verbs, verb, about, run)
        parser.add_argument("number", metavar="NUMBER")
        parser.add_argument("--reason", default="")
    _creating(verbs)
    _changing(verbs)
    _receiving(verbs)
    load = command(
        verbs, "import", "Purchase orders from CSV or JSONL", _import,
        epilog=f"CSV columns: {', '.join(COLUMNS)}.\nRows of one number are one order. "
        "JSONL: one body of POST /api/v1/purchase-orders a line.",
    )  # fmt: skip
    load.add_argument("file", metavar="FILE", help="`-` reads standard input")


def _creating(verbs: Subparsers) -> None:
    parser = command(verbs, "create", "Order from a supplier", _create)
    parser.add_argument("number", metavar="NUMBER")
    parser.add_argument("lines", metavar="SKU=QTY[@COST]", nargs="+", help="a line in eaches, such as MUG=120@2.50")
    parser.add_argument("--supplier", required=True, help="the EDI account it is sent through, or who it is with")
    parser.add_argument("--location", required=True, help="our location the goods come to")
    parser.add_argument("--currency")
    parser.add_argument("--expected", metavar="DAY", help="when the goods should be here, such as 2026-12-10")
    parser.add_argument("--note")
    parser.add_argument("--draft", action="store_true", help="keep it, do not send it")


def _changing(verbs: Subparsers) -> None:
    parser = command(verbs, "change", "Change lines of an order and tell its supplier", _change)
    parser.add_argument("number", metavar="NUMBER")
    for option, metavar, about in (
        ("--quantity", "LINE=QTY", "a line's new quantity in eaches"),
        ("--price", "LINE=COST", "a line's new cost"),
        ("--date", "LINE=DAY", "when a line is wanted"),
        ("--remove", "LINE", "a line that is not wanted any more"),
        ("--add", "SKU=QTY[@COST]", "a further line"),
    ):
        parser.add_argument(option, metavar=metavar, action="append", default=[], help=about)
    parser.add_argument("--revision", help="refuse when the order is at another one")


def _receiving(verbs: Subparsers) -> None:
    parser = command(verbs, "receive", "Take goods of an order in", _receive)
    parser.add_argument("number", metavar="NUMBER")
    parser.add_argument("lines", metavar="SKU=QTY", nargs="*", help="sound units taken in")
    parser.add_argument("--damaged", metavar="SKU=QTY", action="append", default=[], help="units that go to quarantine")
    parser.add_argument("--receipt", help="the receipt's own number; the same again counts once")
    parser.add_argument("--location", help="where, if not where the order said")


# --- reading ---------------------------------------------------------------------------------


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        orders = await collect(api, _PATH, args.limit, account=args.supplier, state=args.state)
    if wants_json(args):
        print_json(orders)
        return 0
    rows = [
        [one["number"], one["supplier"]["id"], one["state"], one["revision"], len(one["lines"]), one["expected_at"],
         one["placed_at"]]
        for one in orders
    ]  # fmt: skip
    headings = ["number", "supplier", "state", "revision", "lines", "expected", "placed"]
    print_table(headings, rows, empty="no purchase orders")
    return 0


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        shown = await api.get(_at(args))
    if wants_json(args):
        print_json(shown)
        return 0
    document = shown["document"]
    print_lines(
        [f"{shown['number']} with {document['supplier']['id']}: {shown['state']}, revision {shown['revision']}", ""]
    )
    rows = [[line["number"], line["sku"], *(line[name] for name in _MATCHED)] for line in shown["lines"]]
    print_table(["line", "sku", *(name.replace("_", " ") for name in _MATCHED)], rows, empty="")
    print_lines(
        [f"line {line['number']}: {one['text']}" for line in shown["lines"] for one in line["differences"]]
        + [
            f"not ordered: {one['quantity']} {one['uom'] or ''} of {', '.join(one['items'])} in {one['document']} "
            f"{one['source_id']}".replace("  ", " ")
            for one in shown["not_ordered"]
        ]
    )
    print_lines([""])
    owed = [[one["set"], one["reference"], one["state"], one["due_at"]] for one in shown["awaited"]]
    print_table(["awaited", "for", "state", "due"], owed, empty="the supplier owes nothing")
    return 0


# --- acting ----------------------------------------------------------------------------------


async def _create(args: argparse.Namespace) -> int:
    body: Json = {
        "number": args.number,
        "supplier": args.supplier,
        "location": args.location,
        "lines": [_article(text) for text in args.lines],
    }
    more = {"currency": args.currency, "expected_at": args.expected, "note": args.note, "draft": args.draft or None}
    return await _act(args, _PATH, body | {name: value for name, value in more.items() if value is not None})


async def _change(args: argparse.Namespace) -> int:
    changes: list[Json] = [{"change": "remove", "number": line} for line in args.remove]
    changes += [
        {"change": "quantity", "number": line, "quantity": _units(units)} for line, units in _pairs(args.quantity)
    ]
    changes += [{"change": "price", "number": line, "unit_cost": cost} for line, cost in _pairs(args.price)]
    changes += [{"change": "date", "number": line, "expected_at": day} for line, day in _pairs(args.date)]
    changes += [{"change": "add"} | _article(text) for text in args.add]
    if not changes:
        raise CommandError("changing a purchase order: say what, with --quantity, --price, --date, --remove or --add",
                           exit_code=EXIT_USAGE)  # fmt: skip
    body: Json = {"lines": changes}
    return await _act(args, _at(args) + "/changes", body | ({"revision": args.revision} if args.revision else {}))


async def _receive(args: argparse.Namespace) -> int:
    lines: dict[str, Json] = {}
    for sku, units in _once_each(_pairs(args.lines)):
        lines[sku] = {"sku": sku, "quantity": _units(units)}
    for sku, units in _once_each(_pairs(args.damaged)):
        lines.setdefault(sku, {"sku": sku, "quantity": 0})["damaged_quantity"] = _units(units)
    if not lines:
        raise CommandError("taking goods in: say what, such as MUG=120", exit_code=EXIT_USAGE)
    more = {name: value for name in ("receipt", "location") if (value := getattr(args, name)) is not None}
    return await _act(args, _at(args) + "/receipts", {"lines": list(lines.values()), **more})


async def _send(args: argparse.Namespace) -> int:
    return await _act(args, _at(args) + "/send", {})


async def _cancel(args: argparse.Namespace) -> int:
    return await _act(args, _at(args) + "/cancel", {"reason": args.reason} if args.reason else {})


async def _close(args: argparse.Namespace) -> int:
    return await _act(args, _at(args) + "/close", {"reason": args.reason} if args.reason else {})


async def _act(args: argparse.Namespace, path: str, body: Json) -> int:
    async with acting(args) as api:
        done = await api.post(path, body)
    if wants_json(args):
        print_json(done)
        return 0
    sent = "; the supplier is sent it" if done["sent"] else ""
    again = " (done already)" if done["repeated"] else ""
    print_lines([f"{done['number']}: {done['state']}, revision {done['revision']}{sent}{again}"])
    return 0


async def _import(args: argparse.Namespace) -> int:
    orders, done = list(FORM.read(args.file, read_file(args.file))), list[Json]()
    async with acting(args) as api:
        for where, body in orders:
            done.append(await _post(api, where, body))
    refused = [one for one in done if "error" in one]
    if wants_json(args):
        print_json(done)
    else:
        known = sum(one.get("repeated", False) for one in done)
        sent = sum(one.get("sent", False) for one in done)
        made = len(done) - len(refused) - known
        print_lines(
            [f"{len(done)} orders read: {made} made, {sent} sent, {known} known already, {len(refused)} refused"]
        )
    if refused:
        named = "; ".join(f"{one['where']}: {one['error']}" for one in refused[:_FAULTS_SHOWN])
        raise CommandError(f"importing purchase orders: {named}", exit_code=EXIT_FAILED)
    return 0


async def _post(api: Api, where: str, body: Json) -> Json:
    try:
        return {"where": where} | await api.post(_PATH, body)
    except CommandError as error:
        # One that is refused says nothing of the others; what was made is known when the file is read again.
        return {"where": where, "number": body.get("number"), "error": str(error)}


# --- words -----------------------------------------------------------------------------------


def _at(args: argparse.Namespace) -> str:
    return f"{_PATH}/{segment(args.number)}"


def _pairs(texts: list[str]) -> list[tuple[str, str]]:
    """`NAME=VALUE` words; the last `=` divides, because a SKU may hold one."""
    found: list[tuple[str, str]] = []
    for text in texts:
        name, divided, value = text.rpartition("=")
        if not divided or not name or not value:
            raise CommandError(f"{text!r} is not NAME=VALUE", exit_code=EXIT_USAGE)
        found.append((name, value))
    return found


def _once_each(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CommandError(f"taking goods in: {', '.join(twice)} named twice; add the units up", exit_code=EXIT_USAGE)
    return pairs


def _article(text: str) -> Json:
    ((sku, stated),) = _pairs([text])
    units, _, cost = stated.partition("@")
    return {"sku": sku, "quantity": _units(units)} | ({"unit_cost": cost} if cost else {})


def _units(text: str) -> int:
    try:
        return quantity(text)
    except argparse.ArgumentTypeError as error:
        raise CommandError(str(error), exit_code=EXIT_USAGE) from None
