"""A partner's replies meet what we sent: expectations end, and what was refused is parked by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.ports.store import Expectation, FileSet, InboxResult, InboxState, Micros, State, WriteSet
from hub.trading.outbound import kind_awaited, reference_of
from hub.trading.parking import INBOUND, refused
from hub.trading.replies import ACCEPTED, ACKNOWLEDGEMENTS, REJECTED, Complaint, Reply, SetReply

_SILENT_ON_CONTENT: Final = frozenset({"TA1", "820"})
"""Good news of these says nothing about the set itself: the envelope arrived, the invoice is paid."""
_TOLD_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of ours for a reply, before the unit: the sets of the group or interchange, or of a document."""

    reply: Reply
    sent: tuple[FileSet, ...]


def expectations_of(looked: Sequence[Looked]) -> set[tuple[str, str, str]]:
    """Keys a unit has to read to settle these."""
    keys = {(each.account, kind_awaited(each), reference_of(each)) for one in looked for each in one.sent}
    return keys | {
        (each.account, "TA1", each.interchange) for one in looked if one.reply.kind == "TA1" for each in one.sent
    }


def sets_of(looked: Sequence[Looked]) -> set[tuple[str, int]]:
    return {(each.file, each.place) for one in looked for each in one.sent}


def settle(state: State, writes: WriteSet, looked: Looked, *, at: Micros) -> bool:
    """Apply one reply. False when it answers nothing we sent: it is left to the caller to show."""
    reply = looked.reply
    named = {(one.kind, one.control): one for one in reply.sets if one.control}
    matched = False
    for each in looked.sent:
        row = state.file_sets.get((each.file, each.place), each)
        about = _about(reply, named, row)
        if about is None:
            continue
        matched = True
        _settle_set(state, writes, row, reply, about, at)
    if reply.kind == "TA1" and looked.sent:
        _end(
            state,
            writes,
            (looked.sent[0].account, "TA1", looked.sent[0].interchange),
            reply.state,
            reply.complaints,
            at,
        )
    return matched


def _about(reply: Reply, named: Mapping[tuple[str, str], SetReply], row: FileSet) -> SetReply | None:
    """What a reply says of one set of ours; None when it is silent about it."""
    if reply.kind in ACKNOWLEDGEMENTS:
        found = named.get((row.kind, row.control))
        if found is not None and reply.state != REJECTED:
            return found
        if found is not None:
            # Inside a rejected group no set was taken, whatever was said of it alone.
            return replace(found, state=REJECTED)
        if reply.state != REJECTED:
            # Only sets with errors have to be named: what is not, was taken.
            return SetReply(row.kind, row.control, ACCEPTED)
        return SetReply(row.kind, row.control, reply.state, reply.complaints)
    if reply.kind == "TA1":
        return SetReply(row.kind, row.control, reply.state, reply.complaints)
    return next(iter(reply.sets), None)


def _settle_set(state: State, writes: WriteSet, row: FileSet, reply: Reply, about: SetReply, at: Micros) -> None:
    bad = about.state == REJECTED
    told = [_json(reply.kind, one) for one in about.complaints]
    if reply.kind in ACKNOWLEDGEMENTS or bad:
        _end(state, writes, (row.account, kind_awaited(row), reference_of(row)), about.state, about.complaints, at)
    keeps = reply.kind in _SILENT_ON_CONTENT and not bad
    problems = [*json.loads(row.problems), *told]
    renewed = replace(row, state=row.state if keeps else about.state, problems=json.dumps(problems[-50:]))
    state.file_sets[row.file, row.place] = renewed
    writes.file_sets.append(renewed)
    if bad:
        _park(writes, row, reply, about)
    elif row.input is not None and reply.kind in ACKNOWLEDGEMENTS:
        writes.resolved_failures.append((row.account, INBOUND, str(row.input)))


def _end(
    state: State,
    writes: WriteSet,
    key: tuple[str, str, str],
    answer: str,
    complaints: Sequence[Complaint],
    at: Micros,
) -> None:
    """Settle an expectation; what nobody awaits any more may be answered without effect."""
    awaited = state.expectations.get(key)
    if awaited is None:
        return
    detail = json.loads(awaited.detail) | {"answer": answer}
    if complaints:
        detail["told"] = [one.text for one in complaints[:_TOLD_MAX]]
    ended: Expectation = replace(
        awaited, state="failed" if answer == REJECTED else "met", settled_at=at, detail=json.dumps(detail)
    )
    state.expectations[key] = ended
    writes.expectations.append(ended)


def _park(writes: WriteSet, row: FileSet, reply: Reply, about: SetReply) -> None:
    writes.failures.append(refused(row, reply.kind, about.complaints))
    if row.input is not None:
        writes.inbox.append(InboxResult(row.input, InboxState.FAILED))


def _json(kind: str, one: Complaint) -> dict[str, str]:
    return {"told_by": kind, "position": one.place, "code": one.code, "message": one.message}
