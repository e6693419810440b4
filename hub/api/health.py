"""Liveness, readiness and metrics.

`/livez` proves that the loop turns and nothing else; `/readyz` that the hub can store; the health
of channels is in `status`, never here, so that a vendor's outage never restarts the hub.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
from aiohttp import web


@dataclass(frozen=True, slots=True)
class Health:
    """`alive` says whether the loop has stalled; `unready` gives the reasons against taking work."""

    alive: Callable[[], bool]
    unready: Callable[[], Sequence[str]]
    metrics: Callable[[], Awaitable[tuple[bytes, str]]]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.scrape),
        ]

    async def livez(self, _request: web.Request) -> web.Response:
        alive = self.alive()
        return _json({"status": "ok" if alive else "stalled"}, 200 if alive else 503)

    async def readyz(self, _request: web.Request) -> web.Response:
        reasons = list(self.unready())
        status = {"status": "not ready", "reasons": reasons} if reasons else {"status": "ready"}
        return _json(status, 503 if reasons else 200)

    async def scrape(self, _request: web.Request) -> web.Response:
        body, content_type = await self.metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})


def _json(document: object, status: int) -> web.Response:
    headers = {"Retry-After": "5"} if status == 503 else {}
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json", headers=headers)
