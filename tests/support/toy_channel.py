"""A vendor in memory: shows numbers, keeps effects, and misbehaves on request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from connectors.sdk.clock import FixedJitter, ManualClock, SeededIds
from connectors.sdk.contract import (
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Envelope,
    ListingRef,
    Page,
    PushItem,
    PushResult,
    PushState,
    Settlement,
    ShownLevel,
)
from connectors.sdk.errors import ConnectorError
from connectors.sdk.manifest import CHANNEL, Budget, EffectKind, Manifest, Stream, Topic
from hub.delivery.gate import Gate
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import Bucket, LevelRow, ListingRow, NewEffect, OutboxRow, Posting, ReadSet, WriteSet
from hub.ports.telemetry import Silence
from hub.services import moments
from hub.services.accounts import Accounts
from hub.services.calls import VendorCalls
from hub.services.dispatch import Dispatcher
from hub.services.poll import Poller
from hub.services.publish import Outward, Publisher
from hub.services.quantities import quantify
from hub.services.receipts import Receipts
from hub.services.reconcile import Reconciler
from hub.services.resolve import Resolver
from hub.services.verify import Verifier
from tests.support.memory_queries import MemoryQueries
from tests.support.memory_store import MemoryStore

MANIFEST = Manifest(
    name="toy",
    title="Toy",
    capabilities=CHANNEL,
    topics=(Topic("orders/create"), Topic("orders/changed", hint=True)),
    streams=(
        Stream("orders", interval_s=60.0, overlap_s=30.0, page_max=2, backfill_days_max=30.0),
        Stream("stock", interval_s=900.0),
    ),
    effects=(EffectKind("confirm"), EffectKind("keyed", keyed=True), EffectKind("alone", alone=True)),
    budgets=(Budget("default", rate=4.0, burst=8.0),),
    publish_batch_max=10,
    read_back_batch_max=5,
    receipt_poll_s=(15.0, 60.0),
)

Fault = ConnectorError | None


@dataclass
class ToyChannel:
    """One account's vendor. `faults[method]` are raised in turn; None lets a call through."""

    manifest: ClassVar[Manifest] = MANIFEST
    clock: ManualClock
    shown: dict[str, int | None] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    down: ConnectorError | None = None
    item_faults: dict[str, Fault] = field(default_factory=dict)
    queued: bool = False
    """publishing answers PENDING; `poll_receipt` applies"""
    deaf: bool = False
    """says accepted and changes nothing"""
    compares: bool = False
    """refuses a number whose `expected` is not what is shown"""
    calls: list[tuple[str, float]] = field(default_factory=list)
    pushes: list[PushItem] = field(default_factory=list)
    sent: list[Effect] = field(default_factory=list)
    applied: dict[str, Effect] = field(default_factory=dict)
    settlements: deque[Settlement] = field(default_factory=deque)
    pages: dict[str, Page] = field(default_factory=dict)
    found: Sequence[Envelope] = ()
    evidence: Sequence[Envelope] = ()
    on_publish: Callable[[], None] | None = None
    closed: int = 0

    def _enter(self, method: str) -> None:
        self.calls.append((method, self.clock.monotonic()))
        if self.down is not None:
            raise self.down
        waiting = self.faults.get(method)
        if waiting and (fault := waiting.popleft()) is not None:
            raise fault

    def count(self, method: str) -> int:
        return sum(1 for name, _ in self.calls if name == method)

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        assert len(items) <= self.manifest.publish_batch_max
        self.pushes.extend(items)
        if self.on_publish is not None:
            self.on_publish()
        self._enter("publish")
        return [self._push(item) for item in items]

    def _push(self, item: PushItem) -> PushResult:
        from connectors.sdk.errors import Conflict

        fault = self.item_faults.get(item.ref.listing_id)
        if fault is not None:
            return PushResult(item, PushState.FAILED, error=fault)
        current = self.shown.get(item.ref.listing_id)
        if self.compares and item.expected is not None and item.expected != current:
            return PushResult(item, PushState.FAILED, error=Conflict("stale"))
        if self.queued:
            return PushResult(item, PushState.PENDING, receipt="batch-1")
        if not self.deaf:
            self.shown[item.ref.listing_id] = item.quantity
        return PushResult(item, PushState.ACCEPTED)

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        self._enter("poll_receipt")
        if self.queued:
            return [PushResult(item, PushState.PENDING, receipt=receipt) for item in items]
        return [self._push(item) for item in items]

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        assert len(refs) <= self.manifest.read_back_batch_max
        self._enter("read_back")
        return [
            ShownLevel(ref, self.shown.get(ref.listing_id), missing=ref.listing_id not in self.shown) for ref in refs
        ]

    async def send(self, effect: Effect) -> EffectResult:
        self.sent.append(effect)
        self._enter("send")
        self.applied[effect.idempotency_key] = effect
        return EffectResult(vendor_id=f"v-{effect.id}", evidence=self.evidence)

    async def settle(self, effect: Effect) -> Settlement:
        self._enter("settle")
        if self.settlements:
            return self.settlements.popleft()
        return Settlement.APPLIED if effect.idempotency_key in self.applied else Settlement.NOT_APPLIED

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        self._enter("fetch")
        return self.pages[str(cursor["at"]) if cursor else "start"]

    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        self._enter("resolve")
        return self.found

    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        self._enter("ensure_subscriptions")
        return [f"orders/create -> {callback_url}"]

    async def check(self) -> CheckReport:
        self._enter("check")
        return CheckReport(who="toy")

    async def close(self) -> None:
        self.closed += 1


