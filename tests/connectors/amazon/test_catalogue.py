"""The catalogue, Amazon's own stock and the subscriptions are read and made completely, and only once."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.amazon import settings
from connectors.amazon.api import Api
from connectors.amazon.queue import Queue
from connectors.amazon.subscriptions import Subscriptions
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, Transient
from mappings import MapContext, MappingSet
from tests.support.amazon_wire import BASE, FBA_PATH, ITEMS_PATH, US, Wire, fault, order, scripted

DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
ARN = "arn:aws:sqs:us-east-1:123456789012:trunkline"
QUEUE = {"queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/trunkline"}


def item(sku: str, quantity: int = 3) -> dict[str, Any]:
    return {
        "sku": sku,
        "summaries": [{"marketplaceId": US, "asin": "B000000001", "itemName": sku, "status": ["BUYABLE"]}],
        "attributes": {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 99}]},
        "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}],
    }


def shelf(wire: Wire, count: int, total: int | None = None) -> list[httpx.QueryParams]:
    """A catalogue that pages; gives what was asked."""
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        asked.append(query)
        assert int(query["pageSize"]) <= 20
        first, size = int(query.get("pageToken", 0)), int(query["pageSize"])
        body: dict[str, Any] = {
            "numberOfResults": count if total is None else total,
            "items": [item(f"SKU-{number}") for number in range(first, min(count, first + size))],
        }
        if first + size < count:
            body["pagination"] = {"nextToken": str(first + size)}
        return httpx.Response(200, json=body)

    wire.routes.get(f"{BASE}{ITEMS_PATH}").mock(side_effect=answer)
    return asked


async def walk(wire: Wire, stream: str, limit: int = 20) -> list[Envelope]:
    found: list[Envelope] = []
    cursor = None
    for _ in range(200):
        page = await wire.connector.fetch(stream, cursor, limit)
        found += page.envelopes
        cursor = json.loads(json.dumps(page.cursor))
        if not page.more:
            return found
    pytest.fail("the walk has no end")


@pytest.mark.parametrize("stream", ["listings", "stock"])
@pytest.mark.parametrize("limit", [1, 7, 20, 500])
async def test_every_item_is_read_once(stream: str, limit: int) -> None:
    """Whatever the page size, at most twenty a page, sorted so that a change moves nothing."""
    async with scripted() as wire:
        wire.connector.budgets.learn("searchListingsItems", restore_rate=1_000.0)
        asked = shelf(wire, 45)
        found = await walk(wire, stream, limit)
        assert [each.ordering_key.partition(":")[2] for each in found] == [f"SKU-{number}" for number in range(45)]
        assert {(each["sortBy"], each["marketplaceIds"]) for each in asked} == {("sku", US)}
        assert "fulfillmentAvailability" in asked[0]["includedData"].split(",")


async def test_stock_is_what_shoppers_see_not_what_was_sent() -> None:
    """The number at the top of an item counts; the attribute of like name is what was last submitted."""
    async with scripted() as wire:
        shelf(wire, 1)
        (found,) = await walk(wire, "stock")
        assert "attributes" not in json.loads(found.payload)["items"][0]
        ctx = MapContext(account="a", connector="amazon", received_at=wire.clock.now(), currency="USD")
        (report,) = MappingSet.load("amazon").map(found.topic, found.payload, ctx)
        assert report.levels[0].available == 3  # type: ignore[union-attr]


async def test_a_sweep_seen_again_is_the_same_fact_and_a_later_one_is_not() -> None:
    """A level of a later sweep is news even when the number is the same."""
    async with scripted() as wire:
        shelf(wire, 1)
        (first,) = await walk(wire, "stock")
        (again,) = await walk(wire, "stock")
        wire.clock.advance(3600)
        (later,) = await walk(wire, "stock")
        assert first.dedupe_key == again.dedupe_key != later.dedupe_key


async def test_a_catalogue_beyond_a_thousand_is_read_from_a_report() -> None:
    """Amazon pages through 1,000 items and hides the rest: paging on would lose them without a word."""
    async with scripted() as wire:
        shelf(wire, 20, total=1_001)
        created = wire.routes.post(f"{BASE}/reports/2021-06-30/reports").respond(202, json={"reportId": "r-1"})
        states = wire.routes.get(f"{BASE}/reports/2021-06-30/reports/r-1")
        states.respond(json={"reportId": "r-1", "processingStatus": "IN_PROGRESS"})
        page = await wire.connector.fetch("stock", None, 2)
        page = await wire.connector.fetch("stock", page.cursor, 2)
        assert json.loads(created.calls.last.request.read())["reportType"] == "GET_MERCHANT_LISTINGS_ALL_DATA"
        waiting = json.loads(json.dumps(page.cursor))
        with pytest.raises(RateLimited) as caught:
            await wire.connector.fetch("stock", waiting, 2)
        assert caught.value.code == "report_unready"
        done = {"reportId": "r-1", "processingStatus": "DONE", "reportDocumentId": "d-1"}
        states.respond(json=done)
        document = {"reportDocumentId": "d-1", "url": f"{BASE}/store/1"}
        wire.routes.get(f"{BASE}/reports/2021-06-30/documents/d-1").respond(json=document)
        rows = ["item-name\tseller-sku\tasin1\tquantity\tfulfillment-channel\tstatus"]
        rows += [f"Item {number}\tSKU-{number}\tB1\t{number}\tDEFAULT\tActive" for number in range(5)]
        wire.routes.get(f"{BASE}/store/1").respond(content="\n".join(rows).encode())
        found: list[Envelope] = []
        cursor: Any = waiting
        for _ in range(20):
            page = await wire.connector.fetch("stock", cursor, 2)
            found += page.envelopes
            cursor = json.loads(json.dumps(page.cursor))
            if not page.more:
                break
        levels = [json.loads(each.payload)["items"][0]["fulfillmentAvailability"][0]["quantity"] for each in found]
        assert levels == [0, 1, 2, 3, 4]
        assert created.call_count == 1
        assert "swept" in cursor


@pytest.mark.parametrize("body", [{}, {"items": None}, {"items": {}}, []])
async def test_a_body_without_items_is_no_empty_catalogue(body: Any) -> None:
    """Taken for a page it would end the sweep and hide every listing."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json=body)
        with pytest.raises(Transient):
            await wire.connector.fetch("listings", None, 20)


