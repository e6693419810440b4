"""AfterShip's wire: key, version, budgets. Everything that calls AfterShip passes here.

Source: AfterShip tracking SDK for Python, endpoints (2026-11); aftership.com/docs/tracking (2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.aftership import errors
from connectors.aftership.manifest import CREATE, LIST, MANIFEST, READ
from connectors.aftership.settings import API_VERSION, Settings
from connectors.sdk.budget import BudgetBook
from connectors.sdk.carrier_words import carrier_word
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import key_header
from connectors.sdk.queries import encoded, escaped
from connectors.sdk.tracking import TrackedNumber

KEY_HEADER: Final = "as-api-key"
TRACKINGS: Final = f"/tracking/{API_VERSION}/trackings"
NAMES: Final = "aftership"
"""AfterShip's column in the crosswalk of carriers."""


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=key_header(KEY_HEADER, settings.api_key),
            correlation_headers=("request-id", "x-request-id"),
        )

    async def close(self) -> None:
        await self._http.close()

    async def create(self, number: TrackedNumber, *, kind: str) -> Answer:
        """A tracking; where there is one, a 400 that says so comes back as an answer."""
        wanted = {"tracking_number": number.number}
        slug = carrier_word(NAMES, number)
        if slug is not None:
            wanted["slug"] = slug
        return await self._http.request(
            "POST", TRACKINGS, json=wanted, kind=kind, write=True, keyed=True, budget=CREATE
        )

    async def read(self, tracking_id: str) -> Answer:
        """One tracking by AfterShip's id."""
        return await self._http.request("GET", f"{TRACKINGS}/{escaped(tracking_id)}", kind="parcel.track", budget=READ)

    async def find(self, number: str) -> Answer:
        """Every tracking of a number: several carriers may have used it."""
        query = encoded({"tracking_numbers": number})
        return await self._http.request("GET", TRACKINGS, raw_query=query, kind="parcel.track", budget=LIST)

    async def newest(self) -> Answer:
        """One tracking of the account, or none: shows whether they may be read."""
        return await self._http.request(
            "GET", TRACKINGS, raw_query=encoded({"limit": 1}), kind="account.check", budget=LIST
        )
