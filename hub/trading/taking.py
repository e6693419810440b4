"""Taking a partner's file, part by part: what is accepted becomes inputs, what came before has no effect, what
contradicts itself is parked by name, and each interchange is answered once all of it was dealt with.

Pure: the same state and part give the same writes. A part is small, so that a file of any size is taken in short
units; where it stands is in its row, and a unit that is run again finds its own numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from hub.ports.store import (
    FileRow,
    FileSet,
    InboxItem,
    InboxResult,
    InboxState,
    NewInput,
    ReadSet,
    State,
    WriteSet,
)
from hub.trading.answering import answer
from hub.trading.duplicates import Register, Seen, document_of, keys_of, number_of
from hub.trading.naming import storable
from hub.trading.outbound import Asked, Outbound, counters_of
from hub.trading.parking import INBOUND, parked, unmatched
from hub.trading.replies import ADVICE
from hub.trading.settling import Looked, expectations_of, sets_of, settle
from hub.trading.shown import file_set, told_of, why_parked
from hub.trading.survey import SurveyedGroup, SurveyedInterchange, SurveyedSet
from mappings.edi.acknowledge import Status
from mappings.edi.partners import PartnerProfile

TAKING: Final = "taking"
TAKEN: Final = "taken"
PARKED: Final = "parked"
_REASONS_MAX: Final = 10
_TOLD_MAX: Final = 100
"""Interchanges of a file whose verdict is kept beside their sets."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for the whole file. `topics` are the kinds of sets that become inputs."""

    item: InboxItem
    file: str
    partner: PartnerProfile
    topics: frozenset[str]
    over: bool
    """an operator looked at it and runs it again"""


@dataclass(slots=True)
class Part:
    """Sets of one interchange to be dealt with in one unit, each with its payload where it may become an input.

    `closes`: the interchange ends with this part. `looked` is what was found for the replies, by the set's place;
    0 is the interchange's own (TA1).
    """

    interchange: SurveyedInterchange
    sets: list[tuple[SurveyedGroup, SurveyedSet, bytes | None]] = field(default_factory=list)
    closes: bool = False
    looked: Mapping[int, Sequence[Looked]] = field(default_factory=dict)
    subjects: Mapping[int, str] = field(default_factory=dict)
    """our id of what a set is about, by its place, where it answers something of ours"""


def reads_of(around: Surroundings, parts: Sequence[Part]) -> ReadSet:
    """What deciding about these parts needs."""
    account = around.item.account
    reads = ReadSet(counters=counters_of(account), files={around.file})
    for part in parts:
        reads.numbers |= keys_of(account, part.interchange, [(group, found) for group, found, _ in part.sets])
        looked = [each for found in part.looked.values() for each in found]
        reads.expectations |= expectations_of(looked)
        reads.file_sets |= sets_of(looked)
    return reads


def take(state: State, around: Surroundings, parts: Sequence[Part], row: FileRow, *, last: bool) -> WriteSet:
    """Deal with parts that follow each other.

    Args:
        row: the file as it is stored before the first of them; where it has moved on since, nothing is stored.
        last: nothing comes after them: the input is finished, or parked when anything in the file was.
    """
    writes = WriteSet()
    taking = _Taking(state, writes, around, row)
    for part in parts:
        taking.part(part)
    writes.files.append(taking.finished() if last else taking.row())
    return writes


