"""What every command shares: its options, its errors, and how it prints."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Json = dict[str, Any]
Run = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2


class CommandError(Exception):
    """Ends a command with one line on stderr: what was being done, what is wrong, what to do."""

    def __init__(self, message: str, *, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Subparsers(Protocol):
    def add_parser(self, name: str, **kwargs: Any) -> argparse.ArgumentParser: ...


def command(
    parsers: Subparsers, name: str, about: str, run: Run, *, epilog: str | None = None
) -> argparse.ArgumentParser:
    """A subcommand with the options every command has."""
    parser = parsers.add_parser(
        name,
        help=about,
        description=about,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    shared(parser)
    parser.set_defaults(run=run)
    return parser


def shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="default: $TRUNKLINE_CONFIG, then ./config/hub.yaml"
    )
    parser.add_argument(
        "--url", metavar="URL", default=argparse.SUPPRESS, help="a hub elsewhere; needs --token or $TRUNKLINE_TOKEN"
    )
    parser.add_argument("--token", metavar="TOKEN", default=argparse.SUPPRESS, help="API token for --url")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="machine-readable output")
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")


def group(parsers: Subparsers, name: str, about: str) -> Subparsers:
    """A noun with verbs under it."""
    parser = parsers.add_parser(name, help=about, description=about, allow_abbrev=False)
    shared(parser)
    verbs: Subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    return verbs


def config_path(args: argparse.Namespace) -> Path:
    given = getattr(args, "config", None) or os.environ.get("TRUNKLINE_CONFIG") or "config/hub.yaml"
    return Path(given)


def wants_json(args: argparse.Namespace) -> bool:
    return bool(getattr(args, "json", False))


def print_json(document: object) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_lines(lines: Sequence[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)
    # Into a file or a pipe it would otherwise stay unseen for as long as the command runs.
    sys.stdout.flush()


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Columns aligned for a person; `empty` is said when there is nothing."""
    if not rows:
        print_lines([empty])
        return
    cells = [
        [str(heading) for heading in headings],
        *[["–" if cell is None else str(cell) for cell in row] for row in rows],
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    numeric = [all(isinstance(row[column], int | float | None) for row in rows) for column in range(len(headings))]
    for row in cells:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        print_lines(["  ".join(padded).rstrip()])


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """CSV whose cells cannot start a formula in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return "'" + value
    return "" if value is None else value


def duration(text: str) -> float:
    """Seconds from `90s`, `15m`, `2h`, `30d` or a bare number of seconds."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        seconds = float(number) * units[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration like 90s, 15m, 2h or 30d") from None
    if not 0 <= seconds < 1e10:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range")
    return seconds


def quantity(text: str) -> int:
    """A whole number of units within what a position can hold."""
    try:
        units = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if abs(units) >= 2**53:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range")
    return units


def read_file(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"reading {name}: {error.strerror}", exit_code=EXIT_USAGE) from None
