"""Order to dirty availability: stored envelope, mapped, validated, applied, in batches of 100.

An order has 3 lines, a SKU 4 channel levels, so an order makes 12 levels dirty. The floor writes
the rows of that (1 input settled, 1 order, 3 lines, 3 postings, 3 positions, 12 levels) from tuples
made beforehand, over a lean schema, and reads the payloads it settles.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bench import postgres, world
from bench.cell import CellFailed, cpu_s, run_cell
from bench.options import Options
from bench.report import Report, Side, Target, compared, not_run
from hub.bootstrap import Hub
from hub.runtime.process import tune_gc
from hub.services.receive import Receive
from hub.workers.inbox import BATCH

WARM_UP = 2 * BATCH
RECEIVED_AT_ONCE = 200
UNIT = "orders/s"
SQLITE_ONE = Target(">=", 0.30)
SQLITE_MAPPERS = Target(">=", 0.45)
POSTGRES_ONE = Target(">=", 0.60)


async def drain(folder: str, database: str | None, orders: int, mappers: int = 0, workers: int = 1) -> dict[str, float]:
    """A cell: apply a prepared backlog of `orders`; the first two batches warm up and are not counted."""
    async with world.opened(Path(folder), database) as hub:
        shared = world.interpreter_of(hub, mappers)
        parts = [world.works(hub, interpreter=shared) for _ in range(workers)]
        tune_gc()
        done = 0
        while done < WARM_UP:
            done += (await parts[0].worker.step()).done
        began, cpu = time.perf_counter(), cpu_s()

        counted = sum(await asyncio.gather(*[drain_all(part) for part in parts]))
        seconds, used = time.perf_counter() - began, cpu_s() - cpu
        await shared.close()
        if counted + done != orders:
            raise RuntimeError(f"{counted + done} of {orders} orders were applied")
        await _require_applied(hub, orders)
    return {"rate": counted / seconds, "cpu_us": used / counted * 1e6}


async def drain_all(parts: world.Works) -> int:
    """Step until nothing waits; how many inputs were worked off."""
    done = 0
    while (found := await parts.worker.step()).done:
        done += found.done
    return done


async def from_memory(folder: str, database: str | None, orders: int, skus: int) -> dict[str, float]:
    """A cell: envelopes in memory, made durable 200 at a time, then applied; all of it counted."""
    async with world.opened(Path(folder), database) as hub:
        parts = world.works(hub)
        receive = Receive(world.store_of(hub), hub.plans)
        given = list(world.envelopes(hub, world.deliveries(orders, skus)))
        tune_gc()
        began = time.perf_counter()
        for start in range(0, orders, RECEIVED_AT_ONCE):
            await receive(world.SHOP, given[start : start + RECEIVED_AT_ONCE], "webhook", hub.clock.now())
        stored = time.perf_counter()
        done = await drain_all(parts)
        ended = time.perf_counter()
        if done != orders:
            raise RuntimeError(f"{done} of {orders} orders were applied")
        await _require_applied(hub, orders)
    return {"rate": orders / (ended - began), "drain": orders / (ended - stored)}


async def _require_applied(hub: Hub, orders: int) -> None:
    """A fast run that did not do the work is no figure."""
    status = await hub.acts.status()
    if status["inbox_pending"] or status["failures"]:
        raise RuntimeError(f"pending {status['inbox_pending']}, failures {status['failures']}")
    reserved = 0
    cursor: str | None = None
    while True:
        rows, cursor = await hub.queries.positions(limit=1000, cursor=cursor)
        reserved += sum(row.reserved for row in rows)
        if cursor is None:
            break
    if reserved != orders * world.LINES:
        raise RuntimeError(f"{reserved} units are reserved, {orders * world.LINES} were sold")


def run(options: Options) -> Report:
    report = Report("apply", "stored envelope to dirty availability, 3 lines, 12 levels, batches of 100")
    _sqlite(options, report)
    _postgres(options, report)
    return report


def _sizes(options: Options) -> tuple[int, int]:
    return options.pick(20_000, 5_000, 50), options.pick(8_000, 3_000, 300)


def _sqlite(options: Options, report: Report) -> None:
    skus, orders = _sizes(options)
    template = options.place("apply-template")
    run_cell("bench.world:prepare", folder=str(template), database=None, skus=skus, orders=orders)

    def ours(mappers: int, workers: int) -> Callable[[], float]:
        def once() -> float:
            folder = world.copied(template, options.place("apply-ours"))
            found = run_cell(
                "bench.apply:drain",
                folder=str(folder), database=None, orders=orders, mappers=mappers, workers=workers,
            )  # fmt: skip
            _forget(folder)
            return float(found["rate"])

        return once

    def floor() -> float:
        folder = options.place("apply-floor")
        rate = run_cell("bench.floor_sqlite:apply", folder=str(folder), skus=skus, orders=orders)["rate"]
        _forget(folder)
        return float(rate)

    sides = {"floor": floor, "one": ours(0, 1), "mappers": ours(2, 2)}
    found = interleaved(sides, options.rounds)
    base = Side("plain sqlite3, rows made beforehand", found["floor"], UNIT)
    report.figures += [
        compared("SQLite, one process", Side("", found["one"], UNIT), base, SQLITE_ONE),
        compared("SQLite, two mapper processes", Side("", found["mappers"], UNIT), base, SQLITE_MAPPERS),
    ]
    _forget(template)


def _postgres(options: Options, report: Report) -> None:
    skus, orders = _sizes(options)
    name = "PostgreSQL, one process"
    folder = options.place("apply-pg")
    try:
        with postgres.cluster(folder) as cluster:
            template = cluster.fresh("template_apply")
            run_cell("bench.world:prepare", folder=str(folder), database=template, skus=skus, orders=orders)

            def ours() -> float:
                url = cluster.fresh("ours", template="template_apply")
                return float(run_cell("bench.apply:drain", folder=str(folder), database=url, orders=orders)["rate"])

            def floor() -> float:
                url = cluster.fresh("floor")
                return float(run_cell("bench.floor_postgres:apply", database=url, skus=skus, orders=orders)["rate"])

            found = interleaved({"floor": floor, "ours": ours}, options.rounds)
    except (CellFailed, ImportError) as error:
        report.figures.append(not_run(name, postgres.why_not(error), POSTGRES_ONE))
        return
    base = Side("asyncpg, one unnest statement per table", found["floor"], UNIT)
    report.figures.append(compared(name, Side("", found["ours"], UNIT), base, POSTGRES_ONE))


def interleaved(sides: dict[str, Callable[[], float]], rounds: int) -> dict[str, tuple[float, ...]]:
    """Every side once per round, so that a slow minute of the machine is everybody's."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            found[name].append(measure())
    return {name: tuple(values) for name, values in found.items()}


def _forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
