"""The last units: 64 racers for ten, again and again; nobody gets an eleventh, no update is lost.

A racer is a unit of work of its own: read the position, decide, post a reservation or nothing. One
process on SQLite, two processes on PostgreSQL, each with half of the racers.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import postgres, world
from bench.cell import CellFailed, run_cell
from bench.options import Options
from bench.report import Figure, Report, Side, Target, not_run
from hub.ports.store import Bucket, Posting, ReadSet, State, Store, StoreConflict, WriteSet

RACERS = 64
UNITS = 10
NONE = Target("<=", 0, "units")
TRIES_MAX = 100


def run(options: Options) -> Report:
    report = Report("last_units", f"{RACERS} racers for {UNITS} units of one SKU per round")
    rounds = options.pick(50, 20, 2)
    folder = options.place("race-sqlite")
    run_cell("bench.last_units:stock", folder=str(folder), database=None, rounds=rounds)
    found = [_race(folder, None, rounds, RACERS, 0)]
    report.figures += _judged("SQLite, one process", found, run_cell(
        "bench.last_units:count", folder=str(folder), database=None, rounds=rounds
    ), rounds)  # fmt: skip
    _postgres(options, report, rounds)
    return report


def _postgres(options: Options, report: Report, rounds: int) -> None:
    name = "PostgreSQL, two processes"
    folder = options.place("race-pg")
    try:
        with postgres.cluster(folder) as cluster:
            url = cluster.fresh("race")
            run_cell("bench.last_units:stock", folder=str(folder), database=url, rounds=rounds)
            with ThreadPoolExecutor(2) as pool:
                halves = pool.map(lambda half: _race(folder, url, rounds, RACERS // 2, half), range(2))
                found = list(halves)
            counted = run_cell("bench.last_units:count", folder=str(folder), database=url, rounds=rounds)
    except (CellFailed, ImportError) as error:
        report.figures.append(not_run(name, postgres.why_not(error), NONE))
        return
    report.figures += _judged(name, found, counted, rounds)


def _race(folder: Path, database: str | None, rounds: int, racers: int, half: int) -> dict[str, Any]:
    return run_cell(
        "bench.last_units:race", folder=str(folder), database=database, rounds=rounds, racers=racers, half=half
    )


def _judged(name: str, found: list[dict[str, Any]], counted: dict[str, Any], rounds: int) -> list[Figure]:
    accepted = [sum(each["accepted"][number] for each in found) for number in range(rounds)]
    oversold = sum(max(0, won - UNITS) for won in accepted)
    unsold = sum(max(0, UNITS - won) for won in accepted)
    lost = sum(abs(won - reserved) for won, reserved in zip(accepted, counted["reserved"], strict=True))
    lost += sum(abs(won - posted) for won, posted in zip(accepted, counted["posted"], strict=True))
    races = sum(each["racers"] for each in found) * rounds
    seconds = max(each["seconds"] for each in found)
    went = f"{sum(accepted)} of {UNITS * rounds} units went in {races} races"
    note = f"{went}, {races / seconds:.0f} decisions/s, {unsold} unsold"
    return [
        Figure(f"{name}: oversold", Side("", (oversold,), "units"), target=NONE, note=note),
        Figure(f"{name}: lost updates", Side("", (lost,), "units"), target=NONE),
    ]


def _sku(number: int) -> str:
    return f"LAST-{number:05d}"


async def stock(folder: str, database: str | None, rounds: int) -> dict[str, int]:
    """A cell: ten units of one SKU per round."""
    async with world.opened(Path(folder), database) as hub:
        rows = [
            Posting(f"opening/{number}", _sku(number), world.LOCATION, Bucket.ON_HAND, UNITS, "count", 1)
            for number in range(rounds)
        ]
        await world.store_of(hub).run(ReadSet(), lambda _: WriteSet(postings=rows))
    return {"rounds": rounds}


async def race(folder: str, database: str | None, rounds: int, racers: int, half: int) -> dict[str, Any]:
    """A cell: all racers of this process at once, one SKU after the other."""
    async with world.opened(Path(folder), database) as hub:
        store = world.store_of(hub)
        accepted = []
        began = time.perf_counter()
        for number in range(rounds):
            won = await asyncio.gather(*[_buy(store, _sku(number), f"{half}-{racer}") for racer in range(racers)])
            accepted.append(sum(won))
        return {"accepted": accepted, "racers": racers, "seconds": time.perf_counter() - began}


async def _buy(store: Store, sku: str, racer: str) -> bool:
    """One unit, when it is there; a conflict is redone as the store asks."""
    took = False

    def decide(state: State) -> WriteSet:
        nonlocal took
        took = state.position(sku, world.LOCATION).available >= 1
        if not took:
            return WriteSet()
        return WriteSet(
            postings=[Posting(f"race/{sku}/{racer}", sku, world.LOCATION, Bucket.RESERVED, 1, "sale", state.now)],
            dirty={sku: state.now},
        )

    for _ in range(TRIES_MAX):
        try:
            await store.run(ReadSet(positions={sku}), decide)
        except StoreConflict:
            continue
        return took
    raise RuntimeError(f"{sku} was in conflict {TRIES_MAX} times")


async def count(folder: str, database: str | None, rounds: int) -> dict[str, list[int]]:
    """A cell: what positions and ledger say afterwards."""
    async with world.opened(Path(folder), database) as hub:
        reserved, posted = [], []
        for number in range(rounds):
            sku = _sku(number)
            rows, _ = await hub.queries.positions(sku=sku, limit=10)
            reserved.append(sum(row.reserved for row in rows))
            ledger, _ = await hub.queries.postings(sku=sku, limit=1000)
            posted.append(sum(row.delta for row in ledger if row.bucket == Bucket.RESERVED.value))
    return {"reserved": reserved, "posted": posted}
