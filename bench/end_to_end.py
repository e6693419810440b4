"""A sale on one channel until the others show the lowered number, at 100 orders a second.

The sandboxes share the machine with the hub: one process for them, one for the hub. A sale is
published on another channel when that channel's shopper sees what all sales so far allow. The floor
is what the sandbox costs by itself: its webhook to a receiver that answers 200 and makes one call
back.

Walmart takes 200 single updates a minute from a seller and Amazon five a second, whatever the hub
does; where they take part few SKUs are sold, so that this limit and not a growing queue is what is
seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bench import load, world
from bench.cell import run_cell, serving, tell, until_told_to_stop
from bench.options import Options
from bench.report import Figure, Report, Side, Target
from connectors import registry
from connectors.sdk.sandbox import Sandbox
from hub import bootstrap
from hub.bootstrap import Hub
from hub.runtime.process import tune_gc

P99 = Target("<=", 2.0, "s")
STOCK = 10_000
WATCH_S = 0.002
_OPEN_WITHIN_S = 120.0
_GIVE_UP_S = 60.0
FEW = 3
GO, RESULT = "go", "result.json"


def _takes_part(name: str) -> bool:
    kind = registry.get(name)
    return kind.sandbox is not None and kind.manifest.is_channel


def run(options: Options) -> Report:
    report = Report("end_to_end", "sale on A to its number published on B, sandboxes on the same machine")
    rate = options.pick(100.0, 100.0, 10.0)
    seconds = options.pick(30.0, 10.0, 2.0)
    floor = run_cell("bench.end_to_end:bare", rate=rate, seconds=min(10.0, seconds))
    sale = Side("sandbox alone: webhook and one call back", (floor["p50_s"] * 1000,), "ms")
    others = tuple(name for name in registry.names() if name != "shopify" and _takes_part(name))
    for title, connectors, skus in (("Shopify to", ("shopify",), 200), (f"{FEW} SKUs, Shopify to", others, FEW)):
        found = _once(options, connectors, skus, rate, seconds)
        for account, seen in found["seen"].items():
            connector = account.partition("-")[0]
            name = f"{title} {registry.get(connector).manifest.title.split()[0]}"
            ours = Side("", (seen["p50_s"] * 1000,), "ms")
            report.figures.append(Figure(f"{name} p50", ours, sale, None, seen["p50_s"] / floor["p50_s"]))
            note = (
                f"{found['sold']} sales at {found['rate']:.0f}/s, "
                f"{seen['missing']} never seen within {_GIVE_UP_S:.0f} s"
            )
            judged = P99 if connector == "shopify" else None
            report.figures.append(Figure(f"{name} p99", Side("", (seen["p99_s"],), "s"), target=judged, note=note))
    report.notes.append(f"sandbox alone p50 / p99 {floor['p50_s'] * 1000:.1f} / {floor['p99_s'] * 1000:.1f} ms")
    return report


def _once(options: Options, others: Sequence[str], skus: int, rate: float, seconds: float) -> dict[str, Any]:
    folder = options.place("end-to-end")
    with ExitStack() as stack:
        shops = stack.enter_context(
            serving(
                "bench.end_to_end:shops", folder / "shops.log",
                folder=str(folder), connectors=["shopify", *others], skus=skus, rate=rate, seconds=seconds,
            )
        )  # fmt: skip
        stack.enter_context(
            serving("bench.end_to_end:daemon", folder / "hub.log", folder=str(folder), sections=shops.ready, skus=skus)
        )
        (folder / GO).touch()
        until = time.monotonic() + seconds + _GIVE_UP_S + 30.0
        while not (folder / RESULT).exists() and time.monotonic() < until:
            time.sleep(0.2)
    found: dict[str, Any] = json.loads((folder / RESULT).read_text())
    return found


# --- the hub -------------------------------------------------------------------------------------


def configure(place: Path, sections: dict[str, Any], skus: int, *, poll: Mapping[str, str]) -> Path:
    """The configuration of a hub over these sandboxes, its catalogue beside it."""
    port = world.free_port()
    document = {
        "hub": {
            "database": f"sqlite:///{place}/hub.db",
            "listen": f"127.0.0.1:{port}",
            "public_url": f"http://127.0.0.1:{port}",
            "encryption_key": {"file": f"{place}/hub.key"},
            "log": {"format": "json", "level": "info"},
        },
        "locations": {world.LOCATION: {"name": "Main warehouse"}},
        "accounts": {
            name: section | {"poll": dict(poll), "availability": {"locations": [world.LOCATION]}}
            for name, section in sections.items()
        },
        "skus": "skus.csv",
    }
    (place / "skus.csv").write_text("\n".join(["sku", *(world.sku(number) for number in range(skus))]) + "\n")
    config = place / "hub.yaml"
    config.write_text(json.dumps(document))
    return config


async def daemon(folder: str, sections: dict[str, Any], skus: int) -> dict[str, int]:
    """A cell: the daemon over these sandboxes; ready when every number is published and read back."""
    config = configure(Path(folder), sections, skus, poll={"orders": "1m"})
    hub = Hub.build(bootstrap.load(config))
    await hub.start()
    try:
        lines = [{"sku": world.sku(number), "location": world.LOCATION, "on_hand": STOCK} for number in range(skus)]
        await hub.acts.report(lines, key="opening", actor="bench")
        await _opened(hub, skus * len(sections))
        tune_gc()
        tell({"url": hub.url})
        await until_told_to_stop()
        failures = (await hub.acts.status())["failures"]
    finally:
        await hub.stop()
    return {"failures": failures}


async def _opened(hub: Hub, wanted: int) -> None:
    until = time.monotonic() + _OPEN_WITHIN_S
    while time.monotonic() < until:
        levels, cursor = await hub.queries.levels(limit=500)
        rows = list(levels)
        while cursor is not None:
            levels, cursor = await hub.queries.levels(limit=500, cursor=cursor)
            rows += levels
        if len(rows) >= wanted and all(row.state.value == "verified" and row.sent_quantity == STOCK for row in rows):
            return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"{len(rows)} of {wanted} numbers known, states {Counter(row.state.value for row in rows)}")


# --- the shops -----------------------------------------------------------------------------------


class Watch:
    """Notes when another channel shows what each sale allows.

    Args:
        stock: Units of every SKU before the first sale.
        above: What was shown of old; a number not above it tells nothing of the sales.
    """

    def __init__(self, other: Sandbox, stock: int = STOCK, above: int = -1) -> None:
        self._other = other
        self._stock = stock
        self._above = above
        self._sold: Counter[str] = Counter()
        self._open: dict[str, deque[tuple[int, float]]] = {}
        self.taken: list[float] = []

    def sold(self, sku: str) -> None:
        self._sold[sku] += 1
        self._open.setdefault(sku, deque()).append((self._stock - self._sold[sku], time.perf_counter()))

    @property
    def missing(self) -> int:
        return sum(len(waiting) for waiting in self._open.values())

    def seen(self) -> dict[str, float]:
        """What was never seen counts with the time it was waited for."""
        ranked = sorted(self.taken) + [_GIVE_UP_S] * self.missing
        return {
            "missing": self.missing,
            "p50_s": load.percentile(ranked, 0.50),
            "p99_s": load.percentile(ranked, 0.99),
        }

    def look(self) -> None:
        for sku, waiting in self._open.items():
            if not waiting:
                continue
            shown, at = self._other.shown(sku), time.perf_counter()
            while waiting and self._above < shown <= waiting[0][0]:
                self.taken.append(at - waiting.popleft()[1])


async def shops(folder: str, connectors: Sequence[str], skus: int, rate: float, seconds: float) -> dict[str, Any]:
    """A cell: the sandboxes; sells once the file `go` is there and writes what it saw."""
    place = Path(folder)
    boxes: dict[str, Sandbox] = {}
    for number, name in enumerate(connectors):
        build = registry.get(name).sandbox
        if build is None:
            raise RuntimeError(f"{name} has no sandbox")
        boxes[f"{name}-{number}"] = box = build(seed=number)
        await box.start()
        for index in range(skus):
            box.stock(world.sku(index), 0, title=f"Invented goods {index}")
    tell({account: box.account_section() for account, box in boxes.items()})
    stop = asyncio.create_task(until_told_to_stop())
    try:
        while not (place / GO).exists() and not stop.done():  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.05)
        first, *others = boxes
        watches = {account: Watch(boxes[account]) for account in others}
        found = await sell(boxes[first], watches, skus, rate, seconds)
        (place / f"{RESULT}.part").write_text(json.dumps(found))
        (place / f"{RESULT}.part").rename(place / RESULT)
        await stop
    finally:
        stop.cancel()
        for box in boxes.values():
            await box.stop()
    return {}


async def sell(box: Sandbox, watches: Mapping[str, Watch], skus: int, rate: float, seconds: float) -> dict[str, Any]:
    """An open loop: a sale every 1/rate seconds, come what may; then until every watch has seen it."""
    rng = random.Random(7)
    began = time.perf_counter()
    sold = 0
    for number in range(round(rate * seconds)):
        due = began + number / rate
        while (wait := due - time.perf_counter()) > 0:
            for watch in watches.values():
                watch.look()
            await asyncio.sleep(min(wait, WATCH_S))
        sku = world.sku(rng.randrange(skus))
        if await box.sell([(sku, 1)]) is not None:
            sold += 1
            for watch in watches.values():
                watch.sold(sku)
    ended = time.perf_counter()
    while any(watch.missing for watch in watches.values()) and time.perf_counter() - ended < _GIVE_UP_S:
        for watch in watches.values():
            watch.look()
        await asyncio.sleep(WATCH_S)
    return {
        "sold": sold,
        "rate": sold / (ended - began),
        "seen": {account: watch.seen() for account, watch in watches.items()},
    }


async def bare(rate: float, seconds: float) -> dict[str, float]:
    """A cell: sale, webhook to a bare receiver, one small call back; the sandbox and nothing of ours."""
    build = registry.get("shopify").sandbox
    if build is None:
        raise RuntimeError("shopify has no sandbox")
    box = build(seed=1)
    url = await box.start()
    sold: dict[str, float] = {}
    taken: list[float] = []
    async with aiohttp.ClientSession() as session:
        credentials = box.account_section()["credentials"]
        form = {key: credentials[key] for key in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
        async with session.post(f"{url}/admin/oauth/access_token", data=form) as response:
            token = (await response.json())["access_token"]

        async def call_back(order: str) -> None:
            query = {"query": "{ shop { name } }"}
            headers = {"X-Shopify-Access-Token": token}
            async with session.post(f"{url}/admin/api/2026-10/graphql.json", json=query, headers=headers) as answer:
                await answer.read()
            taken.append(time.perf_counter() - sold[order])

        calls: set[asyncio.Task[None]] = set()

        async def receive(request: web.Request) -> web.Response:
            order = str(json.loads(await request.read())["id"])
            task = asyncio.create_task(call_back(order))
            calls.add(task)
            task.add_done_callback(calls.discard)
            return web.Response()

        app = web.Application()
        app.router.add_post("/orders", receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        box.subscriptions.create("ORDERS_CREATE", {"uri": f"http://127.0.0.1:{runner.addresses[0][1]}/orders"})
        box.stock("SKU", 1_000_000)
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            if (wait := began + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            at = time.perf_counter()
            order = await box.sell([("SKU", 1)])
            sold[str(order)] = at
        await box.settle()
        await asyncio.gather(*calls)
        await runner.cleanup()
    await box.stop()
    ranked = sorted(taken)
    return {"p50_s": load.percentile(ranked, 0.5), "p99_s": load.percentile(ranked, 0.99)}
