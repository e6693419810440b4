"""The sandbox kit's part for carriers: parcels that move by themselves, seen late and told twice on request.

A parcel is put on its way with a whole journey planned; what a carrier shows of it at a moment are the
scans it has got by then. The fault `late_read` makes a scan arrive at the carrier's system after later
ones; the others are those of every sandbox.
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.sdk.sandbox import Sandbox
from connectors.sdk.sandbox_control import CONTROL_PREFIX
from mappings.carriers import candidates

LOOK_S: Final = 0.2
"""Real seconds between two looks for scans to push."""
LATE_STRIDES: Final = 2.5
"""How far behind a late scan comes: the next two are there before it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An invented scan's town; `offset_h` is its wall clock's distance from UTC."""

    city: str
    region: str
    postal_code: str
    offset_h: int


EAST: Final = Place("Harrisburg", "PA", "17101", -5)
HALFWAY: Final = Place("Columbus", "OH", "43004", -5)
WEST: Final = Place("Denver", "CO", "80014", -7)

JOURNEYS: Final[Mapping[str, tuple[tuple[str, Place], ...]]] = {
    "delivered": (
        ("label_created", EAST),
        ("picked_up", EAST),
        ("in_transit", HALFWAY),
        ("in_transit", WEST),
        ("out_for_delivery", WEST),
        ("delivered", WEST),
    ),
    "attempted": (
        ("label_created", EAST),
        ("picked_up", EAST),
        ("in_transit", WEST),
        ("out_for_delivery", WEST),
        ("delivery_attempted", WEST),
        ("out_for_delivery", WEST),
        ("delivered", WEST),
    ),
    "delayed": (
        ("label_created", EAST),
        ("picked_up", EAST),
        ("delayed", HALFWAY),
        ("in_transit", WEST),
        ("out_for_delivery", WEST),
        ("delivered", WEST),
    ),
    "returned": (
        ("label_created", EAST),
        ("picked_up", EAST),
        ("in_transit", WEST),
        ("delivery_attempted", WEST),
        ("returning", WEST),
        ("returned", EAST),
    ),
}
"""Steps in our own words, which each carrier's sandbox puts into its codes."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of the plan. `at` is when it happens, `seen_at` when the carrier's system has it."""

    step: str
    at: datetime
    seen_at: datetime
    place: Place

    @property
    def local(self) -> datetime:
        """The place's wall clock, naive."""
        return (self.at + timedelta(hours=self.place.offset_h)).replace(tzinfo=None)

    @property
    def offset(self) -> str:
        """As in ISO 8601, `-05:00`."""
        return f"{'-' if self.place.offset_h < 0 else '+'}{abs(self.place.offset_h):02d}:00"


@dataclass(slots=True)
class Parcel:
    """A parcel under way. `watched` is when pushing ends, None while nobody has asked for it."""

    number: str
    serial: int
    scans: tuple[Scan, ...]
    watched_until: datetime | None = None
    told: set[int] = field(default_factory=set)

    def shown(self, now: datetime) -> list[Scan]:
        """What the carrier shows now, the latest happening first."""
        return sorted((scan for scan in self.scans if scan.seen_at <= now), key=lambda scan: scan.at, reverse=True)

    @property
    def expected_at(self) -> datetime:
        return self.scans[-1].at


def fitting(stem: str, carrier: str) -> str:
    """The stem with the one check digit that makes it a number of the carrier's.

    Raises:
        LookupError: No digit does.
    """
    for digit in "0123456789":
        if any(found.carrier == carrier for found in candidates(stem + digit)):
            return stem + digit
    raise LookupError(f"no check digit makes {stem} a number of {carrier}")


