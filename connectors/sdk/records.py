"""What is told of every call that was tried."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

from connectors.sdk.answer import Answer, Call
from connectors.sdk.contract import CallRecord
from connectors.sdk.errors import ConnectorError

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def outcome_of(error: BaseException | None) -> str:
    """`ok`, `cancelled`, or the error's class in snake case."""
    if error is None:
        return "ok"
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return _WORD.sub("_", type(error).__name__).lower()


def record_of(
    account: str,
    call: Call,
    *,
    attempt: int,
    started_at: datetime,
    duration_s: float,
    waited_s: float,
    answer: Answer | None,
    error: BaseException | None,
) -> CallRecord:
    told = error if isinstance(error, ConnectorError) else None
    return CallRecord(
        account=account,
        kind=call.kind,
        method=call.method,
        target=call.target,
        started_at=started_at,
        duration_s=duration_s,
        waited_s=waited_s,
        attempt=attempt,
        outcome=outcome_of(error),
        status=answer.status if answer else (told.status if told else None),
        code=told.code if told else "",
        correlation_id=answer.correlation_id if answer else None,
    )
