"""`trunkline failures list|show|replay|discard`."""

from __future__ import annotations

import argparse

from hub.commands.api import acting, reading
from hub.commands.common import (
    CommandError,
    Json,
    Subparsers,
    at_most,
    command,
    duration,
    group,
    print_json,
    print_lines,
    print_table,
    wants_json,
)
from hub.commands.paging import collect


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "failures", "What is parked, with the reason")
    _filters(command(verbs, "list", "Failures, newest first", _list)).add_argument("--limit", type=at_most, default=100)
    show = command(verbs, "show", "One failure", _show)
    show.add_argument("id", metavar="ID", type=int)
    for verb, about, run in (
        ("replay", "Run failed work again with today's mappings", _replay),
        ("discard", "Give failed work up; it stays in the audit log", _discard),
    ):
        parser = _filters(command(verbs, verb, about, run))
        parser.add_argument("ids", metavar="ID", type=int, nargs="*")
        parser.add_argument("--all", action="store_true", help="every open failure")
        parser.add_argument("--dry-run", action="store_true", help="count first and show what would change")


def _filters(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--account")
    parser.add_argument("--kind", choices=["inbound", "availability", "effect", "exchange"])
    parser.add_argument("--error", help="error class, such as MappingError")
    parser.add_argument("--older-than", type=duration, metavar="AGE", help="such as 15m, 2h, 1d")
    return parser


async def _list(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        rows = await collect(
            api, "/failures", args.limit,
            account=args.account, kind=args.kind, error=args.error, older_than_s=args.older_than, state="open",
        )  # fmt: skip
    if wants_json(args):
        print_json(rows)
        return 0
    print_table(
        ["id", "account", "kind", "error", "code", "path", "age s", "tries", "message"],
        [
            [
                r["id"],
                r["account"],
                r["kind"],
                r["error"],
                r["code"],
                r["path"],
                r["age_s"],
                r["attempts"],
                r["message"],
            ]
            for r in rows
        ],
        empty="nothing is parked",
    )
    return 0


async def _show(args: argparse.Namespace) -> int:
    async with reading(args) as api:
        print_json(await api.get(f"/failures/{args.id}"))
    return 0


async def _replay(args: argparse.Namespace) -> int:
    return await _act(args, "/failures/replay", "replayed")


async def _discard(args: argparse.Namespace) -> int:
    return await _act(args, "/failures/discard", "discarded")


async def _act(args: argparse.Namespace, path: str, done: str) -> int:
    filters: Json = {"account": args.account, "kind": args.kind, "error": args.error, "older_than_s": args.older_than}
    body = {name: value for name, value in filters.items() if value is not None}
    if args.ids:
        body["ids"] = args.ids
    if not body and not args.all:
        raise CommandError("name failures by id or filter, or say --all", exit_code=2)
    async with acting(args) as api:
        answer = await api.post(path, body | {"dry_run": args.dry_run})
    if wants_json(args):
        print_json(answer)
        return 0
    counts = ", ".join(f"{count} {kind}" for kind, count in answer.get("by_kind", {}).items())
    would = "would be " if args.dry_run else ""
    print_lines([f"{answer['count']} failures {would}{done}" + (f" ({counts})" if counts else "")])
    return 0
