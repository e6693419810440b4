"""The running engine of one process: loops, timetable, state; started once, drained once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol, runtime_checkable

import structlog

from connectors.sdk.contract import Connector
from connectors.sdk.ports import Clock, Ids, Jitter
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import Store, StoreUnavailable
from hub.ports.telemetry import Telemetry
from hub.runtime.drain import DRAIN_S, Drain
from hub.runtime.health import HealthState
from hub.runtime.wake import Wakes
from hub.services.accounts import Accounts
from hub.services.apply import Apply
from hub.services.batch import Outcome
from hub.services.expected_days import LOOK_S, ExpectedDays
from hub.services.held import HeldOrders
from hub.services.homecoming import run_orphans_again
from hub.services.interpret import Interpreter
from hub.services.replay import Replayer
from hub.services.retention import Keep, Retention
from hub.services.rounds import Round
from hub.services.shipments import Tellers
from hub.workers.channel import INBOX_RHYTHM, Channel, Tools, open_channels
from hub.workers.duties import Duties, Intervals
from hub.workers.exchange import Exchange, Trades
from hub.workers.hints import Hints
from hub.workers.inbox import InboxWorker
from hub.workers.loop import Loop, Rhythm
from hub.workers.partners import partner_jobs
from hub.workers.supervisor import Supervisor
from hub.workers.timetable import Job, Timetable

_log = structlog.get_logger(__name__)

ROLES = ("all", "intake", "worker", "scheduler")
ACCOUNTS_S = 1.0
ACCOUNTS_READ_EVERY = 5
LISTEN_S = 5.0
HELD_RHYTHM = Rhythm(idle_s=5.0, gather_s=0.1, gather_max_s=2.0)
RINGS_APART_S = 0.1
PULLS_MAX = 3
"""Readings of one account beside its polls; each more would only wait for the same budget."""
CANCEL_S = 3.0
"""Kept back from the drain for cancelling what is late and closing connections."""


@runtime_checkable
class WakesWorkers(Protocol):
    """A store that hears of other processes' writes."""

    async def wait_for_work(self, timeout_s: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is given. `fatal` are errors after which the process has to end.

    `inbox_workers`: claimers side by side; one is best on SQLite, where one connection writes.
    `shared_store`: other processes may write to it too, so their writes are listened for. In one
    process alone everybody is woken by whoever made the work, and listening would wake them twice.
    """

    store: Store
    queries: Queries
    interpreter: Interpreter
    clock: Clock
    ids: Ids
    jitter: Jitter
    telemetry: Telemetry
    role: str = "all"
    public_url: str | None = None
    keep: Keep = field(default_factory=Keep)
    personal_kept_s: float | None = None
    intervals: Intervals = field(default_factory=Intervals)
    inbox_workers: int = 1
    fatal: tuple[type[BaseException], ...] = ()
    shared_store: bool = False
    tellers: Tellers | None = None
    trading: Trades | None = None


class Engine:
    """Everything that moves without being asked. One per process.

    `wakes.received()` is for intake to call after it has stored something.
    """

    def __init__(
        self, plans: Mapping[str, AccountPlan], connectors: Mapping[str, Connector], around: Surroundings
    ) -> None:
        if around.role not in ROLES:
            raise ValueError(f"no role is called {around.role!r}; known: {', '.join(ROLES)}")
        self._around = around
        self._plans = plans
        self.drain = Drain()
        self.wakes = Wakes(plans)
        self.health = HealthState(around.store, around.clock, self.drain)
        self.accounts = Accounts(plans, around.store, around.clock)
        self.tools = Tools(
            around.store, around.queries, self.accounts, around.clock, around.ids, around.jitter, around.telemetry,
            self.wakes, self.drain, self.health,
        )  # fmt: skip
        self.channels: dict[str, Channel] = open_channels(plans, connectors, self.tools)
        self.replayer = Replayer(plans, around.store, around.queries, around.clock, around.telemetry)
        self.apply = Apply(
            around.store,
            plans,
            queries=around.queries,
            telemetry=around.telemetry,
            personal_kept_s=around.personal_kept_s,
            tellers=around.tellers,
        )
        self._held = HeldOrders(around.queries, self.apply)
        self.supervisor = Supervisor(self.drain, around.clock, around.fatal)
        self._timetable = Timetable(self.drain, around.jitter)
        resolvers = {name: channel.resolver for name, channel in self.channels.items() if channel.resolver is not None}
        self._hints = Hints(resolvers, around.store, self.wakes)
        self._exchange = Exchange(around.trading, around.store, self.wakes)
        self._pulls: set[asyncio.Task[None]] = set()
        self._heart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin working. Raises `StoreUnavailable` when not even the accounts' state can be read."""
        role = self._around.role
        await self.accounts.refresh()
        self._heart = asyncio.create_task(self.health.beat(), name="heart")
        self.supervisor.start("health", self.health.probe)
        self.supervisor.start("accounts", self._tend_accounts)
        if self._around.shared_store or role != "all":
            self.supervisor.start("listener", self._listen)
        if role in ("all", "worker"):
            self._start_workers()
        if role in ("all", "scheduler"):
            self._start_timetable()
        self.health.started()
        _log.info("engine.started", role=role, count=len(self.channels))

    async def stop(self, within_s: float = DRAIN_S) -> None:
        """Drain (at most `within_s`): nothing new begins, what is under way ends or is handed back."""
        self.drain.begin()
        budget = max(0.0, within_s - CANCEL_S)
        late = await asyncio.gather(
            self.supervisor.stop(budget), self._timetable.stop(budget), self._stop_pulls(budget)
        )
        await self._hints.stop()
        await self._exchange.stop()
        await self._around.interpreter.close()
        try:
            await self.accounts.flush()
        except StoreUnavailable:
            _log.warning("accounts.unsaved", reason="the store is unavailable")
        for channel in self.channels.values():
            await channel.connector.close()
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)
        _log.info("engine.stopped", running=[name for names in late for name in names])

    async def failed(self) -> BaseException:
        """Until something happens after which this process must end; gives it."""
        return await self.supervisor.failed()

    def pull(self, account: str, since: datetime | None) -> list[str]:
        """Begin reading an account's streams again, beside the ordinary polls; names of the streams.

        Raises:
            LookupError: No such account, or nothing of it can be pulled.
            ValueError: The vendor does not reach back that far, or enough pulls of this account are under way.
        """
        self.accounts.row(account)
        channel = self.channels[account]
        poller = channel.poller
        if poller is None:
            raise LookupError(f"{channel.plan.connector} has nothing that can be pulled")
        streams = channel.plan.manifest.streams
        if since is not None:
            for stream in streams:
                poller.require_reach(stream, since)
        names = [stream.name for stream in streams]
        name = f"pull:{account}"
        if sum(task.get_name() == name for task in self._pulls) >= PULLS_MAX:
            raise ValueError(f"{PULLS_MAX} pulls of {account} are under way already; ask again when one has ended")
        task = asyncio.create_task(self._pull(channel, names, since), name=name)
        self._pulls.add(task)
        task.add_done_callback(self._pulled)
        return names

    def _pulled(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for a pull, so what ended it is told here."""
        self._pulls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("pull.failed", job=task.get_name(), exc_info=error)

    async def _pull(self, channel: Channel, streams: list[str], since: datetime | None) -> None:
        poller = channel.poller
        if poller is None:
            return
        for stream in streams:
            finished = False
            while not finished and not self.drain.stopping:
                try:
                    walked = await poller.backfill(stream, since)
                except StoreUnavailable:
                    await self.drain.pause(5.0)
                    continue
                self.wakes.received()
                finished = walked.finished or walked.wait_s is None
                if not finished and walked.wait_s is not None:
                    await self.drain.pause(walked.wait_s)

    async def _stop_pulls(self, within_s: float) -> list[str]:
        tasks = set(self._pulls)
        if not tasks:
            return []
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return sorted(task.get_name() for task in late)

    def _start_workers(self) -> None:
        around = self._around
        for number in range(max(1, around.inbox_workers)):
            worker = InboxWorker(
                around.store, around.interpreter, self.apply, self._hints, self.wakes, exchange=self._exchange
            )
            loop = Loop(f"inbox:{number}", worker.step, self.wakes.inbox, INBOX_RHYTHM, self.drain, self.health)
            self.supervisor.start(loop.name, loop.run)
        held = Loop("held", self._judge_held, self.wakes.held, HELD_RHYTHM, self.drain, self.health)
        self.supervisor.start(held.name, held.run)
        for channel in self.channels.values():
            for loop in channel.loops():
                self.supervisor.start(loop.name, loop.run)

    async def resolve_held(self) -> None:
        """Settle every order the hub holds: after a start, or when the catalogue changed. Raises `StoreUnavailable`."""
        self._tell(await self._held.all())

    async def seek_orders(self) -> None:
        """After a start: shipments parked for want of their order run again. Raises `StoreUnavailable`."""
        if await run_orphans_again(self._around.store, self._around.queries):
            self.wakes.received()

    async def _judge_held(self) -> Round:
        outcome = await self._held.oversold()
        self._tell(outcome)
        return Round(done=outcome.applied)

    def _tell(self, outcome: Outcome) -> None:
        if outcome.dirty:
            self.wakes.dirtied()
        if outcome.effects:
            self.wakes.effects_for(outcome.effects)

    def _start_timetable(self) -> None:
        around = self._around
        retention = Retention(around.store, around.clock, around.keep)
        duties = Duties(self.channels, self.tools, retention, around.public_url, around.intervals)
        for job in duties.jobs():
            self._timetable.add(job)
        for job in partner_jobs(self.channels, self.tools, self.apply):
            self._timetable.add(job)
        expected = ExpectedDays(around.store, around.queries, self._plans, around.clock)
        if expected.counts:
            self._timetable.add(Job("expected", LOOK_S, partial(self._look_at_expected, expected)))
        self._timetable.start()

    async def _look_at_expected(self, expected: ExpectedDays) -> None:
        """Numbers that count stock on order, computed again where a day has come near or passed."""
        if await expected.look():
            self.wakes.everything()

    async def _tend_accounts(self) -> None:
        """Write holds and circuits this process has decided, read what others have."""
        turns = 0
        while not self.drain.stopping:
            try:
                await self.accounts.flush()
                if turns % ACCOUNTS_READ_EVERY == 0:
                    await self.accounts.refresh()
            except StoreUnavailable:
                self.health.store_failed()
            turns += 1
            await self.drain.pause(ACCOUNTS_S)

    async def _listen(self) -> None:
        """Turn other processes' writes into this one's wake-ups."""
        store = self._around.store
        if not isinstance(store, WakesWorkers):
            # Nothing to hear with: the loops look by themselves, at their idle intervals.
            await self.drain.wait()
            return
        while not self.drain.stopping:
            if await store.wait_for_work(LISTEN_S):
                self.wakes.everything()
            # A busy database rings without end; a few wake-ups a second are as good.
            await self.drain.pause(RINGS_APART_S)
