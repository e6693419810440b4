"""Orders that appeared late: once a day everything changed in the last three days is read again.

Orders were seen minutes to hours after their time, behind the mark of the ordinary sweeps. Searching is dear, so
this sweep has a stream of its own and leaves the last calls of the bucket to the one that brings news; what it reads
twice is known by its key.

Source: amzn/selling-partner-api-models issues 3945, 5048 (2024 to 2026): orders that were missing at first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connectors.amazon import moments, walk
from connectors.amazon.api import Api
from connectors.amazon.orders import Orders
from connectors.amazon.walk import EDGE, Walk
from connectors.sdk.contract import AccountContext, Cursor, Page
from connectors.sdk.errors import RateLimited

EVERY: Final = timedelta(days=1)
REACH: Final = timedelta(days=3)
KEPT_CALLS: Final = 4.0
"""Left in the bucket for the sweeps that bring news."""


class LateOrders:
    """The stream. Keeps nothing between calls; its cursor is that of `walk`."""

    def __init__(self, ctx: AccountContext, api: Api, orders: Orders) -> None:
        self._ctx = ctx
        self._api = api
        self._orders = orders

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page of a sweep, or nothing while the last one is younger than a day.

        A new account has just read its orders, and reading again from an instant is the orders stream's own work.

        Raises:
            RateLimited: The bucket is down to what others need.
        """
        now = self._ctx.clock.now()
        if cursor is None or since is not None:
            return Page((), {"mark": moments.text(now)}, more=False, watermark=now)
        mark = moments.read(cursor.get("mark"))
        if mark is not None and now - mark < EVERY:
            return Page((), cursor, more=False, watermark=mark)
        wait_s = self._api.wait_for("searchOrders", KEPT_CALLS)
        if wait_s > 0:
            message = "orders_late: the calls that are left are for new orders"
            raise RateLimited(message, code="calls_kept", retry_after_s=wait_s)
        current = Walk(now - REACH, now - EDGE) if mark else walk.resume(cursor, now)
        return await self._orders.step(current, limit)
