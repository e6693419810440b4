"""Files, their sets and what is awaited, in the public JSON of the API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from hub.ports.store import Expectation, FileRow, FileSet, Micros, OutboxRow
from hub.services.views import instant

Json = dict[str, Any]
_SECOND: Final = 1_000_000


def file_line(row: FileRow) -> Json:
    """One file in a list."""
    detail = json.loads(row.detail)
    return {
        "id": row.id,
        "account": row.account,
        "direction": row.direction,
        "name": row.name,
        "control": row.control,
        "kinds": detail.get("kinds", []),
        "state": row.state,
        "test": row.test,
        "sets": row.sets,
        "done": row.done,
        "size": row.size,
        "digest": row.digest,
        "at": instant(row.at),
    }


def file(row: FileRow, sets: Sequence[FileSet], sendings: Sequence[OutboxRow]) -> Json:
    """One file whole, but for its bytes."""
    detail = json.loads(row.detail)
    return file_line(row) | {
        "input": row.input,
        "interchanges": detail.get("interchanges", []),
        "parked": detail.get("parked", []),
        "answers": detail.get("answers", []),
        "sendings": [sending(one) for one in sendings],
        "contents": [file_set(one) for one in sets],
    }


def file_set(row: FileSet) -> Json:
    return {
        "place": row.place,
        "kind": row.kind,
        "control": row.control,
        "interchange": row.interchange,
        "functional_id": row.functional_id or None,
        "group": row.group or None,
        "state": row.state,
        "about": row.lane or None,
        "subject": row.subject or None,
        "problems": json.loads(row.problems),
    }


def sending(row: OutboxRow) -> Json:
    """One time a file was queued to be sent, and what came of it."""
    return {
        "id": row.id,
        "state": row.state.value,
        "attempts": row.attempts,
        "queued_at": instant(row.created_at),
        "result": json.loads(row.result) if row.result else None,
    }


def expectation(row: Expectation, now: Micros) -> Json:
    """`due_in_s` counts down, and is negative once the deadline has passed."""
    left = None if row.due_at is None else round((row.due_at - now) / _SECOND)
    return {
        "account": row.account,
        "kind": row.kind,
        "reference": row.reference,
        "subject": row.subject or None,
        "owed_by": "us" if row.ours else "partner",
        "state": row.state,
        "overdue": row.state == "open" and left is not None and left < 0,
        "due_in_s": left if row.state == "open" else None,
        "due_at": instant(row.due_at),
        "opened_at": instant(row.opened_at),
        "settled_at": instant(row.settled_at),
        "detail": json.loads(row.detail),
    }
