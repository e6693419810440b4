"""Vendors' webhooks: read at most N bytes, verify the raw bytes, store, and only then answer 200.

Answers (fixed, SURFACE): 200 once committed and synced, also for a duplicate; 401 bad or missing
signature; 404 unknown account; 413 over the size limit; 503 with Retry-After when the hub cannot
store, or cannot get the key a signature is checked with. A body is never parsed before its signature
has been found good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web

from connectors.sdk.contract import Envelope, FetchesKeys, ReceivesWebhooks, WebhookRequest
from connectors.sdk.errors import ConnectorError, SignatureInvalid, UnknownTopic
from connectors.sdk.ports import Clock
from hub.api.problem import Problem, unavailable
from hub.ports.store import StoreUnavailable
from hub.services.receive import of_no_topic

Receive = Callable[[str, Sequence[Envelope], str, datetime], Awaitable[Sequence[bool]]]
"""(account, envelopes, origin, received_at) → per envelope, whether it was new"""

_OK = b'{"status":"stored"}'
_DUPLICATE = b'{"status":"duplicate"}'


def _envelopes(receiver: ReceivesWebhooks, request: WebhookRequest) -> Sequence[Envelope]:
    """What a believed request holds. One of a topic nobody knows is kept whole, and parked for a person to see.

    Refused, it would come again for days, and vendors end webhooks that fail.
    """
    try:
        return receiver.envelopes(request)
    except UnknownTopic as error:
        return [of_no_topic(request.body, error.message)]


class IntakeCounters(Protocol):
    """Where intake counts what it refuses; labels are the account's and a reason."""

    def rejected(self, account: str, reason: str) -> None: ...

    def duplicates(self, account: str, count: int) -> None: ...


@dataclass(slots=True, eq=False)
class Intake:
    """The webhook endpoint. `receivers` are the accounts whose connector takes webhooks."""

    receivers: Mapping[str, ReceivesWebhooks]
    receive: Receive
    counters: IntakeCounters
    clock: Clock
    max_bytes: int
    _fetching: Mapping[str, FetchesKeys] = field(init=False)

    def __post_init__(self) -> None:
        # Asked once: looking a protocol's members up costs more than checking a signature.
        self._fetching = {name: each for name, each in self.receivers.items() if isinstance(each, FetchesKeys)}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhooks/{account}", self.post), web.get("/webhooks/{account}", self.get)]

    async def post(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        receiver = self._receiver(account)
        incoming = WebhookRequest(
            "POST",
            request.raw_path,
            {name.lower(): value for name, value in request.headers.items()},
            await self._body(request, account),
            self.clock.now(),
        )
        if (reply := receiver.challenge(incoming)) is not None:
            if reply.status >= 400:
                self.counters.rejected(account, "login")
            return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)
        if (fetching := self._fetching.get(account)) is not None:
            try:
                await fetching.fetch_keys(incoming)
            except ConnectorError as error:
                self.counters.rejected(account, "key")
                return Problem(503, "The signature cannot be checked now", error.message, retry_after_s=5).response()
        try:
            receiver.verify(incoming)
        except SignatureInvalid as error:
            self.counters.rejected(account, "signature")
            return Problem(401, "Signature missing or wrong", error.message).response()
        try:
            fresh = await self.receive(account, _envelopes(receiver, incoming), "webhook", incoming.received_at)
        except StoreUnavailable as error:
            self.counters.rejected(account, "unavailable")
            return unavailable(str(error)).response()
        repeats = len(fresh) - sum(fresh)
        if repeats:
            self.counters.duplicates(account, repeats)
        body = _DUPLICATE if fresh and repeats == len(fresh) else _OK
        return web.Response(body=body, content_type="application/json")

    async def get(self, request: web.Request) -> web.Response:
        """Vendors' ownership challenges; anything else on this path is not for browsers."""
        receiver = self._receiver(request.match_info["account"])
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = receiver.challenge(WebhookRequest("GET", request.raw_path, headers, b"", self.clock.now()))
        if reply is None:
            return Problem(405, "Webhooks are sent with POST").response()
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)

    def _receiver(self, account: str) -> ReceivesWebhooks:
        receiver = self.receivers.get(account)
        if receiver is None:
            self.counters.rejected("", "unknown-account")
            raise Problem(404, "Unknown account", "No account of this name takes webhooks here.")
        return receiver

    async def _body(self, request: web.Request, account: str) -> bytes:
        """The raw bytes. `client_max_size` of the application bounds what is read of a chunked body."""
        try:
            if (request.content_length or 0) <= self.max_bytes:
                content = request.content
                # A small body is here with its headers: nothing to wait for.
                body = content.read_nowait() if content.is_eof() else await request.read()
                if len(body) <= self.max_bytes:
                    return body
        except web.HTTPRequestEntityTooLarge:
            pass
        self.counters.rejected(account, "size")
        raise Problem(413, "Body over the size limit", f"The limit is {self.max_bytes} bytes.")
