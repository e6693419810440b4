"""Every request of the connector is one that Amazon's models and our reading of the contract allow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connectors.amazon import CONNECTOR
from connectors.amazon.fake.rates import PUBLISHED
from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import Rig
from tests.connectors.test_amazon_contract import TestAmazonContract as Suite
from tests.support import amazon_conformance
from tests.support.amazon_conformance import (
    BODIES,
    MODELS,
    QUERIES,
    Request,
    against_envelope,
    against_feed_schema,
    against_models,
    against_shapes,
    answer_faults,
)

US = "ATVPDKIKX0DER"


@pytest.fixture
def suite() -> Suite:
    return Suite()


@asynccontextmanager
async def opened(suite: Suite) -> AsyncIterator[tuple[Rig, Any, Any]]:
    """`Suite.opened` itself fails on a request that does not conform."""
    async with suite.opened() as rig:
        sandbox: Any = rig.sandbox
        yield rig, rig.connector, sandbox


async def test_reading(suite: Suite) -> None:
    """Streams, hints, checking and subscribing."""
    async with opened(suite) as (rig, connector, sandbox):
        await connector.ensure_subscriptions("http://127.0.0.1:9/webhooks/suite")
        (number,) = await suite.trade(rig, orders=1)
        sandbox.stock_fba("FBA-1", 3)
        await sandbox.ship(number)
        await sandbox.open_return(number)
        await connector.check()
        envelopes = []
        for stream in CONNECTOR.manifest.streams:
            for page in await suite.walk(connector, stream.name, limit=50):
                envelopes += page.envelopes
        hints = [each for each in envelopes if (topic := CONNECTOR.manifest.topic(each.topic)) and topic.hint]
        assert {"ORDER_CHANGE"} <= {each.topic for each in hints}
        for hint in hints:
            assert suite.documents(rig, await connector.resolve(hint)), hint.topic
        assert sandbox.watch.operations >= {
            "searchOrders",
            "getOrder",
            "searchListingsItems",
            "getInventorySummaries",
            "createDestination",
            "getDestinations",
            "createSubscription",
            "createReport",
            "getReport",
            "getReportDocument",
        }


async def test_publishing_few_and_many(suite: Suite) -> None:
    """Patches for a few, one feed for many, and reading back."""
    async with opened(suite) as (rig, connector, sandbox):
        refs = await suite._listed(rig, 120)
        items = [suite.item(ref, 4) for ref in refs.values()]
        await suite._push_all(rig, connector, items[:2])
        await suite._push_all(rig, connector, items)
        assert {sandbox.shown(sku) for sku in refs} == {4}
        await connector.read_back([item.ref for item in items[:20]])
        assert sandbox.watch.operations >= {"patchListingsItem", "createFeedDocument", "createFeed", "getFeed"}
        assert [feed.kind for feed in sandbox.feeds.feeds.values()] == ["JSON_LISTINGS_FEED"]
        kept = sandbox.stockroom.listings["SUITE-1"].submitted()
        assert kept["lead_time_to_ship_max_days"] == 2, "publishing a number took the lead time away"


@pytest.mark.parametrize("kind", [kind.name for kind in CONNECTOR.manifest.effects])
async def test_effects(suite: Suite, kind: str) -> None:
    """Shipping, cancelling and refunding, each settled by reading; names with markup stay names."""
    async with opened(suite) as (rig, connector, sandbox):
        rig.sandbox.stock("A&B <1>", 5, title="Odd & <named>")
        number = await rig.sandbox.sell([("A&B <1>", 2)])
        assert number is not None
        rig.clock.advance(1)
        effect: Effect = await suite.effect(rig, kind, number)
        body = dict(effect.body)
        if kind == "cancel_order":
            body["lines"] = [dict(body["lines"][0]) | {"quantity": 2}]
        await connector.send(replace(effect, body=body))
        assert sandbox.watch.operations >= {"getOrder"}
        wanted = {"confirm_shipment": "shipped", "cancel_order": "cancelled", "refund_order": "shipped"}
        sandbox.work()
        if kind == "confirm_shipment":
            assert sandbox.book.orders[number].status == "PARTIALLY_SHIPPED"
        else:
            assert sandbox.book.orders[number].state == wanted[kind]


# Controls: the check itself sees what it is for.


def request(operation: str, body: Any = None, path: str = "/", **query: str) -> Request:
    method = {"confirmShipment": "POST", "createFeed": "POST", "patchListingsItem": "PATCH"}.get(operation, "GET")
    return Request(operation, method, path, tuple(query.items()), body)


CONFIRMATION = {
    "marketplaceId": US,
    "packageDetail": {
        "packageReferenceId": "1",
        "carrierCode": "UPS",
        "trackingNumber": "1Z",
        "shipDate": "2026-01-05T12:00:00Z",
        "orderItems": [{"orderItemId": "1", "quantity": 1}],
    },
}
SHIPPING_PATH = "/orders/v0/orders/1/shipmentConfirmation"


def test_a_good_request_passes() -> None:
    assert against_shapes(request("confirmShipment", CONFIRMATION)) == []
    assert against_models(request("confirmShipment", CONFIRMATION, SHIPPING_PATH)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"packageReferenceId": 1},
        {"trackingId": "1Z"},
        {"orderItems": {"orderItemId": "1", "quantity": 1}},
        {"shipDate": "02/21/2022"},
    ],
)
def test_a_bad_body_would_be_seen(change: dict[str, Any]) -> None:
    """By our shapes alone, wherever the tests run."""
    detail = {**CONFIRMATION["packageDetail"], **change}  # type: ignore[dict-item]
    assert against_shapes(request("confirmShipment", {**CONFIRMATION, "packageDetail": detail}))


def test_a_bad_query_would_be_seen() -> None:
    """A misspelt name, a forgotten one, and a body where there is none."""
    assert against_shapes(request("searchOrders", includedData="FULFILLMENT", LastUpdatedAfter="x"))
    assert against_shapes(request("searchOrders", lastUpdatedAfter="x"))
    assert against_shapes(request("getOrder", includedData="BUYER"))
    assert against_shapes(request("searchOrders", lastUpdatedAfter="x", includedData="FULFILLMENT")) == []
    assert against_shapes(request("getOrder", {"a": 1}, includedData="FULFILLMENT"))


def test_bad_documents_would_be_seen() -> None:
    """A replace, another channel, a header that is no object, an envelope of another kind."""
    entry = {"fulfillment_channel_code": "DEFAULT", "quantity": 1}
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [entry]}
    message = {"messageId": 1, "sku": "A", "operationType": "PATCH", "productType": "PRODUCT", "patches": [patch]}
    header = {"sellerId": "S", "version": "2.0"}

    def feed(**changes: Any) -> bytes:
        return json.dumps({"header": header, "messages": [message], **changes}).encode()

    assert against_feed_schema(feed()) == []
    assert against_feed_schema(feed(header=[]))
    assert against_feed_schema(feed(messages=[{**message, "patches": [{**patch, "op": "replace"}]}]))
    other = {**patch, "value": [{**entry, "fulfillment_channel_code": "AMAZON_NA"}]}
    assert against_feed_schema(feed(messages=[{**message, "patches": [other]}]))
    assert against_envelope("POST_PAYMENT_ADJUSTMENT_DATA", b"<AmazonEnvelope/>")


@pytest.mark.skipif(not amazon_conformance.SPECS.is_dir(), reason="Amazon's models are not at hand")
def test_models_see_what_they_should() -> None:
    """Unknown parameters, values outside an enumeration, and fields the model does not list."""
    path = "/orders/2026-01-01/orders"
    assert against_models(request("searchOrders", path=path, lastUpdatedAfter="x", includedData="FULFILLMENT")) == []
    assert against_models(request("searchOrders", path=path, lastUpdatedAfter="x", since="y"))
    assert against_models(request("searchOrders", path=path, includedData="STATUS"))
    assert against_models(request("confirmShipment", {**CONFIRMATION, "sellerId": "x"}, SHIPPING_PATH))
    assert against_models(request("confirmShipment", {"marketplaceId": US}, SHIPPING_PATH))


def test_every_operation_has_a_model() -> None:
    """No shape of ours is for an operation nobody serves."""
    assert set(BODIES) | set(QUERIES) <= set(MODELS)


@pytest.mark.skipif(not amazon_conformance.SPECS.is_dir(), reason="Amazon's models are not at hand")
def test_limits_are_the_published_ones() -> None:
    """Every rate and burst of the sandbox is the model's, for an operation that is in the model."""
    rows = json.loads((amazon_conformance.SPECS / "operations_rates.json").read_text())
    published = {(row["model"], row["operationId"]): (row["rate_per_s"], row["burst"]) for row in rows}
    assert {name: published[f"{MODELS[name]}.json", name] for name in PUBLISHED} == PUBLISHED


@pytest.mark.skipif(not amazon_conformance.SPECS.is_dir(), reason="Amazon's models are not at hand")
def test_a_bad_answer_would_be_seen() -> None:
    """Control: a status the operation never gives, a field it does not have."""
    path = "/orders/2026-01-01/orders"
    assert answer_faults("GET", path, 200, {"orders": []}) == []
    assert answer_faults("GET", path, 200, {"orders": [], "nextToken": "x"})
    assert answer_faults("GET", path, 418, None)
