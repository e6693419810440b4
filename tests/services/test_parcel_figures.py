"""What the status says of parcels: what is open, who asks, and what a quota does not cover."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk.manifest import TrackQuota
from hub.console import parcels as console
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.services import parcel_views
from hub.services.parcel_figures import ParcelFigures
from tests.support.parcels import NOW, Tracked, shipped
from tests.support.scans import scan
from tests.support.stores import Bench, opened
from tests.support.toy_carrier import AskingDesk, carrier_manifest

DAILY = TrackQuota(20, 86_400.0)


def number(place: int) -> str:
    return f"1Z879E9303{place:08d}"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(f"sqlite:///{tmp_path}/hub.db") as found:
        found.clock.advance(max(0, NOW - found.now) / 1_000_000)
        yield found


async def test_what_cannot_be_afforded_is_said(bench: Bench) -> None:
    """Ten moving parcels deserve 48 calls a day, 20 are allowed, 28 are not; what was spent is not left."""
    hub = Tracked(bench.store)
    for place in range(10):
        await hub.tell(shipped(f"s{place}", f"{place}", number(place)))
        await hub.tell(scan("in_transit", "2026-11-20T10:00:00Z", tracking_number=number(place)))
    await hub.tell(scan("in_transit", "2026-11-20T10:00:00Z", tracking_number="1Z0000000000000077"))
    await hub.tell(shipped("other", "77", "ZZ-1", carrier="city_bikes"))
    desk = AskingDesk(bench, quota=DAILY)
    bench.clock.advance(6 * 3_600)
    await desk.asker.ask_due()
    plan = AccountPlan("parcels", "toy", carrier_manifest(), Mode.LIVE, AvailabilityPolicy(()))
    figures = await ParcelFigures({"parcels": plan}, bench.queries, bench.clock, lambda _: DAILY).read()
    assert (figures.open, figures.orphans, figures.unasked) == (12, 1, 1)
    row = figures.asking["parcels"].as_json()
    assert (row["open"], row["wanted_calls_per_day"], row["affordable_calls_per_day"]) == (10, 48.0, 20.0)
    assert (row["unaffordable_calls_per_day"], row["calls_left"]) == (28.0, 15)
    page = str(console.parcels({"accounts": [{"account": "parcels", "parcels": row}], "parcels": figures.as_json()}))
    for shown in ("Parcels: 12 open", "28.0", "no account can ask", "nobody shipped"):
        assert shown in page


async def test_a_quiet_hub_shows_no_block(bench: Bench) -> None:
    """Where no parcel was ever heard of and nobody asks, the page says nothing of parcels or of what is late."""
    figures = await ParcelFigures({}, bench.queries, bench.clock).read()
    assert str(console.parcels({"accounts": [], "parcels": figures.as_json()})) == ""
    assert str(console.late([])) == ""


async def test_a_shipment_is_delivered_when_its_last_parcel_is(bench: Bench) -> None:
    """One of two has arrived: partial, and still shipped; both have: delivered, at the later time."""
    hub = Tracked(bench.store)
    await hub.tell(shipped("s1", "1001", number(1), number(2)))
    stated: dict[str, Any] = {"state": "shipped", "delivered_at": None, "attributes": {"known": "x"}}

    async def now() -> dict[str, Any]:
        pairs = await bench.queries.document_parcels("shipment", [("shop", "s1")])
        return parcel_views.followed(stated, [row for _, row in pairs])

    await hub.tell(scan("delivered", "2026-11-18T10:00:00Z", tracking_number=number(1)))
    await hub.tell(scan("in_transit", "2026-11-18T10:00:00Z", tracking_number=number(2)))
    half = await now()
    assert (half["state"], half["attributes"]["tracking"]["condition"]) == ("shipped", "partial")
    await hub.tell(scan("delivered", "2026-11-19T10:00:00Z", tracking_number=number(2)))
    whole = await now()
    assert (whole["state"], whole["delivered_at"]) == ("delivered", "2026-11-19T10:00:00Z")
    assert whole["attributes"]["known"] == "x"
    assert parcel_views.followed({**stated, "state": "cancelled"}, [])["state"] == "cancelled"
