"""What ShipStation's pushes and lists lead to: each shipment once, from its own hosts alone, in whichever order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from canonical import Shipment
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    ConnectorError,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
    UnknownTopic,
)
from connectors.shipstation import CONNECTOR
from connectors.shipstation.reading import envelope_of, pacific
from mappings import MapContext, MappingSet
from tests.support.carriers import World, answered, beside_sandbox

SECTION: dict[str, Any] = {"credentials": {"api_key": "k", "api_secret": "s"}}
EMPTY = {"shipments": [], "total": 0, "page": 1, "pages": 0}


def hint(url: Any, kind: str = "SHIP_NOTIFY") -> Envelope:
    return Envelope(kind, "k", "hint:1", json.dumps({"resource_url": url, "resource_type": kind}).encode())


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"shipmentId": number, "orderNumber": f"#{number}", "createDate": "2026-11-20T08:00:00.0000000", **fields}


def meant(world: World, *envelopes: Envelope) -> list[Shipment]:
    context = MapContext("tool", "shipstation", world.clock.now(), locations={"34369": "main"})
    mapping = MappingSet.load("shipstation")
    found = [document for each in envelopes for document in mapping.map(each.topic, each.payload, context)]
    assert all(isinstance(document, Shipment) for document in found)
    return found  # type: ignore[return-value]


@asynccontextmanager
async def shop() -> AsyncIterator[World]:
    """The sandbox with stock to sell."""
    async with beside_sandbox(CONNECTOR) as world:
        world.sandbox.stock("MUG", 10)
        yield world


@pytest.mark.parametrize("node", ["ssapi", "ssapi6", "ssapi12"])
async def test_a_push_is_fetched_where_it_points_with_its_items(node: str) -> None:
    """At the node it names, with the login, page after page, and with items although the URL says no."""
    pages = {"1": {"shipments": [row(1)], "pages": 2}, "2": {"shipments": [row(2)], "pages": 2}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params["page"]])

    async with answered(CONNECTOR, answer, SECTION) as world:
        url = f"https://{node}.shipstation.com/shipments?batchId=a%20b&includeShipmentItems=False"
        found = await world.connector.resolve(hint(url))
    assert [each.ordering_key for each in found] == ["order:#1", "order:#2"]
    assert {each.url.host for each in world.requests} == {f"{node}.shipstation.com"}
    assert {each.headers["authorization"] for each in world.requests} == {"Basic azpz"}
    sent = dict(world.requests[0].url.params)
    assert sent == {"batchId": "a b", "includeShipmentItems": "true", "page": "1", "pageSize": "500"}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/shipments?batchId=1",
        "https://ssapi.shipstation.com.evil.example/shipments",
        "https://evilssapi.shipstation.com/shipments",
        "https://k:s@ssapi6.shipstation.com/shipments",
        "https://ssapi6.shipstation.com:8443/shipments",
        "https://ssapi6.shipstation.com\\@evil.example/shipments",
        "https://ssapi6.shipstation.com/shipments#x",
        "http://ssapi6.shipstation.com/shipments",
        "https://ssapi6.shipstation.com/orders?orderId=1",
        "https://ssapi6.shipstation.com/shipments/../orders",
        "https://169.254.169.254/shipments",
        "//ssapi6.shipstation.com/shipments",
        "https://[/shipments",
        "",
        None,
        7,
    ],
)
async def test_nothing_else_is_fetched(url: Any) -> None:
    """Another host, port, scheme, path or reading of the URL is refused before anything is sent."""
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=EMPTY), SECTION) as world:
        with pytest.raises(Rejected):
            await world.connector.resolve(hint(url))
    assert world.requests == []


async def test_a_login_for_another_address_never_goes_to_shipstation() -> None:
    """An account at a sandbox takes pushes about that sandbox alone."""
    section = {**SECTION, "base_url": "http://127.0.0.1:9"}
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=EMPTY), section) as world:
        with pytest.raises(Rejected):
            await world.connector.resolve(hint("https://ssapi6.shipstation.com/shipments?batchId=1"))
        await world.connector.resolve(hint("http://127.0.0.1:9/shipments?batchId=1"))
    assert [each.url.host for each in world.requests] == ["127.0.0.1"]


async def test_a_push_without_resource_and_a_foreign_topic_are_told_apart() -> None:
    """The one is refused, the other is not known."""
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=EMPTY), SECTION) as world:
        for payload in (b"", b"[]", b'{"resource_type": "SHIP_NOTIFY"}'):
            with pytest.raises(Rejected):
                await world.connector.resolve(Envelope("SHIP_NOTIFY", "k", "hint:1", payload))
        with pytest.raises(UnknownTopic):
            await world.connector.resolve(Envelope("ORDER_NOTIFY", "k", "hint:1", b"{}"))


@pytest.mark.parametrize(
    ("status", "wanted", "reason"),
    [
        (400, Rejected, None),
        (401, AuthFailed, AuthReason.CREDENTIALS),
        (403, AuthFailed, AuthReason.SCOPE),
        (404, TargetMissing, None),
        (429, RateLimited, None),
        (500, Transient, None),
    ],
)
async def test_each_status_has_its_class(status: int, wanted: type[ConnectorError], reason: AuthReason | None) -> None:
    """In ShipStation's words; after a 429 the wait is the one it states."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"Message": "As said."}, headers={"X-Rate-Limit-Reset": "23"})

    async with answered(CONNECTOR, answer, SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.fetch("shipments", None, 10)
    assert "As said." in caught.value.message
    assert getattr(caught.value, "reason", None) is reason
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after_s == 23.0


@pytest.mark.parametrize("body", [[], {}, {"orders": []}, {"shipments": None}])
async def test_an_answer_that_is_no_list_is_weather(body: Any) -> None:
    """A proxy's page must not pass for an empty day."""
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=body), SECTION) as world:
        with pytest.raises(Transient):
            await world.connector.fetch("shipments", None, 10)


