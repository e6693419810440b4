"""`trunkline init`, `trunkline check` and `trunkline config schema`."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from pathlib import Path

import config
import mappings
from connectors import registry
from connectors.sdk.errors import AuthFailed, ConnectorError, Transient
from hub import bootstrap
from hub.bootstrap import Settings
from hub.commands.common import (
    EXIT_OK,
    CommandError,
    Subparsers,
    command,
    config_path,
    group,
    print_json,
    print_lines,
)
from hub.storage import StorageError, migrate

_CLOCK_OFF_MAX_S = 5.0


def add(parsers: Subparsers) -> None:
    init = command(parsers, "init", "Write a commented starter configuration that passes `check`", _init)
    init.add_argument("directory", metavar="DIR", nargs="?", default=".")
    check = command(
        parsers, "check", "Configuration, mappings, database, clock and every account's credentials", _check
    )
    check.add_argument("--offline", action="store_true", help="call no vendor")
    verbs = group(parsers, "config", "The configuration file")
    command(verbs, "schema", "The JSON Schema of hub.yaml, for editors", _schema)


async def _init(args: argparse.Namespace) -> int:
    root = Path(args.directory)
    files = config.starter()
    present = [name for name in files if (root / name).exists()]
    if present:
        raise CommandError(
            f"writing the starter configuration: {root / present[0]} is already there; nothing was changed"
        )
    try:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"writing the starter configuration in {root}: {error.strerror}") from None
    print_lines([f"wrote {root / name}" for name in files])
    print_lines(["next: edit it, then `trunkline check`, then `trunkline run`"])
    return EXIT_OK


async def _schema(_args: argparse.Namespace) -> int:
    print_json(config.schema())
    return EXIT_OK


async def _check(args: argparse.Namespace) -> int:
    settings = bootstrap.load(config_path(args))
    count = 0
    async for fault in _faults(settings, offline=args.offline):
        print_lines([fault])
        count += 1
    if count:
        raise CommandError(f"{count} {'fault' if count == 1 else 'faults'}")
    print_lines([f"all well: {len(settings.accounts)} accounts" + (", no vendor was called" if args.offline else "")])
    return EXIT_OK


async def _faults(settings: Settings, *, offline: bool) -> AsyncIterator[str]:
    """One line per fault, with file and line where there is one."""
    for account in settings.accounts.values():
        # A connector that does not exist has no mappings; it is named below, with its line.
        if account.connector in registry.names():
            for unmapped in mappings.lint(account.connector, account.mappings):
                yield str(unmapped)
    for unusable in bootstrap.connector_faults(settings):
        yield str(unusable)
    async for fault in _database(settings.hub.database):
        yield fault
    if not offline:
        async for fault in _vendors(settings):
            yield fault


async def _database(url: str) -> AsyncIterator[str]:
    """An absent database is no fault: the first start makes it."""
    try:
        if await migrate.current(url) is None:
            return
        for fault in await migrate.check(url):
            yield f"database: {fault}"
    except StorageError as error:
        yield f"database: {error}"


async def _vendors(settings: Settings) -> AsyncIterator[str]:
    async with bootstrap.checking(settings) as connectors:
        for name, connector in connectors.items():
            where = settings.where(f"accounts.{name}")
            try:
                report = await connector.check()
            except AuthFailed as error:
                yield f"{where}: accounts.{name}: {error.reason.value} refused: {error.message}"
            except Transient as error:
                yield f"{where}: accounts.{name}: the vendor cannot be reached: {error.message}"
            except ConnectorError as error:
                yield f"{where}: accounts.{name}: {error.message}"
            else:
                off = float(report.detail.get("clock_off_s", "0"))
                if abs(off) > _CLOCK_OFF_MAX_S:
                    yield f"{where}: accounts.{name}: this clock is {off:.0f} s off the vendor's; set the time (NTP)"
                for warning in report.warnings:
                    print_lines([f"accounts.{name}: note: {warning}"])
