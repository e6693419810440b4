"""What is known of a tracking number does not depend on what came first, and re-sends change nothing."""

from __future__ import annotations

import itertools
import random

import pytest

from connectors.sdk.tracking_envelopes import pushed
from hub.services.asking import numbered
from tests.support.orders import document
from tests.support.parcels import NUMBER, Tracked, shipped, what
from tests.support.scans import latest, scan

OTHER = "1Z12345E0291980793"


async def test_scans_of_an_unknown_shipment_wait_for_it_as_an_orphan() -> None:
    """A parcel nobody shipped is kept and not asked about; its shipment finds it, with all it went through."""
    hub = Tracked()
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z"), scan("delivered", "2026-11-03T10:00:00Z"))
    orphan = await hub.parcel()
    assert (orphan.orphan, orphan.milestone, orphan.poll_at) == (True, "delivered", None)
    await hub.tell(shipped("s1", "1001", NUMBER))
    found = await hub.parcel()
    assert (found.id, found.orphan, found.milestone) == (orphan.id, False, "delivered")
    (link,) = (await hub.book()).links
    assert (link.order, link.parcel) == ("1001", found.id)


async def test_a_shipment_makes_a_parcel_nobody_has_told_of_yet() -> None:
    """Every package's number is a parcel, due to be asked about; a called-off shipment has none."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER, OTHER))
    for number in (NUMBER, OTHER):
        row = await hub.parcel(number)
        assert (row.carrier, row.milestone, row.orphan, row.poll_at is not None) == ("ups", None, False, True)
    await hub.tell(shipped("s1", "1001", NUMBER, OTHER, version=2, state="cancelled"))
    assert (await hub.book(NUMBER)).parcels == (await hub.book(OTHER)).links == ()


async def test_a_corrected_number_takes_the_shipment_along() -> None:
    """The old number is let go of: without scans it is gone, with scans it is an orphan."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(shipped("s1", "1001", OTHER, version=2))
    assert (await hub.book(NUMBER)).parcels == ()
    assert (await hub.parcel(OTHER)).orphan is False
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", tracking_number=OTHER))
    await hub.tell(shipped("s1", "1001", NUMBER, version=3))
    assert (await hub.parcel(OTHER)).orphan is True


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_of_telling_gives_the_same_parcel(seed: int) -> None:
    """Shipment, scans, re-sends and the carrier's summary, in any order: the same parcel in the same place."""
    chance = random.Random(seed)
    mail = [
        (shipped("s1", "1001", NUMBER),),
        (scan("label_created", "2026-11-01T08:00:00Z"),),
        (scan("picked_up", "2026-11-01T18:00:00Z"), scan("in_transit", "2026-11-02T10:00:00Z", city="Ames")),
        (scan("in_transit", "2026-11-02T10:00:00Z", city="Ames", text_raw="worded anew"),),
        (scan(None, "2026-11-02T12:00:00Z", condition="weather", code_raw="W"),),
        (scan("out_for_delivery", "2026-11-03T08:00:00Z"),),
        (scan("delivered", "2026-11-03T10:00:00Z"), latest("delivered", "2026-11-03T10:00:00Z")),
    ]
    straight, shuffled = Tracked(), Tracked()
    for documents in mail:
        await straight.tell(*documents)
    again = mail * 2
    chance.shuffle(again)
    for documents in again:
        await shuffled.tell(*documents)
    assert what(await shuffled.book()) == what(await straight.book())


async def test_a_wrong_delivery_is_taken_back_by_the_carriers_summary_alone() -> None:
    """A late scan never undoes a delivery; the latest status does, and the correction shows."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("delivered", "2026-11-03T10:00:00Z"), latest("delivered", "2026-11-03T10:00:00Z", digest="d1"))
    await hub.tell(scan("in_transit", "2026-11-03T09:00:00Z"), scan("in_transit", "2026-11-03T11:00:00Z"))
    assert (await hub.parcel()).milestone == "delivered"
    told = {"received": "2026-11-20T13:00:00Z", "digest": "d2"}
    outcome = await hub.tell(latest("in_transit", "2026-11-04T11:00:00Z", **told))
    row = await hub.parcel()
    assert (row.milestone, row.delivered_at) == ("in_transit", None)
    assert '"corrected":true' in row.state
    assert [moved.parcel.milestone for moved in outcome.moved] == ["in_transit"]


async def test_a_number_not_found_for_once_takes_nothing_back() -> None:
    """A carrier that loses sight of a parcel leaves its correction and its estimate as they were."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("delivered", "2026-11-03T10:00:00Z"))
    told = {"received": "2026-11-20T13:00:00Z", "digest": "d2", "estimated_delivery": "2026-11-24"}
    await hub.tell(latest("in_transit", "2026-11-04T11:00:00Z", **told))
    before = await hub.parcel()
    await hub.tell(latest("unknown", received="2026-11-20T14:00:00Z", digest="d3"))
    row = await hub.parcel()
    assert (row.milestone, row.closed, row.expected_at) == ("in_transit", "", before.expected_at)
    assert row.expected_at is not None
    await hub.tell(latest("out_for_delivery", received="2026-11-20T15:00:00Z", digest="d4"))
    assert (await hub.parcel()).milestone == "out_for_delivery"


