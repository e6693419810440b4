"""The writes that make parked work due again, take that back, or give the work up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.delivery.references import level_key
from hub.ports.store import (
    FailureRow,
    FailureState,
    InboxResult,
    InboxState,
    LevelKey,
    LevelState,
    LevelUpdate,
    Micros,
    OutboxState,
    OutboxUpdate,
    State,
    WriteSet,
)
from hub.services.reconcile import due_change

RUN_AGAIN = 1
"""Attempts an input starts from when an operator runs it again. Whoever takes it, in whichever process, sees by
them that it is no first try, and maps it by the files as they are now."""


def called_up(seq: int, at: Micros) -> InboxResult:
    """Run a parked input again; one that was given up, or that somebody runs already, stays as it is."""
    return InboxResult(seq, InboxState.PENDING, at, RUN_AGAIN, if_parked=True)


@dataclass(frozen=True, slots=True)
class Spread:
    """A replayed item that waits for its turn, so that `cancel` can take it back."""

    row: FailureRow
    due_at: Micros


def can_replay(row: FailureRow) -> bool:
    if row.kind == "availability":
        return level_of(row) is not None
    return row.kind in ("inbound", "effect") and row.reference.isdecimal()


def level_of(row: FailureRow) -> LevelKey | None:
    if row.kind != "availability":
        return None
    try:
        return level_key(row.account, row.reference)
    except ValueError:
        return None


def due_again(state: State, spread: Sequence[Spread]) -> WriteSet:
    writes = WriteSet()
    for item in spread:
        row = item.row
        writes.failure_states.append((row.id, FailureState.REPLAYED))
        if (key := level_of(row)) is not None:
            level = state.levels.get(key)
            if level is not None and level.dirty_seq <= level.sent_seq:
                # Never the old number: the level is made dirty and computed when its turn comes.
                writes.levels.append(LevelUpdate(key, due_change(level, state.now) | {"due_at": item.due_at}))
        elif row.kind == "inbound":
            writes.inbox.append(InboxResult(int(row.reference), InboxState.PENDING, item.due_at, RUN_AGAIN, 0))
        else:
            # What was left in doubt is settled by reading before it may be sent again.
            doubtful = row.error == "InDoubt"
            back = OutboxState.IN_DOUBT if doubtful else OutboxState.PENDING
            writes.outbox.append(OutboxUpdate(int(row.reference), back, 0, item.due_at))
    return writes


def take_back(state: State, part: Sequence[Spread]) -> WriteSet:
    writes = WriteSet()
    for item in part:
        row = item.row
        if (key := level_of(row)) is not None:
            level = state.levels.get(key)
            if level is None or level.due_at != item.due_at:
                continue
            settled = {
                "state": LevelState.REJECTED,
                "sent_seq": level.dirty_seq,
                "dirty_at": None,
                "error": row.message,
            }
            writes.levels.append(LevelUpdate(key, settled))
        elif row.kind == "inbound":
            writes.inbox.append(InboxResult(int(row.reference), InboxState.FAILED, attempts=row.attempts))
        else:
            writes.outbox.append(OutboxUpdate(int(row.reference), OutboxState.FAILED, row.attempts))
        writes.failure_states.append((row.id, FailureState.OPEN))
    return writes


def give_up(row: FailureRow, writes: WriteSet) -> None:
    if not row.reference.isdecimal():
        return
    if row.kind == "inbound":
        writes.inbox.append(InboxResult(int(row.reference), InboxState.DISCARDED))
    elif row.kind == "effect":
        writes.outbox.append(OutboxUpdate(int(row.reference), OutboxState.CANCELLED, row.attempts))
