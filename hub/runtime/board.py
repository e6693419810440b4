"""The status board: what the database says of every account, read at most every second or so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.sdk.ports import Clock
from hub.ports.accounts import AccountPlan, Mode
from hub.ports.queries import AccountStatus, Flow, Queries
from hub.runtime.metrics import Metrics
from hub.services import views
from hub.services.parcel_figures import ParcelFigures

FRESH_S = 1.0
"""A board younger than this is shown again: a hundred scrapers cost one query."""

Json = dict[str, Any]


class Board:
    """One snapshot shared by the scraper, the API and the console. Safe to ask from many tasks.

    Args:
        mode: The mode in force, the operator's word included.
        budget: An account's budgets as JSON, None where nothing is known.
        metrics: This process's counters, for the scrape; None when the command runs beside a hub.
        parcels: Figures of parcels, with the quotas of opened connectors.
    """

    def __init__(
        self,
        plans: Mapping[str, AccountPlan],
        queries: Queries,
        clock: Clock,
        *,
        mode: Callable[[str], Mode],
        budget: Callable[[str], Json | None] = lambda _account: None,
        metrics: Metrics | None = None,
        parcels: ParcelFigures | None = None,
    ) -> None:
        self._plans = plans
        self._queries = queries
        self._clock = clock
        self._mode = mode
        self._budget = budget
        self._metrics = metrics
        self.parcels = parcels or ParcelFigures(plans, queries, clock)
        self._rows: Sequence[AccountStatus] = ()
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    async def rows(self) -> Sequence[AccountStatus]:
        async with self._lock:
            now = self._clock.monotonic()
            if self._read_at is None or now - self._read_at >= FRESH_S:
                self._rows = [self._of_now(row) for row in await self._queries.status()]
                self._read_at = now
            return self._rows

    def _of_now(self, row: AccountStatus) -> AccountStatus:
        """An account that was taken out of the configuration is not read or sent to: nothing of it waits.

        What it left behind that somebody must look at (its failures) counts as before.
        """
        if row.account in self._plans:
            return row
        return replace(row, outward=_NOTHING, levels=0, levels_verified=0, drift_units=0, oldest_watermark=None)

    async def scrape(self) -> tuple[bytes, str]:
        """Metrics with gauges as of now. Raises what the database raises; the scrape fails visibly."""
        if self._metrics is None:
            raise RuntimeError("this process counts nothing")
        self._metrics.measure(await self.rows())
        self._metrics.measure_awaited(await self._queries.expectation_counts())
        self._metrics.parcels.measure(await self.parcels.read(), await self.parcels.late())
        return self._metrics.render()

    async def status(self) -> Json:
        """The public JSON of `status`."""
        rows = {row.account: row for row in await self.rows()}
        parcels = await self.parcels.read()
        asking = parcels.asking
        accounts = [
            self._account(plan, rows.get(plan.account))
            | ({"parcels": asking[plan.account].as_json()} if plan.account in asking else {})
            for plan in self._plans.values()
        ]
        return {
            "inbox_pending": sum(row.inward.pending for row in rows.values()),
            "outbox_pending": sum(row.outward.pending for row in rows.values()),
            "failures": sum(row.failures for row in rows.values()),
            "parcels": parcels.as_json(),
            "accounts": accounts,
        }

    def _account(self, plan: AccountPlan, row: AccountStatus | None) -> Json:
        named: Json = {
            "account": plan.account,
            "connector": plan.connector,
            "mode": self._mode(plan.account).value,
        }
        if row is None:
            row = AccountStatus(plan.account, _NOTHING, _NOTHING, None, 0, 0, 0, 0, None)
        return named | {
            "in": views.flow(row.inward, _lag(row.inward)),
            "out": views.flow(row.outward, _lag(row.outward)),
            "circuit": row.state.circuit if row.state else "closed",
            "held": row.state.held if row.state else None,
            "budget": self._budget(plan.account),
            "failures": row.failures,
            "levels": row.levels,
            "levels_verified": row.levels_verified,
            "drift_units": row.drift_units,
            "watermark": views.instant(row.oldest_watermark),
        }


def _lag(row: Flow) -> float | None:
    """The lag seen last, or the age of what still waits when that is worse."""
    known = [value for value in (row.lag_s, row.oldest_age_s) if value is not None]
    return round(max(known), 3) if known else None


_NOTHING = Flow(0, None, None)
"""Of an account nothing has happened to yet."""
