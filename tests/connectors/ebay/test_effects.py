"""A package is told once whatever answer was lost, and an order is cancelled the way its state asks for."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.ebay import shipping
from connectors.sdk.clock import EPOCH
from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, TargetMissing
from tests.support.ebay_wire import ORDER_PATH, Wire, fault, order, scripted

ID = "12-15199-57289"
READ = f"{ORDER_PATH}/{ID}"
SHIP = f"{READ}/shipping_fulfillment"
CANCEL = "/post-order/v2/cancellation"


def package(number: str | None = "1Z 999-1", carrier: str | None = "ups", **more: Any) -> dict[str, Any]:
    lines = [{"line_id": "101", "quantity": 4}]
    return {"tracking_number": number, "carrier": carrier, "lines": lines, **more}


def shipment(*packages: dict[str, Any], **more: Any) -> Effect:
    body = {"type": "shipment", "order": ID, "packages": list(packages), **more}
    return Effect("e-1", "confirm_shipment", f"order:{ID}", "key", body)


def cancellation(**more: Any) -> Effect:
    return Effect("e-2", "cancel_order", f"order:{ID}", "key", {"order": ID, "reason": "inventory", **more})


class Book:
    """The order's fulfilments. `late` reads show nothing although something is there."""

    def __init__(self, wire: Wire, **changes: Any) -> None:
        self.rows: list[dict[str, Any]] = []
        self.late = 0
        wire.routes.get(READ).respond(json=order(ID, **changes))
        wire.routes.get(SHIP).mock(side_effect=self.read)
        self.ship = wire.routes.post(SHIP).mock(side_effect=self.add)

    def read(self, _: httpx.Request) -> httpx.Response:
        if self.late:
            self.late -= 1
            return httpx.Response(200, json={"fulfillments": [], "total": 0})
        return httpx.Response(200, json={"fulfillments": self.rows, "total": len(self.rows)})

    def add(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read())
        number = body.get("trackingNumber")
        if any(row.get("shipmentTrackingNumber") == number for row in self.rows):
            return httpx.Response(400, json=fault(32300, "Invalid tracking number"))
        self.rows.append({"fulfillmentId": number or "999", "shipmentTrackingNumber": number, **body})
        return httpx.Response(201, headers={"location": f"https://api.ebay.com{SHIP}/{number or 999}"})


async def test_a_package_is_told_in_ebays_words() -> None:
    """Golden shape: number without spaces and hyphens, eBay's carrier code, the line and its quantity."""
    async with scripted() as wire:
        Book(wire)
        result = await wire.connector.send(shipment(package(), shipped_at="2026-01-05T09:40:00Z"))
        assert result.vendor_id == "1Z9991"
        assert wire.bodies(SHIP)[-1:] == [
            {
                "lineItems": [{"lineItemId": "101", "quantity": 4}],
                "shippedDate": "2026-01-05T09:40:00.000Z",
                "shippingCarrierCode": "UPS",
                "trackingNumber": "1Z9991",
            }
        ]


async def test_each_package_is_a_call_and_a_repeat_is_none() -> None:
    """Two packages are two calls; sent again nothing is; a third one added is sent alone."""
    async with scripted() as wire:
        book = Book(wire)
        effect = shipment(package("A1"), package("A2"))
        assert await wire.connector.settle(effect) is Settlement.NOT_APPLIED
        await wire.connector.send(effect)
        assert book.ship.call_count == 2
        assert (await wire.connector.send(effect)).note
        assert await wire.connector.settle(effect) is Settlement.APPLIED
        await wire.connector.send(shipment(package("A1"), package("A2"), package("a-3")))
        assert [row["shipmentTrackingNumber"] for row in book.rows] == ["A1", "A2", "a3"]


