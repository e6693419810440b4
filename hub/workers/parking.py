"""An input that cannot be dealt with is kept, and says why."""

from __future__ import annotations

from hub.ports.store import InboxItem, InboxResult, InboxState, NewFailure, WriteSet
from hub.services.apply import KIND


def parked(item: InboxItem, error: str, code: str, message: str) -> WriteSet:
    """The writes that park an input; a replay runs it again."""
    failure = NewFailure(
        account=item.account,
        kind=KIND,
        reference=str(item.seq),
        error=error,
        code=code,
        path=item.topic,
        message=message,
        fingerprint=f"{item.account}:{item.topic}:{error}:{code}",
        attempts=item.attempts + 1,
        origin=item.origin,
    )
    result = InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1)
    return WriteSet(inbox=[result], failures=[failure])
