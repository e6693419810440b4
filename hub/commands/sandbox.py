"""`trunkline sandbox CONNECTOR`: one vendor's fake alone, for use from any client."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from connectors import registry
from connectors.sdk.sandbox import FAULT_PROFILES, Faults
from hub.commands.common import EXIT_USAGE, CommandError, Subparsers, command, port, print_lines, wants_json
from hub.commands.stopping import stop_on_signals


def add(parsers: Subparsers) -> None:
    parser = command(
        parsers,
        "sandbox",
        "One vendor sandbox alone",
        _sandbox,
        epilog="Control: GET /_sandbox/state, POST /_sandbox/{stock,sell,cancel,ship,faults}; carriers have\n"
        "POST /_sandbox/parcel and GET /_sandbox/parcels.\n"
        f"Fault profiles: {', '.join(FAULT_PROFILES)}; or name=rate,name=rate.",
    )
    parser.add_argument("connector", metavar="CONNECTOR", help=", ".join(registry.names()))
    parser.add_argument("--port", type=port, default=0, help="default: a free one")
    parser.add_argument("--fault", default="none", metavar="PROFILE", help="bad manners (default none)")
    parser.add_argument("--seed", type=int, default=0, help="repeats the same chances")
    parser.add_argument("--partner", metavar="ROLE", help="edi: retailer (default), warehouse or supplier")
    parser.add_argument(
        "--hub", metavar="URL", help="edi: where the retailer sends to, http://127.0.0.1:8700/as2/ACCOUNT"
    )


def _wanted(args: argparse.Namespace) -> Callable[..., Any]:
    """The sandbox to start: the connector's own, or that of a counterpart by its role."""
    kind = registry.get(args.connector)
    build = kind.sandbox if args.partner is None else kind.partners.get(args.partner)
    if build is None and args.partner is not None:
        known = ", ".join(kind.partners) or "none"
        raise CommandError(f"--partner: {args.connector} has no {args.partner!r}; known: {known}", exit_code=EXIT_USAGE)
    if build is None:
        raise CommandError(f"{args.connector} has no sandbox")
    return build


async def _sandbox(args: argparse.Namespace) -> int:
    if args.connector not in registry.names():
        known = ", ".join(registry.names())
        raise CommandError(f"no connector {args.connector!r}; known: {known}", exit_code=EXIT_USAGE)
    build = _wanted(args)
    try:
        faults = Faults.parse(args.fault, seed=args.seed)
    except ValueError as error:
        raise CommandError(f"--fault: {error}", exit_code=EXIT_USAGE) from None
    sandbox = build(seed=args.seed, faults=faults)
    if args.hub:
        if not hasattr(sandbox, "introduce"):
            raise CommandError(f"--hub: the {args.connector} sandbox learns the hub's address by subscriptions")
        sandbox.introduce(args.hub)
    try:
        url = await sandbox.start(port=args.port)
    except OSError as error:
        raise CommandError(f"starting the sandbox on port {args.port}: {error.strerror or error}") from None
    try:
        section = sandbox.account_section()
        if wants_json(args):
            print_lines([json.dumps({"url": url, "account": section})])
        else:
            print_lines([f"{args.connector} sandbox at {url}; Ctrl-C stops it", "An account that reaches it:"])
            print_lines([json.dumps(section, indent=2)])
        with stop_on_signals() as stop:
            await stop.wait()
    finally:
        await sandbox.stop()
    return 0
