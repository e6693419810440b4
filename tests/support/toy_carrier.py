"""A carrier in memory that is asked about parcels and asked to tell; it misbehaves on request."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.sdk.clock import FixedJitter, SeededIds
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import ConnectorError, Rejected
from connectors.sdk.manifest import Capability, Manifest, Topic, TrackQuota
from connectors.sdk.tracking import TrackedNumber, Watched, parcel_ordering_key
from hub.delivery.gate import Gate
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.telemetry import Silence
from hub.services.accounts import Accounts
from hub.services.asking import Asker
from hub.services.calls import VendorCalls
from hub.services.publish import Outward
from hub.services.watching import Watcher
from tests.support.stores import Bench


def carrier_manifest(name: str = "toy_carrier", **changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "capabilities": frozenset({Capability.TRACK, Capability.WATCH}),
        "topics": (Topic("tracking"),),
        "track_batch_max": 1,
        "track_carriers": ("ups",),
        "watch_batch_max": 100,
        "watch_renew_s": 2 * 86_400.0,
    }
    return Manifest(name=name, title="Toy carrier", **{**fields, **changes})


@dataclass
class ToyCarrier:
    """Answers with one envelope per number; `faults` are raised in turn, None lets a call through."""

    clock: Any
    track_quota: TrackQuota | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    watched: list[tuple[str, ...]] = field(default_factory=list)
    faults: deque[ConnectorError | None] = field(default_factory=deque)
    bad: set[str] = field(default_factory=set)
    """numbers that make the carrier refuse the whole call"""
    watch_life: timedelta | None = None
    says: deque[bytes] = field(default_factory=deque)
    """what it answers in turn, known by its content; without any, every answer is another"""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        self.asked.append(tuple(each.number for each in numbers))
        if self.faults and (fault := self.faults.popleft()) is not None:
            raise fault
        if self.bad & {each.number for each in numbers}:
            raise Rejected("no such number", code="TV1002")
        if self.says:
            said = self.says.popleft()
            lanes = [parcel_ordering_key(each.number) for each in numbers]
            return [Envelope("tracking", f"{lane}:{said.decode()}", lane, said) for lane in lanes]
        count = len(self.asked)
        return [
            Envelope("tracking", f"{each.number}:{count}", parcel_ordering_key(each.number), b"{}") for each in numbers
        ]

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        self.watched.append(tuple(each.number for each in numbers))
        until = None if self.watch_life is None else self.clock.now() + self.watch_life
        return [
            Watched(each, error=Rejected("cannot watch", code="VSS999")) if each.number in self.bad
            else Watched(each, until)
            for each in numbers
        ]  # fmt: skip

    async def close(self) -> None:
        return None


class AskingDesk:
    """One carrier account over a real store."""

    def __init__(self, bench: Bench, *, quota: TrackQuota | None = None, **manifest: Any) -> None:
        self.bench = bench
        self.carrier = ToyCarrier(bench.clock, quota)
        self.plan = AccountPlan(
            "parcels", "toy", carrier_manifest(**manifest), Mode.LIVE, AvailabilityPolicy(("main",))
        )
        self.accounts = Accounts({"parcels": self.plan}, bench.store, bench.clock)
        calls = VendorCalls("parcels", Gate(), self.accounts, bench.clock, Silence())
        self.out = Outward(
            self.plan, calls, self.accounts, bench.store, bench.clock, SeededIds(), FixedJitter(0.5), Silence()
        )

    async def carriers(self) -> Sequence[str]:
        return ["ups"]

    @property
    def asker(self) -> Asker:
        """A new one each time, as after a restart: nothing is remembered but what is stored."""
        return Asker(self.out, self.carrier, self.bench.queries, self.carriers)

    @property
    def watcher(self) -> Watcher:
        return Watcher(self.out, self.carrier, self.bench.queries, self.carriers)
