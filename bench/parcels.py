"""Parcels: carriers' answers parsed and folded, beside karrio's parse of them; and 100,000 open ones scheduled.

Parsing ends with validated documents, folding with where the parcel is; karrio parses and folds nothing. Asking
runs against a store of open parcels under the quota of a carrier that allows 60 calls an hour. Rates are of CPU time.
"""

from __future__ import annotations

import gc
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.cell import CellFailed, rss_mb, run_cell
from bench.options import Options
from bench.peers import HOW, JOBS
from bench.report import Figure, Report, Side, Target, compared, not_run
from connectors.sdk.clock import FixedJitter, ManualClock, SeededIds
from connectors.sdk.contract import Envelope
from connectors.sdk.manifest import Capability, Manifest, Topic, TrackQuota
from connectors.sdk.tracking import TrackedNumber, parcel_ordering_key
from hub.delivery.gate import Gate
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.parcels import BookChange, ParcelLink, ParcelRow
from hub.ports.store import ReadSet, WriteSet
from hub.ports.telemetry import Silence
from hub.runtime.process import tune_gc
from hub.services.accounts import Accounts
from hub.services.asking import Asker
from hub.services.calls import VendorCalls
from hub.services.moments import micros
from hub.services.parcel_figures import ParcelFigures
from hub.services.parcel_rows import scheduled
from hub.services.publish import Outward
from hub.storage import open_store
from hub.tracking import folded, parcels_of
from mappings import SHIPPED, MapContext, MappingSet

RATE = Target(">=", 5_000.0, "events/s")
EXTRA = Target("<=", 50.0, "MiB")
QUOTA = TrackQuota(60, 3_600.0, "USPS, as its users report it (2026-03)")
CARRIERS = ("ups", "fedex")
_SCANS = 12
_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_KEY = b"a key for benches, 32 bytes long"
_FEW = 10_000
"""Up to so many, a quota covers more than what matters most."""


def run(options: Options) -> Report:
    report = Report("parcels", f"carriers' answers of {_SCANS} scans to where the parcel is; open parcels asked about")
    for carrier in CARRIERS:
        report.figures += _parsed(options, carrier)
    report.figures += _scheduled(options)
    return report


# --- parsing and folding ---------------------------------------------------------------------


def _parsed(options: Options, carrier: str) -> list[Figure]:
    rounds, seconds = options.rounds, options.pick(2.0, 1.0, 0.05)
    found = run_cell("bench.parcels:measure", carrier=carrier, rounds=rounds, seconds=seconds)
    ours = Side("", tuple(found["folded"]), "events/s")
    figures = [Figure(f"{carrier}: parse and fold", ours, target=RATE, note="bytes to documents to a state; one core")]
    label = f"{carrier}: parse"
    installed = subprocess.run([options.peers_python, "-c", "import karrio.lib"], capture_output=True, check=False)
    if installed.returncode:
        return [*figures, not_run(label, f"SKIPPED: karrio is not installed; {HOW}", None)]
    file = options.place(f"karrio-{carrier}") / "answer.json"
    file.write_bytes(answer_of(carrier))
    given = file.with_name("given.json")
    given.write_text(json.dumps({"carrier": carrier, "file": str(file), "seconds": seconds}))
    theirs = tuple(_job(options.peers_python, given) for _ in range(rounds))
    return [
        *figures,
        compared(label, Side("", tuple(found["parsed"]), "events/s"), Side("karrio", theirs, "events/s"), None),
    ]


