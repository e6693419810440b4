"""Mapping one order of three lines, validation included, against parsing its bytes and no more."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from bench import world
from bench.cell import run_cell
from bench.options import Options
from bench.report import Report, Side, Target, compared
from hub.runtime.process import tune_gc
from mappings import MapContext, MappingSet

TARGET = Target("<=", 8.0)
_DIFFERENT = 100


def run(options: Options) -> Report:
    report = Report("mapping", "one Shopify order, 9 KB, 3 lines: bytes to a validated canonical document")
    found = run_cell("bench.mapping:measure", rounds=options.pick(15, 7, 2), orders=options.pick(400, 200, 20))
    ours = Side("", tuple(found["map"]), "us")
    floor = Side("orjson.loads alone", tuple(found["loads"]), "us")
    report.figures.append(compared("map one order", ours, floor, TARGET))
    return report


def measure(rounds: int, orders: int) -> dict[str, list[float]]:
    """A cell: microseconds per order and round, both sides over the same different bodies in turn."""
    maps = MappingSet.load("shopify")
    at = datetime(2026, 11, 20, tzinfo=UTC)
    context = MapContext(
        world.SHOP, "shopify", at, locations={"gid://shopify/Location/1": world.LOCATION}, occurred_at=at
    )
    bodies = [body for body, _ in world.deliveries(_DIFFERENT, 1000)]
    given = [bodies[number % _DIFFERENT] for number in range(orders)]

    def map_one(body: bytes) -> object:
        found = maps.map("orders/create", body, context)
        if [document.type for document in found] != ["order"]:
            raise RuntimeError(f"an order became {[document.type for document in found]}")
        return found

    sides: dict[str, Callable[[bytes], object]] = {"loads": orjson.loads, "map": map_one}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for function in sides.values():
        for body in bodies:
            function(body)
    tune_gc()
    for _ in range(rounds):
        for name, function in sides.items():
            gc.collect()
            began = time.perf_counter()
            for body in given:
                function(body)
            taken[name].append((time.perf_counter() - began) / orders * 1e6)
    return taken
