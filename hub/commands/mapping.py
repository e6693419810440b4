"""`trunkline mapping lint|show|test|diff`."""

from __future__ import annotations

import argparse
from pathlib import Path

import mappings
from hub import bootstrap
from hub.bootstrap import Hub
from hub.commands.common import (
    EXIT_USAGE,
    CommandError,
    Subparsers,
    at_most,
    command,
    config_path,
    duration,
    group,
    print_json,
    print_lines,
    print_table,
    wants_json,
)
from hub.ports.store import InboxItem
from hub.services.moments import moment


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "mapping", "How payloads become canonical documents")
    for verb, about, run in (
        ("lint", "Faults of the mappings, with file and line; exit 1 when there are any", _lint),
        ("show", "The mapping in force, field by field, with the file and line each comes from", _show),
        ("test", "Run the tests beside the mappings", _test),
        ("diff", "Map recorded payloads as shipped and with the overlay; print what differs, send nothing", _diff),
    ):
        parser = command(verbs, verb, about, run)
        if verb == "diff":
            parser.add_argument("--since", type=duration, default=30 * 86_400.0, metavar="AGE", help="default 30d")
            parser.add_argument("--limit", type=at_most, default=10_000, help="payloads at most (default 10000)")
            parser.add_argument("--against", metavar="DIR", help="compare with this overlay instead of as shipped")
            parser.add_argument("name", metavar="ACCOUNT")
        else:
            parser.add_argument("name", metavar="ACCOUNT|CONNECTOR", nargs=None if verb == "show" else "?")


def _targets(args: argparse.Namespace) -> list[tuple[str, str, Path | None]]:
    """(name, connector, overlay) of what is meant: one account, one connector, or everything."""
    name = args.name
    if name in mappings.names():
        return [(name, name, None)]
    path = config_path(args)
    accounts = bootstrap.load(path).accounts if path.exists() or name is not None else {}
    configured = [(key, account.connector, account.mappings) for key, account in accounts.items()]
    if name is None:
        return [(connector, connector, None) for connector in mappings.names()] + [
            target for target in configured if target[2] is not None
        ]
    chosen = [target for target in configured if target[0] == name]
    if not chosen:
        raise CommandError(f"no account or connector {name!r}", exit_code=EXIT_USAGE)
    return chosen


async def _lint(args: argparse.Namespace) -> int:
    faults = [fault for _, connector, overlay in _targets(args) for fault in mappings.lint(connector, overlay)]
    if wants_json(args):
        print_json([str(fault) for fault in faults])
    else:
        print_lines([str(fault) for fault in faults] or ["no faults"])
    return 1 if faults else 0


async def _show(args: argparse.Namespace) -> int:
    rows = [row for _, connector, overlay in _targets(args) for row in mappings.show(connector, overlay)]
    if wants_json(args):
        print_json([dict(zip(_SHOWN, _cells(row), strict=True)) for row in rows])
    else:
        print_table(_SHOWN, [_cells(row) for row in rows], empty="no mappings")
    return 0


_SHOWN = ("topic", "document", "field", "expression", "layer", "file", "line")


def _cells(row: mappings.Shown) -> list[object]:
    return [row.topic, row.document, row.target, row.expression, row.layer, row.file, row.line]


async def _test(args: argparse.Namespace) -> int:
    results = [result for _, connector, overlay in _targets(args) for result in mappings.run_tests(connector, overlay)]
    failed = [result for result in results if not result.passed]
    if wants_json(args):
        print_json(
            [
                {"file": r.file, "line": r.line, "payload": r.payload, "passed": r.passed, "problems": list(r.problems)}
                for r in results
            ]
        )
    else:
        for result in results:
            print_lines([f"{'ok  ' if result.passed else 'FAIL'} {result.file}:{result.line} {result.payload}"])
            print_lines([f"     {problem}" for problem in result.problems])
        print_lines([f"{len(results) - len(failed)} passed, {len(failed)} failed"])
    if not results:
        raise CommandError("testing mappings: no tests stand beside them; write some under `tests:`")
    return 1 if failed else 0


async def _diff(args: argparse.Namespace) -> int:
    """Payloads are recorded per account, so a connector's name alone says of nothing what to compare."""
    settings = bootstrap.load(config_path(args)).accounts.get(args.name)
    if settings is None:
        raise CommandError(f"comparing mappings: no account {args.name!r}; name one of hub.yaml", exit_code=EXIT_USAGE)
    account, connector, overlay = settings.name, settings.connector, settings.mappings
    old = mappings.MappingSet.load(connector, overlay=Path(args.against) if args.against else None)
    new = mappings.MappingSet.load(connector, overlay=overlay)
    changes: list[mappings.Change] = []
    seen = 0
    async with bootstrap.opened(config_path(args), readonly=True) as hub:
        async for batch in hub.recorded(account, args.since, args.limit):
            seen += len(batch)
            changes += mappings.diff(old, new, [_recorded(hub, item) for item in batch])
    if wants_json(args):
        print_json([dict(zip(_CHANGED, _change(change), strict=True)) for change in changes])
    else:
        print_table(_CHANGED, [_change(change) for change in changes], empty=f"{seen} payloads map the same")
    return 0


def _recorded(hub: Hub, item: InboxItem) -> mappings.Recorded:
    context = hub.map_context(item.account, moment(item.received_at))
    return mappings.Recorded(str(item.seq), item.topic, item.payload, context)


_CHANGED = ("input", "topic", "document", "field", "old", "new")


def _change(change: mappings.Change) -> list[object]:
    return [change.reference, change.topic, change.document, change.path, change.old, change.new]
