"""A partner's own X12: written and read here without the product's, so that each is checked by the other.

Only what the sandboxes trade: X12 004010, one component, no binary data.

Source: X12.5 and X12.6 (control structures, data elements); X12.20 for the 997 (004010).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

Row = Sequence[str]

GROUPS: Final = {
    "850": "PO", "855": "PR", "856": "SH", "860": "PC", "865": "CA", "810": "IN", "846": "IB", "940": "OW", "943": "AR",
    "944": "RE", "945": "SW", "947": "AW", "997": "FA", "999": "FA", "820": "RA", "824": "AG",
}  # fmt: skip
_ISA_LENGTH: Final = 106


@dataclass(frozen=True, slots=True)
class Identity:
    """ISA qualifier and id; the group's id is the same."""

    qualifier: str
    id: str


@dataclass(slots=True)
class Set:
    """One transaction set: its rows without ST and SE, and what is wrong with it."""

    kind: str
    control: str
    rows: list[list[str]]
    functional_id: str = ""
    group: str = ""
    faults: list[str] = field(default_factory=list)

    def first(self, tag: str) -> list[str]:
        """The first row of a tag, empty when there is none."""
        return next((row for row in self.rows if row[0] == tag), [])

    def all(self, tag: str) -> list[list[str]]:
        return [row for row in self.rows if row[0] == tag]

    def loops(self, tag: str) -> Iterator[list[list[str]]]:
        """Rows from each row of a tag up to the next one of it."""
        found: list[list[str]] = []
        for row in self.rows:
            if row[0] == tag and found:
                yield found
                found = []
            if row[0] == tag or found:
                found.append(row)
        if found:
            yield found


@dataclass(slots=True)
class Interchange:
    """One ISA to IEA; `faults` are of the envelope."""

    control: str
    sender: Identity
    receiver: Identity
    test: bool
    sets: list[Set]
    faults: list[str] = field(default_factory=list)
    answers: list[list[str]] = field(default_factory=list)
    """TA1 rows: what the other side thinks of interchanges of ours"""


def at(row: Row, position: int) -> str:
    """An element by its number, empty when the row is shorter."""
    return row[position] if position < len(row) else ""


def write(
    sets: Sequence[tuple[str, Sequence[Row]]],
    sender: Identity,
    receiver: Identity,
    *,
    interchange: int,
    group: int,
    moment: datetime,
) -> bytes:
    """An interchange with one group per run of sets of one kind; ST02 counts from 0001 in each."""
    rows: list[Row] = []
    groups = 0
    for kind, members in _runs(sets):
        number = str(group + groups)
        groups += 1
        rows.append(
            ["GS", GROUPS[kind], sender.id, receiver.id, f"{moment:%Y%m%d}", f"{moment:%H%M}", number, "X", "004010"]
        )
        for place, body in enumerate(members, 1):
            rows += [["ST", kind, f"{place:04d}"], *body, ["SE", str(len(body) + 2), f"{place:04d}"]]
        rows.append(["GE", str(len(members)), number])
    isa = (
        f"ISA*00*{'':10}*00*{'':10}*{sender.qualifier:2}*{sender.id:15}*{receiver.qualifier:2}*{receiver.id:15}"
        f"*{moment:%y%m%d}*{moment:%H%M}*U*00401*{interchange:09d}*0*P*>~"
    )
    text = "".join("*".join(row).rstrip("*") + "~\n" for row in rows)
    return f"{isa}\n{text}IEA*{groups}*{interchange:09d}~\n".encode("ascii")


def _runs(sets: Sequence[tuple[str, Sequence[Row]]]) -> Iterator[tuple[str, list[Sequence[Row]]]]:
    members: list[Sequence[Row]] = []
    before = ""
    for kind, body in sets:
        if members and kind != before:
            yield before, members
            members = []
        before = kind
        members.append(body)
    if members:
        yield before, members


