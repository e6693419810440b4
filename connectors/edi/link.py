"""What a transport does for an account, whichever it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, Protocol

from connectors.edi.manifest import INTERCHANGE
from connectors.edi.outward import OutgoingFile
from connectors.edi.transport.arrival import Arrival
from connectors.sdk.contract import (
    AccountContext,
    CallRecord,
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    Page,
    Settlement,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import ConnectorError
from connectors.sdk.files import Keeper
from connectors.sdk.records import outcome_of

LANE: Final = "interchange:in"
"""A partner's files are taken up one after another, as they came: a change follows its order."""
KEY_LENGTH_MAX: Final = 200


class Link(Protocol):
    """Every method raises the errors of `connectors.sdk.errors` only."""

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page: ...

    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply: ...

    async def deliver(self, file: OutgoingFile) -> EffectResult: ...

    async def settle(self, file: OutgoingFile) -> Settlement: ...

    async def acknowledge(self, effect: Effect) -> EffectResult:
        """Post a receipt that is owed."""
        ...

    async def acknowledged(self, effect: Effect) -> Settlement:
        """Whether it was posted; posting it twice tells the partner the same thing twice."""
        ...

    async def check(self) -> CheckReport: ...

    async def close(self) -> None: ...


def interchange(arrival: Arrival) -> Envelope:
    """A file as the hub's inbox takes it; its bytes are not looked into."""
    return Envelope(
        topic=INTERCHANGE,
        dedupe_key=shortened(arrival.key),
        ordering_key=LANE,
        payload=arrival.body,
        headers={name: value for name, value in arrival.attributes.items() if value},
    )


def shortened(key: str) -> str:
    """Names and Message-IDs may be as long as a line of mail; a key is not."""
    if len(key) <= KEY_LENGTH_MAX:
        return key
    return f"{key[:80]}…{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}"


@contextmanager
def told(ctx: AccountContext, kind: str, method: str, target: str) -> Iterator[None]:
    """Tell the account's listener of one exchange with the partner's side, whatever comes of it."""
    started_at, began = ctx.clock.now(), ctx.clock.monotonic()
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        if ctx.on_call is not None:
            code = error.code if isinstance(error, ConnectorError) else ""
            took = timedelta(seconds=ctx.clock.monotonic() - began).total_seconds()
            ctx.on_call(
                CallRecord(ctx.account, kind, method, target, started_at, took, 0.0, 1, outcome_of(error), code=code)
            )