async def test_a_parcel_that_comes_back_under_a_new_number_is_told_by_it() -> None:
    """The outbound parcel is returning, then returned; the way back is no orphan, whichever is told of first."""
    there = scan("in_transit", "2026-11-02T10:00:00Z", attributes={"return_number": OTHER})
    back = scan("delivered", "2026-11-06T10:00:00Z", tracking_number=OTHER)
    for first, second in itertools.permutations([there, back]):
        hub = Tracked()
        await hub.tell(shipped("s1", "1001", NUMBER))
        await hub.tell(first)
        await hub.tell(second)
        out, home = await hub.parcel(NUMBER), await hub.parcel(OTHER)
        assert (out.milestone, home.milestone) == ("returned", "delivered")
        assert (home.return_of, home.orphan) == (out.id, False)


async def test_a_return_names_the_parcel_it_comes_back_in() -> None:
    """A return's tracking number is linked to its order like a shipment's."""
    hub = Tracked()
    lines = [{"line_id": "1", "quantity": 1}]
    tracking = [{"tracking_number": OTHER, "carrier": "ups"}]
    await hub.tell(document("return", "r1", "1001", state="approved", lines=lines, tracking=tracking))
    (link,) = (await hub.book(OTHER)).links
    assert (link.kind, link.order) == ("return", "1001")


async def test_a_recycled_number_is_two_parcels_and_each_shipment_has_its_own() -> None:
    """Ninety days of silence part two lives; each shipment belongs to the life it left in."""
    hub = Tracked()
    await hub.tell(scan("in_transit", "2026-03-02T10:00:00Z"), scan("delivered", "2026-03-04T10:00:00Z"))
    await hub.tell(shipped("old", "900", NUMBER, on="2026-03-01"))
    await hub.tell(shipped("new", "1001", NUMBER, on="2026-11-01"))
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z"))
    book = await hub.book()
    places = {row.id: row.milestone for row in book.parcels}
    assert sorted(places.values()) == ["delivered", "in_transit"]  # type: ignore[type-var]
    assert {link.document: places[link.parcel] for link in book.links} == {"old": "delivered", "new": "in_transit"}


@pytest.mark.parametrize(("unheard", "carrier"), [("dhl", "dhl_express"), ("ups", "fedex")])
async def test_a_shipment_goes_with_the_scans_and_not_with_what_was_not_found(unheard: str, carrier: str) -> None:
    """Asked too early, or of the wrong carrier: once somebody tells of the number, its scans are the shipment's."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER, carrier=unheard, on="2026-11-01"))
    await hub.tell(latest("unknown", carrier=unheard, received="2026-11-01T12:00:00Z"))
    moving = scan("in_transit", "2026-11-03T10:00:00Z", carrier=carrier, digest="d2")
    await hub.tell(moving, latest("in_transit", carrier=carrier, digest="d2"))
    book = await hub.book()
    (link,) = book.links
    (home,) = (row for row in book.parcels if row.id == link.parcel)
    assert (home.carrier, home.milestone, home.orphan, home.closed) == (carrier, "in_transit", False, "")
    assert home.poll_at is not None


async def test_two_sources_with_ids_of_their_own_tell_of_one_parcel() -> None:
    """An aggregator's tracker id and the carrier's parcel id at the same time are one parcel."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", parcel="trk_1", connector="easypost"))
    await hub.tell(scan("out_for_delivery", "2026-11-03T08:00:00Z", parcel="U-77"))
    assert (await hub.parcel()).milestone == "out_for_delivery"


