"""The sandbox answers as eBay's contract has it, also to clients that do not follow it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from yarl import URL

from connectors.ebay.sandbox import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, VERIFICATION_TOKEN, EbaySandbox
from connectors.sdk.clock import ManualClock

ORDERS = "/sell/fulfillment/v1/order"
STOCK = "/sell/inventory/v1"
NOTICES = "/commerce/notification/v1"
SCOPE = "https://api.ebay.com/oauth/api_scope"
XML_HEADERS = {"X-EBAY-API-COMPATIBILITY-LEVEL": "1193", "X-EBAY-API-SITEID": "0"}


class Client:
    """A client written from the documentation, knowing nothing of our connector."""

    def __init__(self, sandbox: EbaySandbox, clock: ManualClock, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self._session = session
        self.user = ""
        self.application = ""

    async def grant(self, secret: str = CLIENT_SECRET, **form: str) -> tuple[int, Any]:
        basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        url = f"{self.sandbox.base_url}/identity/v1/oauth2/token"
        async with self._session.post(url, data=form, headers=headers) as response:
            return response.status, await response.json()

    async def login(self) -> None:
        _, body = await self.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
        self.user = body["access_token"]
        _, body = await self.grant(grant_type="client_credentials", scope=SCOPE)
        self.application = body["access_token"]

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        application: bool = False,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, Any]:
        sent = {
            "Authorization": f"Bearer {self.application if application else self.user}",
            "Content-Language": "en-US",
        }
        url = URL(self.sandbox.base_url + path, encoded=True)
        async with self._session.request(method, url, headers=sent | (headers or {}), json=body) as response:
            raw = await response.read()
            return response.status, json.loads(raw) if raw else None, response.headers

    async def xml(self, name: str, inner: str) -> str:
        headers = XML_HEADERS | {"X-EBAY-API-CALL-NAME": name, "X-EBAY-API-IAF-TOKEN": self.user}
        body = f'<{name}Request xmlns="urn:ebay:apis:eBLBaseComponents">{inner}</{name}Request>'
        async with self._session.post(f"{self.sandbox.base_url}/ws/api.dll", data=body, headers=headers) as response:
            assert response.status == 200
            return await response.text()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = ManualClock()
    async with EbaySandbox(seed=3, clock=clock) as sandbox, aiohttp.ClientSession() as session:
        found = Client(sandbox, clock, session)
        await found.login()
        yield found
        assert not sandbox.defects


def error(body: Any) -> int:
    code: int = body["errors"][0]["errorId"]
    return code


async def sold(client: Client, *quantities: int) -> list[str]:
    client.sandbox.stock("A", 100)
    numbers = []
    for quantity in quantities:
        client.clock.advance(1)
        number = await client.sandbox.sell([("A", quantity)])
        assert number is not None
        numbers.append(number)
    client.clock.advance(1)
    return numbers


@pytest.mark.parametrize(
    ("secret", "form", "status", "code"),
    [
        ("wrong", {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}, 401, "invalid_client"),
        (CLIENT_SECRET, {"grant_type": "refresh_token", "refresh_token": "other"}, 400, "invalid_grant"),
        (CLIENT_SECRET, {"grant_type": "client_credentials", "scope": "other"}, 400, "invalid_scope"),
        (CLIENT_SECRET, {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (CLIENT_SECRET, {"grant_type": "authorization_code", "code": "old"}, 400, "invalid_grant"),
    ],
)
async def test_the_token_endpoint_says_what_is_wrong(
    client: Client, secret: str, form: dict[str, str], status: int, code: str
) -> None:
    """In OAuth's own words."""
    assert (await client.grant(secret, **form))[1]["error"] == code
    assert (await client.grant(secret, **form))[0] == status


async def test_tokens_end_and_consents_are_revoked(client: Client) -> None:
    """Two hours; a revoked consent ends at once, for good."""
    client.clock.advance(7_201)
    status, body, _ = await client.call("GET", ORDERS)
    assert (status, error(body)) == (401, 1001)
    await client.login()
    await client.sandbox.revoke()
    assert (await client.call("GET", ORDERS))[0] == 401
    assert (await client.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN))[1]["error"] == "invalid_grant"


async def test_a_missing_scope_and_an_applications_token_are_refused(client: Client) -> None:
    """403 with 1100; an application's token reaches no seller."""
    client.sandbox.drop_scope()
    status, body, _ = await client.call("GET", f"{STOCK}/inventory_item")
    assert (status, error(body)) == (403, 1100)
    assert (await client.call("GET", ORDERS))[0] == 200
    assert (await client.call("GET", ORDERS, application=True))[0] == 403


