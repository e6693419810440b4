"""One EDIFACT interchange, from UNA or UNB to UNZ."""

from __future__ import annotations

from mappings.edi.cursor import Cursor
from mappings.edi.edifact import checks, service
from mappings.edi.edifact.rows import BLANKS, rows_of, text_of
from mappings.edi.model import Group, Interchange, Party, Piece, Segments, Separators, TransactionSet
from mappings.edi.problems import Code, Level, Problem
from mappings.edi.splitting import parts_of, plain
from mappings.edi.traversal import Traversal
from mappings.edi.window import Window

TAGS = ("UNB", "UNZ", "UNG", "UNE", "UNH", "UNT")


def interchange_at(window: Window, start: int) -> tuple[Interchange, Traversal] | None:
    """The interchange whose UNA or UNB stands at an offset; None when the header cannot be made out."""
    window.ensure(start + service.LONGEST)
    raw = window.slice(start, start + service.LONGEST)
    found = service.read(raw)
    if found is None:
        return None
    end = _end_of_header(raw, found)
    if end is None:
        return None
    row = _row(raw[found.header_at : end], found.separators)
    if row is None:
        return None
    fields = _Fields(row, found.separators)
    syntax, version = fields.component(1, 1), fields.component(1, 2)
    interchange = Interchange(
        syntax="edifact",
        separators=found.separators,
        control=fields.component(5, 1),
        sender=Party(fields.component(2, 2), fields.component(2, 1), fields.component(2, 3)),
        receiver=Party(fields.component(3, 2), fields.component(3, 1), fields.component(3, 3)),
        version=f"{syntax}:{version}",
        test=fields.component(11, 1) not in {"", "0"},
        groups=iter(()),
        header=row[1:],
        problems=checks.header(fields.component(5, 1), fields.component(4, 1), fields.component(4, 2), start),
        acknowledgement_requested=fields.component(9, 1) == "1",
        date=fields.component(4, 1),
        time=fields.component(4, 2),
        charset=service.CHARSETS.get(syntax, "ascii"),
        raw_start=start,
        raw_end=start + end,
        head=Piece(raw[:end]),
    )
    cursor = Cursor(window, found.separators, start + end, tags=TAGS)
    traversal = EdifactTraversal(cursor, interchange)
    interchange.groups = traversal.groups()
    return interchange, traversal


def _end_of_header(raw: bytes, found: service.Service) -> int | None:
    """Behind the terminator, or the end of the source; None when a header does not end within reason."""
    mark = found.separators.segment_bytes
    release = found.separators.release.encode("latin-1") if found.separators.release else None
    at = raw.find(mark, found.header_at)
    while release is not None and at > 0 and raw[at - 1 : at] == release and raw[at - 2 : at - 1] != release:
        at = raw.find(mark, at + 1)
    if at < 0:
        return len(raw) if len(raw) < service.LONGEST else None
    return at + len(mark)


def _row(raw: bytes, separators: Separators) -> list[str] | None:
    """UNB as a list; None when it is something else."""
    rows = rows_of(text_of(raw, "ascii")[0], separators)
    row = parts_of(str(rows[0]), separators.element, separators.release) if rows else []
    return row if len(row) > 1 and row[0] == "UNB" else None


class _Fields:
    """Components of a segment's elements by position, release characters resolved."""

    def __init__(self, row: list[str], separators: Separators) -> None:
        self._row = row
        self._separators = separators

    def component(self, element: int, component: int) -> str:
        if element >= len(self._row):
            return ""
        marks = self._separators
        parts = parts_of(self._row[element], marks.component, marks.release)
        return plain(parts[component - 1], marks.release).strip(BLANKS) if component <= len(parts) else ""


class EdifactTraversal(Traversal):
    opens = "UNB"
    opens_group = "UNG"
    opens_set = "UNH"
    closes_set = "UNT"
    closes_group = "UNE"
    closes = "UNZ"

    def row_of(self, raw: bytes) -> list[str]:
        separators = self.interchange.separators
        rows = rows_of(text_of(raw, self.interchange.charset)[0], separators)
        return parts_of(str(rows[0]), separators.element, separators.release)

    def group_from(self, row: list[str], offset: int) -> Group:
        fields = _Fields(row, self.interchange.separators)
        return Group(
            functional_id=fields.component(1, 1),
            control=fields.component(5, 1),
            version=".".join(filter(None, (fields.component(7, 1), fields.component(7, 2)))),
            sets=iter(()),
            sender=fields.component(2, 1),
            receiver=fields.component(3, 1),
            date=fields.component(4, 1),
            time=fields.component(4, 2),
            agency=fields.component(6, 1),
            offset=offset,
        )

    def implicit_group(self, offset: int) -> Group:
        return Group("", "", "", iter(()), implicit=True, offset=offset)

    def set_from(self, group: Group, raw: bytes, offset: int, *, finished: bool, binary_met: bool) -> TransactionSet:
        del group, binary_met
        separators = self.interchange.separators
        text, charset = text_of(raw, self.interchange.charset)
        rows = rows_of(text, separators)
        head = _Fields(parts_of(str(rows[0]), separators.element, separators.release), separators)
        found = TransactionSet(
            raw,
            b"",
            head.component(2, 1),
            head.component(1, 1),
            ".".join(filter(None, (head.component(2, 2), head.component(2, 3)))),
            head.component(2, 5),
            Segments(rows, separators, raw, offset),
            [],
            offset,
            charset,
        )
        if charset != self.interchange.charset:
            text = f"text is not in the character set that {self.interchange.version} names"
            found.problems.append(Problem(Code.CHARSET_DIFFERS, Level.SET, text, offset=offset))
        if not finished:
            found.problems.append(checks.unfinished(raw, len(rows), offset))
        else:
            tail = _Fields(parts_of(str(rows[-1]), separators.element, separators.release), separators)
            found.problems += checks.message_trailer(found, tail.component(1, 1), tail.component(2, 1))
        found.problems += checks.message_header(found)
        return found

    def check_group(self, group: Group, row: list[str]) -> None:
        fields = _Fields(row, self.interchange.separators)
        group.declared = fields.component(1, 1)
        group.problems += checks.group_trailer(group, fields.component(1, 1), fields.component(2, 1))

    def check(self, row: list[str]) -> None:
        fields = _Fields(row, self.interchange.separators)
        self.interchange.declared = fields.component(1, 1)
        number = self.messages if self.ungrouped else self.interchange.count
        self.interchange.problems += checks.trailer(
            self.interchange, number, fields.component(1, 1), fields.component(2, 1)
        )

    def aside(self, row: list[str]) -> bool:
        del row
        return False
