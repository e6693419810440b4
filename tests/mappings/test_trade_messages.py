"""Functions for EDIFACT messages and reports read what partners write, and give nothing for shapes they do not know."""

# ruff: noqa: E501 - one row of a table per line
from __future__ import annotations

from typing import Any

import pytest

from mappings.arithmetic import BadArgument
from mappings.trade import moment
from mappings.trade_despatch import DESPATCH_FUNCTIONS, despatched, despatched_orders, identities, packed
from mappings.trade_messages import (
    MESSAGE_FUNCTIONS,
    allowed,
    amount,
    carrier_time,
    component,
    consignments,
    counted,
    figure,
    line_answers,
    party,
    price,
    qualified,
    references,
    role_ids,
    stock_quantities,
)
from mappings.trade_messages_out import (
    article_out,
    invoiced,
    line_amount,
    message_dates,
    message_parties,
    message_quantity,
    message_references,
    message_text,
    responded,
)
from mappings.trade_reports import (
    REPORT_FUNCTIONS,
    activity,
    adjustments,
    advice_errors,
    advised_sets,
    conditions,
    questioned,
    report_sets,
    status_time,
)


def coded(*parts: str) -> dict[str, Any]:
    """A segment whose first element is a composite of these."""
    return {"01": {f"{at:02d}": part for at, part in enumerate(parts, 1)}}


def labelled(*numbers: str) -> list[dict[str, Any]]:
    return [
        {"PAC": {"03": {"01": "CT"}}, "PCI_loop": [{"GIN": [{"01": "BJ", "02": {"01": each}}]} for each in numbers]}
    ]


def cps(name: str, parent: str = "", **inside: Any) -> dict[str, Any]:
    return {"CPS": {"01": name, "02": parent}, **inside}