class _Taking:
    def __init__(self, state: State, writes: WriteSet, around: Surroundings, row: FileRow) -> None:
        self._state = state
        self._writes = writes
        self._around = around
        self._account = around.item.account
        self._row = row
        self._detail: dict[str, Any] = json.loads(row.detail)
        self._done = row.done
        self._subjects: Mapping[int, str] = {}
        at = around.item.received_at
        span = around.partner.agreed.duplicates.numbers_for
        since = at - span * 1_000_000 if span is not None else 0
        self._register = Register(state, writes, around.item.account, around.file, around.over, at, since)

    def row(self) -> FileRow:
        return replace(self._row, done=self._done, detail=json.dumps(self._detail), state=TAKING)

    def finished(self) -> FileRow:
        """The file dealt with, and its input with it."""
        item, reasons = self._around.item, self._detail.get("parked", [])
        if not reasons:
            self._writes.inbox.append(InboxResult(item.seq, InboxState.DONE))
            self._writes.resolved_failures.append((item.account, INBOUND, str(item.seq)))
            return replace(self.row(), state=TAKEN)
        self._writes.inbox.append(InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1))
        self._writes.failures.append(
            parked(item, self._around.file, self._row.name, reasons, self._detail["parked_count"])
        )
        return replace(self.row(), state=PARKED)

    def part(self, part: Part) -> None:
        interchange, self._subjects = part.interchange, part.subjects
        seen = self._register.interchange(interchange)
        fate = self._fate(interchange, seen)
        for group, found, payload in part.sets:
            self._set(interchange, group, found, payload, fate, part.looked.get(found.place, ()))
            self._done = found.place
        if part.closes:
            self._close(part, fate, seen)

    def _fate(self, interchange: SurveyedInterchange, seen: Seen) -> str:
        """What becomes of all sets of an interchange; "" where each is looked at by itself."""
        if not interchange.addressed:
            return PARKED
        if interchange.verdict.status is Status.REJECTED:
            return "refused"
        if seen is Seen.CONFLICT:
            return "refused" if self._around.partner.agreed.duplicates.interchange == "reject" else PARKED
        if seen is Seen.AGAIN:
            return "again"
        self._register.keep(interchange.key, interchange.digest, interchange.number)
        return ""

    def _set(
        self,
        interchange: SurveyedInterchange,
        group: SurveyedGroup,
        found: SurveyedSet,
        payload: bytes | None,
        fate: str,
        looked: Sequence[Looked],
    ) -> None:
        if not fate and self._register.mine(interchange, group, found):
            return
        state = fate or self._state_of(interchange, group, found)
        if state == TAKEN:
            state = self._apply(interchange, group, found, payload, looked)
        self._writes.file_sets.append(self._file_set(interchange, group, found, state))

    def _state_of(self, interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet) -> str:
        if not found.taken:
            return "refused"
        numbered = self._register.numbered(interchange, group, found)
        grouped = self._register.group(interchange, group)
        if numbered is Seen.AGAIN or grouped is Seen.AGAIN:
            return "again"
        if grouped is Seen.CONFLICT or numbered is Seen.CONFLICT:
            self._contradicts(
                f"group {group.verdict.functional_id} {group.verdict.control} came before with other content"
            )
            return PARKED
        document = self._register.document(interchange, found)
        if document is Seen.CONFLICT or (
            document is Seen.AGAIN
            and self._around.partner.agreed.duplicates.business == "park"
            and not self._around.over
        ):
            content = "other" if document is Seen.CONFLICT else "the same"
            self._contradicts(f"{found.verdict.kind} {found.naming.reference} came before with {content} content")
            return PARKED
        return "again" if document is Seen.AGAIN else TAKEN

    def _apply(
        self,
        interchange: SurveyedInterchange,
        group: SurveyedGroup,
        found: SurveyedSet,
        payload: bytes | None,
        looked: Sequence[Looked],
    ) -> str:
        self._register.keep(group.key, group.digest, interchange.number)
        self._register.keep(number_of(interchange, group, found), found.digest, found.place)
        kind = found.verdict.kind
        if found.replies or found.acknowledges:
            answered = [settle(self._state, self._writes, each, at=self._state.now) for each in looked]
            if not all(answered) or not answered:
                self._unmatched(found, looked)
            if kind not in ADVICE:
                return "answer" if answered and all(answered) else "unmatched"
        self._register.keep(document_of(interchange, found), found.digest, found.place)
        if interchange.verdict.test:
            return "test"
        if payload is not None and not (kind in ADVICE and kind not in self._around.topics):
            self._writes.inputs.append(self._input(interchange, group, found, payload))
        return TAKEN

    def _input(
        self, interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet, payload: bytes
    ) -> NewInput:
        """One set on its way to its mapping, once for ever: the same numbers and content give the same key."""
        item = self._around.item
        key = f"{number_of(interchange, group, found)}|{interchange.key}|{found.digest}"
        if self._around.partner.agreed.duplicates.numbers_for is not None:
            # Numbers that come again name nothing by themselves, and a count may say the same twice.
            key += f"|{self._around.file}"
        return NewInput(
            account=item.account,
            connector=item.connector,
            origin=item.origin,
            topic=found.verdict.kind,
            dedupe_key=f"set:{blake2b(key.encode(), digest_size=16).hexdigest()}",
            ordering_key=found.naming.lane,
            payload=payload,
            digest=blake2b(payload, digest_size=16).hexdigest(),
            received_at=item.received_at,
            headers=json.dumps({"file": self._around.file, "set": str(found.place)}),
        )

    def _file_set(
        self, interchange: SurveyedInterchange, group: SurveyedGroup, found: SurveyedSet, state: str
    ) -> FileSet:
        row = file_set(interchange, group, found, state)
        subject = self._subjects.get(found.place, "")
        return replace(row, file=self._around.file, account=self._account, subject=subject)

    # --- the end of an interchange -----------------------------------------------------------

    def _close(self, part: Part, fate: str, seen: Seen) -> None:
        interchange = part.interchange
        for each in part.looked.get(0, ()):
            if not fate and not settle(self._state, self._writes, each, at=self._state.now):
                self._writes.failures.append(
                    unmatched(self._account, self._around.file, f"0.{interchange.number}", each.reply.about, "TA1")
                )
        if fate == PARKED:
            (self._contradicts if interchange.addressed else self._reason)(why_parked(interchange, seen))
        self._detail["closed"] = interchange.number + 1
        told = self._detail.setdefault("interchanges", [])
        if len(told) < _TOLD_MAX:
            told.append(told_of(interchange, fate or TAKEN))
        if fate == PARKED:
            return
        answered: list[str] = self._detail.setdefault("answered", [])
        groups = [
            (f"{interchange.number}.{number}", group.verdict)
            for number, group in enumerate(interchange.groups)
            if not self._waits(interchange, group)
        ]
        due = answer(
            interchange.verdict,
            [verdict for name, verdict in groups if name not in answered],
            seen,
            self._around.partner,
            first=f"{interchange.number}" not in answered,
        )
        if due is not None:
            outbound = Outbound(self._state, self._writes, self._account, self._around.partner)
            asked = Asked(f"answers:{self._around.file}", self._around.item.received_at, awaits=False)
            row = outbound.add(due, asked, test=interchange.verdict.test)
            if row is not None:
                self._detail.setdefault("answers", []).append(row.id)
        answered += [f"{interchange.number}", *(name for name, _ in groups if name not in answered)]

    def _waits(self, interchange: SurveyedInterchange, group: SurveyedGroup) -> bool:
        """Whether a group is parked: one of which nothing is acted on anyhow is refused like any other."""
        return self._register.group(interchange, group) is Seen.CONFLICT and any(each.taken for each in group.sets)

    def _contradicts(self, reason: str) -> None:
        """A reason that the operator who runs the file again decides about."""
        self._detail["shown"] = True
        self._reason(reason)

    def _reason(self, reason: str) -> None:
        reasons: list[str] = self._detail.setdefault("parked", [])
        self._detail["parked_count"] = self._detail.get("parked_count", 0) + 1
        reason = storable(reason)
        if reason not in reasons and len(reasons) < _REASONS_MAX:
            reasons.append(reason)

    def _unmatched(self, found: SurveyedSet, looked: Sequence[Looked]) -> None:
        about = ", ".join(dict.fromkeys(each.reply.about for each in looked)) or "nothing readable"
        self._writes.failures.append(
            unmatched(self._account, self._around.file, str(found.place), about, found.verdict.kind)
        )
