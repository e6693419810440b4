"""Server cells: the bare handler that checks a signature, and the hub's own application."""

from __future__ import annotations

import asyncio
import base64
import hmac
from pathlib import Path
from typing import Any

from aiohttp import web

from bench import payloads, world
from bench.cell import cpu_s, rss_mb, tell, until_told_to_stop
from hub.bootstrap import Hub
from hub.bootstrap.listening import Doors, Face
from hub.ports.store import InboxItem
from hub.runtime.drain import Drain
from hub.runtime.health import HealthState
from hub.runtime.process import tune_gc
from hub.services.apply import Apply, Pair
from hub.services.batch import Outcome
from hub.services.moments import micros
from hub.services.receive import Receive
from hub.workers.channel import INBOX_RHYTHM
from hub.workers.loop import Loop


async def bare() -> dict[str, float]:
    """The floor: aiohttp on uvloop, the body read, its HMAC compared, 200. Nothing is kept."""
    secret = payloads.SECRET.encode()

    async def handler(request: web.Request) -> web.Response:
        body = await request.read()
        expected = base64.b64encode(hmac.digest(secret, body, "sha256")).decode()
        if not hmac.compare_digest(expected, request.headers.get("X-Shopify-Hmac-Sha256", "")):
            return web.Response(status=401)
        return web.Response(body=b'{"status":"stored"}', content_type="application/json")

    app = web.Application()
    app.router.add_post("/webhooks/{account}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    tune_gc()
    host, port = runner.addresses[0][:2]
    tell({"url": f"http://{host}:{port}"})
    await until_told_to_stop()
    used = cpu_s()
    await runner.cleanup()
    return {"cpu_s": used}


async def intake(folder: str, database: str | None) -> dict[str, float]:
    """The hub's public application over the real store; nothing works off what it stores."""
    async with world.opened(Path(folder), database) as hub:
        parts = world.works(hub)
        doors = await _doors(hub, parts.wakes.received)
        tune_gc()
        tell({"url": doors.url})
        await until_told_to_stop()
        used = cpu_s()
        await doors.close()
        stored = (await hub.acts.status())["inbox_pending"]
    return {"cpu_s": used, "stored": stored}


class _Timed(Apply):
    """Notes, per input, microseconds from receipt until its unit of work was committed."""

    taken: list[int]
    clock: Any

    async def apply(self, pairs: Any) -> Outcome:
        outcome = await super().apply(pairs)
        at = micros(self.clock.now())
        self.taken += [at - _received(pair) for pair in pairs]
        return outcome


def _received(pair: Pair) -> int:
    item: InboxItem = pair[0]
    return item.received_at


async def whole(folder: str, database: str | None, mappers: int = 0) -> dict[str, Any]:
    """Intake and inbox worker in one process, as the daemon runs them; channels are not told."""
    async with world.opened(Path(folder), database) as hub:
        parts = world.works(hub, world.interpreter_of(hub, mappers), _Timed)
        timed = parts.apply
        assert isinstance(timed, _Timed)
        timed.taken, timed.clock = [], hub.clock
        drain = Drain()
        health = HealthState(world.store_of(hub), hub.clock, drain)
        loop = Loop("inbox:0", parts.worker.step, parts.wakes.inbox, INBOX_RHYTHM, drain, health)
        running = asyncio.create_task(loop.run())
        doors = await _doors(hub, parts.wakes.received)
        tune_gc()
        tell({"url": doors.url})
        await until_told_to_stop()
        await doors.close()
        while (await hub.acts.status())["inbox_pending"]:  # noqa: ASYNC110 - nothing tells of an empty inbox
            await asyncio.sleep(0.05)
        drain.begin()
        await running
        await parts.interpreter.close()
        failures = (await hub.acts.status())["failures"]
    return {"taken_us": timed.taken, "failures": failures, "rss_mb": rss_mb("VmHWM")}


async def _doors(hub: Hub, stored: Any) -> Doors:
    store = world.store_of(hub)
    face = Face(
        settings=hub.settings,
        desk=hub.acts,
        store=store,
        receive=Receive(store, hub.plans),
        stored=stored,
        counters=hub.acts.telemetry,
        health=HealthState(store, hub.clock, Drain()),
    )
    return await Doors.open(face)
