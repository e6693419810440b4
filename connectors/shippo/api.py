"""Shippo's wire: token, budgets. Everything that calls Shippo passes here.

Source: docs.goshippo.com, API reference version 2018-02-08: tracks and webhooks (2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import FixedHeader
from connectors.sdk.queries import escaped
from connectors.shippo import errors
from connectors.shippo.manifest import MANIFEST, READS, WRITES
from connectors.shippo.settings import Settings

VERSION: Final = "2018-02-08"


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=FixedHeader("authorization", lambda: f"ShippoToken {settings.api_key.reveal()}"),
            headers={"Shippo-API-Version": VERSION},
        )

    async def close(self) -> None:
        await self._http.close()

    async def track(self, carrier: str, number: str) -> Answer:
        """The track of a number, registered or not."""
        path = f"/tracks/{escaped(carrier)}/{escaped(number)}"
        return await self._http.request("GET", path, kind="parcel.track", budget=READS)

    async def register(self, carrier: str, number: str) -> Answer:
        """From now on the number is pushed.

        Not idempotent there: registered twice, everything is pushed twice, with the same content. The hub takes
        what it has had before for a duplicate, so that a call may be repeated all the same.
        """
        body = {"carrier": carrier, "tracking_number": number}
        return await self._http.request(
            "POST", "/tracks", json=body, kind="parcel.watch", write=True, keyed=True, budget=WRITES
        )

    async def webhooks(self) -> Answer:
        """The first hundred webhooks of the account."""
        params = {"page": 1, "results": 100}
        return await self._http.request("GET", "/webhooks", params=params, kind="account.check", budget=READS)
