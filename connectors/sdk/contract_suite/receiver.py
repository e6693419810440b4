"""A place webhooks are sent to in a test: takes everything and keeps it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from aiohttp import web

from connectors.sdk.contract import WebhookReply, WebhookRequest
from connectors.sdk.sandbox import WEBHOOK_PATH


class Receiver:
    """Answers 200 on a free loopback port; `refuse_next` makes it answer 503 that many times first.

    `challenge` is asked first, as the hub's own intake does; what it answers is not kept as a delivery.
    """

    def __init__(self, *, refuse_next: int = 0, path: str = WEBHOOK_PATH) -> None:
        self.requests: list[WebhookRequest] = []
        self.refused = 0
        self.challenge: Callable[[WebhookRequest], WebhookReply | None] | None = None
        self._refuse_next = refuse_next
        self._path = path
        self._runner: web.AppRunner | None = None
        self.origin = ""
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = f"{self.origin}{self._path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._refuse_next > 0:
            self._refuse_next -= 1
            self.refused += 1
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = WebhookRequest(request.method, request.path_qs, headers, body, datetime.now(UTC))
        reply = self.challenge(received) if self.challenge is not None else None
        if reply is not None:
            return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)
        self.requests.append(received)
        return web.Response()
