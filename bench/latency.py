"""Receipt to dirty availability committed, at 200 orders/s: one new signed order every 5 ms.

The generator is an open loop: it sends on time whether or not earlier requests are answered. The
time counts from the receipt of the body in the hub to the return of the commit that made the levels
dirty. Intake and inbox worker run in one process, as in the daemon.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import load, postgres, world
from bench.cell import CellFailed, run_cell, serving
from bench.options import Options
from bench.report import Figure, Report, Side, Target, not_run

RATE = 200.0
P50 = Target("<=", 5.0, "ms")
P99 = Target("<=", 25.0, "ms")
_WARM_UP_S = 2.0


def run(options: Options) -> Report:
    report = Report("latency", f"receipt to dirty availability committed, {RATE:.0f} orders/s, open loop")
    skus = options.pick(5_000, 2_000, 50)
    template = options.place("latency-template")
    run_cell("bench.world:prepare", folder=str(template), database=None, skus=skus, orders=0)
    rounds = options.pick(3, 1, 1)
    found = [_once(options, world.copied(template, options.place("latency")), None, skus) for _ in range(rounds)]
    report.figures += _figures("SQLite", found)
    _postgres(options, report, skus, rounds)
    return report


def _postgres(options: Options, report: Report, skus: int, rounds: int) -> None:
    folder = options.place("latency-pg")
    try:
        with postgres.cluster(folder) as cluster:
            template = cluster.fresh("template_latency")
            run_cell("bench.world:prepare", folder=str(folder), database=template, skus=skus, orders=0)
            found = [
                _once(options, folder, cluster.fresh("ours", template="template_latency"), skus) for _ in range(rounds)
            ]
    except (CellFailed, ImportError) as error:
        report.figures.append(not_run("PostgreSQL p50", postgres.why_not(error), P50))
        return
    report.figures += _figures("PostgreSQL", found)


def _once(options: Options, folder: Path, database: str | None, skus: int) -> dict[str, Any]:
    seconds = options.pick(20.0, 8.0, 1.0)
    with serving("bench.servers:whole", folder / "log", folder=str(folder), database=database) as server:
        url = f"{server.ready['url']}/webhooks/{world.SHOP}"
        warm = round(RATE * _WARM_UP_S)
        run_cell("bench.load:steady", url=url, rate=RATE, seconds=_WARM_UP_S, skus=skus, first=1)
        sent = run_cell("bench.load:steady", url=url, rate=RATE, seconds=seconds, skus=skus, first=warm + 1)
    taken = server.answer["taken_us"]
    if sent["bad"] or server.answer["failures"] or len(taken) != warm + sent["requests"]:
        raise RuntimeError(f"{sent['bad']} bad answers, {server.answer['failures']} failures, {len(taken)} applied")
    ranked = sorted(taken[warm:])
    return {
        "p50": load.percentile(ranked, 0.50) / 1000,
        "p99": load.percentile(ranked, 0.99) / 1000,
        "ack": f"{sent['p50_ms']:.1f} / {sent['p99_ms']:.1f}",
    }


def _figures(name: str, found: list[dict[str, Any]]) -> list[Figure]:
    acks = ", ".join(each["ack"] for each in found)
    return [
        Figure(f"{name} p50", Side("", tuple(each["p50"] for each in found), "ms"), target=P50),
        Figure(
            f"{name} p99", Side("", tuple(each["p99"] for each in found), "ms"), target=P99,
            note=f"acknowledged after p50 / p99 {acks} ms, counted from when each request was due",
        ),
    ]  # fmt: skip
