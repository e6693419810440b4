"""The sandbox answers as Walmart's contract has it, also to clients that do not follow it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from yarl import URL

from connectors.sdk.clock import ManualClock
from connectors.walmart.sandbox import CLIENT_ID, CLIENT_SECRET, MAIN_NODE, SECOND_NODE, WalmartSandbox
from connectors.walmart.signatures import canonical_signature

HEADERS = {
    "WM_SVC.NAME": "Walmart Marketplace",
    "WM_QOS.CORRELATION_ID": "b3261d2d-028a-4ef7-8602-633c23200af6",
    "Accept": "application/json",
}


class Client:
    """A client written from the documentation, knowing nothing of our connector."""

    def __init__(self, sandbox: WalmartSandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session
        self.token = ""

    async def login(self) -> None:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        status, body, _ = await self.call(
            "POST", "/v3/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
        )
        assert status == 200
        self.token = body["access_token"]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
        headers = {**HEADERS, "WM_SEC.ACCESS_TOKEN": self.token, **more.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value}
        url = URL(self.sandbox.base_url + path, encoded=True)  # as written: nothing is escaped or unescaped
        async with self._session.request(method, url, headers=headers, **more) as response:
            raw = await response.read()
            json_body = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(raw) if json_body else raw.decode(), response.headers


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with WalmartSandbox(seed=3, clock=ManualClock()) as sandbox, aiohttp.ClientSession() as session:
        found = Client(sandbox, session)
        await found.login()
        yield found
        assert not sandbox.defects


async def sold(client: Client, units: int = 2, sku: str = "A") -> str:
    if sku not in client.sandbox.skus():
        client.sandbox.stock(sku, 10)
    number = await client.sandbox.sell([(sku, units)])
    assert number is not None
    return number


def shipping(units: str = "2", **tracking: Any) -> dict[str, Any]:
    info = {
        "shipDateTime": 1767614400000,
        "carrierName": {"carrier": "UPS"},
        "methodCode": "Standard",
        "trackingNumber": "1Z1",
        **tracking,
    }
    status = {
        "status": "Shipped",
        "statusQuantity": {"unitOfMeasurement": "EACH", "amount": units},
        "trackingInfo": info,
    }
    line = {"lineNumber": "1", "orderLineStatuses": {"orderLineStatus": [status]}}
    return {"orderShipment": {"orderLines": {"orderLine": [line]}}}


@pytest.mark.parametrize(
    ("missing", "status", "code"),
    [
        ("WM_SEC.ACCESS_TOKEN", 401, "UNAUTHORIZED"),
        ("WM_SVC.NAME", 400, "INVALID_REQUEST_HEADER"),
        ("WM_QOS.CORRELATION_ID", 400, "INVALID_REQUEST_HEADER"),
    ],
)
async def test_required_headers(client: Client, missing: str, status: int, code: str) -> None:
    found, body, _ = await client.call("GET", "/v3/orders", headers={missing: ""})
    assert found == status
    assert body["errors"][0]["code"] == f"{code}.GMP_GATEWAY_API"


async def test_a_token_lives_fifteen_minutes(client: Client) -> None:
    client.sandbox.clock.advance(899)  # type: ignore[attr-defined]
    assert (await client.call("GET", "/v3/token/detail"))[0] == 200
    client.sandbox.clock.advance(1)  # type: ignore[attr-defined]
    assert (await client.call("GET", "/v3/token/detail"))[0] == 401


async def test_a_wrong_login_is_refused(client: Client) -> None:
    for headers in ({"Authorization": "Basic eDp5"}, {"Authorization": ""}):
        status, body, _ = await client.call("POST", "/v3/token", data={"grant_type": "x"}, headers=headers)
        assert (status, body["errors"][0]["code"]) == (401, "INVALID_CREDENTIALS.GMP_GATEWAY_API")


async def test_errors_are_xml_for_who_does_not_ask_for_json(client: Client) -> None:
    status, body, _ = await client.call("GET", "/v3/orders/1", headers={"Accept": "application/xml"})
    assert status == 404
    assert "<ns2:code>CONTENT_NOT_FOUND.GMP_ORDER_API</ns2:code>" in body


async def test_nothing_found_is_404_with_the_orders_envelope(client: Client) -> None:
    status, body, _ = await client.call("GET", "/v3/orders")
    assert (status, body["errors"]["error"][0]["code"]) == (404, "CONTENT_NOT_FOUND.GMP_ORDER_API")


async def test_a_query_without_created_start_date_sees_seven_days(client: Client) -> None:
    await sold(client)
    client.sandbox.clock.advance(8 * 86_400)  # type: ignore[attr-defined]
    await client.login()
    changed = "/v3/orders?lastModifiedStartDate=2026-01-01"
    assert (await client.call("GET", changed))[0] == 404
    assert (await client.call("GET", f"{changed}&createdStartDate=2026-01-01"))[0] == 200


async def test_a_cursor_is_a_complete_query_and_loses_its_place_when_rebuilt(client: Client) -> None:
    first, second = await sold(client), await sold(client)
    _, body, _ = await client.call("GET", "/v3/orders?limit=1&createdStartDate=2026-01-01T00:00:00Z")
    meta = body["list"]["meta"]
    assert (meta["totalCount"], meta["nextCursor"][0]) == (2, "?")
    _, following, _ = await client.call("GET", "/v3/orders" + meta["nextCursor"])
    rebuilt = meta["nextCursor"].replace(":", "%3A")
    _, again, _ = await client.call("GET", "/v3/orders" + rebuilt)
    numbers = [answer["list"]["elements"]["order"][0]["purchaseOrderId"] for answer in (body, following, again)]
    assert numbers == [first, second, first]
    assert following["list"]["meta"]["nextCursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=201", "limit=0", "status=Odd", "shipNodeType=Odd", "createdStartDate=1767614400000", "odd=1",
              "createdStartDate=2025-01-01"],
)  # fmt: skip
async def test_a_query_the_contract_does_not_know_is_400(client: Client, query: str) -> None:
    await sold(client)
    assert (await client.call("GET", f"/v3/orders?{query}"))[0] == 400


async def test_an_order_is_acknowledged_before_it_is_shipped_and_shipped_once(client: Client) -> None:
    number = await sold(client)
    path = f"/v3/orders/{number}/shipping"
    assert (await client.call("POST", path, json=shipping()))[0] == 400
    for _ in range(2):
        assert (await client.call("POST", f"/v3/orders/{number}/acknowledge"))[0] == 200
    status, body, _ = await client.call("POST", path, json=shipping())
    assert status == 200
    line = body["order"]["orderLines"]["orderLine"][0]
    assert line["orderLineQuantity"]["amount"] == "2"
    assert isinstance(body["order"]["orderDate"], int)
    status, again, _ = await client.call("POST", path, json=shipping())
    assert (status, again["errors"]["error"][0]["category"]) == (400, "DATA")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (shipping(methodCode="Slow"), "methodCode"),
        (shipping(carrierName={"carrier": "ups"}), "carrier"),
        (shipping(carrierName={"otherCarrier": "Mine"}), "trackingURL"),
        (shipping(shipDateTime="2026-01-05"), "shipDateTime"),
        (shipping(trackingNumber=""), "trackingNumber"),
        (shipping("3"), "statusQuantity"),
        (shipping("0"), "amount"),
        ({"orderLines": []}, None),
    ],
)
async def test_a_shipment_outside_the_contract_is_refused_whole(client: Client, body: Any, field: str | None) -> None:
    number = await sold(client)
    await client.sandbox.acknowledge(number)
    status, answer, _ = await client.call("POST", f"/v3/orders/{number}/shipping", json=body)
    assert (status, answer["errors"]["error"][0]["field"]) == (400, field)
    assert client.sandbox.orders()[0]["state"] == "open"


async def test_tracking_may_be_corrected(client: Client) -> None:
    number = await sold(client)
    await client.sandbox.acknowledge(number)
    path = f"/v3/orders/{number}/shipping"
    await client.call("POST", path, json=shipping())
    change = shipping(trackingNumber="1Z2")
    change["orderShipment"]["processMode"] = "PARTIAL_UPDATE"
    status = change["orderShipment"]["orderLines"]["orderLine"][0]["orderLineStatuses"]["orderLineStatus"][0]
    status["currentTrackingInfo"] = {"trackingNumber": "1Z1"}
    code, body, _ = await client.call("POST", path, json=change)
    parts = body["order"]["orderLines"]["orderLine"][0]["orderLineStatuses"]["orderLineStatus"]
    assert (code, [part["trackingInfo"]["trackingNumber"] for part in parts]) == (200, ["1Z2"])


async def test_every_refund_is_a_new_one(client: Client) -> None:
    number = await sold(client)
    charge = {"chargeType": "PRODUCT", "chargeName": "Item Price", "chargeAmount": {"currency": "USD", "amount": -1}}
    refund = {"refundCharges": {"refundCharge": [{"refundReason": "Others", "charge": charge}]}}
    line = {"lineNumber": "1", "isFullRefund": False, "refunds": {"refund": [refund]}}
    body = {"orderRefund": {"purchaseOrderId": number, "orderLines": {"orderLine": [line]}}}
    assert (await client.call("POST", f"/v3/orders/{number}/refund", json=body))[0] == 400
    await client.sandbox.ship(number)
    for _ in range(2):
        assert (await client.call("POST", f"/v3/orders/{number}/refund", json=body))[0] == 200
    assert len(client.sandbox.book.orders[number].lines[0].refunds) == 2


async def test_stock_counts_reservations_until_units_leave(client: Client) -> None:
    number = await sold(client, 4)
    _, body, _ = await client.call("GET", "/v3/inventories/A")
    (node,) = body["nodes"]
    assert [node[name]["amount"] for name in ("inputQty", "availToSellQty", "reservedQty")] == [10, 6, 4]
    await client.sandbox.ship(number)
    assert client.sandbox.shown("A") == 6
    other = await sold(client, 6)
    assert await client.sandbox.sell([("A", 1)]) is None
    await client.sandbox.cancel(other)
    assert client.sandbox.shown("A") == 6


async def test_nodes_are_answered_one_by_one_inside_a_200(client: Client) -> None:
    client.sandbox.stock("A", 1)
    rows = [{"shipNode": node, "inputQty": {"unit": "EACH", "amount": 5}} for node in (MAIN_NODE, "odd", SECOND_NODE)]
    status, body, _ = await client.call("PUT", "/v3/inventories/A", json={"inventories": {"nodes": rows}})
    assert status == 200
    assert [row["status"] for row in body["nodes"]] == ["Success", "Failed", "Success"]
    assert client.sandbox.shown("A") == 10


@pytest.mark.parametrize("amount", ["5", -1, 1.5, None])
async def test_inventory_amounts_are_numbers(client: Client, amount: Any) -> None:
    client.sandbox.stock("A", 1)
    body = {"sku": "A", "quantity": {"unit": "EACH", "amount": amount}}
    assert (await client.call("PUT", "/v3/inventory?sku=A", json=body))[0] == 400
    assert client.sandbox.shown("A") == 1


async def test_the_catalogue_has_short_pages_and_ends_with_an_empty_cursor(client: Client) -> None:
    assert (await client.call("GET", "/v3/inventories"))[0] == 404
    for n in range(25):
        client.sandbox.stock(f"S{n:02}", n)
    seen, cursor, sizes = [], "", []
    while True:
        params = {"limit": "10"} | ({"nextCursor": cursor} if cursor else {})
        _, body, _ = await client.call("GET", "/v3/inventories", params=params)
        rows = body["elements"]["inventories"]
        seen += [row["sku"] for row in rows]
        sizes.append(len(rows))
        cursor = body["meta"]["nextCursor"]
        if not cursor:
            break
    assert sizes == [10, 9, 6]
    assert len(set(seen)) == 25


def feed(content: Any) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", json.dumps(content), filename="f.json", content_type="application/json")
    return form


ROW = {"sku": "A", "quantity": {"unit": "EACH", "amount": 7}}


@pytest.mark.parametrize(
    ("feed_type", "content", "status"),
    [
        ("inventory", {"InventoryHeader": {"version": "1.4"}, "Inventory": [ROW]}, "PROCESSED"),
        ("inventory", {"inventoryHeader": {"version": "1.4"}, "inventory": [ROW]}, "ERROR"),
        ("inventory", {"InventoryHeader": {"version": "1.5"}, "Inventory": [ROW]}, "ERROR"),
        ("MP_INVENTORY", {"InventoryHeader": {"version": "1.5"}, "Inventory": [ROW]}, "ERROR"),
    ],
)
async def test_feeds_are_particular_about_capitals_and_versions(
    client: Client, feed_type: str, content: Any, status: str
) -> None:
    client.sandbox.stock("A", 1)
    _, body, _ = await client.call("POST", f"/v3/feeds?feedType={feed_type}", data=feed(content))
    path = f"/v3/feeds/{body['feedId'].replace('@', '%40')}?includeDetails=true"
    assert (await client.call("GET", path))[1]["feedStatus"] == "RECEIVED"
    assert client.sandbox.shown("A") == 1
    client.sandbox.clock.advance(60)  # type: ignore[attr-defined]
    assert (await client.call("GET", path))[1]["feedStatus"] == status
    assert client.sandbox.shown("A") == (7 if status == "PROCESSED" else 1)


async def test_the_eleventh_feed_of_an_hour_is_refused_with_the_time_of_the_next(client: Client) -> None:
    content = {"InventoryHeader": {"version": "1.4"}, "Inventory": [ROW]}
    for _ in range(10):
        status, _, headers = await client.call("POST", "/v3/feeds?feedType=inventory", data=feed(content))
        assert status == 200
    assert headers["x-current-token-count"] == "0"
    status, body, headers = await client.call("POST", "/v3/feeds?feedType=inventory", data=feed(content))
    assert (status, body["errors"][0]["code"]) == (429, "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API")
    at = datetime.fromtimestamp(int(headers["X-Next-Replenishment-Time"]) / 1000, UTC)
    assert 350 <= (at - client.sandbox.clock.now()).total_seconds() <= 360


async def test_returns_need_both_ends_of_a_range(client: Client) -> None:
    number = await sold(client)
    await client.sandbox.ship(number)
    made = await client.sandbox.open_return(number)
    begin = "returnLastModifiedStartDate=2026-01-01"
    assert (await client.call("GET", f"/v3/returns?{begin}"))[0] == 400
    status, body, _ = await client.call("GET", f"/v3/returns?{begin}&returnLastModifiedEndDate=2026-02-01")
    assert (status, body["returnOrders"][0]["returnOrderId"]) == (200, made)


async def test_wfs_stock_is_read_only_and_apart(client: Client) -> None:
    client.sandbox.stock_wfs("W", 3)
    _, body, _ = await client.call("GET", "/v3/fulfillment/inventory?limit=10")
    assert body["payload"]["inventory"][0]["shipNodes"][0]["onHandQty"] == 3
    put = {"sku": "W", "quantity": {"unit": "EACH", "amount": 9}}
    assert (await client.call("PUT", "/v3/inventory?sku=W", json=put))[0] == 400
    number = await sold(client, 1, "W")
    assert (await client.call("GET", "/v3/orders"))[0] == 404
    assert (await client.call("GET", "/v3/orders?shipNodeType=WFSFulfilled"))[0] == 200
    assert (await client.call("POST", f"/v3/orders/{number}/shipping", json=shipping("1")))[0] == 400


async def test_notifications_may_be_signed_by_the_canonical_scheme(client: Client) -> None:
    client.sandbox.hooks.canonical = True
    auth = {"authMethod": "HMAC", "clientSecret": "s", "authHeaderName": "x"}
    headers = client.sandbox.hooks.headers({"authDetails": auth}, "/hook?a=1", b"{}")
    stamp = headers["WM_SEC.TIMESTAMP"]
    assert headers["WM_SEC.SIGNATURE"] == canonical_signature(b"s", "POST", "/hook?a=1", stamp, b"{}")


@pytest.mark.parametrize("change", [{"eventType": "ODD"}, {"status": ""}, {"authDetails": {"authMethod": "HMAC"}}])
async def test_a_subscription_outside_the_contract_is_refused(client: Client, change: dict[str, Any]) -> None:
    row = {"eventType": "PO_CREATED", "eventVersion": "V1", "resourceName": "ORDER", "eventUrl": "http://127.0.0.1:9/"}
    body = {"events": [{**row, "status": "ACTIVE", **change}]}
    assert (await client.call("POST", "/v3/webhooks/subscriptions", json=body))[0] == 400
