"""At most 250 revisions of a listing a day: counted here, so that the last ones are left for what is urgent.

Source: sell/inventory 1.18.4, bulkUpdatePriceQuantity: "up to 250 revisions per calendar day", after
which the listing is blocked until the next day (2025-11). Which midnight is not said; Pacific is eBay's.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from connectors.ebay.errors import PACIFIC, until_midnight_s
from connectors.sdk.errors import Transient

REVISIONS_MAX: Final = 250
URGENT_RESERVE: Final = 25
"""Revisions only urgent numbers (zeroing, oversold) may use."""

WAIT_CODE: Final = "revisions_spent"


class Revisions:
    """Counts per listing and day. A restart forgets the count; eBay's own refusal then stands in for it."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._spent: dict[str, int] = {}

    def refusal(self, listing: str, now: datetime, *, urgent: bool) -> Transient | None:
        """Why this listing may not be revised now; None when it may.

        Not `RateLimited`: that would hold the whole account for one busy listing. The number is
        tried again on schedule and goes out after midnight.
        """
        self._turn(now)
        limit = REVISIONS_MAX if urgent else REVISIONS_MAX - URGENT_RESERVE
        if self._spent.get(listing, 0) < limit:
            return None
        hours = until_midnight_s(now) / 3600
        message = f"listing {listing} was revised {self._spent[listing]} times today; eBay's day ends in {hours:.1f} h"
        return Transient(message, code=WAIT_CODE)

    def spend(self, listing: str, now: datetime) -> None:
        self._turn(now)
        self._spent[listing] = self._spent.get(listing, 0) + 1

    def _turn(self, now: datetime) -> None:
        today = now.astimezone(PACIFIC).date()
        if today != self._day:
            self._day = today
            self._spent.clear()