def read(content: bytes) -> list[Interchange]:
    """Every interchange of a file, with every count and control number compared.

    Raises:
        ValueError: There is no interchange in it.
    """
    text = content.decode("utf-8", "replace")
    found: list[Interchange] = []
    start = text.find("ISA")
    while start >= 0 and len(text) >= start + _ISA_LENGTH:
        mark, end = text[start + 3], text[start + 105]
        following = text.find("ISA" + mark, start + _ISA_LENGTH)
        part = text[start : following if following >= 0 else len(text)]
        found.append(_interchange([row.strip().split(mark) for row in part.split(end) if row.strip()]))
        start = following
    if not found:
        raise ValueError("no interchange is in the file")
    return found


def _interchange(rows: list[list[str]]) -> Interchange:
    isa = rows[0]
    found = Interchange(
        at(isa, 13),
        Identity(at(isa, 5).strip(), at(isa, 6).strip()),
        Identity(at(isa, 7).strip(), at(isa, 8).strip()),
        at(isa, 15) == "T",
        [],
    )
    group: list[str] = []
    body: list[list[str]] = []
    head: list[str] = []
    in_group = groups = 0
    for row in rows[1:]:
        match row[0]:
            case "GS":
                group, in_group = row, 0
                groups += 1
            case "ST":
                head, body = row, []
            case "SE":
                in_group += 1
                found.sets.append(_set(group, head, body, row))
                head = []
            case "GE":
                _expect(found.faults, "GE01", at(row, 1), str(in_group))
                _expect(found.faults, "GE02", at(row, 2), at(group, 6))
            case "IEA":
                _expect(found.faults, "IEA01", at(row, 1), str(groups))
                _expect(found.faults, "IEA02", at(row, 2), found.control)
            case _ if head:
                body.append(row)
            case "TA1":
                found.answers.append(row)
            case _:
                found.faults.append(f"{row[0]} outside a set")
    if rows[-1][0] != "IEA":
        found.faults.append("no IEA")
    return found


def _set(group: Row, head: Row, body: list[list[str]], end: Row) -> Set:
    found = Set(at(head, 1), at(head, 2), body, at(group, 1), at(group, 6))
    _expect(found.faults, "SE01", at(end, 1), str(len(body) + 2))
    _expect(found.faults, "SE02", at(end, 2), at(head, 2))
    _expect(found.faults, "GS01", at(group, 1), GROUPS.get(found.kind, at(group, 1)))
    return found


def _expect(faults: list[str], place: str, stated: str, right: str) -> None:
    if stated.strip() != right.strip():
        faults.append(f"{place} is {stated}, not {right}")


def acknowledge(sets: Iterable[Set]) -> list[tuple[str, list[Row]]]:
    """A 997 for each group; a set with faults is rejected. Acknowledgements are not acknowledged."""
    groups: dict[tuple[str, str], list[Set]] = {}
    for each in sets:
        if each.functional_id != "FA":
            groups.setdefault((each.functional_id, each.group), []).append(each)
    answers: list[tuple[str, list[Row]]] = []
    for (functional, number), members in groups.items():
        rows: list[Row] = [["AK1", functional, number]]
        good = 0
        for each in members:
            good += not each.faults
            rows += [["AK2", each.kind, each.control], ["AK5", *(["R", "5"] if each.faults else ["A"])]]
        verdict = "A" if good == len(members) else "P" if good else "R"
        rows.append(["AK9", verdict, str(len(members)), str(len(members)), str(good)])
        answers.append(("997", rows))
    return answers


def acknowledged(answer: Set) -> Iterator[tuple[str, str, str, str]]:
    """(GS01, GS06, ST02, A | E | R) of every set a 997 speaks of; ST02 is empty where it speaks of the whole group."""
    functional = group = control = ""
    named = False
    for row in answer.rows:
        match row[0]:
            case "AK1":
                functional, group = at(row, 1), at(row, 2)
            case "AK2":
                control = at(row, 2)
            case "AK5":
                named = True
                yield functional, group, control, at(row, 1)
            case "AK9" if not named:
                yield functional, group, "", at(row, 1)
