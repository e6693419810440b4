"""`trunkline demo`: the hub with every sandbox and live traffic; exit 1 unless the verdict is clean."""

from __future__ import annotations

import argparse
import json

from connectors.sdk.sandbox import FAULT_PROFILES, Faults
from hub.commands.common import EXIT_USAGE, CommandError, Subparsers, command, duration, port, print_lines, wants_json
from hub.commands.stopping import stop_on_signals
from hub.demo.session import Options, run


def add(parsers: Subparsers) -> None:
    parser = command(parsers, "demo", "Hub plus sandboxes with live traffic on this machine", _demo)
    parser.add_argument("--seconds", type=duration, help="end by itself with a summary (default: Ctrl-C)")
    parser.add_argument("--port", type=port, default=8700, help="console and webhooks (default 8700; 0: a free one)")
    parser.add_argument(
        "--fault", default="none", metavar="PROFILE", help=f"bad manners: {', '.join(FAULT_PROFILES)}, or name=rate,…"
    )
    parser.add_argument("--seed", type=int, default=1, help="repeats the same shoppers")
    parser.add_argument("--rate", type=float, default=4.0, help="sales a second over all channels (default 4)")


async def _demo(args: argparse.Namespace) -> int:
    try:
        Faults.parse(args.fault, seed=args.seed)
    except ValueError as error:
        raise CommandError(f"--fault: {error}", exit_code=EXIT_USAGE) from None
    if not 0 < args.rate <= 500:
        raise CommandError("--rate: between 0 and 500 sales a second", exit_code=EXIT_USAGE)
    quiet = wants_json(args)
    options = Options(
        port=args.port,
        seconds=args.seconds,
        fault=args.fault,
        seed=args.seed,
        rate_per_s=args.rate,
        say=(lambda _line: None) if quiet else (lambda line: print_lines([line])),
    )
    with stop_on_signals() as stop:
        verdict, summary = await run(options, stop)
    if quiet:
        print_lines([json.dumps(summary)])
    else:
        zero = "all sold once, all known, nothing lost" if verdict.well else "NOT CLEAN"
        print_lines([json.dumps(summary, indent=2), zero])
    return 0 if verdict.well else 1