async def test_a_vendor_is_asked_by_its_own_names_alone() -> None:
    """What an aggregator calls a parcel and its carrier means nothing to the carrier itself."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("label_created", "2026-11-01T09:00:00Z", connector="agg", parcel="trk_1", carrier_raw="UPS"))
    asked = numbered(await hub.parcel(), "carrier")
    assert (asked.number, asked.carrier, asked.parcel, asked.carrier_raw) == (NUMBER, "ups", None, None)
    await hub.tell(scan("in_transit", "2026-11-02T09:00:00Z", connector="carrier", parcel="U-77", carrier_raw="1Z"))
    row = await hub.parcel()
    names = {each: numbered(row, each) for each in ("agg", "carrier", "another")}
    assert {each: (found.parcel, found.carrier_raw) for each, found in names.items()} == {
        "agg": ("trk_1", "UPS"),
        "carrier": ("U-77", "1Z"),
        "another": (None, None),
    }


async def test_an_answer_without_the_number_is_of_the_one_that_was_asked_about() -> None:
    """Not found is told of the number in the input's lane; where nothing names one, the input is parked."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(latest("unknown", tracking_number=None), key=f"parcel:{NUMBER}")
    assert (await hub.parcel()).milestone == "unknown"
    outcome = await hub.tell(latest("unknown", tracking_number=None))
    assert [(error, code) for _, error, code in outcome.failures] == [("MappingError", "number_missing")]


async def test_a_push_without_a_number_makes_no_parcel() -> None:
    """The lane such a push has to itself is no number: it is parked like any input that names none."""
    hub = Tracked()
    lane = pushed("orders", b"{}", None).ordering_key
    outcome = await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", tracking_number=None), key=lane)
    assert [(error, code) for _, error, code in outcome.failures] == [("MappingError", "number_missing")]


async def test_unknown_codes_and_odd_numbers_are_counted_and_change_nothing() -> None:
    """A code no table has keeps the milestone; a number no format has is accepted with a warning."""
    hub = Tracked()
    outcome = await hub.tell(shipped("s1", "1001", "NO-SUCH-NUMBER-1"))
    assert outcome.odd_numbers == {"shop": 1}
    assert "no known carrier" in (await hub.parcel("NOSUCHNUMBER1")).state
    await hub.tell(shipped("s2", "1002", NUMBER))
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z"))
    outcome = await hub.tell(scan(None, "2026-11-02T11:00:00Z", code_raw="ZZ", attributes={"unknown_code": "ZZ"}))
    assert outcome.unknown_codes == {"shop": 1}
    assert (await hub.parcel()).milestone == "in_transit"


async def test_a_corrected_mapping_run_again_corrects_what_is_stored() -> None:
    """The same payload mapped anew replaces what an older mapping made of it, even a step back."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    wrong = scan("delivered", "2026-11-02T10:00:00Z", code_raw="X1")
    await hub.tell(wrong)
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", code_raw="X1"))
    assert (await hub.parcel()).milestone == "in_transit"


async def test_who_signed_is_not_kept() -> None:
    """A signature is a person's name: it is in no stored event."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    await hub.tell(scan("delivered", "2026-11-02T10:00:00Z", signed_by="Ada Example"))
    assert "Ada" not in str(await hub.book())


async def test_pieces_told_with_the_number_that_was_asked_about_travel_with_its_shipment() -> None:
    """Every piece of a shipment that names one number; a shipment of its own takes a piece out."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    answer = (
        scan("in_transit", "2026-11-02T10:00:00Z"),
        scan("picked_up", "2026-11-01T10:00:00Z", tracking_number=OTHER),
    )
    await hub.tell(*answer, key=f"parcel:{NUMBER}")
    piece = await hub.parcel(OTHER)
    (link,) = (await hub.book(OTHER)).links
    assert (piece.orphan, link.kind, link.document, link.order) == (False, "piece", "s1", "1001")
    await hub.tell(shipped("s2", "1002", OTHER))
    assert [(each.kind, each.document) for each in (await hub.book(OTHER)).links] == [("shipment", "s2")]
    await hub.tell(*answer, key=f"parcel:{NUMBER}")
    assert [each.document for each in (await hub.book(OTHER)).links] == ["s2"]
    await hub.tell(shipped("s2", "1002", OTHER, version=2, state="cancelled"))
    await hub.tell(*answer, key=f"parcel:{NUMBER}")
    assert [each.document for each in (await hub.book(OTHER)).links] == ["s1"]
    await hub.tell(shipped("s1", "1001", NUMBER, version=2, state="cancelled"))
    assert (await hub.book(OTHER)).links == ()
    assert (await hub.parcel(OTHER)).orphan is True


async def test_a_piece_that_names_its_master_travels_with_it() -> None:
    """A carrier that tells each piece apart names the number they share."""
    hub = Tracked()
    await hub.tell(shipped("s1", "1001", NUMBER))
    told = {"tracking_number": OTHER, "attributes": {"master_number": NUMBER}}
    await hub.tell(scan("in_transit", "2026-11-02T10:00:00Z", **told), key=f"parcel:{OTHER}")
    assert [(each.kind, each.order) for each in (await hub.book(OTHER)).links] == [("piece", "1001")]
