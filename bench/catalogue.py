"""A large catalogue: every number pushed and read back, the calls counted; then again while orders come in.

The calls of the first push are set beside the least the vendor's batch sizes allow for the same
numbers. In the second one another channel sells, 50 orders a second, and each sale is watched until
the channel with the large catalogue shows it: what is urgent must not wait behind what is much.

Vendors pace their callers: at the published rates a push takes from minutes to more than an hour.
Here both sides run with those rates multiplied (`FASTER`), so that the hub is measured and not the wait.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from bench import world
from bench.cell import serving, tell, until_told_to_stop
from bench.end_to_end import GO, RESULT, Watch, configure, sell
from bench.options import Options
from bench.report import Figure, Report, Side, Target
from connectors import registry
from connectors.sdk.contract import Budgeted
from connectors.sdk.sandbox import Sandbox
from hub import bootstrap
from hub.bootstrap import Hub
from hub.runtime.process import tune_gc

CALLS = Target("<=", 1.2)
P99 = Target("<=", 2.0, "s")
SELLER = "shopify"
HOT = 200
"""SKUs that are sold; the rest only fill the catalogue."""
SALES_PER_S = 50.0
FASTER = 1_000.0
FIRST, SECOND = 10_000, 20_000
WATCHING, PROVEN, AGAIN, COUNTED = "watching", "proven", "again", "counted"
_WITHIN_S = 3_000.0
_LOOK_S = 0.5
_CHUNK = 1_000
_ID = re.compile(r"^(?:[A-Za-z]+-)?\d+.*$")


@dataclass(frozen=True, slots=True)
class Batches:
    """Listings a call holds at most, by what the request's path ends with; and calls per batch besides."""

    writes: Mapping[str, int]
    reads: Mapping[str, int]
    source: str

    def least(self, listings: int) -> int:
        return sum(ceil(listings / size) for size in (*self.writes.values(), *self.reads.values()))


CHANNELS: Mapping[str, Batches] = {
    "amazon": Batches(
        # Of a feed: its document made, the feed made, asked for, its report found.
        writes={"ID/documents": 25_000, "ID/feeds": 25_000, "feeds/ID": 25_000, "documents/ID": 25_000},
        reads={"items/A2SANDBOXSELLER": 20},
        source="JSON_LISTINGS_FEED takes 25,000 messages, searchListingsItems 20 identifiers; the queue is left out",
    ),
    "ebay": Batches(
        writes={"bulk_update_price_quantity": 25},
        reads={"bulk_get_inventory_item": 25, "offer/ID": 1},
        source="sell/inventory 1.18.4: 25 SKUs a bulk call; offers have no bulk read",
    ),
}


def run(options: Options) -> Report:
    listings = options.pick(100_000, 10_000, 300)
    report = Report("catalogue", f"{listings:,} listings pushed and read back, then again while 50 orders/s come in")
    for name, batches in CHANNELS.items():
        title = registry.get(name).manifest.title.split()[0]
        found = _once(options, name, listings)
        used = {path: count for path, count in found["by_path"].items() if count > 1 and path}
        calls, least = sum(used.values()), batches.least(listings)
        report.figures.append(
            Figure(
                f"{title}, calls",
                Side("", (float(calls),), "calls"),
                Side("the least its batches allow", (float(least),), "calls"),
                CALLS,
                calls / least,
                f"{used}; {batches.source}",
            )
        )
        took = Side("", (found["pushed_s"],), "s")
        report.figures.append(Figure(f"{title}, pushed and proven", took))
        seen = found["seen"]
        note = (
            f"{found['sold']} sales at {found['rate']:.0f}/s, {seen['missing']} never seen; p50 {seen['p50_s']:.2f} s"
        )
        report.figures.append(
            Figure(f"{title}, a sale meanwhile, p99", Side("", (seen["p99_s"],), "s"), target=P99, note=note)
        )
    report.notes.append(f"published rates times {FASTER:.0f}")
    return report


def _once(options: Options, connector: str, listings: int) -> dict[str, Any]:
    folder = options.place(f"catalogue-{connector}")
    seconds = options.pick(60.0, 15.0, 2.0)
    arguments = {"folder": str(folder), "listings": listings}
    with ExitStack() as stack:
        shops = stack.enter_context(
            serving("bench.catalogue:shops", folder / "shops.log", connector=connector, seconds=seconds, **arguments)
        )
        stack.enter_context(serving("bench.catalogue:daemon", folder / "hub.log", sections=shops.ready, **arguments))
        until = time.monotonic() + _WITHIN_S
        while not (folder / RESULT).exists():
            if time.monotonic() > until:
                raise RuntimeError(f"{connector}: not finished within {_WITHIN_S:.0f} s")
            time.sleep(0.2)
    found: dict[str, Any] = json.loads((folder / RESULT).read_text())
    return found


# --- the hub -------------------------------------------------------------------------------------


