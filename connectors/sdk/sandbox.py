"""The sandbox kit: what every vendor fake shares.

A sandbox is built from the vendor's published contract, never from what our client happens to
send. It is an aiohttp application on a loopback port; it holds listings, stock and orders the way
the vendor would, signs its webhooks the way the vendor signs, and misbehaves on request. What it
saw and did stands in its event log, so that a run can prove what happened.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from aiohttp import web

from connectors.sdk.clock import SystemClock
from connectors.sdk.emitter import Delivery, Emitter, MakeDelivery, RetryRule
from connectors.sdk.faults import FAULT_PROFILES, FAULTS, Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox_control import control_routes
from connectors.sdk.sandbox_manners import manners

__all__ = ["FAULTS", "FAULT_PROFILES", "Delivery", "Faults", "Happening", "RetryRule", "Sandbox"]

HAPPENINGS_MAX: Final = 200_000
WEBHOOK_PATH: Final = "/webhooks/sandbox"
"""The receiver's path in `webhook_headers`, for vendors that sign it too."""
BODY_BYTES_MAX: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the sandbox's log; `number` grows by one without gaps."""

    number: int
    at: datetime
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Sandbox(ABC):
    """One fake vendor for one seller. For one event loop; start it once.

    A vendor subclasses it and supplies the wire (`routes`), the words of its errors
    (`rate_limited_response`, `server_error_response`), its signature (`webhook_headers`) and the
    seller's hands (`stock`, `sell`, `cancel`, `ship`). Faults that happen on the connection and in
    delivering webhooks are made here; those inside the vendor's logic (`late_read`,
    `partial_failure`, `feed_noop`, `expired_token`) the vendor asks `self.faults.hit(name)` for.

    Args:
        seed: Makes choices and faults repeatable.
        faults: None for good manners.
        clock: The vendor's own clock (timestamps, token lives); connections live in real time.
    """

    name: ClassVar[str]
    webhook_rule: ClassVar[RetryRule] = RetryRule()
    """How the vendor retries deliveries; its source named in the rule."""
    has_scopes: ClassVar[bool] = True
    """Whether a login can lack a permission, so that `drop_scope` means something."""

    webhook_query: ClassVar[str] = ""
    """What the address a webhook goes to ends in, for vendors that sign nothing and are known by the address."""

    complaints: Sequence[str] = ()
    """What the vendor finds wrong with what it is sent, where it has an opinion; shown with the state."""

    hang_s: float = 20.0
    """How long a request without an answer is kept open before the connection is cut."""
    slow_s: float = 1.0
    faults_on_writes_only: bool = False
    """Let connection faults strike only where `writes` says so: for tests of lost answers."""
    pace: float = 1.0
    """The vendor's seconds per real second, for webhook retries only."""

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        self.seed = seed
        self.faults = faults or Faults(seed=seed)
        self.clock: Clock = clock or SystemClock()
        self.random = random.Random(f"{self.name}:{seed}")  # noqa: S311 - repeatable on purpose
        self.stopping = asyncio.Event()
        self.defects: list[str] = []
        """Failures of the sandbox itself, never of a client; a test that finds one has found a bug here."""
        self._happenings: deque[Happening] = deque(maxlen=HAPPENINGS_MAX)
        self._numbers = 0
        self._runner: web.AppRunner | None = None
        self._base_url: str | None = None
        self._emitter = Emitter(self.faults, lambda kind, facts: self.record(kind, **facts))

    @property
    def base_url(self) -> str:
        if self._base_url is None:
            raise RuntimeError(f"the {self.name} sandbox is not started")
        return self._base_url

    @property
    def webhooks_pending(self) -> int:
        return self._emitter.pending

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; port 0 takes a free one. Gives the base URL.

        Raises:
            OSError: The port is taken.
        """
        if self._runner is not None:
            raise RuntimeError(f"the {self.name} sandbox is already started")
        self.stopping.clear()
        app = web.Application(middlewares=[manners(self)], client_max_size=BODY_BYTES_MAX)
        app.add_routes(control_routes(self))
        app.add_routes(self.own_routes())
        app.add_routes(self.routes())
        # Handlers that wait look at `stopping`; the second is for the rest.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        bound = runner.addresses[0][1]
        self._base_url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        await self.started()
        return self._base_url

    async def started(self) -> None:  # noqa: B027 - a hook most vendors leave alone
        """Hook: listening now, for a vendor that works in the background (see `stopping`)."""

    async def stopped(self) -> None:  # noqa: B027 - as above
        """Hook: end what `started` began. Called once per start."""

    async def stop(self) -> None:
        """Refuse connections, end deliveries and handlers. May be called twice, and started again."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self.stopping.set()
        await self.stopped()
        await self._emitter.close()
        await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def emit(self, url: str, make_request: MakeDelivery) -> None:
        """Deliver a webhook by the vendor's rule; returns at once."""
        self._emitter.emit(url, make_request, self.webhook_rule, pace=self.pace)

    async def settle(self) -> None:
        """Return once every webhook was taken, lost or given up."""
        await self._emitter.settle()

    def record(self, kind: str, **facts: Any) -> None:
        """Add a line to the log. Ids, SKUs and numbers only: the log is shown."""
        self._numbers += 1
        self._happenings.append(Happening(self._numbers, self.clock.now(), kind, facts))

    def happenings(self, kind: str | None = None, *, after: int = 0) -> Sequence[Happening]:
        """The log, oldest first; the oldest lines fall off after some hundred thousand."""
        return [line for line in self._happenings if line.number > after and kind in (None, line.kind)]

    # The vendor's part.

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """The vendor's wire."""

    @abstractmethod
    def account_section(self) -> dict[str, Any]:
        """The account's configuration that reaches this sandbox, its location mapped to "main"."""

    @abstractmethod
    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        """Make or set a listing the way the seller would in the vendor's own pages."""

    @abstractmethod
    def shown(self, sku: str) -> int:
        """What a shopper may still buy.

        Raises:
            LookupError: No such listing.
        """

    @abstractmethod
    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """A checkout; the order's id, or None when the numbers shown do not allow it."""

    @abstractmethod
    async def cancel(self, order_id: str) -> None:
        """The shopper or the seller cancels in the vendor's own pages."""

    @abstractmethod
    async def ship(self, order_id: str) -> None:
        """The seller ships in the vendor's own pages."""

    @abstractmethod
    def orders(self) -> Sequence[Mapping[str, Any]]:
        """`{"id", "lines": [(sku, quantity)], "state"}`, oldest first.

        A channel that is told of shipments shows `parcels` too: `{"carrier", "numbers", "lines": [(sku, quantity)]}`.
        """

    def own_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Further control paths, for a kind of sandbox that has more to play with."""
        return ()

    def skus(self) -> Sequence[str]:
        """Every listing's SKU, for the state page."""
        return ()

    def webhook_headers(self, topic: str, body: bytes, *, event_id: str, attempt: int = 1) -> Mapping[str, str]:
        """The headers the vendor sends with this body to `WEBHOOK_PATH`, signature included.

        The same `event_id` is the same event delivered again, whatever the attempt.
        """
        raise LookupError(f"{self.name} sends no webhooks ({topic}, {len(body)} bytes, {event_id}, {attempt})")

    def drop_scope(self) -> None:
        """From now on the login lacks a permission the connector needs; only with `has_scopes`."""
        raise LookupError(f"{self.name} knows no scopes")

    def rate_limited_response(
        self,
        request: web.Request,  # noqa: ARG002 - vendors answer differently per path
        retry_after: float | None,
    ) -> web.StreamResponse:
        """The vendor's 429. `retry_after` in seconds, None for one without the header."""
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return web.Response(status=429, headers=headers, text="Too Many Requests")

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - as above
        """The vendor's 5xx."""
        return web.Response(status=503, text="Service Unavailable")

    async def writes(self, request: web.Request) -> bool:
        """Whether this request changes something at the vendor. Logins and queries sent by POST do not."""
        return request.method not in ("GET", "HEAD", "OPTIONS")

    async def spared(self, request: web.Request) -> bool:
        """Whether connection faults leave this request alone; the control paths always are."""
        return self.faults_on_writes_only and not await self.writes(request)
