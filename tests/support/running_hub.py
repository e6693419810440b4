"""A running hub inside the test's own event loop, on a free port, with all its doors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from bench import payloads
from hub import bootstrap
from hub.bootstrap import Hub
from hub.workers.duties import Intervals
from tests.support import folders


@asynccontextmanager
async def running_hub(
    folder: Path,
    accounts: Mapping[str, Any],
    skus: Sequence[str] | str = ("MUG", "BOX"),
    hub: Mapping[str, Any] | None = None,
    intervals: Intervals | None = None,
) -> AsyncIterator[Hub]:
    """Written, started, handed over, stopped. Logging is put back as it was."""
    config = folders.write(folder, accounts, skus, hub)
    before = structlog.get_config()
    running = Hub.build(bootstrap.load(config))
    running.intervals = intervals or running.intervals
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        structlog.configure(**before)


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 90.0, what: str = "") -> Any:
    """The condition's value once it is true; fails when it never is."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if value := await condition():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {what or condition}")


async def deliver(
    http: aiohttp.ClientSession, base: str, number: int, lines: Sequence[tuple[str, int]], **more: Any
) -> int:
    """Send one Shopify order webhook to account `shop-us`; the answer's status.

    `topic`, `event` and `account` may be given; the rest goes to `bench.payloads.body`.
    """
    topic = more.pop("topic", "orders/create")
    event = more.pop("event", f"event-{number}-{topic}")
    account = more.pop("account", "shop-us")
    body = more.pop("body", None) or payloads.body(number, lines, **more)
    headers = payloads.headers(topic, body, event)
    async with http.post(f"{base}/webhooks/{account}", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status
