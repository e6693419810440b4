"""`trunkline shipments list|show|import`."""

from __future__ import annotations

import argparse
from hashlib import blake2b
from typing import Any

import orjson

from hub.commands import lateness
from hub.commands.api import Api, acting, reading, segment
from hub.commands.common import (
    EXIT_FAILED,
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
from hub.commands.statements import FAULTS_SHOWN, Blame, Form, Stated

COLUMNS = (
    "order", "account", "number", "state", "ship_from", "shipped_at", "purchase_order_number",
    "tracking_number", "tracking_url", "carrier", "service", "sscc",
    "line_id", "sku", "gtin", "quantity", "lot",
)  # fmt: skip
_SHIPMENT, _PACKAGE, _LINE = COLUMNS[:7], COLUMNS[7:12], COLUMNS[12:]


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "shipments", "Shipments from every source, and what channels were told of them")
    listing = command(verbs, "list", "Shipments, newest first", _list)
    listing.add_argument("--account", help="one account only")
    listing.add_argument("--limit", type=at_most, default=50, help="at most this many (default 50)")
    lateness.add(verbs)
    show = command(verbs, "show", "One shipment: document, and what its channel was told", _show)
    show.add_argument("id", metavar="ID")
    load = command(
        verbs,
        "import",
        "Shipments from CSV or JSONL, for tools without a connector",
        _import,
        epilog=f"CSV columns: {', '.join(COLUMNS)}.\nOnly `order` is needed. Rows of one order and number are one "
        "shipment, its rows of one tracking number one package;\na package without SKUs or lines holds what is left. "
        "JSONL: one body of POST /api/v1/shipments a line.",
    )
    load.add_argument("file", metavar="FILE", help="`-` reads standard input")
    load.add_argument("--account", help="for shipments that name none: unknown orders are then waited for")


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        rows = await collect(api, "/shipments", args.limit, account=args.account)
    if wants_json(args):
        print_json(rows)
        return 0
    cells = [[row["id"], row["order"], row["state"], row["shipped_at"], *_parcel(row), _by(row)] for row in rows]
    print_table(["id", "order", "state", "shipped", "carrier", "number", "told by"], cells, empty="no shipments")
    return 0


def _parcel(row: Json) -> list[object]:
    packages = row["packages"]
    numbers = [package["tracking_number"] for package in packages if package["tracking_number"]]
    carriers = dict.fromkeys(package["carrier"] or package["carrier_raw"] for package in packages)
    return [", ".join(str(name) for name in carriers if name), ", ".join(numbers)]


def _by(row: Json) -> str:
    return str(row["attributes"].get("shipped_by") or row["source"]["account"])


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        print_json(await api.get("/shipments/" + segment(args.id)))
    return 0


async def _import(args: argparse.Namespace) -> int:
    shipments = list(_FORM.read(args.file, read_file(args.file)))
    done: list[Json] = []
    async with acting(args) as api:
        for where, body in shipments:
            done.append(await _post(api, where, _named(body, args.account)))
    refused = [one for one in done if "error" in one]
    if wants_json(args):
        print_json(done)
    else:
        waiting = sum(one.get("state") == "waiting" for one in done)
        told = sum(one.get("to_tell", 0) for one in done)
        stored = len(done) - len(refused) - waiting
        counts = f"{stored} stored, {waiting} waiting for their order, {len(refused)} refused"
        print_lines([f"{len(done)} shipments read, {counts}; {told} messages to channels"])
        print_lines([f"{one['where']}: {line}" for one in done for line in one.get("warnings", ())])
    if refused:
        raise CommandError(
            "importing shipments: " + "; ".join(f"{one['where']}: {one['error']}" for one in refused[:FAULTS_SHOWN]),
            exit_code=EXIT_FAILED,
        )
    return 0


def _named(body: Json, account: str | None) -> Json:
    """Known again when the file is read once more, whatever it gives to know a shipment by."""
    named: Json = {"account": account} | body if account else body
    packages = named.get("packages")
    # What is no package is for the hub to refuse, by name.
    known = [one for one in packages if isinstance(one, dict)] if isinstance(packages, list) else []
    if named.get("number") or any(package.get("tracking_number") for package in known):
        return named
    digest = blake2b(orjson.dumps(named, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
    return named | {"number": f"import-{digest}"}


async def _post(api: Api, where: str, body: Json) -> Json:
    try:
        return {"where": where} | await api.post("/shipments", body)
    except CommandError as error:
        # One that is refused says nothing of the others; what was taken is not taken twice when the file is read again.
        return {"where": where, "order": body["order"], "error": str(error)}


def _row(number: int, cells: dict[str, str], shipments: Stated, blame: Blame) -> None:
    if "order" not in cells:
        blame(number, "order must not be empty")
        return
    key = tuple(cells.get(name, "") for name in ("account", "order", "number"))
    _, body = shipments.setdefault(key, (number, {}))
    for name in _SHIPMENT:
        if name in cells and body.setdefault(name, cells[name]) != cells[name]:
            blame(number, f"{name} is {cells[name]!r} here and {body[name]!r} in an earlier row of this shipment")
    packages: list[Json] = body.setdefault("packages", [])
    tracking = cells.get("tracking_number") or cells.get("sscc")
    package = next((one for one in packages if (one.get("tracking_number") or one.get("sscc")) == tracking), None)
    if package is None:
        package = {name: cells[name] for name in _PACKAGE if name in cells}
        packages.append(package)
    line: dict[str, Any] = {name: cells[name] for name in _LINE if name in cells}
    if not line:
        return
    try:
        line["quantity"] = quantity(line["quantity"])
    except (KeyError, argparse.ArgumentTypeError):
        blame(number, "quantity must be a whole number")
        return
    package.setdefault("lines", []).append(line)


_FORM = Form("importing shipments", COLUMNS, frozenset({"order"}), "order", _row)
