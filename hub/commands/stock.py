"""`trunkline stock show|set|adjust|import|export|verify|explain`."""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import orjson

from hub.commands.api import acting, reading, segment
from hub.commands.common import (
    EXIT_USAGE,
    CommandError,
    Json,
    Subparsers,
    command,
    csv_text,
    group,
    instant,
    plain_cell,
    print_json,
    print_lines,
    print_table,
    quantity,
    read_file,
    wants_json,
)
from hub.commands.paging import collect
from hub.services import views
from hub.services.moments import micros

_BATCH = 500
_ALL = 100_000_000
_COLUMNS = ("sku", "location", "on_hand", "reserved", "incoming", "quarantine", "available", "version")


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "stock", "The one inventory position")
    command(verbs, "show", "One SKU: totals, locations, channels", _show).add_argument("sku", metavar="SKU")
    fix = command(verbs, "set", "State a counted quantity", _set)
    adjust = command(verbs, "adjust", "Change a quantity by a delta", _adjust)
    for parser, name in ((fix, "on_hand"), (adjust, "delta")):
        parser.add_argument("sku", metavar="SKU")
        parser.add_argument("location", metavar="LOCATION")
        parser.add_argument(name, metavar="N", type=quantity)
    adjust.add_argument("--reason", default="manual")
    adjust.add_argument("--bucket", choices=["on_hand", "incoming", "quarantine"], default="on_hand")
    fix.add_argument("--as-of", type=instant, metavar="T", help="when it was counted; later movements still count")
    load = command(verbs, "import", "Counted quantities from CSV or JSONL", _import)
    load.add_argument("file", metavar="FILE", help="sku,location,on_hand[,as_of]; `-` reads standard input")
    command(verbs, "export", "All positions as CSV (or --json)", _export)
    command(verbs, "verify", "Rebuild every position from the ledger and compare", _verify)
    explain = command(verbs, "explain", "How the number shown at an account comes about", _explain)
    explain.add_argument("sku", metavar="SKU")
    explain.add_argument("--account", required=True)
    explain.add_argument("--at", type=instant, metavar="T", help="as of this instant")


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        stock = await api.get("/stock/" + segment(args.sku))
    if wants_json(args):
        print_json(stock)
        return 0
    columns = ["on_hand", "reserved", "incoming", "quarantine", "available"]
    rows: list[list[object]] = [[place["location"], *(place[name] for name in columns)] for place in stock["locations"]]
    print_table(["location", *columns], [*rows, ["total", *(stock["total"][name] for name in columns)]], empty="")
    print_lines([""])
    print_table(
        ["account", "listing", "published", "verified", "verified at", "state"],
        [
            [c["account"], c["listing_id"], c["published"], c["verified"], c["verified_at"], c["state"]]
            for c in stock["channels"]
        ],
        empty="listed at no channel",
    )
    return 0


async def _set(args: argparse.Namespace) -> int:
    line: Json = {"sku": args.sku, "location": args.location, "on_hand": args.on_hand}
    if args.as_of:
        line["as_of"] = args.as_of.isoformat()
    return await _post(args, "/stock/reports", [line])


async def _adjust(args: argparse.Namespace) -> int:
    line = {"sku": args.sku, "location": args.location, "delta": args.delta}
    return await _post(args, "/stock/adjustments", [line | {"reason": args.reason, "bucket": args.bucket}])


async def _post(args: argparse.Namespace, path: str, lines: list[Json]) -> int:
    async with acting(args) as api:
        answer = await api.post(path, {"lines": lines})
    if wants_json(args):
        print_json(answer)
    else:
        print_lines([f"{answer['changed']} of {len(lines)} positions changed"])
    return 0


async def _import(args: argparse.Namespace) -> int:
    lines = list(_counted(args.file, read_file(args.file)))
    changed = 0
    async with acting(args) as api:
        for start in range(0, len(lines), _BATCH):
            some = lines[start : start + _BATCH]
            try:
                done = await api.post("/stock/reports", {"lines": [line for _, line in some]})
            except CommandError as error:
                before = f" ({start} lines before were taken in, {changed} positions changed)" if start else ""
                said = _by_line_of_the_file(str(error), [number for number, _ in some])
                raise CommandError(f"importing stock: {said}{before}", exit_code=error.exit_code) from None
            changed += done["changed"]
    answer = {"lines": len(lines), "changed": changed}
    if wants_json(args):
        print_json(answer)
    else:
        print_lines([f"{len(lines)} lines read, {changed} positions changed"])
    return 0


