"""ShipEngine's wire: key, budgets. Everything that calls ShipEngine passes here.

Source: ShipEngine OpenAPI document 1.1.202604070904 (2026-04); docs.shipstation.com, Webhook validation (2026-11).
"""

from __future__ import annotations

from typing import Any, Final

from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.keyed import key_header
from connectors.sdk.queries import encoded, escaped
from connectors.shipengine import errors
from connectors.shipengine.manifest import CALLS, KEYS, MANIFEST
from connectors.shipengine.settings import Settings

WEBHOOKS: Final = "/environment/webhooks"


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._prefix = settings.service.prefix
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._http = HttpClient(
            ctx,
            base_url=settings.service.url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=key_header("API-Key", settings.api_key),
        )
        self._open = HttpClient(
            ctx, base_url=settings.service.keys_url, budgets=self.budgets, classify=errors.classify_keys
        )

    async def close(self) -> None:
        await self._http.close()
        await self._open.close()

    async def track(self, carrier: str, number: str) -> Answer:
        query = encoded({"carrier_code": carrier, "tracking_number": number})
        return await self._http.request(
            "GET", f"{self._prefix}/tracking", raw_query=query, kind="parcel.track", budget=CALLS
        )

    async def start(self, carrier: str, number: str) -> Answer:
        """From now on the number is pushed; started twice it is pushed once, so that a call may be repeated.

        ShipEngine ends it by itself with the delivery, and with a first exception.
        """
        query = encoded({"carrier_code": carrier, "tracking_number": number})
        return await self._http.request(
            "POST",
            f"{self._prefix}/tracking/start",
            raw_query=query,
            kind="parcel.watch",
            write=True,
            keyed=True,
            budget=CALLS,
        )

    async def carriers(self) -> Answer:
        return await self._http.request("GET", f"{self._prefix}/carriers", kind="account.check", budget=CALLS)

    async def webhooks(self) -> Answer:
        return await self._http.request("GET", self._prefix + WEBHOOKS, kind="subscriptions.read", budget=CALLS)

    async def create_webhook(self, body: dict[str, Any]) -> Answer:
        """Not keyed: whether a lost one was made shows in the list the next time."""
        return await self._http.request(
            "POST", self._prefix + WEBHOOKS, json=body, kind="subscriptions.create", write=True, budget=CALLS
        )

    async def change_webhook(self, webhook_id: str, body: dict[str, Any]) -> Answer:
        path = f"{self._prefix}{WEBHOOKS}/{escaped(webhook_id)}"
        return await self._http.request(
            "PUT", path, json=body, kind="subscriptions.update", write=True, keyed=True, budget=CALLS
        )

    async def keys(self) -> Answer:
        """The public keys pushes are signed with, asked for without our key."""
        return await self._open.request("GET", "/jwks", kind="keys.read", budget=KEYS)
