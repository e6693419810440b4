"""The outbound client: 200 small POSTs to a local server over 4 and over 50 connections.

Ours is the kit's client with all that a connector gets from it: budget, limits, error table, call
record. The peer is aiohttp's own client doing nothing else. CPU of the calling process only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from bench.cell import run_cell, serving, tell, until_told_to_stop
from bench.options import Options
from bench.report import Report, Side, Target, compared
from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.budget import BudgetBook
from connectors.sdk.clock import MemoryTokens, SeededIds, SystemClock, SystemJitter
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import ConnectorError
from connectors.sdk.http import HttpClient
from connectors.sdk.manifest import Budget
from hub.runtime.process import tune_gc

TARGET = Target("<=", 5.0)
POSTS = 200
BODY = {"sku": "SKU-0000001", "quantity": 12, "location": "main", "reason": "correction"}


def run(options: Options) -> Report:
    report = Report("outbound", f"{POSTS} small POSTs, CPU of the caller per request")
    folder = options.place("outbound")
    with serving("bench.outbound:server", folder / "log") as server:
        for connections in (4, 50):
            found = run_cell(
                "bench.outbound:measure",
                url=server.ready["url"], connections=connections, rounds=options.pick(15, 7, 2),
            )  # fmt: skip
            ours, peer = (
                Side("", tuple(found["ours"]), "us CPU"),
                Side("aiohttp client", tuple(found["aiohttp"]), "us CPU"),
            )
            note = f"wall ours {found['ours_wall']:.0f} us, aiohttp {found['aiohttp_wall']:.0f} us per request"
            report.figures.append(compared(f"{connections} connections", ours, peer, TARGET, note))
    return report


async def server() -> dict[str, int]:
    answered = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal answered
        await request.read()
        answered += 1
        return web.Response(body=b'{"ok":true,"id":"12345"}', content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/items", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    tell({"url": f"http://{host}:{port}"})
    await until_told_to_stop()
    await runner.cleanup()
    return {"answered": answered}


async def measure(url: str, connections: int, rounds: int) -> dict[str, Any]:
    """A cell: microseconds of CPU per request and round, the clients in turn in one process."""
    calls = 0

    def count(_record: object) -> None:
        nonlocal calls
        calls += 1

    context = AccountContext(
        account="bench", base_url=url, auth_url=None, credentials={}, options={}, locations={}, public_url=None,
        clock=SystemClock(), ids=SeededIds(1), jitter=SystemJitter(), tokens=MemoryTokens(), on_call=count,
    )  # fmt: skip

    def classify(answer: Answer, _call: Call) -> ConnectorError | None:
        return by_status(answer, "refused")

    budgets = BudgetBook(SystemClock(), [Budget("default", rate=1e6, burst=1e6, source="bench")])
    ours = HttpClient(context, base_url=url, budgets=budgets, classify=classify, connections_max=connections)

    async def with_ours() -> None:
        answer = await ours.request("POST", "/v1/items", json=BODY, kind="publish", write=True, keyed=True)
        if not answer.json()["ok"]:
            raise RuntimeError("not the answer")

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections))

    async def with_aiohttp() -> None:
        async with session.post(f"{url}/v1/items", json=BODY) as response:
            if not json.loads(await response.read())["ok"]:
                raise RuntimeError("not the answer")

    sides: dict[str, Callable[[], Awaitable[None]]] = {"aiohttp": with_aiohttp, "ours": with_ours}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    wall: dict[str, list[float]] = {name: [] for name in sides}
    for one in sides.values():
        await _burst(one, connections)
    tune_gc()
    for _ in range(rounds):
        for name, one in sides.items():
            cpu, began = time.process_time(), time.perf_counter()
            await _burst(one, connections)
            taken[name].append((time.process_time() - cpu) / POSTS * 1e6)
            wall[name].append((time.perf_counter() - began) / POSTS * 1e6)
    await ours.close()
    await session.close()
    if calls < POSTS * rounds:
        raise RuntimeError(f"{calls} calls were recorded")
    return {**taken, **{f"{name}_wall": sorted(values)[len(values) // 2] for name, values in wall.items()}}


async def _burst(one: Callable[[], Awaitable[None]], connections: int) -> None:
    """`connections` callers, 200 requests between them."""
    left = iter(range(POSTS))

    async def caller() -> None:
        for _ in left:
            await one()

    await asyncio.gather(*[caller() for _ in range(connections)])
