"""The notifications stream: messages of the queue become envelopes, and are deleted once those are stored.

The engine stores a page's cursor in the transaction that stores its envelopes. So the handles of what was
received stand in the cursor, and the next call deletes them before it receives: nothing is deleted that is
not committed. After a crash in between the messages come again and are known by their keys.

- at rest: `{}`; under way: `{"handles": [...]}`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connectors.amazon import notifications
from connectors.amazon.queue import Queue
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import RateLimited, Rejected, Transient

REST_S: Final = 30.0
"""A queue that is down is asked this often: it must not open the breaker that guards all of Amazon."""


class Notices:
    """The stream. One task at a time reads it."""

    def __init__(self, ctx: AccountContext, settings: Settings, queue: Queue) -> None:
        self._ctx = ctx
        self._settings = settings
        self._queue = queue
        self._rests_until_s = 0.0

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:
        """The next messages; an account without a queue has none.

        Raises:
            Rejected: The queue is not there or refuses us. Transient: It is down.
            RateLimited: It is busy, or was down a moment ago.
        """
        now = self._ctx.clock.now()
        if self._settings.queue_url is None:
            return Page((), {}, more=False, watermark=now)
        rest_s = self._rests_until_s - self._ctx.clock.monotonic()
        if rest_s > 0:
            raise RateLimited("notifications: the queue failed a moment ago", code="queue_rests", retry_after_s=rest_s)
        try:
            await self._queue.delete(_handles(cursor))
            messages = await self._queue.receive(limit)
        except (Transient, Rejected):
            self._rests_until_s = self._ctx.clock.monotonic() + REST_S
            raise
        envelopes = _once(notifications.envelope(each.body, each.id) for each in messages)
        if not messages:
            return Page((), {}, more=False, watermark=now)
        return Page(envelopes, {"handles": [each.handle for each in messages]}, more=True)


def _handles(cursor: Cursor | None) -> Sequence[str]:
    found = cursor.get("handles") if cursor else None
    return [each for each in found if isinstance(each, str) and each] if isinstance(found, list) else []


def _once(envelopes: Iterable[Envelope]) -> list[Envelope]:
    """Two deliveries of one notification in one page are one input."""
    return list({each.dedupe_key: each for each in envelopes}.values())
