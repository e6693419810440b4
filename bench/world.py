"""Our side, put together as the hub itself is: real configuration, connector, mapping, store and worker.

Encryption of payloads and personal data, metrics and logging at info are on, as they are by default.
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import payloads
from connectors.sdk.contract import Envelope, ReceivesWebhooks, WebhookRequest
from hub import bootstrap
from hub.bootstrap import Hub
from hub.ports.store import (
    Bucket,
    LevelState,
    LevelUpdate,
    ListingRow,
    Posting,
    ReadSet,
    SkuRow,
    State,
    Store,
    WriteSet,
)
from hub.runtime import logs
from hub.runtime.process import tune_gc
from hub.runtime.wake import Wakes
from hub.services.apply import Apply
from hub.services.interpret import InProcess, Interpreter
from hub.services.mappers import MapperProcesses, MappingSpec
from hub.services.receive import Receive
from hub.workers.hints import Hints
from hub.workers.inbox import InboxWorker

SHOP = "shop"
MARKETS = ("market-1", "market-2", "market-3")
CHANNELS = (SHOP, *MARKETS)
LOCATION = "main"
OPENING_UNITS = 1_000_000
LINES = 3
_CHUNK = 1000
_PERSONAL_KEPT_S = 90 * 86_400.0


def sku(number: int) -> str:
    return f"SKU-{number:07d}"


def configure(folder: Path, database: str | None = None, *, mode: str = "live", listen: str = "127.0.0.1:0") -> Path:
    """Write a configuration of four shops over one warehouse; JSON is YAML."""
    accounts = {
        name: {
            "connector": "shopify",
            "base_url": "http://127.0.0.1:9",
            "credentials": {"access_token": "bench-token", "webhook_secret": payloads.SECRET},
            "options": {"shop": payloads.SHOP if name == SHOP else f"{name}.myshopify.com"},
            "locations": {"gid://shopify/Location/1": LOCATION},
            "availability": {"locations": [LOCATION], "buffer": 2},
            "mode": mode,
        }
        for name in CHANNELS
    }
    document = {
        "hub": {
            "database": database or f"sqlite:///{folder}/hub.db",
            "listen": listen,
            "encryption_key": {"file": f"{folder}/hub.key"},
            "log": {"format": "json", "level": "info"},
        },
        "locations": {LOCATION: {"name": "Main warehouse", "time_zone": "America/New_York"}},
        "accounts": accounts,
    }
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "hub.yaml"
    path.write_text(json.dumps(document, indent=1))
    return path


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listen_of(config: Path) -> str:
    return str(json.loads(config.read_text())["hub"]["listen"])


@asynccontextmanager
async def opened(folder: Path, database: str | None = None) -> AsyncIterator[Hub]:
    """The hub of a configured folder, open for writing; nothing moves by itself."""
    logs.configure(json_lines=True, level="info", stream=sys.stderr)
    hub = Hub.build(bootstrap.load(configure(folder, database)))
    try:
        await hub.open(readonly=False)
        yield hub
    finally:
        await hub.stop()


def store_of(hub: Hub) -> Store:
    store = hub.acts.store
    if store is None:
        raise RuntimeError("the hub is open for reading only")
    return store


def deliveries(count: int, skus: int, *, first: int = 1, seed: int = 0) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Bodies and headers of new orders, three different SKUs each, drawn evenly."""
    rng = random.Random(seed)
    for number in range(first, first + count):
        lines = [(sku(chosen), 1) for chosen in rng.sample(range(skus), LINES)]
        body = payloads.body(number, lines)
        yield body, payloads.headers("orders/create", body, f"event-{number}")


def envelopes(hub: Hub, given: Iterator[tuple[bytes, dict[str, str]]]) -> Iterator[Envelope]:
    """As intake makes them, through the connector."""
    connector = hub.acts.connectors[SHOP]
    assert isinstance(connector, ReceivesWebhooks)
    at = datetime.now(UTC)
    for body, headers in given:
        lower = {name.lower(): value for name, value in headers.items()}
        yield from connector.envelopes(WebhookRequest("POST", f"/webhooks/{SHOP}", lower, body, at))