class CarrierSandbox(Sandbox):
    """A fake carrier. Nothing is sold there; `ship_parcel` puts a parcel on its way, and it moves.

    A vendor supplies `number` (valid numbers to ship under), the wire, and `push`, which is called once
    for every scan of every parcel as it becomes known. `webhook_url` is where pushes go, as entered in
    the vendor's own pages or by its API.
    """

    stride_s: float = 4.0
    """The carrier's seconds between two scans: parcels hurry, so that a demo sees them arrive."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.parcels: dict[str, Parcel] = {}
        self.webhook_url: str | None = None
        self._mover: asyncio.Task[None] | None = None

    @abstractmethod
    def number(self, index: int) -> str:
        """A number of this carrier with a right check digit; another one for another index."""

    def push(self, parcel: Parcel, scan: Scan) -> None:
        """The carrier's system has got this scan: tell whoever asked to be told."""

    def deliver_to(self, url: str) -> None:
        """Push to this address from now on, as the account's owner enters it in the vendor's own pages."""
        self.webhook_url = url

    def ship_parcel(self, number: str, *, journey: str = "delivered") -> Parcel:
        """A label is printed now, and the parcel goes its way.

        Raises:
            LookupError: No such journey.
        """
        if journey not in JOURNEYS:
            raise LookupError(f"no journey is called {journey!r}; known are: {', '.join(JOURNEYS)}")
        now = self.clock.now().replace(microsecond=0)
        parcel = Parcel(number, len(self.parcels) + 1, tuple(self._planned(now, journey)))
        self.parcels[number] = parcel
        self.record("parcel.shipped", number=number, journey=journey)
        return parcel

    def move(self) -> None:
        """Push what has become known since the last look."""
        now = self.clock.now()
        for parcel in list(self.parcels.values()):
            new = [(scan.seen_at, index) for index, scan in enumerate(parcel.scans) if index not in parcel.told]
            for seen_at, index in sorted(new):
                if seen_at <= now:
                    parcel.told.add(index)
                    self.record("parcel.scanned", number=parcel.number, step=parcel.scans[index].step)
                    self.push(parcel, parcel.scans[index])

    async def started(self) -> None:
        self._mover = asyncio.get_running_loop().create_task(self._move_on())

    async def stopped(self) -> None:
        mover, self._mover = self._mover, None
        if mover is not None:
            mover.cancel()
            await asyncio.gather(mover, return_exceptions=True)

    def own_routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get(f"{CONTROL_PREFIX}parcels", self._show_parcels),
            web.post(f"{CONTROL_PREFIX}parcel", self._take_parcel),
        ]

    # A carrier sells nothing.

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        raise LookupError(f"{self.name} is a carrier: it lists no {sku} ({quantity}, {title})")

    def shown(self, sku: str) -> int:
        raise LookupError(f"{self.name} is a carrier: it lists no {sku}")

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:  # noqa: ARG002 - named by the kit
        return None

    async def cancel(self, order_id: str) -> None:
        raise LookupError(f"{self.name} is a carrier: it has no order {order_id}")

    async def ship(self, order_id: str) -> None:
        raise LookupError(f"{self.name} is a carrier: it has no order {order_id}")

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return ()

    def _planned(self, start: datetime, journey: str) -> Iterable[Scan]:
        for index, (step, place) in enumerate(JOURNEYS[journey]):
            at = start + timedelta(seconds=index * self.stride_s)
            late = step in ("picked_up", "in_transit", "delayed") and self.faults.hit("late_read")
            yield Scan(step, at, at + timedelta(seconds=LATE_STRIDES * self.stride_s if late else 0), place)

    async def _move_on(self) -> None:
        while not self.stopping.is_set():
            self.move()
            try:
                await asyncio.wait_for(self.stopping.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def _show_parcels(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Every parcel with what is shown of it now, in our words."""
        now = self.clock.now()
        shown = {
            number: [
                {"step": scan.step, "at": scan.at.isoformat(), "city": scan.place.city} for scan in parcel.shown(now)
            ]
            for number, parcel in self.parcels.items()
        }
        return web.json_response({"parcels": shown})

    async def _take_parcel(self, request: web.Request) -> web.Response:
        """`{"number"?, "journey"?}`; without a number one is made up."""
        try:
            wanted = json.loads(await request.read() or b"{}")
            number = str(wanted.get("number") or self.number(len(self.parcels)))
            self.ship_parcel(number, journey=str(wanted.get("journey", "delivered")))
        except (ValueError, AttributeError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"number": number})
