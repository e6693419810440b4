"""What stands before every operation: token, role, usage plan, and Amazon's words for what fails them.

Source: selling-partner-api-models (2026-08): paths and operation names; every answer carries a request id,
and `x-amzn-RateLimit-Limit` where the usage plan was applied.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from connectors.amazon.fake.gate import Gate
from connectors.amazon.fake.replies import LIMIT_HEADER, Refusal

Handler = Callable[[web.Request], Awaitable[web.Response]]
Route = tuple[str, str, str, Handler]
"""Operation, method, path, and what serves it."""

PATTERN: Final = re.compile(r":[^{}]+}")
"""What a path parameter is made of; aiohttp names a resource without it."""


async def _unheard(operation: str, request: web.Request) -> None:
    """Nobody listens."""


class Operations:
    """One seller's operations. `work` does what is due before each; `heard` is told of each, refused ones too."""

    def __init__(self, gate: Gate, chance: random.Random, work: Callable[[], None]) -> None:
        self.heard: Callable[[str, web.Request], Awaitable[None]] = _unheard
        self._gate = gate
        self._chance = chance
        self._work = work
        self._names: dict[tuple[str, str], str] = {}

    def routes(self, table: Sequence[Route]) -> list[web.AbstractRouteDef]:
        return [self._guarded(*row) for row in table]

    def name(self, request: web.Request) -> str | None:
        """The operation a request is for; None for the login, documents and the queue."""
        resource = request.match_info.route.resource
        return self._names.get((request.method, "" if resource is None else resource.canonical))

    def open(self, handler: Handler) -> Handler:
        """A path that needs no token yet."""

        async def handle(request: web.Request) -> web.Response:
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response()
            response.headers["x-amzn-RequestId"] = f"{self._chance.getrandbits(128):032x}"
            return response

        return handle

    def _guarded(self, operation: str, method: str, path: str, handler: Handler) -> web.AbstractRouteDef:
        async def handle(request: web.Request) -> web.Response:
            await self.heard(operation, request)
            self._gate.admit(request, operation)
            self._work()
            response = await handler(request)
            response.headers[LIMIT_HEADER] = self._gate.buckets.rate(operation)
            return response

        self._names[method, PATTERN.sub("}", path)] = operation
        return web.route(method, path, self.open(handle))