async def test_a_repeated_page_token_is_an_error() -> None:
    """A sweep that circles would never end."""
    async with scripted() as wire:
        body = {"numberOfResults": 2, "items": [item("A")], "pagination": {"nextToken": "same"}}
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json=body)
        page = await wire.connector.fetch("listings", None, 20)
        with pytest.raises(Transient) as caught:
            await wire.connector.fetch("listings", page.cursor, 20)
        assert caught.value.code == "cursor_repeated"


def summaries(*skus: str, token: str | None = None) -> dict[str, Any]:
    rows = [{"sellerSku": sku, "inventoryDetails": {"fulfillableQuantity": 5}} for sku in skus]
    page = {"payload": {"granularity": {"granularityId": US}, "inventorySummaries": rows}}
    return page | ({"pagination": {"nextToken": token}} if token else {})


async def test_amazons_stock_is_read_per_marketplace_to_the_end() -> None:
    """One marketplace a call, a token per page; nothing is ever written."""
    async with scripted(options={"marketplace_ids": [US, "A2EUQ1WTGCTBG2"]}) as wire:
        route = wire.routes.get(f"{BASE}{FBA_PATH}")
        route.mock(
            side_effect=[
                httpx.Response(200, json=summaries("A", token="2")),
                httpx.Response(200, json=summaries("B")),
                httpx.Response(200, json=summaries()),
            ]
        )
        found = await walk(wire, "fba_stock")
        skus = [json.loads(each.payload)["payload"]["inventorySummaries"][0]["sellerSku"] for each in found]
        assert skus == ["A", "B"]
        asked = [call.request.url.params for call in route.calls]
        assert [each["marketplaceIds"] for each in asked] == [US, US, "A2EUQ1WTGCTBG2"]
        assert all(each["granularityId"] == each["marketplaceIds"] for each in asked)
        assert asked[1]["nextToken"] == "2"
        assert {call.request.method for call in wire.routes.calls} <= {"GET", "POST"}


