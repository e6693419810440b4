"""A package is told once whatever answer was lost, under our reference, never of an order that may not ship."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.amazon import shipping
from connectors.amazon.carriers import carrier_of
from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import Rejected, TargetMissing, Transient
from tests.support.amazon_seller import ORDER, Seller, effect, selling, show_order
from tests.support.amazon_wire import BASE, ORDERS_PATH, US, fault

SHIP = f"/orders/v0/orders/{ORDER}/shipmentConfirmation"


def package(number: str | None = "1Z999", quantity: int = 2, **more: Any) -> dict[str, Any]:
    lines = [{"line_id": "101", "quantity": quantity}]
    return {"tracking_number": number, "carrier": "ups", "lines": lines, **more}


def shipment(*packages: dict[str, Any], **more: Any) -> Effect:
    body = {"type": "shipment", "id": "shp_1", "packages": list(packages), **more}
    return effect("confirm_shipment", body)


class Dock:
    """Amazon's packages of the order: what is confirmed is there, unless a read is `late`."""

    def __init__(self, seller: Seller, **changes: Any) -> None:
        self.shown = show_order(seller.wire, packages=[], **changes)
        self.kept: list[dict[str, Any]] = self.shown["packages"]
        self.lose = 0
        self.route = seller.wire.routes.post(f"{BASE}{SHIP}").mock(side_effect=self.confirm)

    def confirm(self, request: httpx.Request) -> httpx.Response:
        detail = json.loads(request.read())["packageDetail"]
        row = {
            "packageReferenceId": detail["packageReferenceId"],
            "trackingNumber": detail["trackingNumber"],
            "packageItems": detail["orderItems"],
        }
        kept = [each for each in self.kept if each["packageReferenceId"] != row["packageReferenceId"]]
        self.kept[:] = [*kept, row]
        if self.lose:
            self.lose -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(204)


async def test_a_package_is_told_in_amazons_words() -> None:
    """Golden shape: the reference is the text of a positive number, items are a list, the answer has no body."""
    async with selling() as seller:
        Dock(seller)
        sent = shipment(package(service="Ground"), shipped_at="2026-01-05T11:00:00Z")
        result = await seller.effects.send(sent)
        (body,) = seller.wire.bodies(SHIP)
        reference = body["packageDetail"].pop("packageReferenceId")
        assert isinstance(reference, str)
        assert int(reference) > 0
        assert result.vendor_id == reference
        assert body == {
            "marketplaceId": US,
            "packageDetail": {
                "carrierCode": "UPS",
                "trackingNumber": "1Z999",
                "shipDate": "2026-01-05T11:00:00.000Z",
                "shippingMethod": "Ground",
                "orderItems": [{"orderItemId": "101", "quantity": 2}],
            },
        }


async def test_several_packages_are_several_calls_and_a_repeat_is_none() -> None:
    """Partial and multi-package: one call each; sent again nothing is; one added is sent alone."""
    async with selling() as seller:
        dock = Dock(seller)
        both = (package("A1", 1), package("A2", 1))
        await seller.effects.send(shipment(*both))
        assert dock.route.call_count == 2
        assert len({row["packageReferenceId"] for row in dock.kept}) == 2
        again = await seller.effects.send(shipment(*both))
        assert again.note == "Amazon already had this shipment"
        assert dock.route.call_count == 2
        await seller.effects.send(shipment(*both, package("A3", 1)))
        assert dock.route.call_count == 3


async def test_a_corrected_number_edits_its_package() -> None:
    """The reference stays that of our shipment and package, so Amazon keeps one package."""
    async with selling() as seller:
        dock = Dock(seller)
        await seller.effects.send(shipment(package("WRONG", id="p-1")))
        await seller.effects.send(shipment(package("RIGHT", id="p-1")))
        assert [row["trackingNumber"] for row in dock.kept] == ["RIGHT"]


async def test_a_corrected_carrier_is_told_although_the_number_stands() -> None:
    """What Amazon shows of a package does not say that its carrier was wrong; a refusal of the edit is no success."""
    async with selling() as seller:
        dock = Dock(seller)
        await seller.effects.send(shipment(package(id="p-1")))
        right = shipment(package(id="p-1", carrier="fedex"), told_before=["1Z999"])
        await seller.effects.send(right)
        told = [body["packageDetail"] for body in seller.wire.bodies(SHIP)]
        assert [each["carrierCode"] for each in told] == ["UPS", "FedEx"]
        assert len({each["packageReferenceId"] for each in told}) == 1
        dock.route.mock(return_value=httpx.Response(400, json=fault("InvalidInput", "PackageToUpdateNotFound")))
        with pytest.raises(Rejected):
            await seller.effects.send(right)