async def test_a_day_has_so_many_calls(client: Client) -> None:
    """429 with 2001 until midnight in California; other APIs go on."""
    client.sandbox.gate.limits["fulfillment"] = 1
    assert (await client.call("GET", ORDERS))[0] == 200
    status, body, headers = await client.call("GET", ORDERS)
    assert (status, error(body), headers.get("Retry-After")) == (429, 2001, None)
    assert (await client.call("GET", f"{STOCK}/inventory_item"))[0] == 200
    client.clock.advance((client.sandbox.gate.midnight() - client.clock.now()).total_seconds() + 1)
    await client.login()
    assert (await client.call("GET", ORDERS))[0] == 200


async def test_pages_of_orders_shift_under_the_reader(client: Client) -> None:
    """An order that changes leaves the range, and what was behind it moves up."""
    first, second, third = await sold(client, 1, 1, 1)
    now = client.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    begin = (client.clock.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    path = f"{ORDERS}?limit=1&filter=lastmodifieddate%3A%5B{begin}..{now}%5D&offset="
    _, page, _ = await client.call("GET", f"{path}0")
    assert ([row["orderId"] for row in page["orders"]], page["total"]) == ([first], 3)
    client.clock.advance(5)
    await client.sandbox.ship(first)
    _, page, _ = await client.call("GET", f"{path}1")
    assert ([row["orderId"] for row in page["orders"]], page["total"]) == ([third], 2)
    assert second != third


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=201", 30810),
        ("offset=-1", 30820),
        ("filter=nonsense", 30700),
        ("filter=lastmodifieddate%3A%5B2020-01-01..%5D", 30800),
        ("filter=lastmodifieddate%3A%5B2999-01-01T00%3A00%3A00.000Z..%5D", 30850),
        ("filter=lastmodifieddate%3A%5B2001-01-01T00%3A00%3A00.000Z..%5D", 30830),
    ],
)
async def test_a_query_of_orders_is_checked(client: Client, query: str, code: int) -> None:
    """Refused with eBay's id, never clamped."""
    status, body, _ = await client.call("GET", f"{ORDERS}?{query}")
    assert (status, error(body)) == (400, code)


async def test_cancel_requests_show_in_single_reads_alone(client: Client) -> None:
    """The list leaves them out, always."""
    (number,) = await sold(client, 1)
    await client.sandbox.ask_to_cancel(number)
    _, page, _ = await client.call("GET", ORDERS)
    _, one, _ = await client.call("GET", f"{ORDERS}/{number}")
    assert page["orders"][0]["cancelStatus"] == {"cancelState": "IN_PROGRESS", "cancelRequests": []}
    assert one["cancelStatus"]["cancelRequests"][0]["cancelInitiator"] == "BUYER"


async def test_shipping_by_the_package(client: Client) -> None:
    """201 without a body, the number in the Location; wrong lines, numbers and amounts have ids of their own."""
    (number,) = await sold(client, 3)
    path = f"{ORDERS}/{number}/shipping_fulfillment"
    line = client.sandbox.book.orders[number].lines[0].number
    for wanted, code in (
        ({"lineItems": [{"lineItemId": "1"}]}, 32200),
        ({"lineItems": [{"lineItemId": line}, {"lineItemId": line}]}, 32210),
        ({"lineItems": [{"lineItemId": line}], "trackingNumber": "1Z9"}, 32300),
        ({"lineItems": [{"lineItemId": line}], "trackingNumber": "1Z 9", "shippingCarrierCode": "UPS"}, 32300),
        ({"lineItems": [{"lineItemId": line}], "shippedDate": "yesterday"}, 32500),
        ({"lineItems": [{"lineItemId": line, "quantity": 4}]}, 32600),
    ):
        status, body, _ = await client.call("POST", path, wanted)
        assert (status, error(body)) == (400, code)
    good = {"lineItems": [{"lineItemId": line, "quantity": 2}], "trackingNumber": "1Z9", "shippingCarrierCode": "UPS"}
    status, body, headers = await client.call("POST", path, good)
    assert (status, body, headers["Location"].rsplit("/", 1)[1]) == (201, None, "1Z9")
    assert (await client.call("GET", f"{ORDERS}/{number}"))[1]["orderFulfillmentStatus"] == "IN_PROGRESS"
    status, _, headers = await client.call("POST", path, {"lineItems": [{"lineItemId": line}]})
    assert (status, headers["Location"].rsplit("/", 1)[1]) == (201, "1000")
    assert (await client.call("GET", path))[1]["total"] == 2


