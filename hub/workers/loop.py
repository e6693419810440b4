"""The shape of every loop: do a round, then sleep until woken, due, or stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from hub.ports.store import StoreConflict, StoreUnavailable
from hub.runtime.drain import Drain
from hub.runtime.health import HealthState
from hub.runtime.wake import Signal
from hub.services.rounds import Round

_log = structlog.get_logger(__name__)

STORE_PAUSE_FIRST_S = 0.1
STORE_PAUSE_MAX_S = 2.0
BURST_ROUNDS = 20
"""Rounds in a row before other tasks get a longer turn."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`idle_s`: looks into the store at least this often, woken or not.

    `gather_s`: waits this long after a wake-up, so that a burst of changes becomes one round. It
    doubles up to `gather_max_s` while wake-ups turn out to concern somebody else.
    """

    idle_s: float
    gather_s: float = 0.0
    gather_max_s: float = 0.25


class Loop:
    """Runs rounds of one use case until the hub stops.

    A store that is away is waited for; every other error is the supervisor's. `step` is never
    run twice at the same time. `finish` waits, after the last round, for what rounds have left running.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[Round]],
        signal: Signal,
        rhythm: Rhythm,
        drain: Drain,
        health: HealthState,
        *,
        finish: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._finish = finish
        self._step = step
        self._signal = signal
        self._rhythm = rhythm
        self._drain = drain
        self._health = health
        self._unavailable = 0
        self._gather_s = rhythm.gather_s

    async def run(self) -> None:
        await self._rounds()
        if self._finish is not None:
            await self._finish()

    async def _rounds(self) -> None:
        rounds = 0
        woken = False
        while not self._drain.stopping:
            found = await self._round()
            if found is None:
                await self._drain.pause(self._store_pause_s())
                continue
            self._gather_s = self._gathering_s(found, woken=woken)
            rounds = rounds + 1 if found.again else 0
            if found.again:
                # Another round at once, but never at the price of the tasks beside this one.
                await asyncio.sleep(0 if rounds % BURST_ROUNDS else 0.001)
                continue
            woken = await self._signal.wait(self._sleep_s(found), self._drain)
            if woken and self._gather_s > 0:
                await self._drain.pause(self._gather_s)

    async def _round(self) -> Round | None:
        """One round, or None when the store could not take it."""
        try:
            found = await self._step()
        except StoreUnavailable:
            self._unavailable += 1
            self._health.store_failed()
            return None
        except StoreConflict:
            # Another process moved the same rows; what is there now decides anew.
            _log.info("round.redone", loop=self.name)
            return Round(wait_s=STORE_PAUSE_FIRST_S)
        self._unavailable = 0
        return found

    def _gathering_s(self, found: Round, *, woken: bool) -> float:
        """Signals carry no facts, so an account that sells nothing of this would look for nothing each time."""
        if found.done or not woken:
            return self._rhythm.gather_s
        return min(self._gather_s * 2.0, self._rhythm.gather_max_s)

    def _store_pause_s(self) -> float:
        return min(STORE_PAUSE_FIRST_S * 2.0 ** min(self._unavailable, 10), STORE_PAUSE_MAX_S)

    def _sleep_s(self, found: Round) -> float:
        if found.blocked or found.wait_s is None:
            return self._rhythm.idle_s
        return min(max(found.wait_s, 0.001), self._rhythm.idle_s)