@pytest.mark.parametrize("refused", [True, False])
async def test_a_page_token_of_thirty_seconds_ends_and_the_sweep_begins_again(refused: bool) -> None:
    """Too old by our clock it is not sent; refused by Amazon's it is dropped: nothing is skipped either way."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{FBA_PATH}")
        route.respond(json=summaries("A", token="2"))
        first = await wire.connector.fetch("fba_stock", None, 50)
        if refused:
            route.respond(400, json=fault("InvalidInput", "The token has expired"))
        else:
            wire.clock.advance(31)
        again = await wire.connector.fetch("fba_stock", first.cursor, 50)
        assert (list(again.envelopes), again.more) == ([], True)
        route.respond(json=summaries("A"))
        last = await wire.connector.fetch("fba_stock", again.cursor, 50)
        assert "nextToken" not in route.calls.last.request.url.params
        assert [each.dedupe_key for each in last.envelopes] == [each.dedupe_key for each in first.envelopes]


async def test_tokens_that_always_end_too_soon_are_said() -> None:
    """A sweep that never comes to its end shows as an error, not as silence."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{FBA_PATH}").respond(json=summaries("A", token="2"))
        cursor: Any = None
        for _ in range(5):
            cursor = (await wire.connector.fetch("fba_stock", cursor, 50)).cursor
            wire.clock.advance(31)
            cursor = (await wire.connector.fetch("fba_stock", cursor, 50)).cursor
        cursor = (await wire.connector.fetch("fba_stock", cursor, 50)).cursor
        wire.clock.advance(31)
        with pytest.raises(Transient) as caught:
            await wire.connector.fetch("fba_stock", cursor, 50)
        assert caught.value.code == "token_ended"


def subscriber(wire: Wire) -> Subscriptions:
    read = settings.read(wire.ctx)
    return Subscriptions(wire.ctx, Api(wire.ctx, read), read, Queue(wire.ctx, read))


