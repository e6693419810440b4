"""What a partner says about what we sent: 997, 999, CONTRL, TA1, and the advice of 824 and 820.

Values of the document are not kept: a partner copies what it found wrong, which may be about a person.

Source: X12 004010 and 005010, elements 110, 715, 716, 717, 718, 720, 723 and I18; ISO 9735 elements 0083 and 0085.
General knowledge of the standards, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final

from hub.trading.naming import short
from mappings.edi import Separators

Row = Sequence[str]
ACCEPTED: Final = "accepted"
WITH_ERRORS: Final = "accepted_with_errors"
REJECTED: Final = "rejected"
PARTIAL: Final = "partially_accepted"
ACKNOWLEDGEMENTS: Final = frozenset({"997", "999", "CONTRL"})
ADVICE: Final = frozenset({"824", "820", "APERAK"})

_LETTERS: Final = {"A": ACCEPTED, "E": WITH_ERRORS, "P": PARTIAL}
_ADVISED: Final = {"A": ACCEPTED, "C": WITH_ERRORS, "E": WITH_ERRORS, "P": PARTIAL}
"""Second letter of OTI01; C took the document with content of its own."""
_ACTIONS: Final = {"7": ACCEPTED, "8": ACCEPTED}
_SEGMENT: Final[Mapping[str, str]] = {
    "1": "unknown segment", "2": "segment not expected", "3": "mandatory segment missing", "4": "loop too often",
    "5": "segment too often", "6": "segment not in the set", "7": "segment out of order", "8": "elements in error",
}  # fmt: skip
_ELEMENT: Final[Mapping[str, str]] = {
    "1": "mandatory element missing", "2": "conditional element missing", "3": "too many elements", "4": "too short",
    "5": "too long", "6": "invalid character", "7": "invalid code", "8": "invalid date", "9": "invalid time",
    "10": "excluded by another element", "12": "too many repetitions", "13": "too many components",
}  # fmt: skip
_SET: Final[Mapping[str, str]] = {
    "1": "set not supported", "2": "trailer missing", "3": "control numbers differ", "4": "segment count wrong",
    "5": "segments in error", "6": "invalid set identifier", "7": "invalid control number",
    "23": "control number used before",
}  # fmt: skip
_GROUP: Final[Mapping[str, str]] = {
    "1": "group not supported", "2": "version not supported", "3": "group trailer missing",
    "4": "group control numbers differ", "5": "set count wrong", "6": "invalid group control number",
    "19": "group control number used before",
}  # fmt: skip
_NUMBERED: Final[Mapping[str, tuple[str, ...]]] = {
    "IV": ("810",), "SI": ("856",), "BM": ("856",), "PO": ("855", "850", "865", "860"), "IA": ("846",),
}  # fmt: skip
"""OTI02: which documents of ours go by such a number, where OTI10 does not say."""
_PROBLEMS_MAX: Final = 50
"""Problems kept of one set: enough to mend it by, and no more than a partner can be expected to mean."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong: `place` as people name it (`PO1[5] element 3`), the standard's code, and its meaning."""

    place: str
    code: str
    message: str

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.place}: {self.message} ({self.code})" if self.code else f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class SetReply:
    """About one set of ours. `kind` is "" where it is not told; `reference` is the document's own number, and `kinds`
    what it may be the number of.
    """

    kind: str
    control: str
    state: str
    complaints: tuple[Complaint, ...] = ()
    reference: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """About one group, or one interchange, of ours: every set of it unless `sets` names some. Advice is about one set.

    `kind` is the answering set; `state` what holds for the sets that are not named.
    """

    kind: str
    state: str
    interchange: str | None = None
    functional_id: str = ""
    group: str = ""
    sets: tuple[SetReply, ...] = ()
    complaints: tuple[Complaint, ...] = ()

    @property
    def about(self) -> str:
        """What it answers, for people."""
        if self.interchange is not None:
            return f"interchange {self.interchange}"
        if self.functional_id:
            return f"group {self.functional_id} {self.group}"
        named = [f"{one.kind} {one.reference or one.control}".strip() for one in self.sets]
        return ", ".join(named) or "nothing by name"


def replies_of(kind: str, rows: Sequence[Row], separators: Separators) -> tuple[Reply, ...]:
    """The replies in one set; none where it is no answer, or a garbled one."""
    if kind in {"997", "999"}:
        return tuple(_functional(kind, rows))
    if kind == "CONTRL":
        return tuple(_control(rows, separators.component))
    if kind == "824":
        return _advice(rows)
    if kind == "820":
        return _remittance(rows)
    return ()


def ta1_reply(row: Row) -> Reply | None:
    """TA1 of an interchange of ours; None when it names none."""
    control = _at(row, 1)
    if not control:
        return None
    letter, note = _at(row, 4), _at(row, 5)
    state = _LETTERS.get(letter, REJECTED)
    complaints = () if state == ACCEPTED else (Complaint("TA1", note, f"the interchange's envelope, note {note}"),)
    return Reply("TA1", state, interchange=control, complaints=complaints)