def test_references_are_stable_and_apart() -> None:
    """The same package always the same; another package, shipment or order another; without an id by number."""
    one = shipping.reference_of({"order": "o", "id": "s"}, package("A", id="p"), 0)
    assert one == shipping.reference_of({"order": "o", "id": "s"}, package("B", id="p"), 1)
    others = [
        shipping.reference_of({"order": "o", "id": "s"}, package("A", id="q"), 0),
        shipping.reference_of({"order": "o", "id": "t"}, package("A", id="p"), 0),
        shipping.reference_of({"order": "x", "id": "s"}, package("A", id="p"), 0),
        shipping.reference_of({"order": "o"}, package("A"), 0),
        shipping.reference_of({"order": "o"}, package("B"), 0),
    ]
    assert len({one, *others}) == 6
    assert all(reference.isdigit() and 0 < int(reference) < 2**31 for reference in (one, *others))


async def test_a_lost_answer_is_tried_again_under_the_same_reference() -> None:
    """Naming a reference again edits that package: still one of them."""
    async with selling() as seller:
        dock = Dock(seller)
        dock.lose = 1
        await seller.effects.send(shipment(package()))
        assert len(dock.kept) == 1
        references = {body["packageDetail"]["packageReferenceId"] for body in seller.wire.bodies(SHIP)}
        assert len(references) == 1


async def test_a_400_for_a_package_that_is_there_is_a_yes() -> None:
    """A repeat on a shipped order may be refused; the packages are read before anybody believes it."""
    async with selling() as seller:
        dock = Dock(seller)
        (parcel,) = shipping.parcels(dock.shown, shipment(package()).body)
        there = {"packageReferenceId": parcel.reference, "trackingNumber": "1Z999"}

        def refuse(_: httpx.Request) -> httpx.Response:
            dock.kept.append(there)
            return httpx.Response(400, json=fault("InvalidInput", "Failed to create package PackageToUpdateNotFound"))

        dock.route.mock(side_effect=refuse)
        assert (await seller.effects.send(shipment(package()))).vendor_id == parcel.reference
        dock.kept.clear()
        dock.route.mock(return_value=httpx.Response(400, json=fault("InvalidInput", "ship date")))
        with pytest.raises(Rejected):
            await seller.effects.send(shipment(package()))


async def test_a_package_confirmed_elsewhere_counts_by_its_number() -> None:
    """The seller's own reference "1" with our tracking number is our package."""
    async with selling() as seller:
        items = [{"orderItemId": "101", "quantity": 2}]
        dock = Dock(seller)
        dock.kept.append({"packageReferenceId": "1", "trackingNumber": "1z 999", "packageItems": items})
        assert (await seller.effects.send(shipment(package()))).note
        assert not dock.route.called
        dock.kept[0]["packageStatus"] = {"status": "CANCELLED"}
        await seller.effects.send(shipment(package()))
        assert dock.route.called


async def test_settling_reads_the_packages() -> None:
    """Not there: not applied, and sending again edits at worst. There: applied."""
    async with selling() as seller:
        dock = Dock(seller)
        sent = shipment(package("A1", 1), package("A2", 1))
        assert await seller.effects.settle(sent) is Settlement.NOT_APPLIED
        dock.lose = 9
        with pytest.raises(Transient):
            await seller.effects.send(sent)
        assert await seller.effects.settle(sent) is Settlement.NOT_APPLIED, "one of two is not all of it"
        dock.lose = 0
        await seller.effects.send(sent)
        assert await seller.effects.settle(sent) is Settlement.APPLIED
        assert [row["trackingNumber"] for row in dock.kept] == ["A1", "A2"]


