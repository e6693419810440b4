"""Durable webhook intake: 64 connections, 4 KB signed bodies, 200 only after a synced commit.

The floor is aiohttp on uvloop checking the same signature and keeping nothing. Ours is the hub's
public application: routing, verification, naming, deduplication, encryption, group commit.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from bench import load, postgres, world
from bench.apply import interleaved
from bench.cell import CellFailed, run_cell, serving
from bench.options import Options
from bench.report import Report, Side, Target, compared, not_run

CONNECTIONS = 64
WARM_UP_S = 1.0
SQLITE = Target(">=", 0.60)
POSTGRES = Target(">=", 0.75)
_numbers = itertools.count(1)


def run(options: Options) -> Report:
    report = Report("intake", f"durable webhook intake, {CONNECTIONS} connections, 4 KB bodies, synced before 200")
    floors: list[load.Load] = []

    def floor() -> float:
        floors.append(_bare(options))
        return floors[-1].rate

    mine: list[load.Load] = []

    def sqlite() -> float:
        mine.append(_ours(options, options.place("intake"), None))
        return mine[-1].rate

    found = interleaved({"floor": floor, "ours": sqlite}, options.rounds)
    report.figures.append(
        compared(
            "SQLite, synchronous=FULL",
            Side("", found["ours"], "req/s"),
            _base(found["floor"]),
            SQLITE,
            _times(mine, floors),
        )
    )
    _postgres(options, report)
    return report


def _postgres(options: Options, report: Report) -> None:
    floors: list[load.Load] = []
    mine: list[load.Load] = []
    folder = options.place("intake-pg")
    try:
        with postgres.cluster(folder) as cluster:
            template = cluster.fresh("template_intake")
            run_cell("bench.world:prepare", folder=str(folder), database=template, skus=10, orders=0)

            def floor() -> float:
                floors.append(_bare(options))
                return floors[-1].rate

            def ours() -> float:
                mine.append(_ours(options, folder, cluster.fresh("ours", template="template_intake")))
                return mine[-1].rate

            found = interleaved({"floor": floor, "ours": ours}, options.rounds)
    except (CellFailed, ImportError) as error:
        report.figures.append(not_run("PostgreSQL", postgres.why_not(error), POSTGRES))
        return
    report.figures.append(
        compared("PostgreSQL", Side("", found["ours"], "req/s"), _base(found["floor"]), POSTGRES, _times(mine, floors))
    )


def _base(values: tuple[float, ...]) -> Side:
    return Side("bare aiohttp + uvloop, HMAC only", values, "req/s")


def _bare(options: Options) -> load.Load:
    folder = options.place("bare")
    with serving("bench.servers:bare", folder / "log") as server:
        return _drive(options, f"{server.ready['url']}/webhooks/{world.SHOP}", folder)


def _ours(options: Options, folder: Path, database: str | None) -> load.Load:
    with serving("bench.servers:intake", folder / "log", folder=str(folder), database=database) as server:
        found = _drive(options, f"{server.ready['url']}/webhooks/{world.SHOP}", folder)
    if server.answer["stored"] < found.requests:
        raise RuntimeError(f"{found.requests} were acknowledged, {server.answer['stored']} are stored")
    return found


def _drive(options: Options, url: str, folder: Path) -> load.Load:
    """A second of warming up, then the measured run; an answer other than 200 spoils the figure."""
    seconds = options.pick(5.0, 3.0, 1.0)
    load.drive(url, connections=CONNECTIONS, seconds=WARM_UP_S, seed=f"warm{next(_numbers)}", folder=folder)
    found = load.drive(url, connections=CONNECTIONS, seconds=seconds, seed=f"run{next(_numbers)}", folder=folder)
    if found.bad:
        raise RuntimeError(f"{found.bad} of {found.requests} requests were not answered with 200")
    return found


def _times(ours: list[load.Load], floor: list[load.Load]) -> str:
    def middle(found: list[load.Load]) -> str:
        p50 = sorted(each.p50_ms for each in found)[len(found) // 2]
        p99 = sorted(each.p99_ms for each in found)[len(found) // 2]
        return f"{p50:.1f} / {p99:.1f} ms"

    return f"p50 / p99 ours {middle(ours)}, floor {middle(floor)}"
