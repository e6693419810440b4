"""`trunkline edi`: files of partners looked at and judged, and what was exchanged with them."""

from __future__ import annotations

import argparse
import sys

from hub.commands import edi_exchange, edi_judging
from hub.commands.common import EXIT_OK, EXIT_USAGE, CommandError, Subparsers, command, group, wants_json
from hub.commands.opening import opened
from mappings.edi import inspection


def add(parsers: Subparsers) -> None:
    verbs = group(parsers, "edi", "X12 and EDIFACT files of trading partners")
    inspect = command(
        verbs,
        "inspect",
        "A file as a tree: interchanges, groups, sets, segments, problems marked",
        _inspect,
        epilog="Envelopes are checked, and each problem names the code an acknowledgement tells it with.\n"
        "Any size of file is read as a stream. FILE may be -. Exit 2 when there is no interchange in it.",
    )
    inspect.add_argument("file", metavar="FILE")
    inspect.add_argument("--brief", action="store_true", help="without the segments")
    edi_judging.add_verbs(verbs)
    edi_exchange.add_verbs(verbs)


async def _inspect(args: argparse.Namespace) -> int:
    lines = 0
    with opened(args.file) as source:
        shown = (inspection.json_lines if wants_json(args) else inspection.tree)(source, segments=not args.brief)
        for line in shown:
            sys.stdout.write(line + "\n")
            lines += 1
    if lines == 0:
        raise CommandError(
            f"inspecting {args.file}: no interchange in it; one begins with ISA, UNA or UNB", exit_code=EXIT_USAGE
        )
    return EXIT_OK
