"""EDI: reading interchanges against splitting their bytes and no more, against pyx12 and pydifact, and the memory used.

Reading means: sets and their segments as text, every envelope check made. Splitting every segment
into its elements is shown besides; the peers do that while they read. What follows reading is measured
besides: 850s to canonical orders, and 997s. Figures are CPU time.
"""

from __future__ import annotations

import gc
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from bench import edi_files
from bench.cell import CellFailed, rss_mb, run_cell
from bench.options import Options
from bench.peers import HOW, JOBS
from bench.report import Figure, Report, Side, Target, compared, not_run
from mappings.edi import read

OF_SPLIT = Target(">=", 0.45)
OF_PYX12 = Target(">=", 12.0)
OF_PYDIFACT = Target(">=", 5.0)
ORDERS = Target(">=", 500.0, "orders/s")
OF_PARSE = Target("<=", 1.5)
FLAT = Target("<=", 5.0, "% growth")
_MB = 1_000_000


def run(options: Options) -> Report:
    size = options.pick(8, 8, 1) * _MB
    report = Report("edi", f"X12 850s of 34 lines, {size // _MB} MB: bytes to checked envelopes and segments")
    found = run_cell("bench.edi:measure", rounds=options.pick(15, 7, 2), size=size)
    sides = {name: Side("", tuple(values), "MB/s") for name, values in found.items()}
    floor = Side("bytes.split on the terminator", tuple(found["split"]), "MB/s")
    report.figures += [
        compared("read", sides["read"], floor, OF_SPLIT),
        compared("read, every element split", sides["elements"], floor, None),
        compared("read, CR LF after every segment", sides["lines"], floor, None),
    ]
    report.figures += _sets(options)
    report.figures += [_peer(options, "pyx12", "x12", size, OF_PYX12)]
    report.figures += [_peer(options, "pydifact", "edifact", options.pick(4, 2, 1) * _MB, OF_PYDIFACT)]
    report.figures.append(_memory(options))
    return report


def measure(rounds: int, size: int) -> dict[str, list[float]]:
    """A cell: MB per CPU second and round, all sides over the same bytes in turn."""
    plain = edi_files.x12(size)
    lines = plain.replace(b"~", b"~\r\n")
    sides: dict[str, tuple[Callable[[bytes], object], bytes]] = {
        "split": (lambda data: data.split(b"~"), plain),
        "read": (_segments, plain),
        "elements": (_elements, plain),
        "lines": (_segments, lines),
    }
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (function, data) in sides.items():
            gc.collect()
            began = time.process_time()
            # Letting go of what was made counts on both sides: reading does so set by set.
            function(data)
            taken[name].append(len(data) / _MB / (time.process_time() - began))
    return taken


def _segments(source: bytes | BinaryIO) -> int:
    """Segments of a file without a defect."""
    count = 0
    for interchange in read(source):
        for group in interchange.groups:
            for found in group.sets:
                count += len(found.segments)
                if found.problems:
                    raise RuntimeError(f"a good set has problems: {found.problems}")
        if interchange.problems:
            raise RuntimeError(f"a good interchange has problems: {interchange.problems}")
    return count


def _sets(options: Options) -> list[Figure]:
    """850s to documents, and the 997 of a large group against reading it with every element split."""
    sets = options.pick(2000, 2000, 200)
    found = run_cell("bench.edi_sets:measure", rounds=options.pick(15, 7, 2), sets=sets)
    parse = Side("read, every element split", tuple(found["parse"]), "us a set")
    whole = "reading included; the answer alone is judged: every set validated, the 997 written"
    return [
        Figure(
            "850 of 3 lines to a canonical order",
            Side("", tuple(found["orders"]), "orders/s"),
            target=ORDERS,
            note="read, validated, mapped, the document validated; one core",
        ),
        compared(f"997 for {sets} sets", Side("", tuple(found["answer"]), "us a set"), parse, OF_PARSE),
        compared(f"997 for {sets} sets, file to file", Side("", tuple(found["whole"]), "us a set"), parse, None, whole),
    ]


def _elements(source: bytes) -> int:
    count = 0
    for interchange in read(source):
        for group in interchange.groups:
            for found in group.sets:
                count += len(found.segments.rows())
    return count


def ours(syntax: str, size: int, rounds: int) -> dict[str, list[float]]:
    """A cell: MB per CPU second with every element split, as the peers do."""
    data = edi_files.x12(size) if syntax == "x12" else edi_files.edifact(size)
    taken = []
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        _elements(data)
        taken.append(len(data) / _MB / (time.process_time() - began))
    return {"rates": taken}


def _peer(options: Options, name: str, syntax: str, size: int, target: Target) -> Figure:
    label = f"{syntax}, every element split"
    installed = subprocess.run([options.peers_python, "-c", f"import {name}"], capture_output=True, check=False)
    if installed.returncode:
        return not_run(label, f"SKIPPED: {name} is not installed; {HOW}", target)
    file = options.place(f"edi-{name}") / "file.edi"
    file.write_bytes(edi_files.x12(size) if syntax == "x12" else edi_files.edifact(size))
    given = file.with_suffix(".json")
    rounds = min(3, options.rounds)
    mine, theirs = [], []
    for _ in range(rounds):
        mine += run_cell("bench.edi:ours", syntax=syntax, size=size, rounds=1)["rates"]
        given.write_text(json.dumps({"file": str(file)}))
        theirs.append(_job(options.peers_python, name, given))
    return compared(label, Side("", tuple(mine), "MB/s"), Side(name, tuple(theirs), "MB/s"), target)


def _job(python: str, name: str, given: Path) -> float:
    done = subprocess.run(
        [python, str(JOBS / "started.py"), f"{name}_job.py", str(given)],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CellFailed(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["rate"])


def _memory(options: Options) -> Figure:
    if not Path("/proc/self/status").exists():
        return not_run("memory", "NOT RUN: memory is read from /proc, which this system does not have", FLAT)
    small, large = options.pick((20, 200), (10, 100), (2, 4))
    peaks = [run_cell("bench.edi:resident", size=each * _MB)["peak_mb"] for each in (small, large)]
    note = f"peak {peaks[0]:.1f} MiB over {small} MB, {peaks[1]:.1f} MiB over {large} MB"
    return Figure("memory", Side("", ((peaks[1] / peaks[0] - 1) * 100,), "%"), target=FLAT, note=note)


def resident(size: int) -> dict[str, float]:
    """A cell: peak resident memory after one file of a size."""
    _segments(edi_files.Made(size))  # type: ignore[arg-type]
    return {"peak_mb": rss_mb("VmHWM")}
