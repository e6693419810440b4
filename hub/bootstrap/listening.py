"""The doors of the hub: one port for the world, one local socket for the commands."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

import canonical
from config.settings import Settings
from connectors.sdk.contract import Envelope, ReceivesWebhooks
from connectors.sdk.files import ReceivesFiles
from connectors.sdk.manifest import Capability
from connectors.sdk.ports import Clock
from hub import __version__
from hub.api.acting import Acting
from hub.api.auth import Gate
from hub.api.files import FileIntake
from hub.api.health import Health
from hub.api.intake import Intake, IntakeCounters, Receive
from hub.api.lateness import Lateness
from hub.api.operator import BODY_MAX, OperatorApi
from hub.api.problem import Problem
from hub.api.purchasing import Purchases
from hub.api.reading import Reading
from hub.api.server import Listener, application, listen, listen_locally
from hub.api.shipping import Shipping
from hub.api.spec import Operation, openapi
from hub.api.tokens import Tokens
from hub.api.tracking import Tracking
from hub.api.trading import Trade
from hub.api.transfers import Transferring
from hub.bootstrap.buying import Buying
from hub.bootstrap.desk import Desk
from hub.bootstrap.moving import Moving
from hub.console.server import Console
from hub.console.status import Overview
from hub.ports.queries import Queries
from hub.ports.store import Micros, Store
from hub.runtime.health import HealthState
from hub.services import views
from hub.services.moments import now
from hub.services.parcel_figures import late_json
from hub.services.purchasing_views import PurchaseViews
from hub.services.receive import FileKeeper
from hub.services.trading import views as trading_views

_SOCKET_PATH_MAX = 100
"""Systems refuse longer socket paths; 104 bytes is the smallest limit in use."""
_ROWS = 20


@dataclass(frozen=True, slots=True)
class Face:
    """What the doors open onto. `stored` is called after intake has stored something new."""

    settings: Settings
    desk: Desk
    store: Store
    receive: Receive
    stored: Callable[[], None]
    counters: IntakeCounters
    health: HealthState


def operations(
    desk: Desk,
    store: Store | None,
    queries: Queries,
    clock: Clock,
    tokens_changed: Callable[[], None] = lambda: None,
) -> list[Operation]:
    """The operator API's operations over these parts."""

    def time() -> Micros:
        return now(clock)

    def woken() -> None:
        if desk.running is not None:
            desk.running.changed()

    return [
        *Reading(queries, desk, time).operations(),
        *Tracking(queries, desk.crosswalk).operations(),
        *Lateness(queries, time).operations(),
        *Acting(desk).operations(),
        *Purchases(Buying(desk), PurchaseViews(queries), time).operations(),
        *Shipping(desk, queries).operations(),
        *Transferring(Moving(desk), queries).operations(),
        *Trade(queries, store, time, woken).operations(),
        *Tokens(store, queries, time, tokens_changed).operations(),
    ]


def document(rows: Sequence[Operation]) -> dict[str, object]:
    """The OpenAPI document, the canonical documents among its schemas under their type names."""
    text = json.dumps(canonical.json_schema()["$defs"]).replace("#/$defs/", "#/components/schemas/")
    schemas = json.loads(text)
    named = {
        kind: {"$ref": f"#/components/schemas/{model.__name__}"} for kind, model in canonical.DOCUMENT_TYPES.items()
    }
    return openapi(rows, version=__version__, components=schemas | named)


@dataclass(slots=True)
class Doors:
    """What listens. `close` lets requests in flight finish."""

    listeners: list[Listener]
    url: str

    @classmethod
    async def open(cls, face: Face) -> Doors:
        """Raises `AddressTaken`."""
        settings = face.settings
        listeners: list[Listener] = []
        gate = Gate(face.desk.queries.api_tokens, lambda: now(face.desk.clock))
        try:
            public = await listen(_public(face, gate), settings.hub.listen.host, settings.hub.listen.port)
            listeners.append(public)
            listeners.append(await listen_locally(_local(face, gate), socket_of(settings)))
        except BaseException:
            for listener in listeners:
                await listener.stop()
            raise
        return cls(listeners, public.address)

    async def close(self) -> None:
        for listener in self.listeners:
            await listener.stop()


