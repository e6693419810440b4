"""One X12 interchange, from ISA to IEA."""

from __future__ import annotations

from mappings.edi.cursor import Cursor
from mappings.edi.model import Group, Interchange, Party, Piece, Segments, TransactionSet
from mappings.edi.problems import Code, Level, Problem
from mappings.edi.traversal import PROBLEMS_MAX, Traversal
from mappings.edi.window import Window
from mappings.edi.x12 import checks, isa
from mappings.edi.x12.rows import BLANKS, rows_of, text_of

TAGS = ("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "BIN", "BDS")


def interchange_at(window: Window, start: int) -> tuple[Interchange, Traversal] | None:
    """The interchange whose ISA stands at an offset; None when the header cannot be made out."""
    window.ensure(start + isa.LONGEST)
    header = isa.read(window.slice(start, start + isa.LONGEST))
    if header is None:
        return None
    given = [each.strip(BLANKS) for each in header.elements]
    end = start + header.size
    interchange = Interchange(
        syntax="x12",
        separators=header.separators,
        control=given[12],
        sender=Party(given[4], given[5]),
        receiver=Party(given[6], given[7]),
        version=given[11],
        test=given[14] == "T",
        groups=iter(()),
        header=header.elements,
        problems=checks.header(header, start),
        acknowledgement_requested=given[13] == "1",
        date=given[8],
        time=given[9],
        raw_start=start,
        raw_end=end,
        head=Piece(window.slice(start, end)),
    )
    cursor = Cursor(window, header.separators, end, tags=TAGS)
    traversal = X12Traversal(cursor, interchange)
    interchange.groups = traversal.groups()
    return interchange, traversal


class X12Traversal(Traversal):
    opens = "ISA"
    opens_group = "GS"
    opens_set = "ST"
    closes_set = "SE"
    closes_group = "GE"
    closes = "IEA"

    def row_of(self, raw: bytes) -> list[str]:
        rows = rows_of(raw, self.interchange.separators)
        return [str(each).strip(BLANKS) for each in str(rows[0]).split(self.interchange.separators.element)]

    def group_from(self, row: list[str], offset: int) -> Group:
        kind, sender, receiver, date, time, control, agency, version = [*row[1:9], *[""] * 8][:8]
        return Group(
            functional_id=kind,
            control=control,
            version=version,
            sets=iter(()),
            sender=sender,
            receiver=receiver,
            date=date,
            time=time,
            agency=agency,
            problems=checks.group_header(control, offset),
            offset=offset,
        )

    def implicit_group(self, offset: int) -> Group:
        told = Problem(Code.GROUP_MISSING, Level.INTERCHANGE, "ST outside any group", tag="ST", offset=offset)
        if len(self.interchange.problems) < PROBLEMS_MAX:
            self.interchange.problems.append(told)
        return Group("", "", "", iter(()), implicit=True, offset=offset)

    def set_from(self, group: Group, raw: bytes, offset: int, *, finished: bool, binary_met: bool) -> TransactionSet:
        separators = self.interchange.separators
        rows = rows_of(raw, separators, binary_met=binary_met)
        mark = separators.element
        head = str(rows[0]).split(mark)
        found = TransactionSet(
            raw,
            b"",
            head[1] if len(head) > 1 else "",
            head[2] if len(head) > 2 else "",
            group.version,
            head[3] if len(head) > 3 else "",
            Segments(rows, separators, raw, offset),
            [],
            offset,
        )
        if not raw.isascii() and not text_of(raw)[1]:
            found.charset = "iso8859-1"
        if not finished:
            found.problems.append(checks.unfinished(raw, len(rows), offset))
        else:
            tail = str(rows[-1]).split(mark)
            if len(tail) < 3 or tail[1] != str(len(rows)) or tail[2] != found.control:
                found.problems += checks.set_trailer(found, tail)
        if not checks.plausible(found.kind, found.control):
            found.problems += checks.set_header(found)
        if binary_met:
            found.problems += checks.binary_segments(found)
        return found

    def check_group(self, group: Group, row: list[str]) -> None:
        group.declared = row[1] if len(row) > 1 else ""
        group.problems += checks.group_trailer(group, row)

    def check(self, row: list[str]) -> None:
        interchange = self.interchange
        interchange.declared = row[1] if len(row) > 1 else ""
        interchange.problems += checks.trailer(interchange, row)

    def aside(self, row: list[str]) -> bool:
        if row[0] != "TA1" or len(self.interchange.acknowledgements) >= PROBLEMS_MAX:
            return False
        self.interchange.acknowledgements.append(row)
        return True