async def daemon(folder: str, sections: dict[str, Any], listings: int) -> dict[str, int]:
    """A cell: pushes the whole catalogue, says so, pushes it again when asked."""
    place = Path(folder)
    config = configure(place, sections, listings, poll={})
    hub = Hub.build(bootstrap.load(config))
    await hub.start()
    try:
        for connector in hub.acts.connectors.values():
            _hasten(connector)
        wanted = listings + HOT
        await _until(lambda: _known(hub, wanted), "listed")
        (place / GO).touch()
        tell({"url": hub.url})
        await _until(lambda: _exists(place / WATCHING), "watched")
        await _count(hub, listings, FIRST)
        await _until(lambda: _proven(hub, wanted), "proven")
        (place / PROVEN).touch()
        tune_gc()
        await _until(lambda: _exists(place / AGAIN), "asked to push again")
        await _count(hub, listings, SECOND)
        (place / COUNTED).touch()
        await until_told_to_stop()
        failures = (await hub.acts.status())["failures"]
    finally:
        await hub.stop()
    return {"failures": failures}


def _hasten(connector: object) -> None:
    """Every published rate times `FASTER`, as a seller with that much more business would be given."""
    if isinstance(connector, Budgeted):
        for name, state in connector.budgets.snapshot().items():
            if state.rate is not None and state.burst is not None:
                connector.budgets.learn(name, limit=state.burst * FASTER, restore_rate=state.rate * FASTER)


async def _count(hub: Hub, listings: int, quantity: int) -> None:
    """Stock of everything counted anew, so that every number changes."""
    for start in range(0, listings, _CHUNK):
        numbers = range(start, min(start + _CHUNK, listings))
        lines = [{"sku": world.sku(number), "location": world.LOCATION, "on_hand": quantity} for number in numbers]
        await hub.acts.report(lines, key=f"count-{quantity}-{start}", actor="bench")


async def _known(hub: Hub, wanted: int) -> bool:
    return sum(row.levels for row in await hub.queries.status()) >= wanted


async def _proven(hub: Hub, wanted: int) -> bool:
    return sum(row.levels_verified for row in await hub.queries.status()) >= wanted


async def _exists(path: Path) -> bool:
    return path.exists()


async def _until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    until = time.monotonic() + _WITHIN_S
    while not await condition():
        if time.monotonic() > until:
            raise RuntimeError(f"not {what} within {_WITHIN_S:.0f} s")
        await asyncio.sleep(_LOOK_S)


# --- the shops -----------------------------------------------------------------------------------


async def shops(folder: str, connector: str, listings: int, seconds: float) -> dict[str, Any]:
    """A cell: the channel with the catalogue and the one that sells; counts calls, then watches sales."""
    place = Path(folder)
    boxes = {f"{name}-{number}": _box(name, number) for number, name in enumerate((SELLER, connector))}
    seller, channel = boxes.values()
    for number, (box, skus) in enumerate(((seller, HOT), (channel, listings))):
        await box.start()
        for index in range(skus):
            box.stock(world.sku(index), 0, title=f"Invented goods {number}-{index}")
    tell({account: box.account_section() for account, box in boxes.items()})
    try:
        await _until(lambda: _exists(place / GO), "known to the hub")
        found = await _first_push(channel, place)
        (place / AGAIN).touch()
        await _until(lambda: _exists(place / COUNTED), "counted again")
        watch = Watch(channel, SECOND, above=FIRST)
        found |= await sell(seller, {connector: watch}, HOT, SALES_PER_S, seconds)
        found["seen"] = found["seen"][connector]
        (place / f"{RESULT}.part").write_text(json.dumps(found))
        (place / f"{RESULT}.part").rename(place / RESULT)
        # Told to stop before, the process simply ends.
        await until_told_to_stop()
    finally:
        for box in boxes.values():
            await box.stop()
    return {}


def _box(name: str, number: int) -> Sandbox:
    build = registry.get(name).sandbox
    if build is None:
        raise RuntimeError(f"{name} has no sandbox")
    box: Sandbox = build(seed=number)
    return box


async def _first_push(channel: Sandbox, place: Path) -> dict[str, Any]:
    """Requests by path from the moment everything is listed until everything is proven."""
    paths: Counter[str] = Counter()
    seen = max((line.number for line in channel.happenings("request")), default=0)
    began = time.perf_counter()
    (place / WATCHING).touch()
    proven = False
    while not proven:
        proven = (place / PROVEN).exists()
        for line in channel.happenings("request", after=seen):
            seen = line.number
            paths[_named(str(line.facts["path"]))] += 1
        await asyncio.sleep(_LOOK_S)
    return {"by_path": dict(paths), "pushed_s": time.perf_counter() - began}


def _named(path: str) -> str:
    """The last two parts of a path, ids and SKUs taken out."""
    parts = [_ID.sub("ID", part) for part in path.strip("/").split("/")]
    return "/".join(parts[-2:])
