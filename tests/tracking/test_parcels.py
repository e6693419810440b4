"""Events are told apart by parcel, not by number, and parcels are put together by shipment and return."""

from __future__ import annotations

from typing import Any

import pytest

from canonical import TrackingUpdate
from hub.tracking import ParcelState, folded, linked, normalized_number, parcels_of, progress_of
from tests.support.scans import latest, scan


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (" 1z 879e93 0346834440 ", "1Z879E930346834440"),
        ("9400-1112-0108-0805-4830-16", "9400111201080805483016"),
        ("420787459400111206206406260787", "9400111206206406260787"),
        ("4207874512349400111206206406260787", "9400111206206406260787"),
        ("42012345", "42012345"),
    ],
)
def test_numbers_are_compared_without_filler(shown: str, expected: str) -> None:
    """Spaces, dashes, case and the Postal Service's routing prefix do not make another number."""
    assert normalized_number(shown) == expected


def test_the_carriers_own_id_keeps_recycled_numbers_apart() -> None:
    """One number, two parcel ids: two parcels, and an event without an id joins the one under way."""
    old = scan("delivered", "2026-03-01T10:00:00Z", parcel="a")
    new = scan("in_transit", "2026-11-02T10:00:00Z", parcel="b")
    push = scan("out_for_delivery", "2026-11-03T10:00:00Z")
    parcels = parcels_of([old, new, push])
    assert [(parcel.key.parcel, folded(parcel.updates).milestone) for parcel in parcels] == [
        ("a", "delivered"),
        ("b", "out_for_delivery"),
    ]


def test_without_ids_a_new_start_after_the_end_is_another_parcel() -> None:
    """A label made weeks after a delivery reuses the number; a scan soon after it does not."""
    old = [scan("in_transit", "2026-08-01T10:00:00Z"), scan("delivered", "2026-08-03T10:00:00Z")]
    late = scan("in_transit", "2026-08-04T10:00:00Z")
    new = [scan("label_created", "2026-09-10T10:00:00Z", digest="d2"), latest("label_created", digest="d2")]
    parcels = parcels_of([*new, late, *old])
    assert [(parcel.key.parcel, len(parcel.updates)) for parcel in parcels] == [("2026-08-01", 3), ("2026-09-10", 2)]


def test_a_long_silence_is_another_parcel() -> None:
    """Carriers forget a number after about ninety days and give it away again."""
    parcels = parcels_of([scan("in_transit", "2026-01-01T10:00:00Z"), scan("in_transit", "2026-11-01T10:00:00Z")])
    assert len(parcels) == 2


def test_not_found_is_a_parcel_without_a_day() -> None:
    """A number nobody knows yet is one parcel, and later events do not lose it."""
    (parcel,) = parcels_of([latest("unknown")])
    assert (parcel.key.parcel, folded(parcel.updates).milestone) == ("", "unknown")


@pytest.mark.parametrize(("unheard", "carrier"), [("dhl", "dhl_express"), ("unknown", "fedex")])
def test_a_number_not_known_yet_is_the_parcel_told_of_later(unheard: str, carrier: str) -> None:
    """Before a carrier knows a number it cannot say of which of its services it is; that makes no second parcel."""
    nothing = latest("unknown", carrier=unheard)
    told = scan("in_transit", "2026-11-02T10:00:00Z", carrier=carrier, digest="d2")
    for updates in ([nothing, told], [told, nothing]):
        (parcel,) = parcels_of(updates)
        assert (parcel.key.carrier, folded(parcel.updates).milestone) == (carrier, "in_transit")
    assert len(parcels_of([latest("unknown", carrier="ups"), told])) == 2


def test_different_carriers_are_different_parcels() -> None:
    """Numbers of two carriers may be equal."""
    assert len(parcels_of([scan("in_transit", "2026-11-01"), scan("in_transit", "2026-11-01", carrier="dhl")])) == 2


def state(milestone: str | None, **fields: Any) -> ParcelState:
    return folded([scan(milestone, "2026-11-02T10:00:00Z", **fields)])


@pytest.mark.parametrize(
    ("pieces", "expected", "milestone", "condition"),
    [
        (["delivered", "delivered"], None, "delivered", None),
        (["delivered", "in_transit"], None, "in_transit", "partial"),
        (["delivered", "delivered"], 3, "unknown", "partial"),
        (["out_for_delivery", "label_created"], None, "label_created", None),
        (["delivered", "cancelled"], None, "delivered", None),
        (["cancelled", "cancelled"], None, "cancelled", None),
        (["delivered", "returned"], None, "returned", "partial"),
        ([], None, None, None),
    ],
)
def test_a_shipment_is_as_far_as_its_last_piece(
    pieces: list[str], expected: int | None, milestone: str | None, condition: str | None
) -> None:
    """Delivered only when every piece is; some arrived and some not is said beside it."""
    progress = progress_of([state(piece) for piece in pieces], expected)
    assert (progress.milestone, progress.condition) == (milestone, condition)


def test_trouble_of_one_piece_is_trouble_of_the_shipment() -> None:
    """A condition of a piece is not hidden behind `partial`."""
    progress = progress_of([state("delivered"), state("in_transit", condition="damaged", action_required=True)])
    assert (progress.condition, progress.action_required, progress.delivered) == ("damaged", True, 1)


def test_the_way_back_delivered_makes_the_parcel_returned() -> None:
    """Goods back at the shipper are never told as delivered to the customer."""
    outward = [scan("in_transit", "2026-11-02T10:00:00Z"), latest(None, attributes={"return_number": "9999 0000"})]

    def states(*back: TrackingUpdate) -> dict[str, str | None]:
        parcels = parcels_of([*outward, *back])
        found = linked({parcel.key: folded(parcel.updates) for parcel in parcels})
        return {key.number: state.milestone for key, state in found.items()}

    moving = scan("in_transit", "2026-11-04T10:00:00Z", tracking_number="99990000")
    home = scan("delivered", "2026-11-06T10:00:00Z", tracking_number="99990000")
    assert states() == {"1Z879E930346834440": "returning"}
    assert states(moving) == {"1Z879E930346834440": "returning", "99990000": "in_transit"}
    assert states(moving, home) == {"1Z879E930346834440": "returned", "99990000": "delivered"}
