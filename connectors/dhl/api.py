"""DHL's wire: key, budgets. Everything that calls DHL passes here.

Source: DHL Shipment Tracking Unified 1.3.1 OpenAPI document (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.dhl import errors, manifest
from connectors.dhl.settings import SERVICES, Settings
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.ports import Secret
from connectors.sdk.queries import encoded
from connectors.sdk.tracking import TrackedNumber

KEY_HEADER: Final = "dhl-api-key"


class ApiKey:
    """An authorizer for a key that never changes: a refusal is final."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    async def headers(self) -> Mapping[str, str]:
        return {KEY_HEADER: self._key.reveal()}

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - named by the protocol
        return False


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
            authorize=ApiKey(settings.api_key),
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