LINE = {"LIN": {"01": "1"}, "QTY": [coded("12", "5")], "RFF_loop": [{"RFF": coded("ON", "4501", "7")}]}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (component({"01": " A "}), "A"),
        (component("A"), "A"),
        (component("A", "02"), ""),
        (figure("3,95"), "3.95"),
        (figure("1020A"), "1020A"),
        (figure(" "), None),
        (qualified([coded("ON", "1"), coded("VN", "2")], ["VN", "ON"]), {"01": "VN", "02": "2"}),
        (qualified([coded("ON", "1")], ["CO"]), None),
        (amount([coded("79", "94,80"), coded("77", "112.81")], ["77"]), "112.81"),
        (counted([coded("21", "12", "CT")], ["21"]), {"quantity": "12", "unit": "CT"}),
        (counted([coded("21")], ["21"]), None),
        (price([coded("AAA", "3630.1724", "", "NTP", "100", "C62")], ["AAA"]), {"amount": "36.301724", "unit": "C62"}),
        (price([coded("AAA", "10", "", "", "3")], ["AAA"]), None),
        (party([{"NAD": {"01": "BY", "03": {"01": "INVENTED", "02": "1 Main"}}}], ["BY"]), {"name": "INVENTED", "line1": "1 Main"}),
        (party([{"NAD": {"01": "BY"}}], ["BY"]), None),
        (role_ids([{"NAD": {"01": "BY", "02": {"01": "4", "03": "9"}}}, {"NAD": {"01": "SU", "02": "5"}}]), {"BY": {"id": "4", "qualifier": "9"}, "SU": {"id": "5"}}),
        (references([coded("ON", "1"), coded("ON", "2"), coded("VN")]), {"ON": "1"}),
        (moment({"01": "137", "02": "199910060000", "03": "102"}), "1999-10-06"),
        (carrier_time({"02": "202611201030", "03": "203"}), {"local_time": "2026-11-20T10:30", "precision": "minute"}),
        (carrier_time({"02": "202611201030+01", "03": "303"})["at"], "2026-11-20T09:30:00Z"),
        (carrier_time({"02": "2026", "03": "203"}), None),
        (allowed([{"ALC": {"01": "A"}, "MOA_loop": [{"MOA": coded("8", "1.5")}]}, {"ALC": {"01": "C"}, "MOA_loop": [{"MOA": coded("8", "9")}]}], "A"), "1.5"),
        ([each["QTY"]["01"] for each in stock_quantities({"QTY_loop": [{"QTY": coded("145", "4")}, {"QTY": coded("17", "4")}]})], ["145"]),
        (stock_quantities({"INV_loop": [{"INV": {"01": "2"}, "QTY_loop": [{"QTY": coded("145", "4")}]}]}), []),
        ([each["QTY"]["02"] for each in stock_quantities({"INV_loop": [{"INV": {"04": "1"}, "QTY_loop": [{"QTY": coded("145", "4")}]}]})], ["4"]),
        (identities([{"01": "BN", "02": {"01": "S1", "02": "S9"}, "03": {"01": "S2"}}, {"01": "BX", "02": {"01": "L"}}], "BN"), ["S1", "S2"]),
        (despatched_orders({"RFF_loop": [{"RFF": coded("ON", "1")}], "CPS_loop": [cps("1", LIN_loop=[LINE])]}), [{"number": "1"}, {"number": "4501"}]),
        ([(each["id"], each["sscc"], len(each["items"])) for each in despatched([cps("1", LIN_loop=[LINE, LINE])])], [("1", None, 2)]),
        ([(each["id"], each["parent"], each["sscc"]) for each in despatched([cps("1"), cps("2", "1", PAC_loop=labelled("A")), cps("3", "2", PAC_loop=labelled("B"))])], [("2", None, "A"), ("3", "2", "B")]),
        ([(each["id"], each["parent"], each["sscc"], len(each["items"])) for each in despatched([cps("1", PAC_loop=labelled("A", "B"), LIN_loop=[LINE])])], [("1", None, None, 1), ("1.1", "1", "A", 0), ("1.2", "1", "B", 0)]),
        ([(each["parent"], each["sscc"], each["order"]) for each in despatched([cps("1", LIN_loop=[{**LINE, "PCI_loop": labelled("A")[0]["PCI_loop"]}])])], [(None, "A", "4501")]),
        ([each["parent"] for each in despatched([cps("1", "2", LIN_loop=[LINE]), cps("2", "1")])], [None]),
        ([each["status"] for each in line_answers({"LIN": {"02": "3"}, "QTY": [coded("21", "5"), coded("113", "4")]})], ["quantity_changed"]),
        ([each["status"] for each in line_answers({"LIN": {"02": "3"}, "QTY": [coded("21", "5")]})], ["unknown"]),
        ([(each["status"], each["quantity"]) for each in line_answers({"LIN": {"02": "3"}, "QTY": [coded("21", "5"), coded("83", "5")]})], [("backordered", "5")]),
        ([(each["status"], each["substitute"]) for each in line_answers({"LIN": {"02": "3"}, "PIA": [{"01": "3", "02": {"01": "B"}}]})], [("substituted", "B")]),
        ([(each["number"], each["code"], each["when"]["02"]) for each in consignments({"CNI_loop": [{"CNI": {"02": "C-1"}, "STS_loop": [{"STS": {"02": {"01": "21"}}, "DTM": [coded("334", "20261120", "102")]}]}]})], [("C-1", "21", "20261120")]),
        (report_sets({"UCM_loop": [{"UCM": {"01": "1", "02": {"01": "INVOIC"}, "03": "4", "04": "12"}}]}), [{"kind": "INVOIC", "control": "1", "action": "4", "errors": [{"code": "12", "segment": None}]}]),
        (report_sets({"UCF_loop": [{"UCM_loop": [{"UCM": {"01": "1", "02": {"01": "INVOIC"}, "03": "7"}}]}]})[0]["action"], "7"),
        (adjustments({"ENT_loop": [{"RMR_loop": [{"ADX_loop": [{"ADX": {"01": "-1", "02": "59"}}]}]}]}), [{"code": "59", "amount": "-1"}]),
        (advice_errors([{"OTI": {"03": "I-1"}, "TED_loop": [{"TED": {"01": "024", "02": "Late"}, "NTE": [{"02": "by a day"}]}]}]), [{"code": "024", "message": "Late by a day", "reference": "I-1"}]),
        (advised_sets([{"OTI": {"03": "I-1", "08": "31", "09": "0001"}}, {"OTI": {"03": "I-2"}}]), [{"group": "31", "set": "0001", "reference": "I-1"}]),
        ([(each.get("place"), each["sold"]) for each in activity({"LIN_loop": [{"LIN": {"02": "IN", "03": "K"}, "ZA_loop": [{"ZA": {"01": "QS", "02": "3"}, "SDQ": [{"03": "S1", "04": "2", "05": "S2", "06": "1"}]}]}]})], [(None, {"K": "3"}), ("S1", {"K": "2"}), ("S2", {"K": "1"})]),
        ([each.get("place") for each in activity({"LIN_loop": [{"LIN": {"02": "IN", "03": "K"}, "ZA_loop": [{"ZA": {"01": "QA", "02": "3"}, "N1": [{"01": "ST", "04": "S1"}]}]}]})], ["S1"]),
        (questioned({"02": "9", "06": "4", "08": "01", "09": "2", "11": "02"}), "4"),
        (conditions({"06": "4", "08": "01", "09": "2", "11": "02"}), {"01": "4", "02": "2"}),
        (status_time({"05": "20261120", "06": "0915", "07": "ES"})["at"], "2026-11-20T14:15:00Z"),
        (status_time({"05": "261120"}), {"local_time": "2026-11-20", "precision": "date"}),
        (status_time({"05": "x"}), None),
        (message_dates({"137": "2026-11-20", "2": "2026-11-21T10:30:00Z", "11": None}), [coded("137", "20261120", "102"), coded("2", "202611211030", "203")]),
        (message_references({"ON": "1", "CN": None}), [{"RFF": coded("ON", "1")}]),
        ([len(each["04"]) for each in message_text("x" * 400)], [5, 1]),
        (message_parties({"ship_to": {"name": "N" * 40, "line1": "1 Main"}}, {"DP": "ship_to"}, {"DP": "L1"})[0]["NAD"]["04"], {"01": "N" * 35, "02": "N" * 5}),
        (message_parties({"attributes": {"parties": {"BY": {"id": "4", "qualifier": "9"}}}}), [{"NAD": {"01": "BY", "02": {"01": "4", "03": "9"}}}]),
        (article_out({"gtin": "4000001000005", "sku": "MUG"}, {"out": {"EN": "gtin", "SA": "seller"}}), {"lin": {"01": "4000001000005", "02": "EN"}, "pia": [{"01": "1", "02": {"01": "MUG", "02": "SA"}}]}),
        (article_out({"sku": "MUG"}, {"out": {"EN": "gtin", "SA": "seller"}}), {"pia": [{"01": "5", "02": {"01": "MUG", "02": "SA"}}]}),
        (message_quantity("21", 24, {"properties": {"eaches_per_unit": 12, "uom_stated": "CT"}}), coded("21", "2", "CT")),
        (message_quantity("21", None), None),
        (responded({"quantity": 5, "acknowledged": [{"status": "accepted", "quantity": 3}, {"status": "rejected", "quantity": 2}]})["action"], "3"),
        (responded({"quantity": 5, "acknowledged": [{"status": "substituted", "quantity": 5, "channel_sku": "B"}]})["substitutes"], [{"01": "3", "02": {"01": "B", "02": "SA"}}]),
        (line_amount({"quantity": 3, "unit_price": {"amount": "0.335"}}), "1.01"),
        (invoiced({"lines": [{"quantity": 3, "unit_price": {"amount": "0.335"}}] * 2, "totals": {"grand_total": {"amount": "2.02"}}})["total"], "2.02"),
        ([each["CPS"]["02"] for each in packed({"packages": [{"id": "b", "parent": "a"}, {"id": "a"}]})[1:]], ["1", "2"]),
    ],
)  # fmt: skip
def test_what_is_read_and_written(found: Any, wanted: Any) -> None:
    """Each function on what messages of partners hold."""
    assert found == wanted


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (responded, ({"quantity": 5},)),
        (responded, ({"quantity": 5, "acknowledged": [{"status": "accepted", "quantity": 3}]},)),
        (responded, ({"quantity": 5, "acknowledged": [{"status": "unknown", "quantity": 5}]},)),
        (packed, ({},)),
        (packed, ({"packages": [{"id": "a", "sscc": "1"}, {"id": "b", "sscc": "1"}]},)),
        (packed, ({"packages": [{"id": "a", "sscc": "340000010000000010"}]},)),
        (packed, ({"packages": [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}]},)),
        (invoiced, ({"lines": [{"quantity": 1}]},)),
        (
            invoiced,
            ({"lines": [{"quantity": 1, "unit_price": {"amount": "1"}}], "totals": {"grand_total": {"amount": "2"}}},),
        ),
        (message_quantity, ("21", 7, {"properties": {"eaches_per_unit": 12}})),
        (moment, ({"02": "2026113", "03": "102"},)),
    ],
)
def test_what_is_refused(call: Any, arguments: tuple[Any, ...]) -> None:
    """What a partner could not read, or would read otherwise, is an error and never a guess."""
    with pytest.raises(BadArgument):
        call(*arguments)


ODD = (
    None,
    "",
    "x",
    [],
    {},
    ["a"],
    {"01": "a"},
    [{"01": ["a"]}],
    {"LIN": [{}], "QTY": "x"},
    [{"NAD": "x"}],
    [{"CPS": []}],
    7,
)


@pytest.mark.parametrize("name", sorted({**MESSAGE_FUNCTIONS, **REPORT_FUNCTIONS, **DESPATCH_FUNCTIONS}))
def test_odd_shapes_are_read_as_little(name: str) -> None:
    """Whatever stands where a segment should, a reading function ends with a value or a bad argument."""
    call: Any = {**MESSAGE_FUNCTIONS, **REPORT_FUNCTIONS, **DESPATCH_FUNCTIONS}[name]
    for value in ODD:
        try:
            call(value)
        except BadArgument:
            continue
