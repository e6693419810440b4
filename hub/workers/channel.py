"""Everything the hub does with one account's vendor, and the loops that do it.

Each account has loops, lanes and a breaker of its own: a vendor that is slow, refusing or down
costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from connectors.sdk.contract import Connector, Publishes, Pulls, Resolves, SendsEffects
from connectors.sdk.manifest import Capability
from connectors.sdk.ports import Clock, Ids, Jitter
from hub.delivery.gate import Gate
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import Store
from hub.ports.telemetry import Telemetry
from hub.runtime.drain import Drain
from hub.runtime.health import HealthState
from hub.runtime.wake import Signal, Wakes
from hub.services.accounts import Accounts
from hub.services.calls import VendorCalls
from hub.services.dispatch import Dispatcher
from hub.services.poll import Poller
from hub.services.publish import Outward, Publisher
from hub.services.quantities import quantify
from hub.services.receipts import Receipts
from hub.services.reconcile import Reconciler
from hub.services.resolve import Resolver
from hub.services.rounds import Round
from hub.services.verify import Verifier
from hub.workers.loop import Loop, Rhythm

INBOX_RHYTHM = Rhythm(idle_s=0.5)
LEVEL_RHYTHM = Rhythm(idle_s=1.0, gather_s=0.02)
EFFECT_RHYTHM = Rhythm(idle_s=1.0)
VERIFY_RHYTHM = Rhythm(idle_s=1.0)
RECEIPT_RHYTHM = Rhythm(idle_s=2.0)
LEASE_FRESH_S = 2.0
OTHERS_ACCOUNT_S = 5.0


@runtime_checkable
class LeasesAccounts(Protocol):
    """A store shared by several processes: one of them works for an account at a time."""

    async def hold_account(self, account: str) -> bool:
        """True while this process has, or just took, the account's lease."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What every channel is made from."""

    store: Store
    queries: Queries
    accounts: Accounts
    clock: Clock
    ids: Ids
    jitter: Jitter
    telemetry: Telemetry
    wakes: Wakes
    drain: Drain
    health: HealthState


class Lease:
    """Whether this process works for an account; asked of the store every two seconds at most."""

    def __init__(self, store: Store, account: str, clock: Clock) -> None:
        self._clock = clock
        self._store = store if isinstance(store, LeasesAccounts) else None
        self._account = account
        self._asked_at: float | None = None
        self._held = True

    async def held(self) -> bool:
        """Raises `StoreUnavailable`: who cannot ask must not act."""
        if self._store is None:
            return True
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= LEASE_FRESH_S:
            self._held = await self._store.hold_account(self._account)
            self._asked_at = now
        return self._held


class Channel:
    """One account, opened. The parts it has follow from its manifest."""

    def __init__(self, plan: AccountPlan, connector: Connector, tools: Tools) -> None:
        self.plan = plan
        self.connector = connector
        self._tools = tools
        self.lease = Lease(tools.store, plan.account, tools.clock)
        # Of its own: where roles are split, the process that sends is not the one that keeps the time.
        self.duty = Lease(tools.store, f"{plan.account}/duties", tools.clock)
        self.calls = VendorCalls(
            plan.account, Gate(), tools.accounts, tools.clock, tools.telemetry, lambda: tools.drain.stopping
        )
        self.out = Outward(
            plan, self.calls, tools.accounts, tools.store, tools.clock, tools.ids, tools.jitter, tools.telemetry
        )
        can = plan.manifest.capabilities
        self.verifier = Verifier(self.out, connector if Capability.READ_BACK in can else None)
        self.reconciler = Reconciler(self.out, connector, self.verifier, tools.queries)
        self._outages_over = -1
        self.publisher: Publisher | None = None
        self.receipts: Receipts | None = None
        self.dispatcher: Dispatcher | None = None
        self.poller: Poller | None = None
        self.resolver: Resolver | None = None
        if Capability.PUBLISH in can and isinstance(connector, Publishes):
            self.publisher = Publisher(self.out, connector, quantify)
            self.receipts = Receipts(self.out, connector, self.publisher.answers)
        if Capability.EFFECTS in can and isinstance(connector, SendsEffects):
            self.dispatcher = Dispatcher(self.out, connector)
        if Capability.PULL in can and isinstance(connector, Pulls):
            self.poller = Poller(self.out, connector)
        if Capability.RESOLVE in can and isinstance(connector, Resolves):
            self.resolver = Resolver(self.out, connector)

    def loops(self) -> list[Loop]:
        """The outward loops of this account, ready to be supervised."""
        account, wakes = self.plan.account, self._tools.wakes
        loops: list[Loop] = []
        if self.publisher is not None:
            publisher = self.publisher
            loops.append(
                self._loop(
                    "levels", publisher.publish_due, wakes.levels[account], LEVEL_RHYTHM, finish=publisher.late.finish
                )
            )
            loops.append(self._loop("verify", self.verifier.verify_due, wakes.verify[account], VERIFY_RHYTHM))
        if self.receipts is not None:
            loops.append(self._loop("receipts", self.receipts.ask_due, Signal(), RECEIPT_RHYTHM))
        if self.dispatcher is not None:
            loops.append(self._loop("effects", self.dispatcher.send_due, wakes.effects[account], EFFECT_RHYTHM))
        return loops

    async def _after_outage(self) -> None:
        """Once per ended outage, and once after start: work does not wait longer than the vendor."""
        if self._outages_over != self.calls.gate.recoveries:
            self._outages_over = self.calls.gate.recoveries
            if await self.reconciler.catch_up():
                self._tools.wakes.levels[self.plan.account].set()
                self._tools.wakes.effects_for([self.plan.account])

    def _loop(
        self,
        what: str,
        step: Callable[[], Awaitable[Round]],
        signal: Signal,
        rhythm: Rhythm,
        *,
        finish: Callable[[], Awaitable[None]] | None = None,
    ) -> Loop:
        async def leased() -> Round:
            if not await self.lease.held():
                return Round(blocked=True, wait_s=OTHERS_ACCOUNT_S)
            await self._after_outage()
            return await step()

        name = f"{what}:{self.plan.account}"
        return Loop(name, leased, signal, rhythm, self._tools.drain, self._tools.health, finish=finish)


def open_channels(
    plans: Mapping[str, AccountPlan], connectors: Mapping[str, Connector], tools: Tools
) -> dict[str, Channel]:
    """A channel per configured account. Every plan has its connector."""
    return {account: Channel(plan, connectors[account], tools) for account, plan in plans.items()}
