"""Killed before any single system call, or refused a sync: starting again is all it takes.

The calls that change files (`pwrite64`, `fdatasync`, `ftruncate`, `unlink`, `rename`, …) of each phase
are counted once; then the phase is run once per call and killed just before it. The change gate takes
a sample; `TRUNKLINE_SYSCALL_POINTS=all` takes every one. `TRUNKLINE_SYSCALL_SEED` repeats a sample.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.storage import StorageError, migrate
from hub.storage.opening import EX_IOERR
from tests.rig import store_work, strace
from tests.rig.promises import broken, recovered

ASKED = os.environ.get("TRUNKLINE_SYSCALL_POINTS", "")
SEED = int(os.environ.get("TRUNKLINE_SYSCALL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
CHANGING = ("pwrite64", "write", "ftruncate", "fsync", "fdatasync", "unlink", "rename", "link", "mkdir", "chmod")
AT_ONCE = 2
KILLED = -9

Point = tuple[str, int]
"""(system call, its number within its thread)"""


@dataclass
class Report:
    """What was tried; `faults` is empty when every point recovered."""

    phase: str
    seed: int
    points: int = 0
    tried: int = 0
    struck: int = 0
    missed: int = 0
    """Points that a run did not come to: how many units share a commit is a matter of timing."""
    endings: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.phase}, seed {self.seed}: {self.tried} of {self.points} points, {self.struck} struck,"
            f" {self.missed} missed,"
            f" endings {dict(self.endings)}, faults {self.faults[:3]}"
        )


def command(folder: Path, phase: str, log: Path, inject: Sequence[str], options: Sequence[str]) -> list[str]:
    traced = strace.command(log, (*CHANGING, "openat") if not inject else CHANGING, inject=inject)
    return [*traced, *strace.python("tests.rig.store_work", str(folder), phase, *options)]


def points_of(folder: Path, log: Path, calls: Sequence[str], *, killing: bool) -> list[Point]:
    """Every numbered call that touched this folder. The marks are the outside world's and are left alone.

    SQLite passes over a failed sync of a folder; the store syncs it itself (`fsync`), so that only
    a kill can tell anything at SQLite's (`fdatasync`).
    """
    counts: Counter[tuple[int, str]] = Counter()
    found: set[Point] = set()
    for edge, call in strace.read(log):
        if edge == "enter" and call.name in calls:
            counts[(call.thread, call.name)] += 1
            if not killing and call.name == "fdatasync" and call.path == str(folder):
                continue
            if call.path.startswith(str(folder)) and not call.path.endswith("/marks"):
                found.add((call.name, counts[(call.thread, call.name)]))
    return sorted(found)


def sampled(points: list[Point], most: int, rng: random.Random) -> list[Point]:
    """All of the rare calls, some of the frequent ones, within `most`."""
    if ASKED == "all" or len(points) <= most:
        return points
    rare = [point for point in points if point[0] not in {"pwrite64", "fdatasync"}]
    rare = rng.sample(rare, min(len(rare), most // 3))
    return sorted(rare + rng.sample(sorted(set(points) - set(rare)), most - len(rare)))


async def strike(
    tmp_path: Path,
    phase: str,
    *,
    prepare: Callable[[Path], None],
    most: int,
    check: Callable[[Path], Sequence[str]] = lambda _: (),
    how: str = "signal=SIGKILL",
    calls: Sequence[str] = CHANGING,
    options: Sequence[str] = (),
) -> Report:
    """Run `phase` once per point with `how` injected there; then start again and check.

    `check` looks at the folder as it was found, before anything is started.
    """
    report = Report(phase, SEED)
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    await asyncio.to_thread(prepare, prepared)
    counted, log = tmp_path / "counted", tmp_path / "counted.log"
    shutil.copytree(prepared, counted)
    done = await asyncio.to_thread(strace.run, command(counted, phase, log, (), options))
    assert done.returncode == 0, done.stderr
    points = points_of(counted, log, calls, killing="SIGKILL" in how)
    report.points = len(points)

    def struck(point: Point) -> tuple[Point, Path, int]:
        folder = tmp_path / f"{point[0]}-{point[1]}"
        shutil.copytree(prepared, folder)
        line = command(folder, phase, folder.with_suffix(".log"), [f"{point[0]}:{how}:when={point[1]}"], options)
        return point, folder, strace.run(line).returncode

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chosen = sampled(points, most, random.Random(SEED))
        for one in asyncio.as_completed([loop.run_in_executor(pool, struck, point) for point in chosen]):
            point, folder, ending = await one
            report.tried += 1
            report.struck += ending != 0
            if ending == 0 and "error=" in how and not _injected(folder, folder.with_suffix(".log")):
                report.missed += 1
            else:
                report.endings[ending] += 1
            faults = [*_as_found(check, folder), *await _started_again(folder, phase)]
            if "error=" in how:
                faults += _told_after_fault(folder, folder.with_suffix(".log"))
            if faults:
                report.faults.append(f"{point} (ended {ending}): {faults}")
            shutil.rmtree(folder)
    return report


def _as_found(check: Callable[[Path], Sequence[str]], folder: Path) -> Sequence[str]:
    try:
        return check(folder)
    except (StorageError, sqlite3.Error) as error:
        return [f"as found: {error}"]


async def _started_again(folder: Path, phase: str) -> list[str]:
    """Start as an operator would: the same again, with nothing tidied up."""
    marks = folder / "marks"
    marks.touch()
    acked = store_work.told(marks.read_text())
    try:
        await store_work.PHASES[phase](folder)
    except Exception as error:  # noqa: BLE001 - any error at all is the finding
        return [f"starting again failed: {error!r}"]
    if phase == "put_back":
        return []
    acked = {kind: list(keys) for kind, keys in acked.items()}
    return broken(store_work.database(folder), acked) or await recovered(folder, store_work.told(marks.read_text()))


def _injected(folder: Path, log: Path) -> bool:
    """Whether the error struck a call of ours at all."""
    return any(edge == "exit" and call.injected and _is_ours(folder, call) for edge, call in strace.read(log))


def _is_ours(folder: Path, call: strace.Call) -> bool:
    return call.path.startswith(f"{folder}/") or (call.name == "fsync" and call.path == str(folder))


def _told_after_fault(folder: Path, log: Path) -> list[str]:
    """Acknowledgements given after the injected error.

    Calls are numbered by thread, so a point of one thread also strikes what another does under the same
    number: a burnt call, or SQLite's sync of the folder, which it passes over (see `points_of`).
    """
    injected = False
    late = 0
    for edge, call in strace.read(log):
        injected = injected or (edge == "exit" and call.injected and _is_ours(folder, call))
        late += injected and edge == "enter" and call.name == "write" and call.path == str(folder / "marks")
    return [f"{late} acknowledgements after a failed sync"] if late else []


def nothing(folder: Path) -> None:
    """A new folder."""


def stocked(folder: Path) -> None:
    """A store that has run before and was stopped well."""
    asyncio.run(store_work.first(folder))


def with_catalogue(folder: Path) -> None:
    """A store holding another edition of the catalogue."""

    async def load() -> None:
        await store_work.first(folder)
        async with store_work.opened(folder) as store:
            await store.replace_catalogue(store_work.catalogue_rows(1, 1100), "first")

    asyncio.run(load())


def restored(folder: Path) -> None:
    """A backup just put in place: not yet in WAL mode."""
    with_older_copy(folder)
    asyncio.run(store_work.put_back(folder))
    # What the newer database had acknowledged was given up on purpose.
    (folder / "marks").unlink()


def with_older_copy(folder: Path) -> None:
    """A store, a backup of it, and something received since."""

    async def grow() -> None:
        await store_work.first(folder)
        await store_work.backup(store_work.url(folder), folder / "older.db")
        async with store_work.opened(folder) as store:
            marks = store_work.Marks(folder)
            await store_work.receive(store, marks, "since")
            marks.close()

    asyncio.run(grow())


def copy_is_whole_or_absent(folder: Path) -> list[str]:
    """A backup under its own name is complete."""
    target = folder / "copy.db"
    return [f"copy: {fault}" for fault in broken(target, {})] if target.exists() else []


def a_database_is_there(folder: Path) -> list[str]:
    """Restoring never leaves the place empty: a hub started then would begin anew and take webhooks."""
    path = store_work.database(folder)
    # Every start does this first: an unfinished switch to WAL is undone before the file is read.
    migrate.roll_back_unfinished(path)
    if migrate.file_revision(path) is None:
        return ["there is no database"]
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute("SELECT count(*) FROM inbox").fetchone()
    return [] if count in {1, 2} else [f"{count} inputs, neither the old database nor the backup"]


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("phase", "prepare", "most", "check"),
    [
        ("first", nothing, 10, lambda _: ()),
        ("first", restored, 8, lambda _: ()),
        ("work", stocked, 12, lambda _: ()),
        ("catalogue", with_catalogue, 8, lambda _: ()),
        ("copy", stocked, 8, copy_is_whole_or_absent),
        ("put_back", with_older_copy, 10, a_database_is_there),
    ],
)
async def test_killed_at_a_system_call_it_recovers_by_starting_again(
    tmp_path: Path, phase: str, prepare: Callable[[Path], None], most: int, check: Callable[[Path], Sequence[str]]
) -> None:
    """First start with its migrations, work, catalogue load, backup and restore all survive it."""
    strace.require_strace()
    report = await strike(tmp_path, phase, prepare=prepare, most=most, check=check)
    print(report)  # noqa: T201 - the counts are the result
    assert report.faults == [], str(report)
    assert report.tried >= min(most, report.points) >= 8, str(report)
    assert report.endings[KILLED] + report.endings[128 + 9] > report.tried * 0.8, f"few were struck: {report}"


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("phase", "prepare"), [("first", nothing), ("first", restored), ("work", stocked)])
async def test_a_failed_sync_ends_the_process_and_nothing_more_is_acknowledged(
    tmp_path: Path, phase: str, prepare: Callable[[Path], None]
) -> None:
    """EIO from a sync is never retried in place: exit status 74, and the next start is whole."""
    strace.require_strace()
    report = await strike(tmp_path, phase, prepare=prepare, most=6, how="error=EIO", calls=("fdatasync", "fsync"))
    print(report)  # noqa: T201 - the counts are the result
    assert report.faults == [], str(report)
    assert report.endings == {EX_IOERR: report.tried - report.missed}, str(report)
    assert report.tried - report.missed >= 3, f"few were struck: {report}"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "how", "calls", "found"),
    [
        ("early", "signal=SIGKILL", ("pwrite64", "fdatasync"), "acknowledged inputs are lost"),
        ("deaf", "error=EIO", ("fdatasync",), "acknowledgements after a failed sync"),
    ],
)
async def test_a_planted_bug_is_caught(tmp_path: Path, bug: str, how: str, calls: Sequence[str], found: str) -> None:
    """The rig can fail: answers before the commit, and work that goes on after a failed sync, are seen."""
    strace.require_strace()
    report = await strike(tmp_path, "work", prepare=stocked, most=5, how=how, calls=calls, options=(bug,))
    print(report)  # noqa: T201 - the counts are the result
    assert any(found in fault for fault in report.faults), f"the planted bug went unseen: {report}"