async def test_times_are_asked_for_as_the_clock_stands_at_shipstation() -> None:
    """Pacific in summer and in winter; what came while the clocks went back is within the overlap."""
    assert pacific(datetime(2026, 7, 1, 12, tzinfo=UTC)) == "2026-07-01 05:00:00"
    assert pacific(datetime(2026, 12, 1, 12, tzinfo=UTC)) == "2026-12-01 04:00:00"
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=EMPTY), SECTION) as world:
        mark = datetime(2026, 11, 1, 10, tzinfo=UTC)
        await world.connector.fetch("voided", {"mark": mark.isoformat()}, 10)
    params = world.requests[0].url.params
    # 01:30 is there twice that night; read as the later one it is still half an hour before the mark.
    assert params["voidDateStart"] == "2026-11-01 01:30:00"
    assert (params["sortBy"], params["sortDir"], params["includeShipmentItems"]) == ("CreateDate", "ASC", "true")


async def test_a_label_its_void_and_a_mark_are_three_facts_of_one_lane() -> None:
    """The push leads to the shipment, polling to the same one; voiding is found by polling alone, under a new key."""
    async with shop() as world:
        order = await world.sandbox.sell([("MUG", 2)])
        label = world.sandbox.ship_part(order, [("MUG", 1)])
        url = f"{world.sandbox.base_url}/shipments?batchId={label.number}&includeShipmentItems=False"
        (pushed,) = await world.connector.resolve(hint(url))
        page = await world.connector.fetch("shipments", None, 100)
        assert list(page.envelopes) == [pushed]
        (shipment,) = meant(world, pushed)
        assert (shipment.order, shipment.state, shipment.ship_from) == (order, "shipped", "main")
        assert [(one.sku, one.quantity) for one in shipment.packages[0].lines] == [("MUG", 1)]
        world.clock.advance(60)
        await world.sandbox.cancel(order)
        (voided,) = (await world.connector.fetch("voided", None, 100)).envelopes
        assert voided.ordering_key == pushed.ordering_key == f"order:{order}"
        assert voided.dedupe_key != pushed.dedupe_key
        (gone,) = meant(world, voided)
        assert (gone.source.id, gone.state) == (shipment.source.id, "cancelled")
        assert gone.source.version is not None
        assert shipment.source.version is not None
        assert gone.source.version > shipment.source.version
        world.sandbox.mark_shipped(order)
        (marked,) = (await world.connector.fetch("fulfillments", None, 100)).envelopes
        (elsewhere,) = meant(world, marked)
        assert elsewhere.source.id.startswith("fulfillment/")
        assert elsewhere.packages[0].lines == ()


async def test_one_store_of_several_is_listened_to() -> None:
    """Asked for by number, and what a push's list holds of other stores is left out."""
    rows = [
        row(1, advancedOptions={"storeId": 5}),
        row(2, advancedOptions={"storeId": 6}),
        row(3, advancedOptions=None),
    ]
    answer = httpx.Response(200, json={"shipments": rows, "pages": 1})
    section = {**SECTION, "options": {"store_id": 5}}
    async with answered(CONNECTOR, lambda _: answer, section) as world:
        page = await world.connector.fetch("shipments", None, 10)
    assert [json.loads(each.payload)["shipmentId"] for each in page.envelopes] == [1, 3]
    assert world.requests[0].url.params["storeId"] == "5"


def test_the_same_shipment_has_one_key_until_it_says_something_else() -> None:
    """Whatever the order of its fields; one without an order's number has a lane of its own."""
    one = envelope_of("shipments", row(1))
    assert envelope_of("shipments", dict(reversed(row(1).items()))).dedupe_key == one.dedupe_key
    assert envelope_of("shipments", row(1, trackingNumber="1Z")).dedupe_key != one.dedupe_key
    assert envelope_of("shipments", {"shipmentId": 9}).ordering_key == "shipment:9"
    assert one.occurred_at == datetime(2026, 11, 20, 16, tzinfo=UTC)


async def test_a_stream_without_end_of_news_moves_its_mark_to_its_beginning() -> None:
    """What is made while pages are read is in the next walk."""
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=EMPTY), SECTION) as world:
        began = world.clock.now()
        page = await world.connector.fetch("shipments", None, 10, since=began - timedelta(days=3))
    assert (page.watermark, page.more) == (began, False)
    assert isinstance(world.clock, ManualClock)
    assert page.cursor == {"mark": began.isoformat()}
