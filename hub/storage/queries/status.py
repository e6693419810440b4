"""How every account stands, from small indexes and counters: never a scan of history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ports.queries import AccountStatus, Flow
from hub.ports.store import AccountRow, Micros
from hub.storage import tables as t
from hub.storage.instants import SECOND
from hub.storage.queries.reading import Reading, literally

_LIVE = "state NOT IN ('done', 'cancelled')"


@dataclass(slots=True)
class _Tally:
    """One account while it is being put together."""

    waiting: int = 0
    waiting_since: Micros | None = None
    going: int = 0
    going_since: Micros | None = None
    inward_at: Micros | None = None
    outward_at: Micros | None = None
    inward_lag: Micros | None = None
    outward_lag: Micros | None = None
    failures: int = 0
    levels: int = 0
    verified: int = 0
    drift: int = 0
    watermark: Micros | None = None
    state: AccountRow | None = None

    def goes(self, count: int, since: Micros | None) -> None:
        self.going += count
        times = [at for at in (self.going_since, since) if at is not None]
        self.going_since = min(times, default=None)


class StatusQueries(Reading):
    """Counts are of one snapshot; ages are measured from this process's clock."""

    async def status(self) -> Sequence[AccountStatus]:
        found: dict[str, _Tally] = defaultdict(_Tally)
        async with self._snapshot() as connection:
            await _inward(connection, found)
            await _outward(connection, found)
            await _levels(connection, found)
            await _accounts(connection, found)
        now = self._now()
        return [_status(account, found[account], now) for account in sorted(found)]


async def _inward(connection: AsyncConnection, found: dict[str, _Tally]) -> None:
    work, cursors, flows = t.inbox_work, t.cursors, t.flows
    waiting = (
        select(work.c.account, func.count(), func.min(work.c.received_at))
        .where(literally("state = 'pending'"))
        .group_by(work.c.account)
    )
    for account, count, since in await connection.execute(waiting):
        found[account].waiting, found[account].waiting_since = count, since
    dated = select(flows.c.account, flows.c.inward_at, flows.c.outward_at, flows.c.inward_lag, flows.c.outward_lag)
    for account, inward_at, outward_at, inward_lag, outward_lag in await connection.execute(dated):
        tally = found[account]
        tally.inward_at, tally.outward_at = inward_at, outward_at
        tally.inward_lag, tally.outward_lag = inward_lag, outward_lag
    marks = select(cursors.c.account, func.min(cursors.c.watermark), func.max(cursors.c.last_success_at)).group_by(
        cursors.c.account
    )
    for account, watermark, read_at in await connection.execute(marks):
        tally = found[account]
        tally.watermark = watermark
        # A channel that was read and had nothing to say was read all the same.
        tally.inward_at = max((at for at in (tally.inward_at, read_at) if at is not None), default=None)


async def _outward(connection: AsyncConnection, found: dict[str, _Tally]) -> None:
    levels, outbox = t.levels, t.outbox
    dirty = (
        select(levels.c.account, func.count(), func.min(levels.c.dirty_at))
        .where(literally("dirty = 1"))
        .group_by(levels.c.account)
    )
    live = select(outbox.c.account, func.count(), func.min(outbox.c.created_at)).where(
        literally(_LIVE), outbox.c.state.not_in(("failed", "parked"))
    )
    for query in (dirty, live.group_by(outbox.c.account)):
        for account, count, since in await connection.execute(query):
            found[account].goes(count, since)


async def _levels(connection: AsyncConnection, found: dict[str, _Tally]) -> None:
    counts, levels = t.level_counts, t.levels
    for account, total, verified in await connection.execute(
        select(counts.c.account, counts.c.levels, counts.c.verified)
    ):
        found[account].levels, found[account].verified = total, verified
    drifted = (
        select(levels.c.account, func.sum(func.abs(levels.c.shown_quantity - levels.c.sent_quantity)))
        .where(literally("state = 'drifted'"))
        .group_by(levels.c.account)
    )
    for account, units in await connection.execute(drifted):
        found[account].drift = int(units or 0)


async def _accounts(connection: AsyncConnection, found: dict[str, _Tally]) -> None:
    accounts, failures = t.accounts, t.failures
    rows: Any = await connection.execute(
        select(
            accounts.c.account, accounts.c.mode, accounts.c.held, accounts.c.circuit, accounts.c.detail,
            accounts.c.updated_at,
        )
    )  # fmt: skip
    for row in rows:
        found[row.account].state = AccountRow(*row)
    parked = select(failures.c.account, func.count()).where(literally("state = 'open'")).group_by(failures.c.account)
    for account, count in await connection.execute(parked):
        found[account].failures = count


def _status(account: str, tally: _Tally, now: Micros) -> AccountStatus:
    return AccountStatus(
        account=account,
        inward=Flow(tally.waiting, _age_s(tally.waiting_since, now), tally.inward_at, _seconds(tally.inward_lag)),
        outward=Flow(tally.going, _age_s(tally.going_since, now), tally.outward_at, _seconds(tally.outward_lag)),
        state=tally.state,
        failures=tally.failures,
        levels=tally.levels,
        levels_verified=tally.verified,
        drift_units=tally.drift,
        oldest_watermark=tally.watermark,
    )


def _seconds(lag: Micros | None) -> float | None:
    return None if lag is None else lag / SECOND


def _age_s(since: Micros | None, now: Micros) -> float | None:
    return None if since is None else max(0.0, (now - since) / SECOND)