async def test_a_bulk_update_answers_for_each_entry(client: Client) -> None:
    """207 where some failed; both levels count, and the listing shows the lower one."""
    client.sandbox.stock("A", 5)
    offer = client.sandbox.stockroom.items["A"].offers[0].offer_id
    rows = [
        {
            "sku": "A",
            "shipToLocationAvailability": {"quantity": 9},
            "offers": [{"offerId": offer, "availableQuantity": 4}],
        },
        {"sku": "B", "shipToLocationAvailability": {"quantity": 1}},
    ]
    status, body, _ = await client.call("POST", f"{STOCK}/bulk_update_price_quantity", {"requests": rows})
    assert status == 207
    assert [(row["statusCode"], row["sku"], row.get("offerId")) for row in body["responses"]] == [
        (200, "A", None),
        (200, "A", offer),
        (404, "B", None),
    ]
    assert client.sandbox.shown("A") == 4


async def test_a_bulk_update_is_refused_as_a_whole(client: Client) -> None:
    """Too many, the same twice, nothing, or no language header."""
    path = f"{STOCK}/bulk_update_price_quantity"
    many = [{"sku": f"S{number}"} for number in range(26)]
    for wanted, code in ((many, 25727), ([{"sku": "A"}, {"sku": "A"}], 25734), ([], 25002)):
        status, body, _ = await client.call("POST", path, {"requests": wanted})
        assert (status, error(body)) == (400, code)
    assert (await client.call("POST", path, {"requests": many[:1]}, headers={"Content-Language": ""}))[0] == 400


async def test_a_listing_has_250_revisions_a_day(client: Client) -> None:
    """The next one waits for tomorrow; a zero may be refused where out-of-stock control is off."""
    client.sandbox.stock("A", 5)
    offer = client.sandbox.stockroom.items["A"].offers[0]
    offer.revised = (client.clock.now().astimezone(client.sandbox.gate.midnight().tzinfo).date(), 0)
    path = f"{STOCK}/bulk_update_price_quantity"

    async def update(quantity: int) -> Any:
        row = {"sku": "A", "offers": [{"offerId": offer.offer_id, "availableQuantity": quantity}]}
        return (await client.call("POST", path, {"requests": [row]}))[1]["responses"][0]

    assert (await update(3))["statusCode"] == 200
    offer.revised = (offer.revised[0], 250)
    assert (await update(2))["errors"][0]["errorId"] == 25019
    client.clock.advance(86_400)
    await client.login()
    client.sandbox.stockroom.out_of_stock_control = False
    assert (await update(0))["errors"][0]["errorId"] == 25004
    assert (await update(2))["statusCode"] == 200


async def test_faults_of_the_stock_calls(client: Client) -> None:
    """One entry of a batch fails, a batch that says yes changes nothing, a read lags."""
    client.sandbox.stock("A", 5)
    client.clock.advance(10)
    path = f"{STOCK}/bulk_update_price_quantity"
    rows = {"requests": [{"sku": "A", "shipToLocationAvailability": {"quantity": 2}}]}
    client.sandbox.faults.force("partial_failure")
    assert (await client.call("POST", path, rows))[1]["responses"][0]["errors"][0]["errorId"] == 25001
    client.sandbox.faults.force("feed_noop")
    assert (await client.call("POST", path, rows))[0] == 200
    assert client.sandbox.shown("A") == 5
    assert (await client.call("POST", path, rows))[0] == 200
    client.sandbox.faults.force("late_read")
    for expected in (5, 2):
        _, body, _ = await client.call("GET", f"{STOCK}/inventory_item/A")
        assert body["availability"]["shipToLocationAvailability"]["quantity"] == expected


async def test_items_are_paged_by_page_and_offers_by_sku(client: Client) -> None:
    """`offset` is a page's number; no SKU gets the misleading refusal; a new listing has a new id."""
    for sku in ("A", "B", "C/D E"):
        client.sandbox.stock(sku, 1)
    _, page, _ = await client.call("GET", f"{STOCK}/inventory_item?limit=2&offset=1")
    assert ([row["sku"] for row in page["inventoryItems"]], page["total"]) == (["C/D E"], 3)
    assert error((await client.call("GET", f"{STOCK}/offer"))[1]) == 25707
    assert (await client.call("GET", f"{STOCK}/offer?sku=Z"))[0] == 404
    _, body, _ = await client.call("GET", f"{STOCK}/offer?sku=C%2FD%20E")
    (offer,) = body["offers"]
    path = f"{STOCK}/offer/{offer['offerId']}"
    assert (await client.call("POST", f"{path}/withdraw"))[1]["listingId"] == offer["listing"]["listingId"]
    assert (await client.call("GET", path))[1]["status"] == "UNPUBLISHED"
    assert (await client.call("POST", f"{path}/publish"))[1]["listingId"] != offer["listing"]["listingId"]


