"""`trunkline edi list|show|resend|due`: what was exchanged with trading partners, and who owes an answer."""

from __future__ import annotations

import argparse
import base64
import sys
from typing import Any

from hub.commands.api import acting, reading
from hub.commands.common import (
    EXIT_OK,
    Json,
    Subparsers,
    at_most,
    command,
    print_json,
    print_lines,
    print_table,
    wants_json,
)
from hub.commands.paging import collect


def add_verbs(verbs: Subparsers) -> None:
    """Adds these to the `edi` commands."""
    listed = command(verbs, "list", "Files received from and made for trading partners, newest first", _list)
    listed.add_argument("--account")
    listed.add_argument("--direction", choices=["in", "out"])
    listed.add_argument("--state", choices=["taking", "taken", "parked", "made"])
    listed.add_argument("--limit", type=at_most, default=50)
    show = command(
        verbs,
        "show",
        "One file: its sets, their problems, its sendings",
        _show,
        epilog="--raw writes the file's bytes to standard output; they may name people.",
    )
    show.add_argument("id", metavar="ID")
    show.add_argument("--raw", action="store_true", help="the bytes instead")
    resend = command(verbs, "resend", "Send a file again: the same bytes, the same control numbers", _resend)
    resend.add_argument("id", metavar="ID")
    due = command(verbs, "due", "Answers that are awaited, from partners and from us, soonest deadline first", _due)
    due.add_argument("--account")
    due.add_argument("--kind", help="the document awaited, such as 997 or 855")
    due.add_argument("--overdue", action="store_true", help="only what is past its deadline")
    due.add_argument("--limit", type=at_most, default=100)


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        rows = await collect(
            api, "/edi/files", args.limit, account=args.account, direction=args.direction, state=args.state
        )
    if wants_json(args):
        print_json(rows)
        return EXIT_OK
    print_table(
        ["id", "account", "way", "at", "name", "control", "kinds", "sets", "state"],
        [
            [
                row["id"],
                row["account"],
                row["direction"],
                row["at"],
                row["name"],
                row["control"],
                " ".join(row["kinds"]),
                row["sets"],
                _state(row),
            ]
            for row in rows
        ],
        empty="no file was exchanged yet",
    )
    return EXIT_OK


def _state(row: Json) -> str:
    progress = f" {row['done']}/{row['sets']}" if row["state"] == "taking" else ""
    return str(row["state"]) + progress + (", test" if row["test"] else "")


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        if args.raw:
            found = await api.get(f"/edi/files/{args.id}/content")
            sys.stdout.buffer.write(base64.b64decode(found["content"]))
            sys.stdout.flush()
            return EXIT_OK
        _print_file(await api.get(f"/edi/files/{args.id}"), args)
    return EXIT_OK


async def _resend(args: argparse.Namespace) -> int:
    async with acting(args) as api:
        found = await api.post(f"/edi/files/{args.id}/resend")
    if wants_json(args):
        print_json(found)
    else:
        print_lines([f"{found['name']} ({found['id']}) is queued to be sent again, time {len(found['sendings'])}"])
    return EXIT_OK


def _print_file(found: Json, args: argparse.Namespace) -> None:
    if wants_json(args):
        print_json(found)
        return
    way = "from" if found["direction"] == "in" else "to"
    print_lines([f"{found['id']}: {found['name']} {way} {found['account']}, {found['at']}, {_state(found)}"])
    for one in found["interchanges"]:
        test = ", test" if one["test"] else ""
        print_lines([f"interchange {one['control']}: {one['parties']}, {one['status']}, {one['fate']}{test}"])
    for reason in found["parked"]:
        print_lines([f"parked: {reason}"])
    for one in found["sendings"]:
        print_lines([f"sending {one['id']}: {one['state']}, queued {one['queued_at']}"])
    print_table(
        ["place", "set", "control", "group", "about", "state", "problems"],
        [
            [row["place"], row["kind"], row["control"], _group(row), row["about"], row["state"], _problems(row)]
            for row in found["contents"]
        ],
        empty="no sets",
    )


def _group(row: Json) -> str | None:
    return f"{row['functional_id']} {row['group']}" if row["group"] else None


def _problems(row: Json) -> str | None:
    told = [" ".join(str(one.get(key, "")) for key in ("position", "code", "message")) for one in row["problems"]]
    return "; ".join(told) or None


async def _due(args: argparse.Namespace) -> int:
    query: dict[str, Any] = {"account": args.account, "kind": args.kind, "overdue": args.overdue or None}
    async with reading(args) as api:
        rows = await collect(api, "/edi/expectations", args.limit, **query)
    if wants_json(args):
        print_json(rows)
        return EXIT_OK
    print_table(
        ["account", "awaited", "owed by", "for", "about", "due"],
        [
            [
                row["account"],
                row["kind"],
                row["owed_by"],
                row["reference"],
                row["subject"],
                countdown(row["due_in_s"]),
            ]
            for row in rows
        ],
        empty="nothing is overdue" if args.overdue else "nothing is awaited",
    )
    return EXIT_OK


def countdown(seconds: int | None) -> str:
    """A span for people, its two largest units: `in 3h 20m`, `overdue by 2d 1h`."""
    if seconds is None:
        return "no deadline"
    left = abs(seconds)
    days, hours, minutes = left // 86_400, left % 86_400 // 3600, left % 3600 // 60
    parts = [f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if count][:2]
    span = " ".join(parts) or "less than a minute"
    return f"overdue by {span}" if seconds < 0 else f"in {span}"
