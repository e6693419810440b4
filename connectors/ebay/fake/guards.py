"""What stands before every handler: token, scope, the day's calls, and eBay's errors for what fails them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from aiohttp import web

from connectors.ebay.fake.gate import ACCOUNT_SCOPE, FULFILLMENT_SCOPE, INVENTORY_SCOPE, Gate
from connectors.ebay.fake.replies import Refusal

Handler = Callable[[web.Request], Awaitable[web.Response]]
Writes = Callable[[web.Request], Awaitable[bool]]


class Guards:
    """One application's gateway. `writes` says which requests change something."""

    def __init__(self, gate: Gate, chance: random.Random, writes: Writes) -> None:
        self._gate = gate
        self._chance = chance
        self._writes = writes

    def fulfilled(self, handler: Handler) -> Handler:
        return self._guarded(handler, "fulfillment", FULFILLMENT_SCOPE)

    def stocked(self, handler: Handler) -> Handler:
        """Inventory writes need a Content-Language, or their texts are dropped in silence."""

        async def handle(request: web.Request) -> web.Response:
            if await self._writes(request) and not request.headers.get("Content-Language"):
                raise Refusal(400, 25709, "Invalid value for header Content-Language.")
            return await handler(request)

        return self._guarded(handle, "inventory", INVENTORY_SCOPE)

    def cased(self, handler: Handler) -> Handler:
        return self._guarded(handler, "post_order", FULFILLMENT_SCOPE)

    def account(self, handler: Handler) -> Handler:
        return self._guarded(handler, "account", ACCOUNT_SCOPE)

    def notified(self, handler: Handler) -> Handler:
        """An application's token is enough."""
        return self._guarded(handler, "notification", None, user=False)

    def open(self, handler: Handler) -> Handler:
        """A path that needs no token yet; every answer carries eBay's request id."""

        async def handle(request: web.Request) -> web.Response:
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response()
            response.headers["x-ebay-request-id"] = f"{self._chance.getrandbits(64):016x}!"
            return response

        return handle

    def _guarded(self, handler: Handler, api: str, scope: str | None, *, user: bool = True) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._gate.admit(request, api, scope, user=user)
            return await handler(request)

        return self.open(handle)
