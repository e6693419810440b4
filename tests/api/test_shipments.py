"""Shipments stated over the API: applied at once and told to the channel, or refused by name, or waited for."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Desk
from tests.support.running_hub import deliver, until


async def _order(desk: Desk) -> dict[str, Any]:
    """The order of two mugs."""
    items = (await desk.get("/orders")).body["items"]
    return next(item for item in items if item["lines"][0]["quantity"] == 2)


def _body(order: str, **fields: Any) -> dict[str, Any]:
    package = {"tracking_number": "1Z999AA10123456784", "carrier": "UPS", "lines": [{"sku": "MUG", "quantity": 1}]}
    return {"order": order, "ship_from": "main", "packages": [package], **fields}


async def test_a_stated_shipment_ships_and_is_to_be_told(desk: Desk) -> None:
    """Stock leaves, the reservation ends, one message to the channel; the shipment shows what was told."""
    order = await _order(desk)
    before = (await desk.get("/stock/MUG")).body["total"]
    answer = await desk.post("/shipments", _body(order["number"]), headers={"Idempotency-Key": "s1"})
    assert answer.status == 200, answer.body
    assert (answer.body["state"], answer.body["to_tell"], answer.body["warnings"]) == ("stored", 1, [])
    after = (await desk.get("/stock/MUG")).body["total"]
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"] - 1, before["reserved"] - 1)
    shown = (await desk.get(f"/shipments/{answer.body['id']}")).body
    (told,) = shown["told"]
    assert (told["numbers"], told["carrier"]["code"]) == (["1Z999AA10123456784"], "UPS")
    assert shown["document"]["packages"][0]["carrier"] == "ups"


async def test_the_same_request_twice_ships_once(desk: Desk) -> None:
    """With the same key the answer is kept; without one the tracking number tells that it is the same shipment."""
    order = await _order(desk)
    first = await desk.post("/shipments", _body(order["id"]), headers={"Idempotency-Key": "s1"})
    again = await desk.post("/shipments", _body(order["id"]), headers={"Idempotency-Key": "s1"})
    other = await desk.post("/shipments", _body(order["id"]))
    assert first.body == again.body
    assert (other.body["id"], other.body["to_tell"]) == (first.body["id"], 0)
    assert (await desk.get("/stock/MUG")).body["total"]["on_hand"] == 49


WRONG: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"packages": [{"lines": [{"sku": "MUG", "quantity": 3}]}]}, 422, "2 are left to ship"),
    ({"packages": [{"lines": [{"sku": "TEA", "quantity": 1}]}]}, 422, "on no line of the order"),
    ({"packages": [{"lines": [{"sku": "MUG", "quantity": 0}]}]}, 422, "packages[0].lines[0].quantity"),
    ({"packages": [{"lines": [{"quantity": 1}]}]}, 422, "packages[0].lines[0]"),
    ({"packages": [{"lines": [{"sku": "MUG", "quantity": "1"}]}]}, 422, "packages[0].lines[0]: `quantity`"),
    ({"packages": [{"tracking_url": "ftp://x"}]}, 422, "packages[0].tracking_url"),
    ({"packages": []}, 422, "packages"),
    ({"ship_from": "moon"}, 422, "moon"),
    ({"shipped_at": "2199-01-01T00:00:00Z"}, 422, "future"),
    ({"order": "nobody's"}, 404, "name its `account`"),
    ({"order": " # "}, 422, "names no order"),
    ({"number": " "}, 422, "number: is blank"),
    ({"packages": [{"tracking_number": "\t"}]}, 422, "packages[0].tracking_number: is blank"),
    ({"packages": ["parcel"]}, 422, "packages[0]"),
    ({"shipped_at": "1960-01-01T00:00:00Z"}, 422, "before 2000"),
    ({"account": "nobody"}, 404, "nobody"),
    ({"surprise": 1}, 422, "surprise"),
)


async def test_what_is_wrong_is_refused_by_name(desk: Desk) -> None:
    """Nothing of it is stored, and the problem names the field, the line or the order."""
    order = await _order(desk)
    for change, status, named in WRONG:
        answer = await desk.post("/shipments", _body(order["id"]) | change)
        assert (answer.status, named in answer.body["detail"]) == (status, True), (change, answer.body)
    assert (await desk.get("/shipments")).body["items"] == []


async def test_a_number_no_pattern_knows_is_taken_with_a_warning(desk: Desk) -> None:
    """An odd number is no reason to keep a parcel back; an unknown carrier keeps the word it was given."""
    order = await _order(desk)
    package = {"tracking_number": "ODD-1", "carrier": "ups", "lines": [{"sku": "MUG", "quantity": 1}]}
    answer = await desk.post("/shipments", _body(order["id"], packages=[package]))
    assert (answer.status, len(answer.body["warnings"])) == (200, 1)
    courier = {"tracking_number": "ODD-2", "carrier": "My Courier", "lines": [{"sku": "MUG", "quantity": 1}]}
    answer = await desk.post("/shipments", _body(order["id"], packages=[courier]))
    shown = (await desk.get(f"/shipments/{answer.body['id']}")).body["document"]["packages"][0]
    assert (shown["carrier"], shown["carrier_raw"]) == ("unknown", "My Courier")


async def test_a_shipment_of_an_order_to_come_waits_for_it(desk: Desk) -> None:
    """With its account named it is kept, stands among the failures by name, and comes home when the order comes."""
    body = {
        "order": "#7",
        "account": "shop-us",
        "packages": [{"tracking_number": "1Z999AA10123456784", "carrier": "UPS"}],
    }
    answer = await desk.post("/shipments", body)
    assert (answer.status, answer.body["state"]) == (200, "waiting")

    async def parked() -> bool:
        rows = (await desk.get("/failures", params={"error": "OrphanShipment"})).body["items"]
        return [row["code"] for row in rows] == ["order_unknown"]

    await until(parked)
    assert await deliver(desk.http, desk.hub.url, 7, [("MUG", 2), ("BOX", 1)]) == 200

    async def home() -> bool:
        rows = (await desk.get("/failures", params={"error": "OrphanShipment"})).body["items"]
        return not rows and len((await desk.get("/shipments")).body["items"]) == 1

    await until(home)
    (shipment,) = (await desk.get("/shipments")).body["items"]
    assert [line["quantity"] for line in shipment["packages"][0]["lines"]] == [2, 1]
    assert (await desk.get("/stock/MUG")).body["total"]["on_hand"] == 48