def _public(face: Face, gate: Gate) -> web.Application:
    settings, desk = face.settings, face.desk
    clock = desk.clock
    rows = operations(desk, face.store, desk.queries, clock, gate.forget_tokens)
    receivers = {
        name: connector
        for name, connector in desk.connectors.items()
        if Capability.WEBHOOKS in desk.plans[name].manifest.capabilities and isinstance(connector, ReceivesWebhooks)
    }
    limit = settings.hub.webhook_max_bytes
    intake = Intake(receivers, _waking(face), face.counters, clock, limit)
    files = FileIntake(
        {name: each for name, each in desk.connectors.items() if isinstance(each, ReceivesFiles)},
        lambda account: FileKeeper(face.store, desk.plans[account], clock, face.stored),
        face.counters,
        clock,
    )
    api = OperatorApi(rows, document(rows), gate, face.store, desk.queries, lambda: now(clock))
    health = Health(face.health.alive, face.health.unready, desk.board.scrape)
    console = Console(
        overview=lambda: _overview(face),
        admits=_admits(gate),
        open_to_all=_is_loopback(settings.hub.listen.host),
        secure=(settings.hub.public_url or "").startswith("https:"),
    )
    routes = [*intake.routes(), *files.routes(), *api.routes(), *health.routes(), *console.routes()]
    return application(routes, max_bytes=max(limit, BODY_MAX), refused=face.counters.rejected)


def _local(face: Face, gate: Gate) -> web.Application:
    desk = face.desk
    rows = operations(desk, face.store, desk.queries, desk.clock, gate.forget_tokens)
    api = OperatorApi(rows, document(rows), gate, face.store, desk.queries, lambda: now(desk.clock), local=True)
    health = Health(face.health.alive, face.health.unready, desk.board.scrape)
    return application([*api.routes(), *health.routes()], max_bytes=BODY_MAX)


def _waking(face: Face) -> Receive:
    async def receive(
        account: str, envelopes: Sequence[Envelope], origin: str, received_at: datetime
    ) -> Sequence[bool]:
        fresh = await face.receive(account, envelopes, origin, received_at)
        if any(fresh):
            face.stored()
        return fresh

    return receive


def _admits(gate: Gate) -> Callable[[str, str], Awaitable[bool]]:
    async def admits(token: str, source: str) -> bool:
        if not token:
            return False
        try:
            await gate.caller(f"Bearer {token}", source)
        except Problem:
            return False
        return True

    return admits


async def _overview(face: Face) -> Overview:
    desk = face.desk
    queries, at = desk.queries, now(desk.clock)
    first, _ = await queries.positions(limit=_ROWS * 4)
    skus = list(dict.fromkeys(row.sku for row in first))[:_ROWS]
    # Asked for whole: a page may end between two locations of one SKU, and half a total is a wrong one.
    positions = await queries.positions_at(skus, None) if skus else ()
    stock = []
    for sku in skus:
        levels, _ = await queries.levels(sku=sku, limit=50)
        stock.append(views.stock(sku, [row for row in positions if row.sku == sku], levels))
    failures, _ = await queries.failures(limit=_ROWS)
    orders, _ = await queries.orders(limit=_ROWS)
    awaited, _ = await queries.expectations(limit=_ROWS)
    return Overview(
        version=__version__,
        unready=face.health.unready(),
        status=await desk.status(),
        stock=stock,
        failures=[views.failure(row, at) for row in failures],
        orders=[views.order_line(row) for row in orders],
        purchases=await PurchaseViews(queries).summaries(_ROWS),
        awaited=[trading_views.expectation(row, at) for row in awaited],
        late=[late_json(row, at) for row in await desk.board.parcels.late()],
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def socket_of(settings: Settings) -> Path:
    """Where the commands find the running hub: beside the database, or where that path is too long
    for a socket, in the temporary folder under a name made from it. Processes that share a PostgreSQL
    database on one machine differ in their port, and so in their socket."""
    url = settings.hub.database
    if url.startswith("sqlite"):
        beside = Path(url.removeprefix("sqlite:///")).with_suffix(".sock")
    else:
        beside = settings.root / "data" / f"hub-{settings.hub.listen.port}.sock"
    if len(os.fsencode(beside)) <= _SOCKET_PATH_MAX:
        return beside
    name = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"trunkline-{os.getuid()}-{name}.sock"