def _functional(kind: str, rows: Sequence[Row]) -> Iterator[Reply]:
    group: tuple[str, str] | None = None
    sets: list[SetReply] = []
    named: tuple[str, str] | None = None
    complaints: list[Complaint] = []
    place = ""
    for row in rows:
        tag = row[0] if row else ""
        if tag == "AK1":
            group, sets, named = (_at(row, 1), _at(row, 2)), [], None
        elif tag == "AK2":
            named, complaints = (_at(row, 1), _at(row, 2)), []
        elif tag in {"AK3", "IK3"}:
            place = f"{_at(row, 1)}[{_at(row, 2)}]"
            codes = [code for code in _codes(row, 4) if code != "8"]
            complaints += [Complaint(place, code, _SEGMENT.get(code, "segment in error")) for code in codes]
        elif tag in {"AK4", "IK4"}:
            code = _at(row, 3)
            complaints.append(Complaint(f"{place} element {_at(row, 1)}", code, _ELEMENT.get(code, "element in error")))
        elif tag in {"AK5", "IK5"} and named is not None:
            complaints += [Complaint("set", code, _SET.get(code, "set in error")) for code in _codes(row, 2)]
            sets.append(SetReply(*named, _LETTERS.get(_at(row, 1), REJECTED), tuple(complaints[:_PROBLEMS_MAX])))
            named = None
        elif tag == "AK9" and group is not None:
            told = tuple(Complaint("group", code, _GROUP.get(code, "group in error")) for code in _codes(row, 5))
            state = _LETTERS.get(_at(row, 1), REJECTED)
            yield Reply(kind, state, functional_id=group[0], group=group[1], sets=tuple(sets), complaints=told)
            group = None


def _control(rows: Sequence[Row], mark: str) -> Iterator[Reply]:
    interchange, state = "", ""
    sets: list[SetReply] = []
    told: tuple[Complaint, ...] = ()
    for row in rows:
        tag = row[0] if row else ""
        if tag == "UCI":
            interchange, state = _at(row, 1), _ACTIONS.get(_at(row, 4), REJECTED)
            told = (Complaint("interchange", _at(row, 5), "syntax error"),) if state == REJECTED else ()
        elif tag == "UCM":
            kind = _at(row, 2).split(mark)[0]
            decided = _ACTIONS.get(_at(row, 3), REJECTED)
            code = _at(row, 4)
            first = (Complaint("message", code, "syntax error"),) if code else ()
            sets.append(SetReply(kind, _at(row, 1), decided, first))
        elif tag in {"UCS", "UCD"} and sets:
            last = sets[-1]
            place = f"segment {_at(row, 1)}" if tag == "UCS" else f"element {_at(row, 2)}"
            code = _at(row, 2) if tag == "UCS" else _at(row, 1)
            if len(last.complaints) < _PROBLEMS_MAX:
                more = (*last.complaints, Complaint(place, code, "syntax error"))
                sets[-1] = SetReply(last.kind, last.control, last.state, more)
    if interchange:
        yield Reply("CONTRL", state, interchange=interchange, sets=tuple(sets), complaints=told)


def _advice(rows: Sequence[Row]) -> tuple[Reply, ...]:
    """824: OTI names a document by its set's numbers or by its own; TED says what is wrong with it."""
    found: list[Reply] = []
    for row in rows:
        tag = row[0] if row else ""
        if tag == "OTI":
            state = _ADVISED.get(_at(row, 1)[-1:], REJECTED)
            kind = _at(row, 10)
            kinds = (kind,) if kind else _NUMBERED.get(_at(row, 2), ())
            one = SetReply(kind, _at(row, 9), state, reference=_at(row, 3), kinds=kinds)
            found.append(Reply("824", state, group=_at(row, 8), sets=(one,)))
        elif tag == "TED" and found:
            last = found[-1]
            (one,) = last.sets
            complaint = Complaint("document", _at(row, 1), "refused by the partner's application")
            told = (*one.complaints, complaint)[:_PROBLEMS_MAX]
            renewed = replace(one, complaints=told)
            found[-1] = Reply("824", last.state, group=last.group, sets=(renewed,))
    return tuple(found)


def _remittance(rows: Sequence[Row]) -> tuple[Reply, ...]:
    """820: RMR names an invoice that is paid, or paid in part: RMR04 is paid of RMR05, RMR06 taken as discount."""
    paid: list[SetReply] = []
    for row in rows:
        if row and row[0] == "RMR" and _at(row, 1) == "IV" and _at(row, 2):
            billed, paid_now = _amount(row, 5), (_amount(row, 4) or Decimal(0)) + (_amount(row, 6) or Decimal(0))
            said = "paid" if billed is None or paid_now == billed else "paid in part"
            paid.append(SetReply("810", "", ACCEPTED, (Complaint("invoice", "RMR", said),), _at(row, 2), ("810",)))
    return tuple(Reply("820", ACCEPTED, sets=(one,)) for one in paid)


def _at(row: Row, element: int) -> str:
    return short(str(row[element]).strip()) if element < len(row) else ""


def _codes(row: Row, start: int) -> list[str]:
    """The codes a segment ends with."""
    return [code for element in range(start, len(row)) if (code := _at(row, element))]


def _amount(row: Row, element: int) -> Decimal | None:
    try:
        return Decimal(_at(row, element))
    except InvalidOperation:
        return None