class Witness(Silence):
    """Telemetry that remembers."""

    def __init__(self) -> None:
        self.lags: list[tuple[str, str, float]] = []
        self.attempts: list[tuple[str, str, str, str]] = []
        self.drifts: list[int] = []

    def lag(self, account: str, direction: str, seconds: float) -> None:
        self.lags.append((account, direction, seconds))

    def attempt(self, account: str, direction: str, kind: str, outcome: str) -> None:
        self.attempts.append((account, direction, kind, outcome))

    def drift(self, account: str, units: int) -> None:
        self.drifts.append(units)


class Desk:
    """One account with its toy vendor, a store in memory and a clock that moves when told."""

    def __init__(
        self, *, mode: Mode = Mode.LIVE, manifest: Manifest = MANIFEST, jitter: float = 0.5, **policy: Any
    ) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.now)
        self.vendor = ToyChannel(self.clock)
        if manifest is not MANIFEST:
            self.vendor.manifest = manifest  # type: ignore[misc]
        self.plan = AccountPlan("shop", "toy", manifest, mode, AvailabilityPolicy(("main",), **policy))
        self.telemetry = Witness()
        self.accounts = Accounts({"shop": self.plan}, self.store, self.clock)
        self.gate = Gate()
        self.calls = VendorCalls("shop", self.gate, self.accounts, self.clock, self.telemetry)
        self.out = Outward(
            self.plan,
            self.calls,
            self.accounts,
            self.store,
            self.clock,
            SeededIds(),
            FixedJitter(jitter),
            self.telemetry,
        )
        self.publisher = Publisher(self.out, self.vendor, quantify)
        self.receipts = Receipts(self.out, self.vendor, self.publisher.answers)
        self.verifier = Verifier(self.out, self.vendor)
        self.dispatcher = Dispatcher(self.out, self.vendor)
        self.poller = Poller(self.out, self.vendor)
        self.resolver = Resolver(self.out, self.vendor)
        self.queries = MemoryQueries(self.store)
        self.reconciler = Reconciler(self.out, self.vendor, self.verifier, self.queries)  # type: ignore[arg-type]
        self._outages_over = 0
        self._events = 0

    def now(self) -> int:
        return moments.now(self.clock)

    async def list_sku(self, sku: str, quantity: int, *, location: str = "") -> None:
        """A listing called as its SKU, with this much stock; it starts due."""
        self.store.seed_sku(sku)
        listing = ListingRow("shop", sku, location, sku, sku)
        await self.store.run(ReadSet(), lambda _: WriteSet(listings=[listing]))
        await self.move(sku, quantity)

    async def move(self, sku: str, delta: int) -> None:
        """Change stock and make the SKU dirty, as applying an order does."""
        self._events += 1
        posting = Posting(f"e{self._events}", sku, "main", Bucket.ON_HAND, delta, "test", self.now())
        writes = WriteSet(postings=[posting], dirty={sku: self.now()})
        await self.store.run(ReadSet(), lambda _: writes)

    def dirty(self, sku: str) -> None:
        """As `move`, from inside a vendor's call, where nothing may be awaited."""
        self.store._dirty(sku, self.now())

    def level(self, sku: str, location: str = "") -> LevelRow:
        return self.store.tables.levels["shop", sku, location]

    async def effect(self, key: str, name: str, *, kind: str = "confirm", deadline_s: float | None = None) -> int:
        deadline = None if deadline_s is None else moments.after(self.now(), deadline_s)
        new = NewEffect("shop", kind, key, name, "{}", "{}", self.now(), self.now(), deadline)
        await self.store.run(ReadSet(), lambda _: WriteSet(effects=[new]))
        return max(self.store.tables.effects)

    def outbox(self, number: int) -> OutboxRow:
        return self.store.tables.effects[number]

    def open_failures(self) -> list[tuple[str, str, str]]:
        rows = self.store.tables.failures.values()
        return [(row.kind, row.reference, row.error) for row in rows if row.state == "open"]

    async def publish_all(self, rounds: int = 50) -> None:
        """Rounds until nothing is due now."""
        for _ in range(rounds):
            if not (await self.publisher.publish_due()).again:
                return
        raise AssertionError("publishing does not come to rest")

    async def tick(self, seconds: float = 1.0) -> None:
        """One turn of every outward loop, as the workers run them, then time passes."""
        if self._outages_over != self.gate.recoveries:
            self._outages_over = self.gate.recoveries
            await self.reconciler.catch_up()
        await self.publisher.publish_due()
        await self.verifier.verify_due()
        await self.receipts.ask_due()
        await self.dispatcher.send_due()
        self.clock.advance(seconds)

    async def verify_after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.verifier.verify_due()


def with_policy(plan: AccountPlan, **changes: Any) -> AccountPlan:
    return replace(plan, policy=replace(plan.policy, **changes))


def envelope(key: str, topic: str = "orders/create", headers: Mapping[str, str] | None = None) -> Envelope:
    return Envelope(topic, key, key, b"{}", headers=headers or {})


HALF = Decimal("0.5")