@pytest.mark.parametrize(
    ("fulfillment", "kind", "code"),
    [
        ({"fulfillmentStatus": "PENDING"}, Transient, "not_paid"),
        ({"fulfillmentStatus": "PENDING_AVAILABILITY"}, Transient, "not_paid"),
        ({"fulfillmentStatus": "CANCELLED"}, Rejected, "not_shippable"),
        ({"fulfillmentStatus": "UNFULFILLABLE"}, Rejected, "not_shippable"),
        ({"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}, Rejected, "fulfilled_by_amazon"),
    ],
)
async def test_orders_that_may_not_ship(fulfillment: dict[str, str], kind: type, code: str) -> None:
    """Unpaid waits, cancelled and Amazon's own are refused; nothing is sent."""
    async with selling() as seller:
        dock = Dock(seller, fulfillment=fulfillment)
        with pytest.raises(kind) as caught:
            await seller.effects.send(shipment(package()))
        assert caught.value.code == code
        assert not dock.route.called


async def test_a_buyers_open_request_is_answered_first() -> None:
    """Never shipped while the buyer asks to cancel that line; carried out or for another line it hinders nothing."""
    async with selling() as seller:
        dock = Dock(seller)
        line = dock.shown["orderItems"][0]
        line["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "ordered by mistake"}}
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(shipment(package()))
        assert caught.value.code == "cancellation_requested"
        line["orderItemId"] = "999"
        dock.shown["orderItems"].append({"orderItemId": "101", "quantityOrdered": 2, "product": {}})
        await seller.effects.send(shipment(package()))
        assert dock.route.called


@pytest.mark.parametrize(
    ("packages", "code"),
    [
        ((), "no_package"),
        ((package(None),), "no_tracking"),
        ((package(carrier=None),), "no_carrier"),
        ((package(lines=[{"line_id": "404", "quantity": 1}]),), "no_such_line"),
        ((package(lines=[{"sku": "OTHER", "quantity": 1}]),), "no_such_line"),
        ((package(lines=[{"line_id": "101", "quantity": "0.5"}]),), "bad_quantity"),
        ((package("A", lines=None), package("B")), "no_lines"),
        ((package("A", id="p"), package("B", id="p")), "same_package_twice"),
    ],
)
async def test_what_cannot_be_told_is_refused_with_its_reason(packages: tuple[dict[str, Any], ...], code: str) -> None:
    """A tracking number is a must, untracked mail included; so are carrier and lines of the order."""
    async with selling() as seller:
        Dock(seller)
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(shipment(*packages))
        assert caught.value.code == code


async def test_a_package_without_lines_holds_what_is_left_and_lines_may_be_named_by_sku() -> None:
    """A canonical quantity is a decimal text; SKUs are looked up where one line alone has them."""
    async with selling() as seller:
        dock = Dock(seller)
        dock.shown["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 1}
        await seller.effects.send(shipment(package(lines=None)))
        await seller.effects.send(shipment(package("B", lines=[{"sku": "LAMP/1", "quantity": "1.000"}]), id="shp_2"))
        items = [body["packageDetail"]["orderItems"] for body in seller.wire.bodies(SHIP)]
        assert items == [[{"orderItemId": "101", "quantity": 1}]] * 2


async def test_a_package_without_lines_is_known_again_when_nothing_is_open() -> None:
    """Told once it is the rest of the order: a repeat finds it by its number; another one has nothing to hold."""
    async with selling() as seller:
        dock = Dock(seller)
        await seller.effects.send(shipment(package(lines=None)))
        dock.shown["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 2, "quantityUnfulfilled": 0}
        assert (await seller.effects.send(shipment(package(lines=None)))).note
        assert await seller.effects.settle(shipment(package(lines=None))) is Settlement.APPLIED
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(shipment(package("B", lines=None), id="shp_2"))
        assert caught.value.code == "nothing_open"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"carrier": "usps"}, {"carrierCode": "USPS"}),
        ({"carrier": "royal_mail"}, {"carrierCode": "Royal Mail"}),
        ({"carrier": "dhl_express"}, {"carrierCode": "DHL"}),
        ({"carrier": "unknown", "carrier_raw": "fedex"}, {"carrierCode": "FedEx"}),
        ({"carrier_raw": "Bob's Vans"}, {"carrierCode": "Other", "carrierName": "Bob's Vans"}),
        ({"carrier": "some_vans"}, {"carrierCode": "Other", "carrierName": "some vans"}),
    ],
)
def test_carriers_outside_the_list_go_as_other_with_their_name(given: dict[str, str], told: dict[str, str]) -> None:
    """`Other` needs a name."""
    assert carrier_of(given) == told


@pytest.mark.parametrize(
    ("shipped_at", "told"),
    [
        ("2026-01-05", "2026-01-05T10:00:00.000Z"),
        ("2026-01-09T00:00:00Z", "2026-01-05T12:00:00.000Z"),
        (None, "2026-01-05T12:00:00.000Z"),
        ("2026-01-05T13:30:00+02:00", "2026-01-05T11:30:00.000Z"),
    ],
)
async def test_the_ship_date_is_neither_ahead_nor_before_the_order(shipped_at: str | None, told: str) -> None:
    """A bare day begins before an order of that day; clocks differ."""
    async with selling() as seller:
        Dock(seller)
        await seller.effects.send(shipment(package(), shipped_at=shipped_at))
        assert seller.wire.bodies(SHIP)[0]["packageDetail"]["shipDate"] == told


async def test_an_unknown_order_or_effect_is_named() -> None:
    """No order, an order Amazon does not know, a kind nobody knows."""
    async with selling() as seller:
        seller.wire.routes.get(f"{BASE}{ORDERS_PATH}/{ORDER}").respond(404, json=fault("NotFound"))
        with pytest.raises(TargetMissing):
            await seller.effects.send(shipment(package()))
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(Effect("e", "confirm_shipment", "k", "i", {"packages": []}))
        assert caught.value.code == "no_order"
        with pytest.raises(Rejected) as caught:
            await seller.effects.send(effect("sing", {}))
        assert caught.value.code == "unknown_effect"
