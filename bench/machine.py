"""The line that says on what the figures were measured."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from pathlib import Path
from statistics import median

_SYNCS = 100
_PAGE = b"\0" * 4096


def fdatasync_us(folder: Path) -> float:
    """Median microseconds to write and sync 4 KB: what every durable commit pays at least."""
    path = folder / "sync-probe"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    sync = getattr(os, "fdatasync", os.fsync)
    taken = []
    try:
        for number in range(_SYNCS):
            began = time.perf_counter()
            os.pwrite(descriptor, _PAGE, number * len(_PAGE))
            sync(descriptor)
            taken.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(taken) * 1e6


def line(folder: Path) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()} {sys.implementation.name}, SQLite {sqlite3.sqlite_version}, "
        f"fdatasync of 4 KB {fdatasync_us(folder):.0f} us, load {load}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    for row in text.splitlines():
        if row.startswith("model name"):
            return row.partition(":")[2].strip()
    return platform.machine()