async def seed(hub: Hub, skus: int) -> None:
    """A catalogue, stock of everything, and one listing per SKU and channel whose number is published."""
    store = store_of(hub)
    await store.replace_catalogue([SkuRow(sku(number)) for number in range(skus)], "bench")
    for start in range(0, skus, _CHUNK):
        numbers = range(start, min(start + _CHUNK, skus))
        await _write(store, WriteSet(listings=[_listing(name, number) for number in numbers for name in CHANNELS]))
        await _write(store, WriteSet(postings=[_opening(number) for number in numbers]))
        await _write(store, WriteSet(levels=[_shown(name, number) for number in numbers for name in CHANNELS]))


def _listing(account: str, number: int) -> ListingRow:
    name = sku(number)
    return ListingRow(account, f"listing-{number}", "", name, name, str(number), f"Invented goods {name}", "active")


def _opening(number: int) -> Posting:
    name = sku(number)
    return Posting(f"opening/{name}", name, LOCATION, Bucket.ON_HAND, OPENING_UNITS, "count", 1, "", counted=True)


def _shown(account: str, number: int) -> LevelUpdate:
    """A level that was sent and read back, as nearly all of them are when an order arrives."""
    shown = OPENING_UNITS - 2
    fields = {"state": LevelState.VERIFIED, "sent_seq": 1, "sent_quantity": shown, "sent_version": 1, "sent_at": 1}
    return LevelUpdate((account, f"listing-{number}", ""), fields | {"verified_quantity": shown, "verified_at": 1})


async def _write(store: Store, writes: WriteSet) -> None:
    def decide(_state: State) -> WriteSet:
        return writes

    await store.run(ReadSet(), decide)


async def fill_inbox(hub: Hub, count: int, skus: int, *, first: int = 1) -> None:
    receive = Receive(store_of(hub), hub.plans)
    batch: list[Envelope] = []
    for envelope in envelopes(hub, deliveries(count, skus, first=first)):
        batch.append(envelope)
        if len(batch) == _CHUNK:
            await receive(SHOP, batch, "webhook", hub.clock.now())
            batch = []
    await receive(SHOP, batch, "webhook", hub.clock.now())


def interpreter_of(hub: Hub, mappers: int) -> Interpreter:
    """As the hub makes it at its start: with every mapping set read, before the first input comes."""
    for account in hub.acts.maps:
        hub.acts.maps[account]
    if not mappers:
        return InProcess(hub.plans, hub.acts.maps)
    specs = {name: MappingSpec(account.connector, account.mappings) for name, account in hub.settings.accounts.items()}
    return MapperProcesses(hub.plans, specs, mappers)


@dataclass(slots=True)
class Works:
    """The inbox worker with all that it needs."""

    worker: InboxWorker
    interpreter: Interpreter
    wakes: Wakes
    apply: Apply


def works(hub: Hub, interpreter: Interpreter | None = None, apply: type[Apply] = Apply) -> Works:
    """Maps in this process unless another interpreter is given."""
    store = store_of(hub)
    wakes = Wakes(hub.plans)
    applies = apply(
        store, hub.plans, queries=hub.queries, telemetry=hub.acts.telemetry, personal_kept_s=_PERSONAL_KEPT_S
    )
    mapping = interpreter or interpreter_of(hub, 0)
    return Works(InboxWorker(store, mapping, applies, Hints({}, store, wakes), wakes), mapping, wakes, applies)


async def prepare(folder: str, database: str | None, skus: int, orders: int) -> dict[str, int]:
    """A cell: a seeded database with a backlog."""
    tune_gc()
    if skus < LINES:
        raise ValueError(f"an order names {LINES} different SKUs")
    async with opened(Path(folder), database) as hub:
        await seed(hub, skus)
        if orders:
            await fill_inbox(hub, orders, skus)
    return {"orders": orders}


def copied(template: Path, folder: Path) -> Path:
    """A prepared SQLite folder, once more; the file is copied, so that every repetition starts alike."""
    for name in ("hub.db", "hub.key"):
        shutil.copy2(template / name, folder / name)
    return folder


def sample_skus(orders: int, skus: int, seed_: int = 0) -> Sequence[Sequence[str]]:
    """The SKUs the same deliveries name, for floors that write the same rows."""
    rng = random.Random(seed_)
    return [[sku(chosen) for chosen in rng.sample(range(skus), LINES)] for _ in range(orders)]
