"""The recurring duties of each account and of the hub, as jobs of the timetable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from connectors.sdk.contract import Subscribes
from connectors.sdk.errors import AuthFailed, ConnectorError, Transient
from connectors.sdk.manifest import Capability, Stream
from connectors.sdk.tracking import Tracks, Watches
from hub.delivery.schedule import delay_s
from hub.ports.accounts import Mode
from hub.services.askers import Shares
from hub.services.asking import Asker, close_old
from hub.services.moments import now
from hub.services.poll import Poller, Walked
from hub.services.retention import Retention
from hub.services.watching import Watcher
from hub.workers.channel import Channel, Tools
from hub.workers.timetable import Job

_log = structlog.get_logger(__name__)

RECHECK_S = 300.0
RETENTION_S = 86_400.0
POLL_TRIES = 3
"""Walks tried within one turn of a stream; after that the next turn goes on from the cursor."""

RECOUNTED = "orders"
RECOUNT_WINDOW = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between second looks. `sweep_s` bounds how long an unseen difference can stand."""

    subscriptions_s: float = 3_600.0
    sweep_s: float = 6 * 3_600.0
    recount_s: float = 86_400.0
    track_s: float = 60.0
    watch_s: float = 60.0


class Duties:
    """Makes the jobs; the timetable runs them.

    Args:
        public_url: Where vendors reach this hub; without it nothing is subscribed.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        tools: Tools,
        retention: Retention,
        public_url: str | None,
        intervals: Intervals,
    ) -> None:
        self._channels = channels
        self._tools = tools
        self._retention = retention
        self._public_url = public_url
        self._every = intervals
        plans = {account: channel.plan for account, channel in channels.items()}
        self._shares = Shares(plans, tools.queries, tools.accounts.may_call, tools.clock)

    def jobs(self) -> Iterator[Job]:
        yield Job("accounts.recheck", RECHECK_S, self._recheck, first_s=None)
        yield Job("retention", RETENTION_S, self._retention.prune, first_s=60.0)
        yield Job("parcels.close", RETENTION_S, self._close_old, first_s=120.0)
        for channel in self._channels.values():
            yield from self._of(channel)

    def _of(self, channel: Channel) -> Iterator[Job]:
        account = channel.plan.account
        if channel.poller is not None:
            for stream in channel.plan.manifest.streams:
                every_s = channel.plan.poll_s.get(stream.name, stream.interval_s)
                yield self._poll(channel, channel.poller, stream, every_s)
                if stream.name == RECOUNTED:
                    yield self._recount(channel)
        if channel.publisher is not None:
            yield self._leased(channel, f"sweep:{account}", self._every.sweep_s, channel.reconciler.sweep_levels)
            yield self._woken(channel)
        if isinstance(channel.connector, Subscribes) and self._public_url:
            yield self._subscribe(channel, f"{self._public_url.rstrip('/')}/webhooks/{account}")
        yield from self._about_parcels(channel)

    def _about_parcels(self, channel: Channel) -> Iterator[Job]:
        account, can = channel.plan.account, channel.plan.manifest.capabilities
        if Capability.TRACK in can and isinstance(channel.connector, Tracks):
            carriers = partial(self._shares.of, account, Capability.TRACK)
            asker = Asker(channel.out, channel.connector, self._tools.queries, carriers)

            async def ask() -> None:
                if (await asker.ask_due()).answers:
                    self._tools.wakes.received()

            every_s = channel.plan.poll_s.get("tracking", self._every.track_s)
            yield self._leased(channel, f"track:{account}", every_s, ask, first_s=0.0)
        if Capability.WATCH in can and isinstance(channel.connector, Watches) and self._public_url:
            carriers = partial(self._shares.of, account, Capability.WATCH)
            watcher = Watcher(channel.out, channel.connector, self._tools.queries, carriers)
            yield self._leased(channel, f"watch:{account}", self._every.watch_s, watcher.watch_due, first_s=0.0)

    async def _close_old(self) -> None:
        await close_old(self._tools.store, self._tools.queries, now(self._tools.clock))

    def _leased(
        self,
        channel: Channel,
        name: str,
        every_s: float,
        run: Callable[[], Awaitable[object]],
        first_s: float | None = None,
    ) -> Job:
        async def one() -> None:
            if await channel.duty.held():
                await run()

        return Job(name, every_s, one, first_s=first_s)

    def _woken(self, channel: Channel) -> Job:
        """Numbers that are to be told although no stock has moved: after a start with another configuration."""

        async def wake() -> None:
            if await channel.reconciler.wake_shadowed() + await channel.reconciler.follow_policy():
                self._tools.wakes.levels[channel.plan.account].set()

        return self._leased(channel, f"woken:{channel.plan.account}", 300.0, wake, first_s=0.0)

    def _subscribe(self, channel: Channel, callback_url: str) -> Job:
        async def heal() -> None:
            await channel.reconciler.heal_subscriptions(callback_url)

        name = f"subscriptions:{channel.plan.account}"
        return self._leased(channel, name, self._every.subscriptions_s, heal, first_s=0.0)

    def _recount(self, channel: Channel) -> Job:
        async def recount() -> None:
            counted = await channel.reconciler.recount(RECOUNTED, RECOUNT_WINDOW)
            if counted.missed:
                self._tools.wakes.received()

        return self._leased(channel, f"recount:{channel.plan.account}", self._every.recount_s, recount)

    def _poll(self, channel: Channel, poller: Poller, stream: Stream, every_s: float) -> Job:
        async def poll() -> None:
            for tries in range(1, POLL_TRIES + 1):
                walked = await poller.poll(stream.name)
                if walked.envelopes:
                    self._tools.wakes.received()
                wait_s = self._again_s(walked, tries)
                if wait_s is None or wait_s >= every_s or await self._tools.drain.pause(wait_s):
                    break
            if walked.error is not None and not isinstance(walked.error, AuthFailed):
                raise walked.error

        return self._leased(channel, f"poll:{channel.plan.account}:{stream.name}", every_s, poll, first_s=0.0)

    def _again_s(self, walked: Walked, tries: int) -> float | None:
        """Pause before the same walk is tried again in this turn; None leaves it to the next."""
        if walked.finished:
            return None
        if walked.wait_s:
            return walked.wait_s
        if isinstance(walked.error, Transient):
            return delay_s(tries, self._tools.jitter)
        return None

    async def _recheck(self) -> None:
        """Ask held accounts' vendors whether the credentials work again; success lifts the hold."""
        accounts = self._tools.accounts
        for account, channel in self._channels.items():
            if accounts.row(account).held is None or accounts.mode(account) is Mode.PAUSED:
                continue
            try:
                await accounts.check(account, channel.connector)
            except ConnectorError as error:
                _log.info("account.still_held", account=account, error=type(error).__name__, code=error.code)
                continue
            self._tools.wakes.everything()