def _by_line_of_the_file(said: str, numbers: Sequence[int]) -> str:
    """The hub counts the lines of one request; the reader of its refusal has the file."""

    def there(found: re.Match[str]) -> str:
        at = int(found[1])
        return f"line {numbers[at - 1]}" if 1 <= at <= len(numbers) else found[0]

    return re.sub(r"\bline (\d+)\b", there, said)


def _counted(name: str, raw: bytes) -> Iterator[tuple[int, Json]]:
    """Checked lines of a stock file by number; the whole file is refused with every fault named by line."""
    faults: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    taken = datetime.now(UTC).isoformat()
    for number, row in _rows(name, raw):
        try:
            line = _line(row, taken)
        except ValueError as error:
            faults.append(f"{name}:{number}: {error}")
            continue
        first = seen.setdefault((line["sku"], line["location"]), number)
        if first != number:
            faults.append(f"{name}:{number}: {line['sku']} at {line['location']} is counted in line {first} already")
        yield number, line
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise CommandError("importing stock: " + "; ".join(faults[:5]) + more, exit_code=EXIT_USAGE)


def _rows(name: str, raw: bytes) -> Iterator[tuple[int, Json]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"importing stock: {name} is not UTF-8 ({error.reason})", exit_code=EXIT_USAGE) from None
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, _object(f"{name}:{number}", line)
        return
    reader = csv.DictReader(io.StringIO(text))
    missing = {"sku", "location", "on_hand"} - set(reader.fieldnames or ())
    if missing:
        raise CommandError(
            f"importing stock: {name}:1: column {', '.join(sorted(missing))} missing", exit_code=EXIT_USAGE
        )
    try:
        for row in reader:
            if None in row:
                # A thousands separator, say: what it cut off must not pass for the count.
                fault = f"{name}:{reader.line_num}: has more cells than columns; quote a value with a comma in it"
                raise CommandError(f"importing stock: {fault}", exit_code=EXIT_USAGE)
            yield reader.line_num, {column: plain_cell(cell) for column, cell in row.items() if cell is not None}
    except csv.Error as error:
        raise CommandError(f"importing stock: {name}:{reader.line_num + 1}: {error}", exit_code=EXIT_USAGE) from None


def _object(where: str, line: str) -> Json:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"importing stock: {where}: {error}", exit_code=EXIT_USAGE) from None
    if not isinstance(row, dict):
        raise CommandError(f"importing stock: {where}: not a JSON object; write one per line", exit_code=EXIT_USAGE)
    return row


def _line(row: Json, taken: str) -> Json:
    sku, location = str(row.get("sku") or "").strip(), str(row.get("location") or "").strip()
    if not sku or not location:
        raise ValueError("sku and location must not be empty")
    try:
        on_hand = quantity(str(row["on_hand"]).strip())
        as_of = instant(str(row["as_of"])).isoformat() if row.get("as_of") else taken
    except (ValueError, KeyError, argparse.ArgumentTypeError):
        raise ValueError("on_hand must be a whole number and as_of an instant") from None
    return {"sku": sku, "location": location, "on_hand": on_hand, "as_of": as_of}


async def _export(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        rows = await collect(api, "/stock", _ALL)
    if wants_json(args):
        print_json(rows)
    else:
        sys.stdout.write(csv_text(_COLUMNS, rows))
    return 0


async def _verify(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        answer = await api.get("/stock-verification")
    rows = answer["items"]
    if wants_json(args):
        print_json(rows)
    elif rows:
        headings = ["sku", "location", "bucket", "position", "ledger"]
        print_table(headings, [[row[name] for name in headings] for row in rows], empty="")
    else:
        print_lines(["every position equals its ledger"])
    return 1 if rows else 0


async def _explain(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        answer = await api.get(f"/stock/{segment(args.sku)}/explain", account=args.account, at=args.at)
    if wants_json(args):
        print_json(answer)
        return 0
    print_lines([f"{args.sku} at {args.account}" + (f", as of {views.instant(micros(args.at))}" if args.at else "")])
    print_table(["step", "value", "how"], [[s["step"], s["value"], s["how"]] for s in answer["steps"]], empty="")
    if told := answer.get("told"):
        print_lines(["", f"The partner was told {told['quantity']} at {told['at']} (846 {told['number']})."])
    elif "told" in answer:
        print_lines(["", "The partner has not been told of it yet."])
    print_lines([""])
    headings = ["seq", "recorded_at", "location", "bucket", "delta", "reason", "reference"]
    print_table(headings, [[p[name] for name in headings] for p in answer["postings"]], empty="no postings")
    return 0
