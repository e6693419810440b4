"""Files of ours: numbered, enveloped and queued in one unit, with what is awaited for each of their sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from hub.ports.store import (
    Expectation,
    FileBody,
    FileRow,
    FileSet,
    Micros,
    NewEffect,
    SeenNumber,
    State,
    WriteSet,
)
from hub.trading.naming import file_id, sent_key
from hub.trading.survey import written
from mappings.edi import Stamp
from mappings.edi.partners import PartnerProfile

SEND_FILE: Final = "send_file"
MADE: Final = "made"
GROUPS: Final = "group"
"""The counter of GS06."""
ACKNOWLEDGEMENT: Final = "997"
"""What is awaited for an X12 set: a 999 settles it as well."""
_HIGHEST: Final = 999_999_999
_SECOND: Final[Micros] = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def interchanges(*, test: bool) -> str:
    """The counter of ISA13 and UNB05: test and production count apart."""
    return f"interchange:{'T' if test else 'P'}"


def counters_of(account: str) -> set[tuple[str, str]]:
    """Read by every unit of trading, so that those of one partner run one after the other."""
    return {(account, interchanges(test=False)), (account, interchanges(test=True)), (account, GROUPS)}


def local(at: Micros, partner: PartnerProfile) -> datetime:
    """The moment as the envelope states it: in the partner's zone where one is agreed."""
    moment = _EPOCH + timedelta(microseconds=at)
    zone = partner.agreed.time_zone
    return moment.astimezone(ZoneInfo(zone)) if zone else moment


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a file is made. `subject` is our id of what it is about, `input` the inbox row that asks for it."""

    lane: str
    occurred_at: Micros
    subject: str = ""
    input: int | None = None
    awaits: bool = True
    """acknowledgements are not acknowledged"""


class Outbound:
    """Gathers what one unit sends to one partner. Numbers follow those of the unit's state."""

    def __init__(self, state: State, writes: WriteSet, account: str, partner: PartnerProfile) -> None:
        self._state = state
        self._writes = writes
        self._account = account
        self._partner = partner

    def add(self, make: Callable[[Stamp], bytes | None], asked: Asked, *, test: bool) -> FileRow | None:
        """Number and queue one interchange; None, and no number spent, when there is nothing to send.

        Args:
            make: the bytes with these numbers; a pure function.
        """
        stamp = Stamp(
            self._following(interchanges(test=test)), self._following(GROUPS), local(self._state.now, self._partner)
        )
        content = make(stamp)
        if content is None:
            return None
        return self._queue(content, stamp, asked, test=test)

    def _following(self, name: str) -> int:
        return self._state.counters.get((self._account, name), 0) % _HIGHEST + 1

    def _spend(self, name: str, last: int) -> None:
        self._state.counters[self._account, name] = self._writes.counters[self._account, name] = last

    def _queue(self, content: bytes, stamp: Stamp, asked: Asked, *, test: bool) -> FileRow:
        found = written(content)
        self._spend(interchanges(test=test), stamp.interchange)
        if found.groups:
            self._spend(GROUPS, (stamp.group + found.groups - 2) % _HIGHEST + 1)
        id_ = file_id(self._state.now, self._account, interchanges(test=test), str(stamp.interchange))
        kinds = list(dict.fromkeys(each.kind for each in found.sets)) or ["TA1"]
        count = len(found.sets)
        row = FileRow(
            id=id_, account=self._account, direction="out", name=f"{'_'.join(kinds)}_{found.control}.edi",
            control=found.control, digest=blake2b(content, digest_size=16).hexdigest(), size=len(content),
            at=self._state.now, state=MADE, test=test, sets=count, done=count, sends=1, input=asked.input,
            detail=json.dumps({"kinds": kinds, "syntax": found.syntax, "lane": asked.lane}),
        )  # fmt: skip
        sets = [
            FileSet(
                id_, place, self._account, "out", found.control, each.functional_id, each.group, each.kind,
                each.control, each.digest, "sent", lane=asked.lane, subject=asked.subject, input=asked.input,
            )
            for place, each in enumerate(found.sets, 1)
        ]  # fmt: skip
        self._writes.files.append(row)
        self._writes.file_bodies.append(FileBody(id_, self._account, content))
        self._writes.file_sets += sets
        self._writes.effects.append(effect_of(row, asked.lane, asked.occurred_at, self._state.now))
        if asked.awaits:
            self._writes.expectations += self._awaited(row, sets, asked)
            self._writes.numbers += [
                SeenNumber(self._account, sent_key(each.kind, each.reference), each.digest, id_, place, row.at)
                for place, each in enumerate(found.sets, 1)
                if each.reference
            ]
        return row

    def _awaited(self, row: FileRow, sets: Sequence[FileSet], asked: Asked) -> list[Expectation]:
        agreed = self._partner.agreed
        span = agreed.deadlines.acknowledgement
        now = self._state.now
        due = None if span is None else now + span * _SECOND
        found = [
            Expectation(
                self._account, kind_awaited(each), reference_of(each), asked.subject, False, now, due,
                detail=json.dumps({"file": row.id, "place": each.place, "set": each.kind, "name": row.name}),
            )
            for each in sets
        ]  # fmt: skip
        if agreed.envelope.syntax == "x12" and agreed.envelope.request_ta1:
            detail = json.dumps({"file": row.id, "set": "TA1", "name": row.name})
            found.append(Expectation(self._account, "TA1", row.control, asked.subject, False, now, due, detail=detail))
        return found


def effect_of(row: FileRow, lane: str, occurred_at: Micros, now: Micros) -> NewEffect:
    """The sending of a file. Its bytes are added when it is sent: they are kept sealed until then."""
    return NewEffect(
        account=row.account,
        kind=SEND_FILE,
        key=lane,
        idempotency_key=sending_key(row.id, row.sends),
        body=json.dumps({"file": row.id, "name": row.name}),
        references="{}",
        occurred_at=occurred_at,
        due_at=now,
    )


def sending_key(file: str, sends: int) -> str:
    """Names one sending of a file; `sends` counts from 1."""
    return f"{file}:{sends}"


def kind_awaited(each: FileSet) -> str:
    """What answers a set of ours."""
    return ACKNOWLEDGEMENT if each.functional_id else "CONTRL"


def reference_of(each: FileSet) -> str:
    """How an expectation names a set of ours: as the partner's acknowledgement will."""
    group = f"{each.functional_id} {each.group}" if each.functional_id else each.interchange
    return f"{group} {each.kind} {each.control}"
