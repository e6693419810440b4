"""Rate budgets: the published limit to start with, the vendor's own headers from then on.

One book per account. A caller takes what its call costs and waits its turn; urgent work goes
first, replays get a quarter of the rate at most. When the wait would be long the caller is told
so at once (`RateLimited`) and the engine holds the lane instead of a task.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from connectors.sdk.errors import RateLimited
from connectors.sdk.manifest import Budget
from connectors.sdk.ports import Clock
from connectors.sdk.retry import RETRY_AFTER_MAX_S

DEFAULT: Final = "default"
REPLAY_SHARE: Final = 0.25
URGENT_RESERVE: Final = 0.1
"""The part of a full bucket that only urgent work may use."""
URGENT_RESERVE_S: Final = 2.0
"""That part is never more than these seconds restore: others need not wait for a large bucket to fill again."""
REFUSED_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Holds after refusals in a row that came without a wait of their own."""
_TINY: Final = 1e-9


class Priority(IntEnum):
    """Who goes first. Oversold and zeroing pushes are urgent; reading back waits behind what is to be sent;
    operators' replays come last."""

    URGENT = 0
    LIVE = 1
    CHECK = 2
    REPLAY = 3


_priority: ContextVar[Priority] = ContextVar("budget_priority", default=Priority.LIVE)


