"""Power cuts: whatever the disk kept of unsynced writes, everything acknowledged is there and the database is sound.

Real store work is recorded once, system call by system call; then the files are rebuilt as a cut may
leave them after every prefix of the recording: all synced writes, a random part of the others, torn
at 512 bytes. The change gate checks 4,000 states; `TRUNKLINE_POWER_STATES=100000` asks for more.
The seed is printed and `TRUNKLINE_POWER_SEED` repeats it (the recording itself varies with timing).
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.storage.opening import EX_IOERR
from tests.rig import store_work, strace
from tests.rig.disk import Disk, put
from tests.rig.promises import Acknowledged, broken, recovered

STATES = int(os.environ.get("TRUNKLINE_POWER_STATES", "4000"))
SEED = int(os.environ.get("TRUNKLINE_POWER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
OPENED_SHARE = 0.06
"""Of the states, those that the product itself opens; the others are read with SQLite alone, ten times faster."""
CALLS = ("pwrite64", "write", "ftruncate", "fsync", "fdatasync", "unlink", "rename", "openat")


@dataclass
class Report:
    seed: int
    calls: int = 0
    acknowledgements: int = 0
    states: int = 0
    opened: int = 0
    faulty: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    first: str = ""
    elapsed_s: float = 0.0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.states} states of {self.calls} calls and {self.acknowledgements}"
            f" acknowledgements, {self.opened} opened by the product, {self.faulty} faulty, in {self.elapsed_s:.0f} s; "
            f"{dict(self.faults.most_common(5))}; first: {self.first}"
        )


def record(folder: Path, log: Path, phase: str, *options: str, inject: Sequence[str] = ()) -> int:
    """Run the work under strace; its exit status."""
    folder.mkdir()
    return strace.run(
        [
            *strace.command(log, CALLS, inject=inject, contents=True),
            *strace.python("tests.rig.store_work", str(folder), phase, "brisk", *options),
        ]
    ).returncode


def moments(folder: Path, log: Path, rng: random.Random) -> Iterator[tuple[Disk, Acknowledged]]:
    """The disk after every call that changed it, with what had been acknowledged by then."""
    disk = Disk(str(folder), rng)
    marks = str(folder / "marks")
    acked: dict[str, list[str]] = {}
    for edge, call in strace.read(log):
        if edge == "enter":
            disk.entered(call)
            if call.name == "write" and call.path == marks:
                # Told the moment the call began: the outside world may have heard.
                for kind, keys in store_work.told(call.content.decode()).items():
                    acked.setdefault(kind, []).extend(keys)
        elif call.path != marks and disk.left(call):
            yield disk, acked


async def torment(tmp_path: Path, *options: str, states: int, seed: int) -> Report:
    """Record, cut, check."""
    folder, log = tmp_path / "recorded", tmp_path / "strace.log"
    assert record(folder, log, "long", *options) == 0
    return await judged(folder, log, tmp_path / "found", states=states, seed=seed)


async def judged(folder: Path, log: Path, found: Path, *, states: int, seed: int) -> Report:
    """Cut a recording at every moment and check what is left."""
    began = time.monotonic()
    found.mkdir()
    report = Report(seed)
    total = sum(1 for _ in moments(folder, log, random.Random(seed)))
    rng = random.Random(seed)
    each = states / total
    owed = 0.0
    for disk, acked in moments(folder, log, random.Random(seed)):
        report.calls += 1
        owed += each
        while owed >= 1.0:
            owed -= 1.0
            report.states += 1
            put(disk.cut(rng), found, rng)
            faults = broken(store_work.database(found), acked)
            if not faults and rng.random() < OPENED_SHARE:
                report.opened += 1
                faults = await recovered(found, acked)
            if faults:
                report.faulty += 1
                report.faults.update(
                    " ".join(word for word in fault.split(":")[0].split() if not word.isdigit()) for fault in faults
                )
                report.first = report.first or f"after call {report.calls}: {faults}"
        report.acknowledgements = sum(map(len, acked.values()))
    report.elapsed_s = time.monotonic() - began
    return report


@pytest.mark.slow
@pytest.mark.timeout(7200)
async def test_nothing_acknowledged_is_lost_in_a_power_cut(tmp_path: Path) -> None:
    """In every state: acknowledged work is there, integrity_check is ok, positions equal their postings."""
    strace.require_strace()
    report = await torment(tmp_path, states=STATES, seed=SEED)
    print(report)  # noqa: T201 - the counts are the result
    assert report.faulty == 0, str(report)
    assert report.states >= STATES - 1, str(report)
    assert report.acknowledgements > 300, f"too little was acknowledged to mean anything: {report}"
    assert report.opened > report.states * OPENED_SHARE / 2, str(report)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "found"),
    [("normal", "acknowledged inputs are lost"), ("early", "acknowledged inputs are lost")],
)
async def test_a_store_that_answers_before_the_sync_is_caught(tmp_path: Path, bug: str, found: str) -> None:
    """The rig can fail: `synchronous=NORMAL`, or an answer before the commit, loses acknowledged events."""
    strace.require_strace()
    report = await torment(tmp_path, bug, states=400, seed=SEED)
    print(report)  # noqa: T201 - the counts are the result
    assert report.faults[found] > 10, f"the planted bug went unseen: {report}"


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_failed_sync_inside_sqlites_own_checkpoint_loses_nothing(tmp_path: Path) -> None:
    """The one failed sync nobody is told of is harmless.

    SQLite passes over errors of the checkpoint it runs after a commit. The log is kept and every
    page is written again, so that even pages the system threw away at the failure are not missed.
    """
    strace.require_strace()
    counted, log = tmp_path / "counted", tmp_path / "counted.log"
    assert record(counted, log, "once", "auto") == 0
    for number in _checkpoint_syncs(counted, log)[:24]:
        # Timing moves the numbers a little: one that struck a commit instead ended the process.
        folder, log = tmp_path / f"struck-{number}", tmp_path / f"struck-{number}.log"
        ending = record(folder, log, "once", "auto", inject=[f"fdatasync:error=EIO:when={number}"])
        failed = [call.path for edge, call in strace.read(log) if edge == "exit" and call.injected]
        if failed == [str(folder / "hub.db")]:
            break
        assert ending in {0, EX_IOERR}
    assert (ending, failed) == (0, [str(folder / "hub.db")]), "no checkpoint's sync was failed"
    report = await judged(folder, log, tmp_path / "found", states=400, seed=SEED)
    print(report)  # noqa: T201 - the counts are the result
    assert report.faulty == 0, str(report)


def _checkpoint_syncs(folder: Path, log: Path) -> list[int]:
    """Numbers, within the writing thread, of the syncs of the database itself."""
    counts: Counter[int] = Counter()
    found = []
    for edge, call in strace.read(log):
        if edge == "enter" and call.name == "fdatasync":
            counts[call.thread] += 1
            if call.path == str(folder / "hub.db") and counts[call.thread] > store_work.BURNT:
                found.append(counts[call.thread])
    return found
