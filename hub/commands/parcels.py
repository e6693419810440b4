"""`trunkline parcels list|show`."""

from __future__ import annotations

import argparse
from typing import get_args

from canonical.codes import Milestone
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
    verbs = group(parsers, "parcels", "Parcels: where they are, and what carriers told of them")
    listing = command(verbs, "list", "Parcels, newest first", _list)
    listing.add_argument("--number", help="a tracking number, however it is spelt")
    listing.add_argument("--carrier", help="our code, such as ups")
    listing.add_argument("--milestone", choices=get_args(Milestone))
    listing.add_argument("--orphans", action="store_true", help="only those no shipment of ours names")
    listing.add_argument("--open", action="store_true", help="only those of which something is still expected")
    listing.add_argument("--limit", type=at_most, default=50, help="at most this many (default 50)")
    show = command(verbs, "show", "One parcel and everything told of it", _show)
    show.add_argument("id", metavar="ID", help="the parcel's id, or its tracking number")


async def _list(args: argparse.Namespace) -> int:
    query = {
        "number": args.number,
        "carrier": args.carrier,
        "milestone": args.milestone,
        "orphan": args.orphans or None,
        "open": args.open or None,
    }
    async with reading(args) as api:
        parcels = await collect(api, "/tracking", args.limit, **query)
    if wants_json(args):
        print_json(parcels)
        return 0
    headings = ["id", "carrier", "number", "milestone", "condition", "expected", "heard", "orders"]
    print_table(headings, [_row(parcel) for parcel in parcels], empty="no parcels")
    return 0


def _row(parcel: Json) -> list[object]:
    orders = ", ".join(dict.fromkeys(one["order"] for one in parcel["carries"])) or (
        "nobody's" if parcel["orphan"] else ""
    )
    names = ("id", "carrier", "tracking_number", "milestone", "condition", "estimated_delivery", "heard_at")
    return [*(parcel[name] for name in names), orders]


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        parcel = await api.get("/tracking/" + segment(args.id))
    if wants_json(args):
        print_json(parcel)
        return 0
    events = parcel.pop("events")
    lines = [f"{name}: {value}" for name, value in parcel.items() if value not in (None, [], {}, False)]
    print_lines([*lines, "", *(_event(event) for event in events)] if events else lines)
    return 0


def _event(event: Json) -> str:
    """The carrier's own time, ours for the milestone, and its words."""
    at = event.get("local_time") or event.get("at") or "no time stated"
    place = event.get("location") or {}
    where = place.get("city") or place.get("facility") or place.get("raw") or ""
    said = " · ".join(
        str(part) for part in (event.get("milestone"), event.get("condition"), where, event.get("text_raw")) if part
    )
    return f"{at}  {said}{'  (latest status)' if event['current'] else ''}"
