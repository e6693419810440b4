"""Partners' files over HTTP (AS2): read at most N bytes, let the connector have them stored, and only then answer.

The connector writes the answer, a receipt where the partner wants one. 404 unknown account; 413 over the size limit;
503 with Retry-After when the hub cannot store, or has its hands full: the partner comes again with the same message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from connectors.sdk.contract import WebhookRequest
from connectors.sdk.files import FILE_BYTES_MAX, Keeper, ReceivesFiles
from connectors.sdk.ports import Clock
from hub.api.intake import IntakeCounters
from hub.api.problem import Problem, unavailable
from hub.ports.store import StoreUnavailable

AT_ONCE: Final = 4
"""Messages opened side by side: each takes a thread and several times its size."""
WAITING_MAX: Final = 64
"""Messages read whole that wait for their turn."""
HELD_BYTES_MAX: Final = 4 * FILE_BYTES_MAX
"""Of all bodies in memory. Anybody may knock, and what a stranger sends is read before it is refused; one who sends
slowly holds what he has sent, not a seat."""
BODY_WITHIN_S: Final = 120.0


@dataclass(slots=True, eq=False)
class FileIntake:
    """The endpoint for files. `receivers` are the accounts whose connector takes them."""

    receivers: Mapping[str, ReceivesFiles]
    keeper: Callable[[str], Keeper]
    counters: IntakeCounters
    clock: Clock
    max_bytes: int = FILE_BYTES_MAX
    _seats: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _waiting: int = 0
    _held: int = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/as2/{account}", self.post), web.get("/as2/{account}", self.get)]

    async def post(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        receiver = self._receiver(account)
        if (request.content_length or 0) > self.max_bytes:
            raise self._too_large(account)
        parts: list[bytes] = []
        try:
            await self._read(request, account, parts)
            if self._waiting >= WAITING_MAX:
                return self._busy(account).response()
            return await self._in_turn(request, account, receiver, b"".join(parts))
        finally:
            self._held -= sum(map(len, parts))

    async def _in_turn(self, request: web.Request, account: str, receiver: ReceivesFiles, body: bytes) -> web.Response:
        self._waiting += 1
        try:
            async with self._seats:
                return await self._take(request, account, receiver, body)
        finally:
            self._waiting -= 1

    async def get(self, request: web.Request) -> web.Response:
        """People try the address in a browser, partners' checks with GET."""
        self._receiver(request.match_info["account"])
        return Problem(405, "AS2 messages are sent with POST").response()

    async def _take(self, request: web.Request, account: str, receiver: ReceivesFiles, body: bytes) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = WebhookRequest("POST", request.raw_path, headers, body, self.clock.now())
        try:
            reply = await receiver.receive(incoming, self.keeper(account))
        except StoreUnavailable as error:
            self.counters.rejected(account, "unavailable")
            return unavailable(str(error)).response()
        if reply.status >= 400:
            self.counters.rejected(account, "refused")
        given = dict(reply.headers)
        if not any(name.lower() == "content-type" for name in given):
            given["Content-Type"] = reply.content_type
        return web.Response(status=reply.status, body=reply.body, headers=given)

    def _receiver(self, account: str) -> ReceivesFiles:
        receiver = self.receivers.get(account)
        if receiver is None:
            self.counters.rejected("", "unknown-account")
            raise Problem(404, "Unknown account", "No account of this name takes files here.")
        return receiver

    async def _read(self, request: web.Request, account: str, parts: list[bytes]) -> None:
        """The raw bytes, of a request that states no length as well; a sender that trickles is let go."""
        size = 0
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                async for part in request.content.iter_any():
                    size += len(part)
                    if size > self.max_bytes:
                        raise self._too_large(account)
                    if self._held + len(part) > HELD_BYTES_MAX:
                        raise self._busy(account)
                    parts.append(part)
                    self._held += len(part)
        except TimeoutError:
            self.counters.rejected(account, "slow")
            raise Problem(408, "The body did not arrive in time") from None

    def _busy(self, account: str) -> Problem:
        self.counters.rejected(account, "busy")
        return unavailable("too many files are being received at this moment")

    def _too_large(self, account: str) -> Problem:
        self.counters.rejected(account, "size")
        return Problem(413, "Body over the size limit", f"The limit is {self.max_bytes} bytes.")