async def test_cancellations_concern_whole_orders_in_time(client: Client) -> None:
    """Carried out with the refund; shipped, old and cancelled ones are refused with a reason."""
    number, shipped = await sold(client, 2, 1)
    await client.sandbox.ship(shipped)
    path = "/post-order/v2/cancellation"
    wanted = {"legacyOrderId": number, "cancelReason": "OUT_OF_STOCK_OR_CANNOT_FULFILL", "buyerPaid": True}
    _, body, _ = await client.call("POST", f"{path}/check_eligibility", {"legacyOrderId": shipped})
    assert (body["eligible"], body["failureReason"]) == (False, ["ORDER_ALREADY_SHIPPED"])
    status, body, _ = await client.call("POST", path, wanted, headers={"Authorization": f"IAF {client.user}"})
    assert status == 201
    _, order, _ = await client.call("GET", f"{ORDERS}/{number}")
    assert (order["cancelStatus"]["cancelState"], order["orderPaymentStatus"]) == ("CANCELED", "FULLY_REFUNDED")
    status, refusal, _ = await client.call("POST", path, wanted)
    assert (status, "error" in refusal) == (409, True)
    _, found, _ = await client.call("GET", f"{path}/search?legacy_order_id={number}")
    assert [row["cancelId"] for row in found["cancellations"]] == [body["cancelId"]]


async def test_a_refund_is_not_repeated(client: Client) -> None:
    """Up to what was paid, and no further."""
    (number,) = await sold(client, 2)
    path = f"{ORDERS}/{number}/issue_refund"
    total = client.sandbox.book.orders[number].total
    wanted = {"reasonForRefund": "BUYER_CANCEL", "orderLevelRefundAmount": {"value": str(total), "currency": "USD"}}
    assert (await client.call("POST", path, wanted))[1]["refundStatus"] == "PENDING"
    status, body, _ = await client.call("POST", path, wanted)
    assert (status, error(body)) == (409, 34917)


async def test_notifications_need_a_proven_endpoint_and_are_signed(client: Client) -> None:
    """The challenge is checked; the signature holds over the body with the key that eBay gives out."""
    received: list[tuple[bytes, str]] = []
    honest = True

    async def take(request: web.Request) -> web.Response:
        if request.method == "POST":
            received.append((await request.read(), request.headers["X-EBAY-SIGNATURE"]))
            return web.Response(status=204)
        (code,) = parse_qs(urlsplit(request.path_qs).query)["challenge_code"]
        proof = hashlib.sha256(f"{code}{VERIFICATION_TOKEN}{endpoint}".encode()).hexdigest()
        return web.json_response({"challengeResponse": proof if honest else "no"})

    app = web.Application()
    app.router.add_route("*", "/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        wanted = {
            "name": "test",
            "status": "ENABLED",
            "deliveryConfig": {"endpoint": endpoint, "verificationToken": VERIFICATION_TOKEN},
        }
        path = f"{NOTICES}/destination"
        assert error((await client.call("POST", path, wanted, application=True))[1]) == 195003
        assert (await client.call("PUT", f"{NOTICES}/config", {"alertEmail": "a@example.com"}, application=True))[
            0
        ] == 204
        honest = False
        assert error((await client.call("POST", path, wanted, application=True))[1]) == 195020
        honest = True
        status, _, headers = await client.call("POST", path, wanted, application=True)
        assert status == 201
        assert error((await client.call("POST", path, wanted, application=True))[1]) == 195021
        topic = {
            "topicId": "ORDER_CONFIRMATION",
            "destinationId": headers["Location"].rsplit("/", 1)[1],
            "status": "ENABLED",
            "payload": {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"},
        }
        assert (await client.call("POST", f"{NOTICES}/subscription", topic, application=True))[0] == 403
        assert (await client.call("POST", f"{NOTICES}/subscription", topic))[0] == 201
        assert error((await client.call("POST", f"{NOTICES}/subscription", topic))[1]) == 195012
        (number,) = await sold(client, 2)
        await client.sandbox.settle()
    finally:
        await runner.cleanup()
    ((body, header),) = received
    signed = json.loads(base64.b64decode(header))
    _, found, _ = await client.call("GET", f"{NOTICES}/public_key/{signed['kid']}", application=True)
    armour = "-----BEGIN PUBLIC KEY-----"
    key = load_pem_public_key(found["key"].replace(armour, f"{armour}\n").replace("-----END", "\n-----END").encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signed["signature"]), body, ec.ECDSA(hashes.SHA1()))  # eBay's digest
    data = json.loads(body)["notification"]["data"]
    assert (data["order"]["orderId"], data["order"]["orderLineItems"][0]["quantity"]) == (number, 2)
    assert (await client.call("GET", f"{NOTICES}/public_key/other", application=True))[0] == 404