async def test_a_lost_answer_is_doubt_and_reading_settles_it() -> None:
    async with scripted() as wire:
        book = Book(wire)

        def lose(request: httpx.Request) -> httpx.Response:
            book.add(request)
            raise httpx.ReadTimeout("lost")

        book.ship.mock(side_effect=lose)
        with pytest.raises(InDoubt):
            await wire.connector.send(shipment(package()))
        assert book.ship.call_count == 1
        assert await wire.connector.settle(shipment(package())) is Settlement.APPLIED


async def test_a_late_read_does_not_make_a_refusal_of_what_is_there() -> None:
    """eBay refuses the package it already has; a second look tells, and it counts as done."""
    async with scripted() as wire:
        book = Book(wire)
        book.rows.append({"fulfillmentId": "1Z9991", "shipmentTrackingNumber": "1Z9991"})
        book.late = 1
        assert (await wire.connector.send(shipment(package()))).vendor_id == ID
        assert len(book.rows) == 1


async def test_a_package_without_a_number_is_known_by_its_lines() -> None:
    """Its id is arbitrary (999), so lines and quantities have to agree, and one row proves one package."""
    parcel = shipping.Parcel((("101", 4),), None, None)
    row = {"fulfillmentId": "999", "lineItems": [{"lineItemId": "101", "quantity": 4}]}
    assert shipping.missing([parcel], [row]) == []
    assert shipping.missing([parcel, parcel], [row]) == [parcel]
    assert shipping.missing([parcel], [{**row, "shipmentTrackingNumber": "X"}]) == [parcel]
    assert "trackingNumber" not in shipping.body_of(parcel, EPOCH)


@pytest.mark.parametrize(
    ("packages", "changes", "code"),
    [
        ([], {}, "no_package"),
        ([package("###")], {}, "bad_tracking_number"),
        ([package(carrier=None)], {}, "no_carrier"),
        ([package(lines=[{"line_id": "9", "quantity": 1}])], {}, "no_such_line"),
        ([package(lines=[{"channel_sku": "NONE", "quantity": 1}])], {}, "no_such_line"),
        ([package(lines=[{"line_id": "101", "quantity": 0}])], {}, "bad_quantity"),
        ([package(lines=[{"line_id": "101", "quantity": "1.5"}])], {}, "bad_quantity"),
        ([package("A"), package("B", lines=[])], {}, "no_lines"),
        ([package()], {"orderPaymentStatus": "PENDING"}, "not_paid"),
        ([package()], {"cancelStatus": {"cancelState": "CANCELED"}}, "cancelling"),
        (
            [package()],
            {"fulfillmentStartInstructions": [{"fulfillmentInstructionsType": "FULFILLED_BY_EBAY"}]},
            "fulfilled_by_ebay",
        ),
    ],
)
async def test_what_cannot_be_shipped_is_refused_before_a_call(
    packages: list[dict[str, Any]], changes: dict[str, Any], code: str
) -> None:
    async with scripted() as wire:
        book = Book(wire, **changes)
        with pytest.raises(Rejected) as caught:
            await wire.connector.send(shipment(*packages))
        assert caught.value.code == code
        assert not book.ship.called


@pytest.mark.parametrize(
    ("carrier", "raw", "code"),
    [("usps", None, "USPS"), ("unknown", "Bob's Vans_Ltd", "Bobs Vans Ltd"), ("sea_freight", None, "sea freight")],
)
async def test_a_carrier_ebay_has_no_code_for_goes_by_its_name(carrier: str, raw: str | None, code: str) -> None:
    (parcel,) = shipping.parcels(order(), {"packages": [package(carrier=carrier, carrier_raw=raw)]})
    assert parcel.carrier == code


async def test_409_is_a_refusal_once_reading_shows_nothing() -> None:
    """Conflict has no documented body; redoing it at once would not help."""
    async with scripted() as wire:
        book = Book(wire)
        book.ship.respond(409)
        with pytest.raises(ConnectorError) as caught:
            await wire.connector.send(shipment(package()))
        assert type(caught.value) is Rejected


