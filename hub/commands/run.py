"""`trunkline run`: the daemon."""

from __future__ import annotations

import argparse
import asyncio

from hub import bootstrap
from hub.bootstrap import Hub
from hub.commands.common import EXIT_FAILED, EXIT_OK, Subparsers, command, config_path
from hub.commands.stopping import stop_on_signals
from hub.runtime.process import tune_gc


def add(parsers: Subparsers) -> None:
    parser = command(
        parsers,
        "run",
        "The daemon; SIGTERM drains",
        _run,
        epilog="Roles share one PostgreSQL database over several processes: intake takes webhooks, worker applies\n"
        "and sends, scheduler polls and keeps house. SQLite is for one process: role all.",
    )
    parser.add_argument("--role", choices=["all", "intake", "worker", "scheduler"], default="all")


async def _run(args: argparse.Namespace) -> int:
    hub = Hub.build(bootstrap.load(config_path(args)), role=args.role)
    with stop_on_signals() as stop:
        await hub.start()
        tune_gc()
        try:
            await _first(asyncio.create_task(stop.wait()), asyncio.create_task(hub.failed()))
        finally:
            await hub.stop()
    return EXIT_FAILED if hub.fatal is not None else EXIT_OK


async def _first(*tasks: asyncio.Task[object]) -> None:
    """Until one of them ends; the others are cancelled."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
