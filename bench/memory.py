"""Resident memory of the daemon as it is started: idle, draining a backlog, and of mapping for long.

Linux only: read from /proc.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench import world
from bench.cell import ROOT, CellFailed, rss_mb, run_cell
from bench.options import Options
from bench.report import Figure, Report, Side, Target, not_run
from hub.runtime.process import tune_gc
from mappings import MapContext, MappingSet

IDLE = Target("<=", 120.0, "MiB")
DRAINING = Target("<=", 300.0, "MiB")
FLAT = Target("<=", 5.0, "% growth")
_READY_WITHIN_S = 60.0
_DRAINED_WITHIN_S = 1800.0
_SAMPLES = 50


def run(options: Options) -> Report:
    report = Report("memory", "resident memory of the daemon, MiB")
    if not Path("/proc/self/status").exists():
        report.figures.append(not_run("idle", "NOT RUN: memory is read from /proc, which this system does not have"))
        return report
    report.figures += [_idle(options), _draining(options), _mapping(options)]
    return report


def _idle(options: Options) -> Figure:
    folder = options.place("memory-idle")
    run_cell("bench.world:prepare", folder=str(folder), database=None, skus=options.pick(1000, 1000, 50), orders=0)
    with _daemon(folder) as process:
        time.sleep(options.pick(20.0, 8.0, 1.0))
        value = rss_mb(pid=process.pid)
    return Figure("idle, four accounts", Side("", (value,), "MiB"), target=IDLE)


def _draining(options: Options) -> Figure:
    orders = options.pick(100_000, 10_000, 300)
    skus = options.pick(5_000, 1_000, 50)
    folder = options.place("memory-drain")
    run_cell("bench.world:prepare", folder=str(folder), database=None, skus=skus, orders=orders)
    with _daemon(folder) as process:
        began = time.monotonic()
        while _waiting(folder):
            if time.monotonic() - began > _DRAINED_WITHIN_S or process.poll() is not None:
                raise CellFailed(f"the backlog was not drained: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.5)
        peak = rss_mb("VmHWM", process.pid)
        seconds = time.monotonic() - began
    note = f"peak; {orders} orders in {seconds:.0f} s"
    return Figure("draining a backlog", Side("", (peak,), "MiB"), target=DRAINING, note=note)


def _waiting(folder: Path) -> int:
    connection = sqlite3.connect(f"file:{folder}/hub.db?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM inbox_work").fetchone()[0])
    finally:
        connection.close()


@contextmanager
def _daemon(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`trunkline run` on a prepared folder, ready; its accounts are paused, since no vendor is there."""
    config = world.configure(folder, mode="paused", listen=f"127.0.0.1:{world.free_port()}")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "run", "--config", str(config)], cwd=ROOT, stdout=log, stderr=log, text=True
        )
        try:
            _await_ready(process, config, folder)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()


def _await_ready(process: subprocess.Popen[str], config: Path, folder: Path) -> None:
    url = f"http://{world.listen_of(config)}/livez"
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise CellFailed(f"the daemon did not start: {(folder / 'log').read_text()[-2000:]}")


def _mapping(options: Options) -> Figure:
    orders = options.pick(1_000_000, 50_000, 500)
    found = run_cell("bench.memory:map_many", orders=orders, timeout_s=7200.0)
    samples = found["rss_mb"]
    note = f"{orders} orders, {samples[0]:.1f} MiB after the first fiftieth, at most {max(samples):.1f} MiB after"
    growth = (max(samples) / samples[0] - 1) * 100
    return Figure("mapping for long", Side("", (growth,), "%"), target=FLAT, note=note)


def map_many(orders: int) -> dict[str, list[float]]:
    """A cell: resident memory at fifty moments of a long run; the first is the base."""
    maps = MappingSet.load("shopify")
    at = datetime(2026, 11, 20, tzinfo=UTC)
    context = MapContext(world.SHOP, "shopify", at, occurred_at=at)
    bodies = [body for body, _ in world.deliveries(200, 1000)]
    tune_gc()
    samples = []
    for number in range(orders):
        maps.map("orders/create", bodies[number % len(bodies)], context)
        if (number + 1) % (orders // _SAMPLES) == 0:
            samples.append(rss_mb())
    return {"rss_mb": samples}
