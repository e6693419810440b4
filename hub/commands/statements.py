"""Files in which an operator states many things: CSV, several rows of which may be one thing, or JSONL."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from hub.commands.common import EXIT_USAGE, CommandError, Json, plain_cell

FAULTS_SHOWN = 5

Blame = Callable[[int, str], None]
"""(line, what is wrong with it)"""
Stated = dict[Hashable, tuple[int, Json]]
"""Bodies so far with the line each began at; rows of one key are one body."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a file of one kind looks like.

    Args:
        doing: What an error says was being done.
        columns: Every column a CSV may have.
        needed: Those it must have.
        named_by: The field every body of a JSONL must have.
        row: Takes one CSV row's filled cells into the bodies so far.
    """

    doing: str
    columns: Sequence[str]
    needed: frozenset[str]
    named_by: str
    row: Callable[[int, dict[str, str], Stated, Blame], None]

    def read(self, name: str, raw: bytes) -> Iterator[tuple[str, Json]]:
        """(where, body) of each thing stated.

        Raises:
            CommandError: The file's form has faults; it is refused whole, every fault by line.
        """
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._refused(f"{name} is not UTF-8 ({error.reason})") from None
        shown = Path(name).name if name != "-" else "standard input"
        faults: list[str] = []
        read = self._jsonl if text.lstrip().startswith("{") else self._csv
        found = list(read(text, lambda line, fault: faults.append(f"{shown}:{line}: {fault}")))
        if faults:
            more = f"; and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
            raise self._refused("; ".join(faults[:FAULTS_SHOWN]) + more)
        yield from ((f"{shown}:{line}", body) for line, body in found)

    def _refused(self, fault: str) -> CommandError:
        return CommandError(f"{self.doing}: {fault}", exit_code=EXIT_USAGE)

    def _jsonl(self, text: str, blame: Blame) -> Iterator[tuple[int, Json]]:
        # Not `splitlines`: a JSON text may hold what else Unicode takes for the end of a line.
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                body = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                blame(number, str(error))
                continue
            if isinstance(body, dict) and body.get(self.named_by):
                yield number, body
            else:
                article = "an" if self.named_by[0] in "aeiou" else "a"
                blame(number, f"no JSON object with {article} `{self.named_by}`")

    def _csv(self, text: str, blame: Blame) -> Iterator[tuple[int, Json]]:
        reader = csv.DictReader(io.StringIO(text))
        stated: Stated = {}
        try:
            if not self._has_its_columns(reader.fieldnames or (), blame):
                return
            for row in reader:
                if None in row:
                    # A comma nobody quoted: every cell after it stands under another column.
                    blame(reader.line_num, "has more cells than columns; quote a value with a comma in it")
                    continue
                cells = {column: plain_cell(cell).strip() for column, cell in row.items() if cell is not None}
                if any(cells.values()):
                    self.row(reader.line_num, {name: cell for name, cell in cells.items() if cell}, stated, blame)
        except csv.Error as error:
            blame(reader.line_num + 1, str(error))
        yield from stated.values()

    def _has_its_columns(self, named: Sequence[str], blame: Blame) -> bool:
        columns = set(named)
        if missing := sorted(self.needed - columns):
            blame(1, f"column {', '.join(missing)} missing")
        elif unknown := sorted(columns - set(self.columns)):
            blame(1, f"unknown column {', '.join(unknown)}; known: {', '.join(self.columns)}")
        elif len(columns) < len(named):
            blame(1, "a column is named twice")
        else:
            return True
        return False
