"""What the operator API asks of the hub beside reading: the acts an operator may take.

Implemented by the composition root over the use cases. Every act names its actor for the audit;
acts with a `key` are applied once however often they are asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from hub.services.replay import FailureFilter

Json = dict[str, Any]


class BadRequest(Exception):
    """The request names something that is not there or not allowed; `status` 404, 409 or 422."""

    def __init__(self, message: str, *, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Acts(Protocol):
    async def status(self) -> Json:
        """`{inbox_pending, outbox_pending, failures, accounts [...]}` (SURFACE)."""
        ...

    async def check(self, account: str) -> Json: ...

    async def pause(self, account: str, actor: str) -> Json: ...

    async def resume(self, account: str, actor: str) -> Json: ...

    async def pull(self, account: str, since: datetime | None, actor: str) -> Json: ...

    async def explain(self, sku: str, account: str, at: datetime | None) -> Json: ...

    async def adjust(self, lines: Sequence[Mapping[str, Any]], *, key: str, actor: str) -> Json:
        """Lines are `{sku, location, delta, reason?, bucket?}`."""
        ...

    async def report(self, lines: Sequence[Mapping[str, Any]], *, key: str, actor: str) -> Json:
        """Absolute counts: `{sku, location, on_hand, as_of?}`, correct as of their time."""
        ...

    async def ship(self, body: Mapping[str, Any], *, key: str, actor: str) -> Json:
        """State a shipment; applied at once, or kept until its order comes."""
        ...

    async def replay(self, which: FailureFilter, *, dry_run: bool, actor: str) -> Json: ...

    async def discard(self, which: FailureFilter, *, dry_run: bool, actor: str) -> Json: ...

    async def accounts(self) -> list[Json]: ...

    async def mappings(self) -> list[Json]: ...

    async def preview(self, account: str, topic: str, payload: bytes) -> list[Json]:
        """Canonical documents of a payload, nothing stored."""
        ...

    def events(self) -> AsyncIterator[Json]:
        """What happens from now on, for the event stream; ends when the caller leaves or falls behind."""
        ...