@contextmanager
def spending(priority: Priority) -> Iterator[None]:
    """Everything called inside, in this task, takes from the budgets with this priority."""
    token = _priority.set(priority)
    try:
        yield
    finally:
        _priority.reset(token)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget for the status page; `tokens` may be below zero while a debt is paid off."""

    name: str
    tokens: float | None
    burst: float | None
    rate: float | None
    held_s: float
    waiting: int
    in_flight: float


@dataclass(slots=True)
class Bucket:
    """A token bucket. Times are the clock's monotonic seconds.

    `rate` None means no limit is known: only holds and what is learnt restrict it.
    """

    name: str
    rate: float | None
    burst: float
    tokens: float
    at_s: float
    held_until_s: float = 0.0
    refusals: int = 0
    in_flight: float = 0.0
    replay_tokens: float = 0.0
    waiting: list[tuple[Priority, int, float]] = field(default_factory=list)

    def refill(self, now_s: float) -> None:
        elapsed_s = max(0.0, now_s - self.at_s)
        self.at_s = now_s
        if self.rate is None:
            return
        self.tokens = min(self.burst, self.tokens + elapsed_s * self.rate)
        most = max(1.0, self.burst * REPLAY_SHARE)
        self.replay_tokens = min(most, self.replay_tokens + elapsed_s * self.rate * REPLAY_SHARE)

    def wait_s(self, now_s: float, cost: float, priority: Priority, ahead: float) -> float:
        """Seconds until `cost` may be spent behind `ahead` units of earlier or more urgent work."""
        self.refill(now_s)
        held_s = max(0.0, self.held_until_s - now_s)
        if self.rate is None:
            return held_s
        # A call dearer than the whole bucket waits for a full one and leaves a debt behind.
        needed = min(cost, self.burst)
        if priority is not Priority.URGENT:
            needed += min(self.reserve(), max(0.0, self.burst - needed))
        short_s = self._short_s(needed + ahead - self.tokens, self.rate)
        if priority is Priority.REPLAY:
            most = max(1.0, self.burst * REPLAY_SHARE)
            short_s = max(short_s, self._short_s(min(cost, most) - self.replay_tokens, self.rate * REPLAY_SHARE))
        return max(held_s, short_s)

    def reserve(self) -> float:
        """Units kept back for urgent work."""
        if self.rate is None:
            return 0.0
        return min(URGENT_RESERVE * self.burst, URGENT_RESERVE_S * self.rate)

    @staticmethod
    def _short_s(missing: float, rate: float) -> float:
        if missing <= _TINY:
            return 0.0
        return missing / rate if rate > 0 else math.inf

    def spend(self, cost: float, priority: Priority) -> None:
        if self.rate is not None:
            self.tokens -= cost
            if priority is Priority.REPLAY:
                self.replay_tokens -= cost
        self.in_flight += cost

    def ahead_of(self, ticket: tuple[Priority, int, float]) -> float:
        return sum(cost for priority, number, cost in self.waiting if (priority, number) < ticket[:2])


class BudgetBook:
    """All budgets of one account. For one event loop; safe for any number of its tasks.

    Args:
        clock: Paces the waits.
        budgets: The manifest's published limits. Another name than these or "default" is a
            mistake and raises `ValueError`.
        wait_max_s: The longest a caller is kept waiting before it is told `RateLimited`.
    """

    def __init__(self, clock: Clock, budgets: Iterable[Budget] = (), *, wait_max_s: float = 10.0) -> None:
        self._clock = clock
        self._wait_max_s = wait_max_s
        self._numbers = itertools.count()
        self._buckets: dict[str, Bucket] = {}
        now_s = clock.monotonic()
        for budget in budgets:
            if budget.rate <= 0 or budget.burst <= 0:
                raise ValueError(f"budget {budget.name}: rate and burst are above zero")
            replay = max(1.0, budget.burst * REPLAY_SHARE)
            self._buckets[budget.name] = Bucket(
                budget.name, budget.rate, budget.burst, budget.burst, now_s, replay_tokens=replay
            )
        if DEFAULT not in self._buckets:
            self._buckets[DEFAULT] = Bucket(DEFAULT, None, math.inf, math.inf, now_s)

    async def take(
        self,
        name: str = DEFAULT,
        cost: float = 1.0,
        *,
        priority: Priority | None = None,
        wait_max_s: float | None = None,
    ) -> float:
        """Spend `cost` units, waiting for them; gives the seconds waited.

        A caller that is cancelled while waiting spends nothing. Balance every take with `done`
        once the vendor has answered, or use `spend`.

        Raises:
            RateLimited: The wait would be longer than allowed; nothing was spent.
        """
        bucket = self._bucket(name)
        rank = _priority.get() if priority is None else priority
        began_s = self._clock.monotonic()
        until_s = began_s + (self._wait_max_s if wait_max_s is None else wait_max_s)
        ticket = (rank, next(self._numbers), cost)
        heapq.heappush(bucket.waiting, ticket)
        try:
            while True:
                now_s = self._clock.monotonic()
                wait_s = bucket.wait_s(now_s, cost, rank, bucket.ahead_of(ticket))
                if wait_s <= 0:
                    bucket.spend(cost, rank)
                    return now_s - began_s
                if now_s + wait_s > until_s + _TINY:
                    raise RateLimited(
                        f"the {name} budget is spent for another {min(wait_s, RETRY_AFTER_MAX_S):.1f} s",
                        code="budget_spent",
                        retry_after_s=min(wait_s, RETRY_AFTER_MAX_S),
                    )
                await self._clock.sleep(wait_s)
        finally:
            bucket.waiting.remove(ticket)
            heapq.heapify(bucket.waiting)

    def done(self, name: str = DEFAULT, cost: float = 1.0) -> None:
        """The vendor has counted what `take` spent: its next statement of what remains includes it."""
        bucket = self._bucket(name)
        bucket.in_flight = max(0.0, bucket.in_flight - cost)

    @asynccontextmanager
    async def spend(self, name: str = DEFAULT, cost: float = 1.0) -> AsyncIterator[float]:
        """`take` before, `done` after; yields the seconds waited."""
        waited_s = await self.take(name, cost)
        try:
            yield waited_s
        finally:
            self.done(name, cost)

    def learn(
        self,
        name: str,
        *,
        remaining: float | None = None,
        limit: float | None = None,
        restore_rate: float | None = None,
        reset_after_s: float | None = None,
    ) -> None:
        """Believe the vendor about its own budget; any part may be unknown.

        `remaining` is what it says is left, from which calls still under way are taken off;
        `reset_after_s` with nothing remaining holds the budget until then. Numbers that make no
        sense (not finite, negative) are ignored.
        """
        bucket = self._bucket(name)
        bucket.refill(self._clock.monotonic())
        if _sane(limit) and limit:
            if bucket.rate is None and not (_sane(restore_rate) and restore_rate):
                # A ceiling without a rate cannot pace anything; it becomes useful with a rate.
                return self._hold_if_empty(bucket, remaining, reset_after_s)
            bucket.burst = limit
            bucket.tokens = min(bucket.tokens, limit)
        if _sane(restore_rate) and restore_rate:
            bucket.rate = restore_rate
            if math.isinf(bucket.burst):
                bucket.burst = max(restore_rate, remaining or 0.0, 1.0)
                bucket.tokens = bucket.burst
                bucket.replay_tokens = max(1.0, bucket.burst * REPLAY_SHARE)
        if _sane(remaining) and remaining is not None and bucket.rate is not None:
            bucket.tokens = min(bucket.burst, remaining) - bucket.in_flight
        self._hold_if_empty(bucket, remaining, reset_after_s)
        return None

    def _hold_if_empty(self, bucket: Bucket, remaining: float | None, reset_after_s: float | None) -> None:
        if _sane(remaining) and _sane(reset_after_s) and remaining is not None and remaining < 1:
            self.hold(bucket.name, reset_after_s or 0.0)

    def hold(self, name: str, seconds: float) -> None:
        """Nothing is spent before then, however urgent; at most 24 h; a longer hold stays."""
        bucket = self._bucket(name)
        until_s = self._clock.monotonic() + min(max(0.0, seconds), RETRY_AFTER_MAX_S)
        bucket.held_until_s = max(bucket.held_until_s, until_s)

    def refused(self, name: str, retry_after_s: float | None) -> float:
        """The vendor said "too many": hold for its own wait, else longer each time; gives that wait."""
        bucket = self._bucket(name)
        step = min(bucket.refusals, len(REFUSED_WAITS_S) - 1)
        wait_s = REFUSED_WAITS_S[step] if retry_after_s is None else min(retry_after_s, RETRY_AFTER_MAX_S)
        bucket.refusals += 1
        if bucket.rate is not None:
            bucket.refill(self._clock.monotonic())
            # What was counted on was not there. The reserve stays, or all but urgent work would wait
            # for it to fill up again on top of the vendor's own wait.
            bucket.tokens = min(bucket.tokens, bucket.reserve())
        self.hold(name, wait_s)
        return wait_s

    def granted(self, name: str) -> None:
        """The vendor took a call: refusals are no longer in a row."""
        self._bucket(name).refusals = 0

    def snapshot(self) -> Mapping[str, BudgetState]:
        now_s = self._clock.monotonic()
        return {name: self._state(bucket, now_s) for name, bucket in self._buckets.items()}

    def _state(self, bucket: Bucket, now_s: float) -> BudgetState:
        bucket.refill(now_s)
        known = bucket.rate is not None
        return BudgetState(
            name=bucket.name,
            tokens=bucket.tokens if known else None,
            burst=bucket.burst if known else None,
            rate=bucket.rate,
            held_s=max(0.0, bucket.held_until_s - now_s),
            waiting=len(bucket.waiting),
            in_flight=bucket.in_flight,
        )

    def _bucket(self, name: str) -> Bucket:
        try:
            return self._buckets[name]
        except KeyError:
            known = ", ".join(sorted(self._buckets))
            raise ValueError(f"no budget is called {name!r}; the manifest declares: {known}") from None


def _sane(number: float | None) -> bool:
    return number is not None and math.isfinite(number) and number >= 0
