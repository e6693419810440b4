"""Job queues of other projects, one job per order, against our intake and apply of the same orders.

Both sides start with orders in memory and end with every order applied; queueing counts on both.
A peer's job does less: it inserts the order and reserves its lines. Ours verifies nothing here but
names, encrypts, maps, validates, posts to the ledger and makes 12 levels dirty.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import postgres, world
from bench.apply import interleaved
from bench.cell import CellFailed, run_cell
from bench.options import Options
from bench.report import Report, Side, Target, compared, not_run
from bench.rows import document

JOBS = Path(__file__).resolve().parent / "peer_jobs"
TARGETS = {"procrastinate": Target(">=", 4.0), "huey": Target(">=", 2.0), "dbos": Target(">=", 12.0)}
HOW = (
    "install them apart: python -m venv DIR && DIR/bin/pip install -r bench/requirements.lock,"
    " then --peers-python DIR/bin/python"
)


def run(options: Options) -> Report:
    report = Report("peers", "orders in memory to orders applied, against one job per order")
    skus = options.pick(5_000, 2_000, 50)
    missing = {name for name in TARGETS if not _installed(options.peers_python, name)}
    for name in sorted(missing):
        report.figures.append(not_run(f"against {name}", f"SKIPPED: {name} is not installed; {HOW}", TARGETS[name]))
    here = [name for name in ("huey", "dbos") if name not in missing]
    if here:
        _sqlite(options, report, skus, here)
    if "procrastinate" not in missing:
        _postgres(options, report, skus)
    return report


def _installed(python: str, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def _job(options: Options, name: str, folder: Path, orders: int, skus: int, url: str = "") -> float:
    sold = world.sample_skus(orders, skus)
    given = {"orders": orders, "skus": sold, "document": document(), "folder": str(folder), "url": url}
    file = folder / f"{name}.json"
    file.write_text(json.dumps(given))
    done = subprocess.run(
        [options.peers_python, str(JOBS / "started.py"), f"{name}_job.py", str(file)],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CellFailed(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["rate"])


def _sqlite(options: Options, report: Report, skus: int, names: list[str]) -> None:
    template = options.place("peers-template")
    run_cell("bench.world:prepare", folder=str(template), database=None, skus=skus, orders=0)
    orders = options.pick(6_000, 2_000, 300)

    def ours() -> float:
        folder = world.copied(template, options.place("peers-ours"))
        return _ours(folder, None, orders, skus)

    def peer(name: str) -> Callable[[], float]:
        count = {"dbos": options.pick(1_000, 400, 50), "huey": options.pick(4_000, 1_500, 100)}[name]
        return lambda: _job(options, name, options.place(f"peer-{name}"), count, skus)

    found = interleaved({"ours": ours, **{name: peer(name) for name in names}}, min(3, options.rounds))
    for name in names:
        sides = Side("", found["ours"], "orders/s"), Side(f"{name}, SQLite", found[name], "orders/s")
        report.figures.append(compared(f"against {name}", *sides, TARGETS[name]))


def _postgres(options: Options, report: Report, skus: int) -> None:
    name = "against procrastinate"
    folder = options.place("peers-pg")
    orders = options.pick(6_000, 2_000, 300)
    count = options.pick(2_000, 800, 50)
    try:
        with postgres.cluster(folder) as cluster:
            template = cluster.fresh("template_peers")
            run_cell("bench.world:prepare", folder=str(folder), database=template, skus=skus, orders=0)

            def ours() -> float:
                return _ours(folder, cluster.fresh("ours", template="template_peers"), orders, skus)

            def peer() -> float:
                return _job(options, "procrastinate", folder, count, skus, cluster.fresh("peer"))

            found = interleaved({"ours": ours, "peer": peer}, min(3, options.rounds))
    except (CellFailed, ImportError) as error:
        report.figures.append(not_run(name, postgres.why_not(error), TARGETS["procrastinate"]))
        return
    sides = Side("", found["ours"], "orders/s"), Side("procrastinate, PostgreSQL", found["peer"], "orders/s")
    report.figures.append(compared(name, *sides, TARGETS["procrastinate"]))


def _ours(folder: Path, database: str | None, orders: int, skus: int) -> float:
    answer: dict[str, Any] = run_cell(
        "bench.apply:from_memory", folder=str(folder), database=database, orders=orders, skus=skus
    )
    return float(answer["rate"])