async def test_trading_speaks_xml_and_says_200(client: Client) -> None:
    """Listings of Seller Hub are seen there alone; four changes a call; errors stand in the body."""
    lamp = client.sandbox.list_by_hand("Lamp", [("", 5)])
    cap = client.sandbox.list_by_hand("Cap & hat", [("CAP-S", 2), ("CAP-L", 3)], varied=True)
    assert (await client.call("GET", f"{STOCK}/offer?sku=CAP-S"))[0] == 404
    page = (
        "<ActiveList><Pagination><EntriesPerPage>1</EntriesPerPage><PageNumber>2</PageNumber></Pagination></ActiveList>"
    )
    text = await client.xml("GetMyeBaySelling", page)
    assert "Cap &amp; hat" in text
    assert "<TotalNumberOfPages>2</TotalNumberOfPages>" in text
    row = f"<InventoryStatus><ItemID>{cap.number}</ItemID><SKU>CAP-L</SKU><Quantity>9</Quantity></InventoryStatus>"
    assert "<Ack>Success</Ack>" in await client.xml("ReviseInventoryStatus", row)
    assert (client.sandbox.shown("CAP-L"), client.sandbox.shown(lamp.number)) == (9, 5)
    assert "<ErrorCode>21916684</ErrorCode>" in await client.xml("ReviseInventoryStatus", row * 5)
    assert "<ErrorCode>17</ErrorCode>" in await client.xml("GetItem", "<ItemID>1</ItemID>")
    client.user = "other"
    assert "<ErrorCode>21916984</ErrorCode>" in await client.xml("GetItem", f"<ItemID>{lamp.number}</ItemID>")


async def test_a_checkout_takes_both_levels_or_nothing(client: Client) -> None:
    """Lines that do not all fit are not sold at all; a cancelled order puts nothing back."""
    client.sandbox.stock("A", 2)
    client.sandbox.stock("B", 1)
    assert await client.sandbox.sell([("A", 1), ("B", 2)]) is None
    assert (client.sandbox.shown("A"), client.sandbox.shown("B")) == (2, 1)
    number = await client.sandbox.sell([("A", 2)])
    assert number is not None
    await client.sandbox.cancel(number)
    assert (client.sandbox.shown("A"), client.sandbox.orders()[0]["state"]) == (0, "cancelled")
    with pytest.raises(LookupError):
        client.sandbox.shown("Z")


async def test_a_checkout_that_is_not_paid_is_in_no_list(client: Client) -> None:
    """Its units are off the shelf at once; it is read by its id only, and listed and told of once it is paid."""
    client.sandbox.stock("MUG", 5)
    number = client.sandbox.check_out([("MUG", 2)])
    assert client.sandbox.shown("MUG") == 3
    _, listed, _ = await client.call("GET", ORDERS)
    assert listed["total"] == 0
    _, read, _ = await client.call("GET", f"{ORDERS}/{number}")
    assert (read["orderPaymentStatus"], read["paymentSummary"]["payments"]) == ("PENDING", [])
    client.clock.advance(60)
    await client.sandbox.pay(str(number))
    client.clock.advance(10)
    _, listed, _ = await client.call("GET", ORDERS)
    assert [(row["orderId"], row["orderPaymentStatus"]) for row in listed["orders"]] == [(number, "PAID")]
    assert listed["orders"][0]["lastModifiedDate"] > listed["orders"][0]["creationDate"]


async def test_a_sale_on_another_marketplace_sinks_what_this_one_may_show(client: Client) -> None:
    """One total, two offers: the other marketplace's order names it, and neither can sell what the total lacks."""
    client.sandbox.stock("MUG", 5)
    client.sandbox.offer_on("EBAY_MOTORS_US", "MUG", 5)
    number = await client.sandbox.sell_on("EBAY_MOTORS_US", [("MUG", 4)])
    assert client.sandbox.shown("MUG") == 1
    assert await client.sandbox.sell([("MUG", 2)]) is None
    assert await client.sandbox.sell_on("EBAY_GB", [("MUG", 1)]) is None
    client.clock.advance(10)
    _, read, _ = await client.call("GET", f"{ORDERS}/{number}")
    assert read["lineItems"][0]["listingMarketplaceId"] == "EBAY_MOTORS_US"
