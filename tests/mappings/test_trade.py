"""Functions for documents of trade read what partners write, and give nothing where nothing is meant."""

# ruff: noqa: E501 - one row of a table per line
from __future__ import annotations

from typing import Any

import pytest

from mappings.arithmetic import BadArgument
from mappings.packing import packages
from mappings.trade import (
    check_digit,
    day,
    first,
    gtin,
    implied,
    keyed,
    level,
    measured,
    measured_unit,
    moment,
    pack_of,
    pairs,
    place_country,
    product_id,
    sscc,
    unit,
)
from mappings.trade_answers import set_codes, set_errors
from mappings.trade_lines import allocations, articles, lines_for, places, stores
from mappings.trade_outward import balanced_total, cents, compact_day, compact_time, ids_out, in_units, sscc18, sscc_out

PO1 = {"01": "1", "06": "IN", "07": "4711", "08": "UP", "09": "012345678905", "10": "IN", "11": "9"}
SDQ = {"01": "EA", "02": "92", "03": "0012", "04": "4", "05": "0014", "06": "3", "07": "0016"}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (first(None, "", " ", [], "a", "b"), "a"),
        (first(), None),
        (pairs(PO1, 6), {"IN": "4711", "UP": "012345678905"}),
        (pairs(PO1, 8, 10), {"UP": "012345678905"}),
        (pairs(None, 6), None),
        (pairs({"06": "IN"}, 6), None),
        (keyed([{"01": "DP", "02": "038"}, {"01": "DP", "02": "039"}, {"01": "IA"}], "01", "02"), {"DP": "038"}),
        (product_id({"SK": "1", "IN": "2"}, "buyer"), "2"),
        (product_id({"SK": "1", "IN": "2"}, "buyer", {"buyer": ["SK"]}), "1"),
        (product_id({"UP": "ABC"}, "gtin"), None),
        (product_id(None, "buyer"), None),
        (gtin("12345678905"), "012345678905"),
        (gtin("12345678900"), None),
        (gtin("0000000000642"), "0000000000642"),
        (check_digit("00614141123456789"), "0"),
        (sscc("00006141411234567890"), "006141411234567890"),
        (sscc("1234567890123456"), "1234567890123456"),
        (implied("749850", 2), "7498.50"),
        (implied("5", 2), "0.05"),
        (implied("-200", 2), "-2.00"),
        (implied("12.5", 2), "12.5"),
        (implied(None, 2), None),
        (day("20261120"), "2026-11-20"),
        (day("990131"), "1999-01-31"),
        (day("261120", "1130"), "2026-11-20"),
        (day("20261120", "1130", "America/New_York"), "2026-11-20T16:30:00Z"),
        (day("20261120", "9999", "UTC"), "2026-11-20"),
        (day(None), None),
        (moment({"01": "137", "02": "20261120", "03": "102"}), "2026-11-20"),
        (moment({"01": "137", "02": "202611201130", "03": "203"}, "+01:00"), "2026-11-20T10:30:00Z"),
        (moment({"01": "137", "02": "202647", "03": "616"}), None),
        (unit("CS", {"CS": "CA"}), "CA"),
        (unit(" ea "), "EA"),
        (unit("DZN"), "DZ"),
        (unit(""), None),
        (pack_of("CA", [{"01": "12"}]), 12),
        (pack_of("CA", [{"01": "4", "14": "6"}]), 24),
        (pack_of("CA", None, {"CA": 8}), 8),
        (pack_of("EA", [{"01": "12"}]), None),
        (measured("2", "CA", 12), 24),
        (measured("2.5", "CA"), "2.5"),
        (measured("-3", "EA"), -3),
        (measured("2", "DZ"), 24),
        (measured_unit("2", "CA", 12), "EA"),
        (measured_unit("2.5", "CA"), "CA"),
        (place_country("USA"), "US"),
        (place_country("QQ"), None),
        (allocations([SDQ]), [{"location_id": "0012", "quantity": "4"}, {"location_id": "0014", "quantity": "3"}]),
        (allocations(None), None),
        (stores([{"SDQ": [SDQ]}], "sum"), [{}]),
        (stores([{"SDQ": [SDQ]}], "explode"), [{"store": "0012"}, {"store": "0014"}]),
        (stores([{}], "explode"), [{}]),
        (stores([], "explode"), [{}]),
        (stores([{"SDQ": [SDQ]}, {}], "explode"), [{"store": "0012"}, {"store": "0014"}, {}]),
        (lines_for([{"PO1": PO1, "SDQ": [SDQ]}, {"PO1": PO1}], None, "explode"), [{"PO1": PO1}]),
        (lines_for([{"PO1": PO1, "SDQ": [SDQ]}], None, "sum"), [{"PO1": PO1, "SDQ": [SDQ]}]),
        (lines_for([{"PO1": PO1, "SDQ": [SDQ]}, {"PO1": PO1}], "0014"), [{"PO1": {**PO1, "02": "3"}}]),
        (level([{"QTY": {"01": "33", "02": "4", "03": "EA"}}, {"QTY": {"01": "33", "02": "2"}}], "available"), {"quantity": "6", "unit": "EA"}),
        (level([{"QTY": {"01": "QX", "02": "4"}}], "available"), None),
        (articles({"03": {"01": "4000001000005"}}, [{"01": "1", "02": {"01": "K", "02": "IN"}}]), {"EN": "4000001000005", "IN": "K"}),
        (places([{"LOC": {"02": {"01": "S1"}}, "QTY": [{"01": {"01": "11", "02": "5"}}]}]), [{"location_id": "S1", "quantity": "5"}]),
        (set_errors([{"IK3": {"01": "N1", "02": "4"}, "IK4_loop": [{"IK4": {"01": {"01": "2", "02": "1"}, "03": "7", "04": "X"}}]}]), [{"segment": "N1", "position": 4, "element": "2:1", "code": "7", "value": "X"}]),
        (set_errors([{"AK3": {"01": "N1", "02": "x", "04": "3"}}]), [{"segment": "N1", "code": "3"}]),
        (set_errors(None), []),
        (set_codes([{"AK2": {"01": "810", "02": "1"}, "AK5": {"01": "R", "02": "4", "03": "5"}}, {"AK2": {"02": "2"}, "AK5": {"01": "A"}}]), {"1": "4,5"}),
        (compact_day("2026-11-20T11:30:00Z"), "20261120"),
        (compact_time("2026-11-20T11:30:00Z"), "1130"),
        (compact_time("2026-11-20"), None),
        (cents("27.1"), "2710"),
        (cents("-0.05"), "-5"),
        (in_units(24, {"properties": {"eaches_per_unit": 12}}), "2"),
        (ids_out({"gtin": "00012345678905"}, {"out": {"UP": "gtin"}, "gtin_digits": 12}), {"UP": "012345678905"}),
        (ids_out({"gtin": "10012345678902"}, {"out": {"UP": "gtin"}, "gtin_digits": 12}), {"UP": "10012345678902"}),
        (sscc18("0", "0614141", 123456789), "006141411234567890"),
        (sscc_out("006141411234567890", "18"), "006141411234567890"),
        (balanced_total({"lines": [{"quantity": 1, "unit_price": {"amount": "0.005"}}]}), "0.01"),
    ],
)  # fmt: skip
def test_what_is_read_and_written(found: Any, wanted: Any) -> None:
    """Each function on the spellings that partners use."""
    assert found == wanted


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (day, ("2026-11-20",)),
        (day, ("20261399",)),
        (moment, ({"02": "2026", "03": "102"},)),
        (product_id, ({"IN": "1"}, "maker")),
        (implied, ("abc", 2)),
        (cents, ("0.005",)),
        (in_units, (7, {"properties": {"eaches_per_unit": 12}})),
        (sscc_out, ("006141411234567891",)),
        (balanced_total, ({"lines": [{}]},)),
    ],
)
def test_what_is_refused(call: Any, arguments: tuple[Any, ...]) -> None:
    """What cannot be meant is an error of the argument, not a guess."""
    with pytest.raises(BadArgument):
        call(*arguments)


