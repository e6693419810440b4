"""Webhook deliveries the way a vendor makes them: retried by its rule, sometimes twice, late or never."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from connectors.sdk.faults import Faults

CONCURRENT_MAX: Final = 16
REORDER_S: Final = 0.15
"""How long a reordered delivery is held back: long enough for the next few to pass."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What the vendor does about a delivery that was not taken.

    `waits_s` are the pauses before the second, third, … attempt, in the vendor's own time; the
    number of attempts is one more. A delivery counts as taken on a 2xx within `timeout_s`.
    """

    waits_s: tuple[float, ...] = ()
    timeout_s: float = 5.0
    source: str = ""

    @property
    def attempts_max(self) -> int:
        return 1 + len(self.waits_s)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request to a receiver; headers already signed."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    label: str = ""
    """topic and id, for the sandbox's own record"""


MakeDelivery = Callable[[int], Delivery]
"""Builds the delivery for an attempt (from 1): vendors sign a fresh time or count attempts."""

Report = Callable[[str, Mapping[str, object]], None]


class Emitter:
    """Deliveries under way. `settle` waits for all of them, `close` ends them."""

    def __init__(self, faults: Faults, report: Report) -> None:
        self._faults = faults
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._seats = asyncio.Semaphore(CONCURRENT_MAX)

    @property
    def pending(self) -> int:
        return len(self._tasks)

    def emit(self, url: str, make: MakeDelivery, rule: RetryRule, *, pace: float = 1.0) -> None:
        """Start a delivery; `pace` is the vendor's seconds per real second."""
        label = make(1).label
        if self._faults.hit("lost_webhook"):
            self._report("webhook.lost", {"label": label, "url": url})
            return
        self._start(self._deliver(url, make, rule, pace, held_s=self._held_s()))
        if self._faults.hit("duplicate_webhook"):
            self._report("webhook.duplicated", {"label": label, "url": url})
            self._start(self._deliver(url, make, rule, pace, held_s=self._held_s()))

    async def settle(self) -> None:
        """Return once every delivery was taken or given up, those started meanwhile included."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _held_s(self) -> float:
        return REORDER_S if self._faults.hit("reordered_webhook") else 0.0

    def _start(self, delivery: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, make: MakeDelivery, rule: RetryRule, pace: float, held_s: float) -> None:
        if held_s:
            await asyncio.sleep(held_s)
        for attempt in range(1, rule.attempts_max + 1):
            delivery = make(attempt)
            status = await self._post(url, delivery, rule)
            facts = {"label": delivery.label, "url": url, "attempt": attempt, "status": status}
            if status is not None and 200 <= status < 300:
                self._report("webhook.taken", facts)
                return
            self._report("webhook.refused", facts)
            if attempt <= len(rule.waits_s):
                await asyncio.sleep(rule.waits_s[attempt - 1] / pace)
        self._report("webhook.given_up", {"label": make(1).label, "url": url})

    async def _post(self, url: str, delivery: Delivery, rule: RetryRule) -> int | None:
        """The status, None without an answer. Redirects count as not taken, as vendors have it."""
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        timeout = aiohttp.ClientTimeout(total=rule.timeout_s)
        try:
            async with (
                self._seats,
                self._session.request(
                    delivery.method,
                    url,
                    data=delivery.body,
                    headers=delivery.headers,
                    timeout=timeout,
                    allow_redirects=False,
                ) as response,
            ):
                await response.read()
                return response.status
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None
