"""`trunkline orders list|show|timeline`."""

from __future__ import annotations

import argparse
import json

from hub.commands.api import reading, segment
from hub.commands.common import (
    Json,
    Subparsers,
    at_most,
    command,
    group,
    print_json,
    print_lines,
    print_table,
    wants_json,
)
from hub.commands.paging import collect


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "orders", "Orders from every channel")
    listing = command(verbs, "list", "Orders, newest first", _list)
    listing.add_argument("--account", help="one account only")
    listing.add_argument("--state", choices=["pending", "open", "held", "cancelled", "closed"])
    listing.add_argument("--held", action="store_true", help="only orders with a hold")
    listing.add_argument("--number", help="the channel's order number")
    listing.add_argument("--limit", type=at_most, default=50, help="at most this many (default 50)")
    show = command(verbs, "show", "One order: document, holds, where its stock is reserved", _show)
    show.add_argument("id", metavar="ID")
    timeline = command(verbs, "timeline", "Every event, posting, push and attempt of one order", _timeline)
    timeline.add_argument("id", metavar="ID")


async def _list(args: argparse.Namespace) -> int:
    query = {"account": args.account, "state": args.state, "held": args.held or None, "number": args.number}
    async with reading(args) as api:
        orders = await collect(api, "/orders", args.limit, **query)
    if wants_json(args):
        print_json(orders)
        return 0
    rows = [_row(order) for order in orders]
    print_table(["id", "account", "number", "state", "placed", "lines", "holds"], rows, empty="no orders")
    return 0


def _row(order: Json) -> list[object]:
    holds = ", ".join(hold["name"] for hold in order["holds"])
    account, lines = order["source"]["account"], len(order["lines"])
    return [order["id"], account, order["number"], order["state"], order["placed_at"], lines, holds]


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        print_json(await api.get("/orders/" + segment(args.id)))
    return 0


async def _timeline(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        entries = (await api.get(f"/orders/{segment(args.id)}/timeline"))["items"]
    if wants_json(args):
        print_json(entries)
        return 0
    print_lines(
        [
            f"{entry['at']}  {entry['kind']:<10}  {entry['summary']}"
            + (f"  {json.dumps(entry['detail'], ensure_ascii=False)}" if entry["detail"] else "")
            for entry in entries
        ]
        or ["nothing has happened to this order"]
    )
    return 0
