"""Edge work happens once in effect, says what an order does not allow, and doubt is settled by reading."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.sdk.contract import Effect, Settlement
from connectors.sdk.errors import InDoubt, Rejected, TargetMissing
from tests.support.walmart_payloads import ORDER_NUMBER, errors, split_order
from tests.support.walmart_world import World, opened, scripted


def effect(kind: str, order: str, **body: Any) -> Effect:
    return Effect("e-1", kind, f"order:{order}", "key-1", {"order": order, **body})


def parcel(number: str, quantity: int, **more: Any) -> dict[str, Any]:
    lines = [{"line_id": "1", "quantity": quantity}]
    return {"tracking_number": number, "carrier": "ups", "lines": lines, **more}


async def sold(world: World, units: int = 3, *, acknowledged: bool = True) -> str:
    world.sandbox.stock("MUG", 10)
    number = await world.sandbox.sell([("MUG", units)])
    assert number is not None
    if acknowledged:
        await world.sandbox.acknowledge(number)
    return number


def parts(world: World, number: str) -> list[tuple[str, int]]:
    return [(part.status, part.units) for part in world.sandbox.book.orders[number].lines[0].parts]


async def test_acknowledging_twice_is_acknowledging_once() -> None:
    async with opened() as world:
        number = await sold(world, acknowledged=False)
        for _ in range(2):
            await world.connector.send(effect("acknowledge_order", number))
        assert parts(world, number) == [("Acknowledged", 3)]


async def test_an_order_document_is_addressed_by_its_own_id() -> None:
    async with opened() as world:
        number = await sold(world, acknowledged=False)
        body = {"type": "order", "source": {"id": number}, "number": number}
        await world.connector.send(Effect("e", "acknowledge_order", "k", "i", body))
        assert parts(world, number) == [("Acknowledged", 3)]


async def test_a_shipment_in_two_parcels_splits_the_line_and_acknowledges_first() -> None:
    async with opened() as world:
        number = await sold(world, acknowledged=False)
        other = parcel("MC-1", 1, carrier="unknown", carrier_raw="My Courier", tracking_url="https://t.example.com/1")
        await world.connector.send(effect("confirm_shipment", number, packages=[parcel("1Z1", 2), other]))
        assert parts(world, number) == [("Shipped", 2), ("Shipped", 1)]
        names = [
            part.tracking["carrierName"] for part in world.sandbox.book.orders[number].lines[0].parts if part.tracking
        ]
        assert names == [{"otherCarrier": None, "carrier": "UPS"}, {"otherCarrier": "My Courier", "carrier": None}]


async def test_what_is_there_already_is_not_sent_again() -> None:
    """Half of a shipment arrived earlier: only the other half goes out."""
    async with opened() as world:
        number = await sold(world)
        await world.connector.send(effect("confirm_shipment", number, packages=[parcel("1Z1", 2)]))
        both = effect("confirm_shipment", number, packages=[parcel("1Z1", 2), parcel("1Z2", 1)])
        assert await world.connector.settle(both) is Settlement.NOT_APPLIED
        await world.connector.send(both)
        assert parts(world, number) == [("Shipped", 2), ("Shipped", 1)]
        again = await world.connector.send(both)
        assert "already" in again.note
        assert parts(world, number) == [("Shipped", 2), ("Shipped", 1)]


async def test_a_lost_answer_to_shipping_is_doubt_and_reading_settles_it() -> None:
    async with opened() as world:
        number = await sold(world)
        wanted = effect("confirm_shipment", number, packages=[parcel("1Z1", 3)])
        world.sandbox.faults_on_writes_only = True
        world.sandbox.faults.force("timeout_after_apply")
        with pytest.raises(InDoubt):
            await world.connector.send(wanted)
        assert await world.connector.settle(wanted) is Settlement.APPLIED


async def test_a_shopper_who_wants_to_cancel_is_overridden_by_a_parcel_that_left() -> None:
    async with opened() as world:
        number = await sold(world)
        await world.sandbox.ask_to_cancel(number)
        await world.connector.send(effect("confirm_shipment", number, packages=[parcel("1Z1", 3)]))
        assert parts(world, number) == [("Shipped", 3)]


@pytest.mark.parametrize(
    ("package", "code"),
    [
        (parcel("", 1), "no_tracking"),
        (parcel("1Z1", 4), "more_than_open"),
        (parcel("1Z1", 1) | {"lines": [{"line_id": "9", "quantity": 1}]}, "no_such_line"),
        (parcel("1Z1", 1) | {"lines": []}, "empty_shipment"),
        (parcel("1Z1", 1, carrier="unknown", carrier_raw="My Courier"), "no_tracking_url"),
        (parcel("1Z1", 1, carrier=None), "no_carrier"),
    ],
)
async def test_a_shipment_walmart_would_refuse_is_refused_here_with_its_reason(
    package: dict[str, Any], code: str
) -> None:
    async with opened() as world:
        number = await sold(world)
        with pytest.raises(Rejected) as caught:
            await world.connector.send(effect("confirm_shipment", number, packages=[package]))
        assert caught.value.code == code
        assert parts(world, number) == [("Acknowledged", 3)]


async def test_wfs_orders_are_walmarts_to_ship_and_cancel() -> None:
    async with opened() as world:
        world.sandbox.stock_wfs("W", 5)
        number = await world.sandbox.sell([("W", 1)])
        assert number
        for kind, body in (
            ("confirm_shipment", {"packages": [parcel("1Z1", 1)]}),
            ("cancel_order", {"reason": "fraud"}),
        ):
            with pytest.raises(Rejected) as caught:
                await world.connector.send(effect(kind, number, **body))
            assert caught.value.code == "wfs_order"


async def test_cancelling_frees_the_units_and_settles() -> None:
    async with opened() as world:
        number = await sold(world)
        some = effect("cancel_order", number, reason="inventory", lines=[{"line_id": "1", "quantity": 1}])
        await world.connector.send(some)
        assert parts(world, number) == [("Acknowledged", 2), ("Cancelled", 1)]
        assert world.sandbox.shown("MUG") == 8
        assert await world.connector.settle(some) is Settlement.APPLIED
        await world.connector.send(effect("cancel_order", number, reason="inventory"))
        assert parts(world, number) == [("Cancelled", 1), ("Cancelled", 2)]


async def test_an_earlier_cancellation_is_not_taken_for_a_later_one() -> None:
    """The line was last touched before the cancellation was written, so it cannot have done it."""
    async with opened() as world:
        number = await sold(world)
        await world.connector.send(
            effect("cancel_order", number, reason="price", lines=[{"line_id": "1", "quantity": 1}])
        )
        world.clock.advance(3600)
        later = effect(
            "cancel_order",
            number,
            reason="price",
            lines=[{"line_id": "1", "quantity": 1}],
            at=world.clock.now().isoformat(),
        )
        assert await world.connector.settle(later) is Settlement.NOT_APPLIED


async def test_more_cancelled_than_asked_for_stays_unknown() -> None:
    async with scripted() as wire:
        order = split_order()
        order["orderLines"]["orderLine"][0]["orderLineStatuses"]["orderLineStatus"][2]["statusQuantity"]["amount"] = "2"
        wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").respond(json={"order": order})
        asked = effect("cancel_order", ORDER_NUMBER, reason="fraud", lines=[{"line_id": "4", "quantity": 1}])
        assert await wire.connector.settle(asked) is Settlement.UNKNOWN


@pytest.mark.parametrize(("body", "code"), [({"reason": "other"}, "no_reason"), ({}, "no_reason")])
async def test_a_cancellation_needs_one_of_walmarts_reasons(body: dict[str, Any], code: str) -> None:
    async with opened() as world:
        number = await sold(world)
        with pytest.raises(Rejected) as caught:
            await world.connector.send(effect("cancel_order", number, **body))
        assert caught.value.code == code


async def test_what_is_shipped_cannot_be_cancelled() -> None:
    async with opened() as world:
        number = await sold(world)
        await world.sandbox.ship(number)
        for lines in ([], [{"line_id": "1", "quantity": 1}]):
            with pytest.raises(Rejected) as caught:
                await world.connector.send(effect("cancel_order", number, reason="fraud", lines=lines))
            assert caught.value.code == "not_open"


async def test_an_order_that_is_gone_an_unknown_kind_and_no_order_are_named() -> None:
    async with opened() as world:
        with pytest.raises(TargetMissing):
            await world.connector.send(effect("acknowledge_order", "404"))
        number = await sold(world)
        with pytest.raises(Rejected, match="confirm_shipment"):
            await world.connector.send(effect("gift_wrap", number))
        assert await world.connector.settle(effect("gift_wrap", number)) is Settlement.UNKNOWN
        with pytest.raises(Rejected, match="names no order"):
            await world.connector.send(Effect("e", "acknowledge_order", "k", "i", {}))


async def test_a_refused_acknowledgement_counts_as_done_when_nothing_waits_for_it() -> None:
    async with scripted() as wire:
        wire.routes.post(path__regex=r"/acknowledge$").respond(400, json=errors("X.Y", "no"))
        route = wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").respond(json={"order": split_order()})
        assert (await wire.connector.send(effect("acknowledge_order", ORDER_NUMBER))).note
        created = split_order()
        created["orderLines"]["orderLine"][0]["orderLineStatuses"]["orderLineStatus"][3]["status"] = "Created"
        route.mock(return_value=httpx.Response(200, json={"order": created}))
        with pytest.raises(Rejected):
            await wire.connector.send(effect("acknowledge_order", ORDER_NUMBER))


@pytest.mark.parametrize("there", [True, False])
async def test_a_refused_parcel_that_is_there_already_counts_as_sent(there: bool) -> None:
    """The read before was late: 400 is looked into before it is believed."""
    stale = split_order()
    fresh = split_order()
    statuses = fresh["orderLines"]["orderLine"][0]["orderLineStatuses"]["orderLineStatus"]
    statuses[3] = statuses[0] | {"statusQuantity": {"unitOfMeasurement": "EACH", "amount": "1"}}
    statuses[3]["trackingInfo"] = statuses[0]["trackingInfo"] | {"trackingNumber": "1Z9"}
    package = parcel("1Z9", 1) | {"lines": [{"line_id": "4", "quantity": 1}]}
    async with scripted() as wire:
        answers = [httpx.Response(200, json={"order": each}) for each in (stale, fresh if there else stale)]
        wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").mock(side_effect=answers)
        wire.routes.post(f"/v3/orders/{ORDER_NUMBER}/shipping").respond(400, json=errors("X.GMP_ORDER_API", "shipped"))
        wanted = effect("confirm_shipment", ORDER_NUMBER, packages=[package])
        if there:
            assert "already" in (await wire.connector.send(wanted)).note
        else:
            with pytest.raises(Rejected):
                await wire.connector.send(wanted)
