"""Is the loop turning, and may the hub take work? Channels' health is no part of either."""

from __future__ import annotations

import asyncio

import structlog

from connectors.sdk.ports import Clock
from hub.ports.store import Store, StoreUnavailable
from hub.runtime.drain import Drain

_log = structlog.get_logger(__name__)

STALL_S = 5.0
BEAT_S = 0.5
ANSWER_S = 3.0
PROBE_S = 2.0
"""How often the store is asked for a real, tiny write: a full disk shows within five seconds."""

STARTING = "starting"
DRAINING = "stopping"
STORE = "the database does not take writes"


class HealthState:
    """`livez` asks `alive`, `readyz` asks `unready`. Both only read memory and never wait."""

    def __init__(self, store: Store, clock: Clock, drain: Drain) -> None:
        self._store = store
        self._clock = clock
        self._drain = drain
        self._beat_at = clock.monotonic()
        self._reasons: set[str] = {STARTING}

    def alive(self) -> bool:
        """False when the loop has not come round for five seconds.

        Asked from the loop itself it is stale by one turn at most, which is what a stall is.
        """
        return self._clock.monotonic() - self._beat_at < STALL_S

    def unready(self) -> list[str]:
        """Reasons against taking work; empty means ready."""
        reasons = set(self._reasons)
        if self._drain.stopping:
            reasons.add(DRAINING)
        return sorted(reasons)

    def started(self) -> None:
        self._reasons.discard(STARTING)

    def store_failed(self) -> None:
        """Whoever met `StoreUnavailable` says so; the probe takes it back."""
        if STORE not in self._reasons:
            self._reasons.add(STORE)
            _log.error("store.unavailable")

    def store_works(self) -> None:
        if STORE in self._reasons:
            self._reasons.discard(STORE)
            _log.info("store.recovered")

    async def beat(self) -> None:
        """The heart: runs as long as the process."""
        while True:
            self._beat_at = self._clock.monotonic()
            await asyncio.sleep(BEAT_S)

    async def probe(self) -> None:
        """Ask the store, at least every two seconds, until the hub stops."""
        while not self._drain.stopping:
            await self.look()
            await self._drain.pause(PROBE_S)

    async def look(self) -> bool:
        """Ask the store once. One that does not answer counts as away from `ANSWER_S` on, until it does."""
        asked = asyncio.ensure_future(self._store.healthy())
        try:
            answered, _ = await asyncio.wait({asked}, timeout=ANSWER_S)
            if not answered:
                self.store_failed()
            works = await asked
        except StoreUnavailable:
            works = False
        finally:
            asked.cancel()
        if works:
            self.store_works()
        else:
            self.store_failed()
        return works
