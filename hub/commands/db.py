"""`trunkline db upgrade|check|backup|restore`."""

from __future__ import annotations

import argparse
from pathlib import Path

from hub import bootstrap
from hub.commands.common import Subparsers, command, config_path, group, print_json, print_lines, wants_json
from hub.storage import backup, migrate


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "db", "The hub's database")
    command(verbs, "upgrade", "Bring the schema up to this version", _upgrade)
    command(verbs, "check", "Schema version and integrity; exit 1 when something is wrong", _check)
    save = command(verbs, "backup", "A consistent copy, taken while the hub runs", _backup)
    save.add_argument("file", metavar="FILE")
    load = command(verbs, "restore", "Put a backup in place; the hub must be stopped", _restore)
    load.add_argument("file", metavar="FILE")


async def _upgrade(args: argparse.Namespace) -> int:
    url = bootstrap.load(config_path(args)).hub.database
    before = await migrate.current(url)
    await migrate.upgrade(url)
    after = await migrate.current(url)
    print_lines([f"the schema is at {after}" if before == after else f"the schema went from {before} to {after}"])
    return 0


async def _check(args: argparse.Namespace) -> int:
    faults = await migrate.check(bootstrap.load(config_path(args)).hub.database)
    if wants_json(args):
        print_json(list(faults))
    else:
        print_lines(list(faults) or ["the database is well"])
    return 1 if faults else 0


async def _backup(args: argparse.Namespace) -> int:
    await backup.backup(bootstrap.load(config_path(args)).hub.database, Path(args.file))
    print_lines([f"backed up to {args.file}; keep the key file apart from it"])
    return 0


async def _restore(args: argparse.Namespace) -> int:
    await backup.restore(bootstrap.load(config_path(args)).hub.database, Path(args.file))
    print_lines([f"restored from {args.file}"])
    return 0