async def test_the_seller_cancels_the_whole_order_after_asking() -> None:
    """Golden shape of a seller's cancellation, with the Post-Order token scheme and marketplace spelling."""
    async with scripted() as wire:
        wire.routes.get(READ).respond(json=order(ID))
        wire.routes.post(f"{CANCEL}/check_eligibility").respond(json={"eligible": True})
        create = wire.routes.post(CANCEL).respond(json={"cancelId": "5000"})
        result = await wire.connector.send(cancellation())
        assert result.vendor_id == "5000"
        assert json.loads(create.calls[0].request.read()) == {
            "legacyOrderId": ID,
            "cancelReason": "OUT_OF_STOCK_OR_CANNOT_FULFILL",
            "buyerPaid": True,
            "buyerPaidDate": {"value": "2026-01-05T10:00:02.000Z"},
        }
        headers = create.calls[0].request.headers
        assert headers["authorization"] == "IAF access-1"
        assert headers["x-ebay-c-marketplace-id"] == "EBAY-US"


async def test_a_buyers_request_is_approved() -> None:
    """A request that waits is answered; nothing new is opened beside it, and it settles as not done before."""
    row = {"cancelRequestId": "77", "cancelRequestState": "REQUESTED", "cancelInitiator": "BUYER"}
    async with scripted() as wire:
        status = {"cancelState": "IN_PROGRESS", "cancelRequests": [row]}
        wire.routes.get(READ).respond(json=order(ID, cancelStatus=status))
        approve = wire.routes.post(f"{CANCEL}/77/approve").respond(200)
        assert await wire.connector.settle(cancellation()) is Settlement.NOT_APPLIED
        assert (await wire.connector.send(cancellation())).vendor_id == "77"
        assert approve.call_count == 1


@pytest.mark.parametrize(
    ("state", "settled"),
    [
        ("NONE_REQUESTED", Settlement.NOT_APPLIED),
        ("IN_PROGRESS", Settlement.APPLIED),
        ("CANCELED", Settlement.APPLIED),
        ("SOMETHING_NEW", Settlement.NOT_APPLIED),
    ],
)
async def test_a_lost_cancellation_is_settled_by_the_orders_state(state: str, settled: Settlement) -> None:
    async with scripted() as wire:
        wire.routes.get(READ).respond(json=order(ID, cancelStatus={"cancelState": state}))
        assert await wire.connector.settle(cancellation()) is settled
        if settled is Settlement.APPLIED:
            assert (await wire.connector.send(cancellation())).note


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"lines": [{"line_id": "101", "quantity": 1}]}, "partial_cancellation"),
        ({"reason": "fraud"}, "no_reason"),
        ({"reason": None}, "no_reason"),
    ],
)
async def test_a_cancellation_ebay_cannot_do_is_refused(more: dict[str, Any], code: str) -> None:
    async with scripted() as wire:
        wire.routes.get(READ).respond(json=order(ID))
        with pytest.raises(Rejected) as caught:
            await wire.connector.send(cancellation(**more))
        assert caught.value.code == code


async def test_an_order_that_may_not_be_cancelled_says_why() -> None:
    async with scripted() as wire:
        wire.routes.get(READ).respond(json=order(ID))
        answer = {"eligible": False, "failureReason": ["ALREADY_SHIPPED"]}
        wire.routes.post(f"{CANCEL}/check_eligibility").respond(json=answer)
        create = wire.routes.post(CANCEL).respond(json={})
        with pytest.raises(Rejected, match="ALREADY_SHIPPED"):
            await wire.connector.send(cancellation())
        assert not create.called


async def test_unknown_kinds_and_orders_are_named() -> None:
    async with scripted() as wire:
        with pytest.raises(Rejected, match="confirm_shipment, cancel_order"):
            await wire.connector.send(Effect("e", "acknowledge_order", "k", "i", {"order": ID}))
        with pytest.raises(Rejected, match="names no order"):
            await wire.connector.send(Effect("e", "cancel_order", "k", "i", {}))
        wire.routes.get(READ).respond(404, json=fault(32100, "Invalid order ID"))
        with pytest.raises(TargetMissing):
            await wire.connector.send(cancellation())
