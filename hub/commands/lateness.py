"""`trunkline shipments late`."""

from __future__ import annotations

import argparse

from hub.commands.api import reading
from hub.commands.common import (
    Json,
    Subparsers,
    at_most,
    command,
    duration,
    print_json,
    print_lines,
    print_table,
    wants_json,
)

_WORDS = {
    "unshipped": "not shipped by the promised time",
    "unscanned": "shipped, and no carrier has scanned it",
    "delivered_late": "delivered after the promised day",
}


def add(verbs: Subparsers) -> None:
    """Under `shipments`."""
    late = command(verbs, "late", "Orders past their promised ship-by, unscanned parcels, late deliveries", _late)
    late.add_argument("--kind", choices=list(_WORDS), help="one kind only")
    late.add_argument("--account", help="one account only")
    late.add_argument(
        "--unscanned-after", type=duration, default=172_800.0, metavar="TIME",
        help="patience before a shipped parcel counts as unscanned (default 2d)",
    )  # fmt: skip
    late.add_argument("--limit", type=at_most, default=100, help="at most this many of each kind (default 100)")


async def _late(args: argparse.Namespace) -> int:
    query = {
        "kind": args.kind,
        "account": args.account,
        "unscanned_after_s": args.unscanned_after,
        "limit": min(args.limit, 500),
    }
    async with reading(args) as api:
        found = await api.get("/shipments/late", **query)
    if wants_json(args):
        print_json({"accounts": found["accounts"], "items": found["items"]})
        return 0
    headings = ["account", "to ship", "oldest placed", "past ship-by", "due in a day", "no promise", "no scan", "late"]
    print_table(headings, [_account(row) for row in found["accounts"]], empty="nothing to ship, and nothing is late")
    for kind, words in _WORDS.items():
        rows = [row for row in found["items"] if row["kind"] == kind]
        if rows:
            print_lines(["", f"{words}:"])
            print_table(["account", "order", "promised", "late by", "carrier", "number"], [_row(row) for row in rows],
                        empty="")  # fmt: skip
    return 0


def _account(row: Json) -> list[object]:
    names = ("account", "to_ship", "oldest_at", "unshipped", "due_within_a_day", "unpromised", "unscanned",
             "delivered_late")  # fmt: skip
    return [row[name] for name in names]


def _row(row: Json) -> list[object]:
    promised = row["promised"] or row["due_at"]
    return [row["account"], row["number"], promised, _span(row["late_s"]), row["carrier"], row["tracking_number"]]


def _span(seconds: int) -> str:
    """Days and hours; the largest two units are enough to act on."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest // 60} min"
