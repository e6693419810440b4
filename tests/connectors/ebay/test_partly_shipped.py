"""Of an order that leaves in parts the units that have left are read with it, and the ledger learns them."""

from __future__ import annotations

from datetime import timedelta

import httpx

from connectors.ebay.connector import EbayConnector
from connectors.ebay.fake.orderbook import Fulfillment
from connectors.ebay.sandbox import EbaySandbox
from connectors.sdk import exact
from connectors.sdk.clock import ManualClock
from mappings import MapContext, MappingSet
from tests.support import ebay_wire as wire
from tests.support.ebay_wire import ORDER_PATH, order, page, scripted

IN_PARTS = order(
    orderFulfillmentStatus="IN_PROGRESS",
    lineItems=[
        {"lineItemId": "101", "sku": "MUG", "quantity": 4, "lineItemFulfillmentStatus": "IN_PROGRESS"},
        {"lineItemId": "102", "sku": "BOX", "quantity": 1, "lineItemFulfillmentStatus": "NOT_STARTED"},
    ],
)
NUMBER = str(IN_PARTS["orderId"])
PARCEL = {"fulfillmentId": "1Z9", "shipmentTrackingNumber": "1Z9", "lineItems": [{"lineItemId": "101", "quantity": 3}]}


async def test_units_of_a_line_that_left_in_part_are_known_from_the_poll() -> None:
    """Sandbox to canonical: three of five left, in two parcels, and nobody has to guess."""
    sandbox = EbaySandbox(clock=ManualClock())
    await sandbox.start()
    sandbox.stock("MUG", 9)
    number = str(await sandbox.sell([("MUG", 5)]))
    made = sandbox.book.orders[number]
    for tracking, units in (("1Z1", 1), ("1Z2", 2)):
        parcel = Fulfillment(tracking, [(made.lines[0].number, units)], tracking, "UPS", sandbox.clock.now())
        sandbox.book.fulfil(made, parcel, sandbox.clock.now())
    sandbox.clock.advance(10)  # type: ignore[attr-defined]
    connector = EbayConnector(
        wire.context(
            base_url=sandbox.base_url,
            credentials=sandbox.account_section()["credentials"],
            clock=sandbox.clock,  # type: ignore[arg-type]
        )
    )
    try:
        first = await connector.fetch("orders", None, 50, sandbox.clock.now() - timedelta(days=1))
        (found,) = first.envelopes
        again = await connector.fetch("orders", None, 50, sandbox.clock.now() - timedelta(days=1))
        assert [each.dedupe_key for each in again.envelopes] == [found.dedupe_key]
    finally:
        await connector.close()
        await sandbox.stop()
    context = MapContext("ebay-us", "ebay", sandbox.clock.now(), currency="USD")
    documents = MappingSet.load("ebay").map(found.topic, found.payload, context)
    shipped = [line for each in documents if each.type == "shipment" for line in each.packages[0].lines]  # type: ignore[union-attr]
    assert sorted(line.quantity for line in shipped) == [1, 2]


async def test_only_orders_in_parts_cost_a_second_read() -> None:
    """Whole orders, shipped or not, are taken as they are."""
    async with scripted() as wired:
        whole = order("12-00000-00001")
        gone = order("12-00000-00002", orderFulfillmentStatus="FULFILLED", fulfillmentHrefs=["a/1Z1"])
        wired.routes.get(ORDER_PATH).respond(json=page(whole, gone, IN_PARTS))
        read = wired.routes.get(f"{ORDER_PATH}/{NUMBER}/shipping_fulfillment")
        read.respond(json={"fulfillments": [PARCEL], "total": 1})
        found = await wired.connector.fetch("orders", None, 50)
        assert read.call_count == 1
        kept = [exact.loads(each.payload).get("fulfillments") for each in found.envelopes]
        assert kept == [None, None, [PARCEL]]


async def test_an_order_whose_fulfilments_cannot_be_read_is_still_an_order() -> None:
    """Missing there, it comes as it is; the next change of it is read anew."""
    async with scripted() as wired:
        wired.routes.get(ORDER_PATH).respond(json=page(IN_PARTS))
        wired.routes.get(f"{ORDER_PATH}/{NUMBER}/shipping_fulfillment").mock(return_value=httpx.Response(404))
        (found,) = (await wired.connector.fetch("orders", None, 50)).envelopes
        assert "fulfillments" not in exact.loads(found.payload)