@pytest.mark.parametrize(
    ("extension", "prefix", "serial"),
    [("x", "0614141", 1), ("0", "061", 1), ("0", "0614141", 10**9), ("0", "0614141", -1)],
)
def test_an_sscc_that_cannot_be_made(extension: str, prefix: str, serial: int) -> None:
    """A serial number that does not fit would make two cartons one."""
    with pytest.raises(ValueError, match=r"SSCC|room"):
        sscc18(extension, prefix, serial)


def test_packs_below_their_item_share_it_only_where_stated() -> None:
    """Two packs under one item without quantities of their own leave the item loose: nothing is guessed."""
    packs = [{"HL": {"01": str(at), "03": "P"}} for at in (3, 4)]
    item = {"HL": {"01": "2", "03": "I"}, "SN1": {"02": "10"}}
    loose = packages([{"HL": {"01": "1", "03": "S"}, "HL_loop": [{**item, "HL_loop": packs}]}])
    assert [(each["level"], len(each["items"])) for each in loose] == [("pack", 0), ("pack", 0), ("shipment", 1)]
    stated = [{**pack, "SN1": {"02": "5"}} for pack in packs]
    shared = packages([{"HL": {"01": "1", "03": "S"}, "HL_loop": [{**item, "HL_loop": stated}]}])
    assert [(each["level"], each["items"][0]["SN1"]["02"]) for each in shared] == [("pack", "5"), ("pack", "5")]
