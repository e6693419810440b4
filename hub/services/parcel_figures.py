"""How parcels stand, for the status, the console and the scraper: what is open, late, and beyond the quotas."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.sdk.contract import Connector
from connectors.sdk.manifest import Capability, TrackQuota
from connectors.sdk.ports import Clock
from connectors.sdk.tracking import Tracks
from hub.ports.accounts import AccountPlan
from hub.ports.late import LateCounts
from hub.ports.parcels import Micros, ParcelCounts
from hub.ports.queries import Queries
from hub.services import moments
from hub.services.askers import askers
from hub.services.asking import QUOTA_STREAM, quota_of
from hub.services.views import instant
from hub.tracking.polling import calls_a_day

Json = dict[str, Any]
FRESH_S: Final = 2.0
LATE_FRESH_S: Final = 10.0
COST: Final = 50.0
"""Figures are read again at the earliest after this many times what reading them took."""
_DAY_S: Final = 86_400.0

Quotas = Callable[[str], TrackQuota | None]


def quotas_of(connectors: Mapping[str, Connector]) -> Quotas:
    """The allowance each opened account states."""

    def quota(account: str) -> TrackQuota | None:
        connector = connectors.get(account)
        return connector.track_quota if isinstance(connector, Tracks) else None

    return quota


@dataclass(frozen=True, slots=True)
class AskingFigure:
    """Parcels one account asks about. Calls a day; `affordable` and `left` are None without a published quota.

    `wanted` is what asking about every open parcel as often as it deserves would take; `unaffordable` is what of it
    the quota does not cover.
    """

    account: str
    open: int
    due: int
    oldest_due_s: float | None
    wanted: float
    affordable: float | None
    left: int | None

    @property
    def unaffordable(self) -> float:
        return 0.0 if self.affordable is None else max(0.0, self.wanted - self.affordable)

    def as_json(self) -> Json:
        return {
            "open": self.open,
            "due": self.due,
            "oldest_due_s": self.oldest_due_s,
            "wanted_calls_per_day": round(self.wanted, 1),
            "affordable_calls_per_day": None if self.affordable is None else round(self.affordable, 1),
            "unaffordable_calls_per_day": round(self.unaffordable, 1),
            "calls_left": self.left,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """`unasked` are open parcels of ours that no account can ask about."""

    open: int = 0
    orphans: int = 0
    unasked: int = 0
    asking: Mapping[str, AskingFigure] = field(default_factory=dict)

    def as_json(self) -> Json:
        return {"open": self.open, "orphans": self.orphans, "unasked": self.unasked}


class ParcelFigures:
    """Read at most every few seconds, whoever asks. Safe to ask from many tasks."""

    def __init__(
        self, plans: Mapping[str, AccountPlan], queries: Queries, clock: Clock, quotas: Quotas = lambda _account: None
    ) -> None:
        self._plans = plans
        self._queries = queries
        self._clock = clock
        self._quotas = quotas
        self._figures = Figures()
        self._late: Sequence[LateCounts] = ()
        self._until: float | None = None
        self._late_until: float | None = None
        self._reading = asyncio.Lock()
        self._reading_late = asyncio.Lock()

    async def read(self) -> Figures:
        """Raises `StoreUnavailable`."""
        async with self._reading:
            now = self._clock.monotonic()
            if self._until is None or now >= self._until:
                self._figures = await self._of(await self._queries.parcel_counts())
                self._until = now + max(FRESH_S, (self._clock.monotonic() - now) * COST)
            return self._figures

    async def late(self) -> Sequence[LateCounts]:
        """Raises `StoreUnavailable`."""
        async with self._reading_late:
            now = self._clock.monotonic()
            if self._late_until is None or now >= self._late_until:
                self._late = await self._queries.late_counts()
                took = self._clock.monotonic() - now
                self._late_until = now + max(LATE_FRESH_S, took * COST)
            return self._late

    async def _of(self, counts: Sequence[ParcelCounts]) -> Figures:
        asked_by = askers(self._plans, [row.carrier for row in counts])
        shares: dict[str, list[ParcelCounts]] = {
            account: [] for account, plan in self._plans.items() if Capability.TRACK in plan.manifest.capabilities
        }
        unasked = 0
        for row in counts:
            account = asked_by.get(row.carrier)
            if account is None:
                unasked += row.open - row.orphans
            else:
                shares[account].append(row)
        asking = {account: await self._asking(account, rows) for account, rows in shares.items()}
        return Figures(sum(row.open for row in counts), sum(row.orphans for row in counts), unasked, asking)

    async def _asking(self, account: str, rows: Sequence[ParcelCounts]) -> AskingFigure:
        now = moments.now(self._clock)
        wanted = sum(count * calls_a_day(rank) for row in rows for rank, count in row.by_rank.items())
        oldest = min((row.oldest_due_at for row in rows if row.oldest_due_at is not None), default=None)
        quota = self._quotas(account)
        return AskingFigure(
            account,
            sum(row.open - row.orphans for row in rows),
            sum(row.due for row in rows),
            None if oldest is None else moments.seconds_between(oldest, now),
            wanted / max(1, self._plans[account].manifest.track_batch_max),
            None if quota is None else quota.calls * _DAY_S / quota.window_s,
            None if quota is None else await self._left(account, quota),
        )

    async def _left(self, account: str, quota: TrackQuota) -> int:
        rows = await self._queries.cursors(account)
        spent = next((row for row in rows if row.stream == QUOTA_STREAM), None)
        return quota_of(quota, spent).left(self._clock.now())


def late_json(row: LateCounts, now: Micros) -> Json:
    """One account's orders that are still to ship, and what is late of them."""
    return {
        "account": row.account,
        "to_ship": row.to_ship,
        "oldest_at": instant(row.oldest_at),
        "oldest_age_s": None if row.oldest_at is None else round(moments.seconds_between(row.oldest_at, now)),
        "unshipped": row.unshipped,
        "due_within_a_day": row.soon,
        "unpromised": row.unpromised,
        "unscanned": row.unscanned,
        "delivered_late": row.delivered_late,
    }