def measure(carrier: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """A cell: events per CPU second and round."""
    maps = MappingSet.load(carrier)
    body = answer_of(carrier)
    context = MapContext("bench", carrier, _AT)

    def parse() -> int:
        return len(maps.map("tracking", body, context))

    def parse_and_fold() -> int:
        documents = maps.map("tracking", body, context)
        for parcel in parcels_of(documents):  # type: ignore[arg-type]
            if folded(parcel.updates).milestone is None:
                raise RuntimeError("a parcel that moves has no milestone")
        return len(documents)

    taken: dict[str, list[float]] = {"parsed": [], "folded": []}
    tune_gc()
    for _ in range(rounds):
        for name, function in (("parsed", parse), ("folded", parse_and_fold)):
            gc.collect()
            count = 0
            began = time.process_time()
            while time.process_time() - began < seconds:
                count += function()
            taken[name].append(count / (time.process_time() - began))
    return taken


def answer_of(carrier: str) -> bytes:
    """A carrier's answer about one parcel with a dozen scans an hour apart, newest first as carriers list them."""
    answer: Any = json.loads((SHIPPED / carrier / "fixtures" / "track.json").read_bytes())
    if carrier == "ups":
        package = answer["trackResponse"]["shipment"][0]["package"][0]
        package["activity"] = [_ups_scan(package["activity"][-2], hour) for hour in reversed(range(_SCANS))]
    else:
        result = answer["output"]["completeTrackResults"][0]["trackResults"][0]
        scan = result["scanEvents"][0]
        result["scanEvents"] = [
            scan | {"date": f"2026-11-19T{hour:02d}:00:00-05:00"} for hour in reversed(range(_SCANS))
        ]
        answer["output"]["completeTrackResults"] = [
            answer["output"]["completeTrackResults"][0] | {"trackResults": [result]}
        ]
    return json.dumps(answer).encode()


def _ups_scan(scan: dict[str, Any], hour: int) -> dict[str, Any]:
    told = {"date": "20261119", "time": f"{hour:02d}0000"}
    gmt = {"gmtDate": "20261119", "gmtTime": f"{hour + 5:02d}:00:00", "gmtOffset": "-05:00"}
    return scan | told | {name: value for name, value in gmt.items() if name in scan}


def _job(python: str, given: Path) -> float:
    done = subprocess.run(
        [python, str(JOBS / "started.py"), "karrio_job.py", str(given)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CellFailed(f"karrio ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["rate"])


# --- scheduling ------------------------------------------------------------------------------


def _scheduled(options: Options) -> list[Figure]:
    count = options.pick(100_000, 100_000, 500)
    folder = options.place("parcels")
    run_cell("bench.parcels:fill", folder=str(folder), count=count)
    hours = options.pick(24, 24, 1)
    found = run_cell("bench.parcels:ask", folder=str(folder), hours=hours)
    if found["calls_worst_hour"] > QUOTA.calls:
        raise RuntimeError(f"{found['calls_worst_hour']} calls in one hour, {QUOTA.calls} are allowed")
    if count > _FEW and found["urgent"] < found["calls"] * 0.9:
        raise RuntimeError(f"of {found['calls']} calls only {found['urgent']} were spent where they matter")
    name = f"{count} open parcels, {hours} h at 60 calls an hour"
    note = f"{found['calls']:.0f} calls, {found['urgent']:.0f} of them on parcels due today or out for delivery"
    rounds = Side("", (found["round_ms"],), "ms a round")
    figure = Figure("one round of choosing", rounds, note=f"{found['wanted']:.0f} calls a day wanted, 1440 allowed")
    if found["extra_mb"] is None:
        return [not_run(name, "NOT RUN: memory is read from /proc, which this system does not have", EXTRA), figure]
    return [Figure(f"{name}: memory", Side("", (found["extra_mb"],), "MiB"), target=EXTRA, note=note), figure]


class _Carrier:
    """Answers at once that there is no news."""

    track_quota: TrackQuota | None = QUOTA

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.asked: list[tuple[float, str]] = []

    async def track(self, numbers: Any) -> list[Envelope]:
        known: list[TrackedNumber] = list(numbers)
        self.asked += [(self._clock.monotonic(), each.number) for each in known]
        at = self._clock.monotonic()
        return [Envelope("tracking", f"{each.number}:{at}", parcel_ordering_key(each.number), b"{}") for each in known]


_MANIFEST = Manifest(
    "bench", "Bench", frozenset({Capability.TRACK}), (Topic("tracking"),), track_carriers=("usps",), track_batch_max=1
)


def _row(place: int, clock: ManualClock) -> ParcelRow:
    """One in ten is out for delivery or due today, one in ten only has its label, the rest move."""
    now = micros(clock.now())
    milestone = {0: "out_for_delivery", 1: "label_created"}.get(place % 10, "in_transit")
    opened = micros(clock.now() - timedelta(days=2, seconds=place % 86_400))
    row = ParcelRow(
        f"pcl_{place:08d}", f"94001000{place:014d}", 0, "usps", "", opened, milestone, orphan=False,
        shipped_at=opened, moved_at=opened, heard_at=opened, state='{"reached":{"in_transit":"2026-11-18"}}',
        expected_at=now if place % 20 == 2 else None,
    )  # fmt: skip
    return scheduled(row, now)


async def fill(folder: str, count: int) -> dict[str, int]:
    """A cell: a database of open parcels, each of one shipment."""
    clock = ManualClock(_AT)
    store, queries = await open_store(f"sqlite:///{folder}/hub.db", key=_KEY, clock=clock)
    assert store is not None
    for start in range(0, count, 1_000):
        changes = []
        for place in range(start, min(start + 1_000, count)):
            row = _row(place, clock)
            link = ParcelLink(row.number, "shop", "shipment", f"s{place}", f"o{place}", "usps", row.opened_at, row.id)
            changes.append(BookChange(row.number, parcels=(row,), links=(link,)))
        await store.run(ReadSet(), lambda _, changes=changes: WriteSet(books=changes))  # type: ignore[misc]
    await queries.close()
    await store.close()
    return {"parcels": count}


async def ask(folder: str, hours: int) -> dict[str, float | None]:
    """A cell: rounds a minute apart, and what memory they took beyond an idle store."""
    clock = ManualClock(_AT)
    store, queries = await open_store(f"sqlite:///{folder}/hub.db", key=_KEY, clock=clock)
    assert store is not None
    plan = AccountPlan("usps", "bench", _MANIFEST, Mode.LIVE, AvailabilityPolicy(()))
    accounts = Accounts({"usps": plan}, store, clock)
    calls = VendorCalls("usps", Gate(), accounts, clock, Silence())
    out = Outward(plan, calls, accounts, store, clock, SeededIds(), FixedJitter(0.5), Silence())
    carrier = _Carrier(clock)

    async def carriers() -> list[str]:
        return ["usps"]

    asker = Asker(out, carrier, queries, carriers)
    urgent = {f"94001000{place:014d}" for place in range(100_000) if place % 10 == 0 or place % 20 == 2}
    gc.collect()
    before = _rss()
    figures = ParcelFigures({"usps": plan}, queries, clock, lambda _: QUOTA)
    wanted = (await figures.read()).asking["usps"].wanted
    rounds: list[float] = []
    for _ in range(hours * 60):
        began = time.perf_counter()
        await asker.ask_due()
        rounds.append(time.perf_counter() - began)
        clock.advance(60.0)
    after = _rss("VmHWM")
    await queries.close()
    await store.close()
    return {
        "calls": len(carrier.asked),
        "urgent": sum(number in urgent for _, number in carrier.asked),
        "calls_worst_hour": _worst_hour([at for at, _ in carrier.asked]),
        "extra_mb": None if before is None or after is None else after - before,
        "round_ms": sorted(rounds)[len(rounds) // 2] * 1e3,
        "wanted": wanted,
    }


def _worst_hour(times: list[float]) -> int:
    return max((sum(at <= other < at + QUOTA.window_s for other in times) for at in times), default=0)


def _rss(field: str = "VmRSS") -> float | None:
    return rss_mb(field) if Path("/proc/self/status").exists() else None