async def test_subscriptions_are_made_once_and_mended() -> None:
    """The destination by the application's own token, a subscription per type; what stands is left alone."""
    async with scripted(options=QUEUE) as wire:
        wire.routes.get(f"{BASE}{DESTINATIONS}").respond(json={"payload": []})
        made = wire.routes.post(f"{BASE}{DESTINATIONS}").respond(json={"payload": {"destinationId": "d-1"}})
        held = wire.routes.get(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").respond(404, json=fault("NotFound"))
        subscribed = wire.routes.post(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").respond(json={"payload": {}})
        changes = await subscriber(wire).ensure()
        assert changes[:2] == ["made the destination", "subscribed to ORDER_CHANGE"]
        assert json.loads(made.calls.last.request.read())["resourceSpecification"] == {"sqs": {"arn": ARN}}
        orders = json.loads(subscribed.calls[0].request.read())
        assert orders["destinationId"] == "d-1"
        filtered = orders["processingDirective"]["eventFilter"]
        assert filtered["orderChangeTypes"] == ["OrderStatusChange", "BuyerRequestedChange"]

        count = subscribed.call_count
        rows = [{"destinationId": "d-1", "name": "x", "resource": {"sqs": {"arn": ARN}}}]
        wire.routes.get(f"{BASE}{DESTINATIONS}").respond(json={"payload": rows})
        standing = {"subscriptionId": "s-1", "destinationId": "d-1", "payloadVersion": "1.0"}
        held.respond(json={"payload": standing})
        assert await subscriber(wire).ensure() == []
        assert subscribed.call_count == count

        held.respond(json={"payload": standing | {"destinationId": "d-of-another-queue"}})
        dropped = wire.routes.delete(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").respond(json={})
        changes = await subscriber(wire).ensure()
        assert changes[:2] == ["ended a subscription to ORDER_CHANGE that led elsewhere", "subscribed to ORDER_CHANGE"]
        assert dropped.call_count == count


async def test_a_type_this_seller_cannot_have_stops_no_other() -> None:
    """Only ORDER_CHANGE is indispensable; whatever else Amazon refuses is logged and left."""
    async with scripted(options=QUEUE) as wire:
        rows = [{"destinationId": "d-1", "name": "x", "resource": {"sqs": {"arn": ARN}}}]
        wire.routes.get(f"{BASE}{DESTINATIONS}").respond(json={"payload": rows})
        wire.routes.get(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").respond(404)
        good = wire.routes.post(f"{BASE}{SUBSCRIPTIONS}/ORDER_CHANGE").respond(json={"payload": {}})
        wire.routes.post(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").respond(400, json=fault("InvalidInput"))
        assert await subscriber(wire).ensure() == ["subscribed to ORDER_CHANGE"]
        good.respond(400, json=fault("InvalidInput", "no"))
        with pytest.raises(Rejected):
            await subscriber(wire).ensure()


async def test_a_role_for_one_type_holds_nothing_else() -> None:
    """A 403 of finances or FBA says nothing of the login: the type is left out, the account is not held."""
    async with scripted(options=QUEUE) as wire:
        rows = [{"destinationId": "d-1", "name": "x", "resource": {"sqs": {"arn": ARN}}}]
        wire.routes.get(f"{BASE}{DESTINATIONS}").respond(json={"payload": rows})
        refused = httpx.Response(403, json=fault("Unauthorized"))
        orders = wire.routes.get(f"{BASE}{SUBSCRIPTIONS}/ORDER_CHANGE").respond(404)
        wire.routes.get(url__startswith=f"{BASE}{SUBSCRIPTIONS}/").mock(return_value=refused)
        wire.routes.post(f"{BASE}{SUBSCRIPTIONS}/ORDER_CHANGE").respond(json={"payload": {}})
        assert await subscriber(wire).ensure() == ["subscribed to ORDER_CHANGE"]
        wire.routes.get(f"{BASE}{FBA_PATH}").mock(return_value=refused)
        with pytest.raises(Rejected) as caught:
            await wire.connector.fetch("fba_stock", None, 50)
        assert (caught.value.code, caught.value.status) == ("role_missing", 403)
        orders.mock(return_value=refused)
        with pytest.raises(AuthFailed):
            await subscriber(wire).ensure()


async def test_without_a_queue_nothing_is_subscribed() -> None:
    """Nowhere to deliver to: no call at all."""
    async with scripted() as wire:
        assert await wire.connector.ensure_subscriptions("https://hub.example.com/webhooks/x") == []
        assert not wire.routes.calls


async def test_an_unknown_stream_is_refused() -> None:
    """The message lists those there are."""
    async with scripted() as wire:
        with pytest.raises(Rejected, match="notifications"):
            await wire.connector.fetch("nothing", None, 1)


def test_a_cancelled_order_of_several_lines_maps() -> None:
    """Nothing shipped, two lines: cancelled in full, every unit free again."""
    lines = [
        {
            "orderItemId": str(number),
            "quantityOrdered": 2,
            "product": {"asin": "B1", "sellerSku": f"SKU-{number}"},
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 0},
        }
        for number in (1, 2)
    ]
    body = order(orderItems=lines, fulfillment={"fulfillmentStatus": "CANCELLED", "fulfilledBy": "MERCHANT"})
    ctx = MapContext(account="a", connector="amazon", received_at=_at(), currency="USD")
    documents = MappingSet.load("amazon").map("order", json.dumps(body).encode(), ctx)
    found = next(document for document in documents if document.type == "order")
    assert (found.state, [line.cancelled_quantity for line in found.lines]) == ("cancelled", [2, 2])


def _at() -> Any:
    from connectors.sdk.clock import EPOCH

    return EPOCH
