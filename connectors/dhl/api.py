"""DHL's wire: key, budgets. Everything that calls DHL passes here.

Source: DHL Shipment Tracking Unified 1.3.1 OpenAPI document (2026-11).
"""

from __future__ import annotations

from typing import Final

from connectors.dhl import errors, manifest
from connectors.dhl.settings import SERVICES, Settings
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import key_header
from connectors.sdk.queries import encoded
from connectors.sdk.tracking import TrackedNumber

KEY_HEADER: Final = "dhl-api-key"


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, manifest.budgets(settings.calls_per_day))
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=key_header(KEY_HEADER, settings.api_key),
        )

    async def close(self) -> None:
        await self._http.close()

    async def shipments(self, number: TrackedNumber) -> Answer:
        """Everything DHL has under a number; a 404 that says "no result" comes back as an answer."""
        params = {"trackingNumber": number.number, "language": "en"}
        service = number.carrier_raw if number.carrier_raw in SERVICES else self._settings.service
        if service:
            params["service"] = service
        if self._settings.country is not None:
            params["requesterCountryCode"] = self._settings.country
        async with self.budgets.spend(manifest.DAY):
            return await self._http.request(
                "GET", "/track/shipments", raw_query=encoded(params), kind="parcel.track", budget=manifest.CALLS
            )
