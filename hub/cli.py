"""The `trunkline` command: parses, runs one command, turns every error into one line and an exit code.

Exit codes: 0 done, 1 the operation failed, 2 bad input or usage. No traceback without `--debug`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from canonical.errors import InvariantBroken, MappingError
from config import ConfigurationInvalid
from hub import __version__
from hub.api.server import AddressTaken
from hub.bootstrap.keys import KeyUnusable
from hub.commands import (
    accounts,
    db,
    demo,
    edi,
    failures,
    mapping,
    normalize,
    orders,
    parcels,
    purchase_orders,
    run,
    sandbox,
    setup,
    shipments,
    stock,
    token,
)
from hub.commands.common import EXIT_FAILED, EXIT_OK, EXIT_USAGE, CommandError, shared
from hub.ports.store import StoreConflict, StoreUnavailable
from hub.runtime import logs, process
from hub.storage import StorageError
from mappings import MappingSetInvalid

_COMMANDS = (
    setup,
    run,
    demo,
    sandbox,
    normalize,
    mapping,
    edi,
    stock,
    orders,
    purchase_orders,
    parcels,
    shipments,
    accounts,
    failures,
    db,
    token,
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="trunkline",
        description="A connector hub for commerce operations: one order book, one inventory position, every channel.",
        allow_abbrev=False,
    )
    shared(top)
    top.add_argument("--version", action="version", version=f"trunkline {__version__}")
    parsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add(parsers)
    return top


_EXPECTED = (
    ConfigurationInvalid,
    MappingSetInvalid,
    CommandError,
    MappingError,
    AddressTaken,
    StorageError,
    StoreUnavailable,
    StoreConflict,
    InvariantBroken,
    KeyUnusable,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = parser().parse_args(argv)
    # A command says in one line what is wrong; events are the log of the daemon, which sets up its own.
    logs.configure(json_lines=False, level="warning" if getattr(args, "debug", False) else "critical")
    try:
        return int(process.run(args.run(args)))
    except _EXPECTED as error:
        if getattr(args, "debug", False):
            raise
        return _report(error)
    except BrokenPipeError:
        # The reader of our output has left (`| head`): that is its right, and no failure of ours.
        _drop_output()
        return EXIT_OK
    except OSError as error:
        if getattr(args, "debug", False):
            raise
        _drop_output()
        about = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"trunkline: {args.command} did not end: {about}{error.strerror or error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130


def _drop_output() -> None:
    """What is still buffered for standard output goes nowhere: written at the exit, it would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception) -> int:
    """One line per fault on stderr; the exit code that fits."""
    if isinstance(error, ConfigurationInvalid | MappingSetInvalid):
        sys.stderr.writelines(f"{fault}\n" for fault in error.faults)
        return EXIT_FAILED
    sys.stderr.write(f"trunkline: {' '.join(str(error).split())}\n")
    if isinstance(error, CommandError):
        return error.exit_code
    return EXIT_USAGE if isinstance(error, MappingError) else EXIT_FAILED
