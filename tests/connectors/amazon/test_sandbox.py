"""The sandbox answers as Amazon's contract has it, also to clients that do not follow it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.amazon.fake.rates import PUBLISHED
from connectors.amazon.fake.replies import iso
from connectors.amazon.sandbox import BUSY, CLIENT_ID, REFRESH_TOKEN, SELLER
from connectors.sdk.clock import EPOCH
from tests.support.amazon_client import (
    EVERYTHING,
    FEEDS,
    LISTINGS,
    NOTICES,
    ORDERS,
    REPORTS,
    US,
    Client,
    opened,
)


@pytest.fixture
async def amazon() -> AsyncIterator[Client]:
    """Generous limits: what a test is about decides, not how often it asks."""
    async with opened(grant=1000.0) as client:
        yield client


async def sold(client: Client, sku: str = "MUG", units: int = 2, *, cleared: bool = True) -> str:
    if sku not in client.sandbox.stockroom.listings:
        client.sandbox.stock(sku, 10, title=f"A {sku.lower()}")
    number = await client.sandbox.sell([(sku, units)])
    assert number is not None
    if cleared:
        client.clock.advance(1)
    return number


def package(line: str, units: int = 2, reference: Any = "1", **changes: Any) -> dict[str, Any]:
    rows = [{"orderItemId": line, "quantity": units}]
    detail = {
        "packageReferenceId": reference,
        "carrierCode": "UPS",
        "trackingNumber": "1Z1",
        "shipDate": iso(EPOCH),
        "orderItems": rows,
    }
    return detail | changes


# Login


async def test_login_grants_and_refuses(amazon: Client) -> None:
    """Each grant has its token, each wrong credential its own word."""
    seller = await amazon.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
    assert (seller.body["token_type"], seller.body["expires_in"]) == ("bearer", 3600)
    assert seller.body["refresh_token"] == REFRESH_TOKEN
    wrong = await amazon.grant(grant_type="refresh_token", refresh_token="Atzr|other")
    assert (wrong.status, wrong.body["error"]) == (400, "invalid_grant")
    wrong = await amazon.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN, client_secret="rotated")
    assert (wrong.status, wrong.body["error"]) == (401, "invalid_client")
    wrong = await amazon.grant(grant_type="client_credentials", scope="other")
    assert wrong.body["error"] == "invalid_scope"
    wrong = await amazon.grant(grant_type="password")
    assert wrong.body["error"] == "unsupported_grant_type"
    assert CLIENT_ID.startswith("amzn1.")


async def test_tokens_end_and_are_told_apart(amazon: Client) -> None:
    """After an hour a token is worth nothing, and each kind opens its own operations."""
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 200
    assert (await amazon.call("GET", f"{NOTICES}/destinations")).code == "Unauthorized"
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations", grantless=True)).status == 403
    amazon.clock.advance(3601)
    expired = await amazon.call("GET", "/sellers/v1/marketplaceParticipations")
    assert (expired.status, expired.code) == (403, "Unauthorized")
    await amazon.login()
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 200


async def test_revoked_and_without_role(amazon: Client) -> None:
    """A withdrawn authorisation ends tokens and refreshing; a lost role refuses all but the marketplaces."""
    amazon.sandbox.drop_scope()
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 200
    assert (await amazon.call("GET", LISTINGS, marketplaceIds=US)).status == 403
    await amazon.sandbox.revoke()
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 403
    refused = await amazon.grant(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
    assert refused.body["error"] == "invalid_grant"


async def test_an_expired_token_fault_spares_the_next(amazon: Client) -> None:
    """The fault refuses a good token once; the one fetched because of it works."""
    amazon.sandbox.faults.force("expired_token")
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 403
    amazon.sandbox.faults.set("expired_token", 1.0)
    await amazon.login()
    assert (await amazon.call("GET", "/sellers/v1/marketplaceParticipations")).status == 200


# Usage plans


@pytest.mark.parametrize("operation", ["searchOrders", "getOrder", "searchListingsItems"])
async def test_published_limits_hold(operation: str) -> None:
    """Burst many calls pass, the next is QuotaExceeded and names the rate, and one more passes after 1/rate."""
    async with opened() as client:
        rate, burst = PUBLISHED[operation]
        number = await sold(client)

        async def ask() -> Any:
            if operation == "getOrder":
                return await client.call("GET", f"{ORDERS}/{number}")
            if operation == "searchOrders":
                return await client.search()
            return await client.call("GET", LISTINGS, marketplaceIds=US)

        for _ in range(burst):
            answer = await ask()
            assert (answer.status, float(answer.headers["x-amzn-ratelimit-limit"])) == (200, rate)
        refused = await ask()
        assert (refused.status, refused.code) == (429, "QuotaExceeded")
        assert "retry-after" not in refused.headers
        client.clock.advance(1.01 / rate)
        assert (await ask()).status == 200


async def test_a_grant_multiplies_the_limits() -> None:
    """The account section raises the usage plans as for a busy seller; a grant of one leaves them."""
    async with opened() as client:
        client.sandbox.account_section(grant=1.0)
        assert client.sandbox.buckets.rate("getOrder") == "0.5"
        client.sandbox.account_section()
        answer = await client.call("GET", f"{ORDERS}/{await sold(client)}")
        assert float(answer.headers["x-amzn-ratelimit-limit"]) == 0.5 * BUSY >= 10
        assert float(client.sandbox.buckets.rate("patchListingsItem")) >= 20


async def test_five_listing_feeds_in_five_minutes(amazon: Client) -> None:
    """The sixth is refused until the window has passed."""
    amazon.sandbox.buckets.grant = 1.0
    amazon.sandbox.stock("MUG", 1)
    for _ in range(5):
        await amazon.feed("JSON_LISTINGS_FEED", feed_of([message(1, "MUG", 2)]))
    document = await amazon.upload(b"{}")
    body = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [US], "inputFeedDocumentId": document}
    assert (await amazon.call("POST", f"{FEEDS}/feeds", body)).status == 429
    amazon.clock.advance(301)
    assert (await amazon.call("POST", f"{FEEDS}/feeds", body)).status == 202


# Orders


async def test_a_checkout_is_pending_and_then_unshipped(amazon: Client) -> None:
    """PENDING has no money and no address; both come with the payment."""
    number = await sold(amazon, cleared=False)
    order = await amazon.order(number)
    assert order["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert not {"recipient", "proceeds", "buyer", "payment"} & set(order)
    assert "price" not in order["orderItems"][0]["product"]
    assert amazon.sandbox.shown("MUG") == 8
    amazon.clock.advance(1)
    order = await amazon.order(number)
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert order["proceeds"]["grandTotal"]["currencyCode"] == "USD"
    assert order["recipient"]["deliveryAddress"]["countryCode"] == "US"
    assert order["lastUpdatedTime"] > order["createdTime"]


async def test_included_data_governs_what_is_returned(amazon: Client) -> None:
    """Without FULFILLMENT there is no status at all."""
    number = await sold(amazon)
    bare = (await amazon.call("GET", f"{ORDERS}/{number}")).body["order"]
    assert set(bare) == {"orderId", "createdTime", "lastUpdatedTime", "programs", "salesChannel", "orderItems"}
    assert "fulfillment" not in bare["orderItems"][0]
    parts = {
        "BUYER": "buyer",
        "RECIPIENT": "recipient",
        "PROCEEDS": "proceeds",
        "FULFILLMENT": "fulfillment",
        "PAYMENT": "payment",
    }
    for dataset, part in parts.items():
        assert set(await amazon.order(number, dataset)) - set(bare) == {part}
    amazon.sandbox.order_wire.personal = False
    assert "recipient" not in await amazon.order(number)
    assert (await amazon.call("GET", f"{ORDERS}/{number}", includedData="ADDRESS")).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": "2026-01-05T00:00:00Z", "lastUpdatedAfter": "2026-01-05T00:00:00Z"},
        {"createdAfter": "2026-01-05T00:00:00Z", "lastUpdatedBefore": "2026-01-05T01:00:00Z"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "lastUpdatedBefore": "2026-01-05T11:58:01Z"},
        {"lastUpdatedAfter": "yesterday"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "maxResultsPerPage": "101"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "fulfillmentStatuses": "Unshipped"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "updatedSince": "x"},
        {"lastUpdatedAfter": "2026-01-05T00:00:00Z", "paginationToken": "made-up"},
    ],
)
async def test_a_search_against_the_rules_is_refused(amazon: Client, query: dict[str, str]) -> None:
    """Exactly one start, ends two minutes old, known values only."""
    answer = await amazon.call("GET", ORDERS, **query)
    assert (answer.status, answer.code) == (400, "InvalidInput")


async def test_pages_of_orders(amazon: Client) -> None:
    """A token continues one walk: a day long, with the same parameters, never twice the same order."""
    numbers = [await sold(amazon, f"SKU-{index}", 1) for index in range(5)]
    first = await amazon.search(maxResultsPerPage="2")
    token = first.body["pagination"]["nextToken"]
    seen = [order["orderId"] for order in first.body["orders"]]
    assert (await amazon.search(paginationToken=token, fulfilledBy="MERCHANT")).status == 400
    second = await amazon.search(maxResultsPerPage="100", paginationToken=token, includedData="BUYER")
    assert "pagination" not in second.body
    assert seen + [order["orderId"] for order in second.body["orders"]] == numbers
    amazon.clock.advance(24 * 3600 + 1)
    await amazon.login()
    assert (await amazon.search(paginationToken=token)).status == 400


async def test_a_search_filters(amazon: Client) -> None:
    """Status, fulfiller and time choose."""
    unshipped, pending = await sold(amazon, "A"), await sold(amazon, "B", cleared=False)
    amazon.sandbox.stock_fba("F", 3)
    theirs = await amazon.sandbox.sell_fba([("F", 1)])

    async def found(**query: str) -> set[str]:
        return {order["orderId"] for order in (await amazon.search(**query)).body["orders"]}

    assert await found() == {unshipped, pending, theirs}
    assert await found(fulfillmentStatuses="PENDING") == {pending, theirs}
    assert await found(fulfilledBy="AMAZON") == {theirs}
    assert await found(marketplaceIds="A1PA6795UKMFR9") == set()
    since = iso(amazon.clock.now())
    amazon.clock.advance(600)
    assert await found(lastUpdatedAfter=since) == {pending, theirs}


async def test_a_late_read_shows_what_was(amazon: Client) -> None:
    """Under the fault a fresh order is missing or old; three seconds later it is not."""
    number = await sold(amazon)
    amazon.sandbox.faults.force("late_read")
    assert (await amazon.search()).body["orders"] == []
    amazon.sandbox.faults.force("late_read")
    late = await amazon.order(number, "FULFILLMENT")
    assert late["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert "proceeds" not in late
    assert len((await amazon.search()).body["orders"]) == 1


# Shipments


async def test_shipping_in_packages(amazon: Client) -> None:
    """204 without a body; a package per call, a repeated reference edits, too many units are refused."""
    number = await sold(amazon)
    line = (await amazon.order(number))["orderItems"][0]["orderItemId"]
    answer = await amazon.confirm(number, package(line, 1))
    assert (answer.status, answer.body) == (204, None)
    order = await amazon.order(number)
    assert order["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"
    assert order["orderItems"][0]["fulfillment"] == {"quantityFulfilled": 1, "quantityUnfulfilled": 1}
    edited = package(line, 1, carrierCode="Other", carrierName="Example Post", trackingNumber="EP2")
    assert (await amazon.confirm(number, edited)).status == 204
    assert (await amazon.confirm(number, package(line, 2, "2"))).status == 400
    assert (await amazon.confirm(number, package(line, 1, "2"))).status == 204
    packages = (await amazon.order(number))["packages"]
    assert [(each["packageReferenceId"], each["carrier"], each["trackingNumber"]) for each in packages] == [
        ("1", "Example Post", "EP2"),
        ("2", "UPS", "1Z1"),
    ]
    assert amazon.sandbox.orders()[0]["state"] == "shipped"
    refused = await amazon.confirm(number, package(line, 1, "3"))
    assert "PackageToUpdateNotFound" in refused.body["errors"][0]["message"]
    assert (await amazon.confirm(number, package(line, 1, "2"))).status == 204


@pytest.mark.parametrize(
    "change",
    [
        {"packageReferenceId": 1},
        {"packageReferenceId": "0"},
        {"packageReferenceId": "²"},
        {"packageReferenceId": "ship-1"},
        {"carrierCode": "Other"},
        {"trackingNumber": ""},
        {"shipDate": "02/21/2022"},
        {"orderItems": {"orderItemId": "1", "quantity": 1}},
        {"orderItems": []},
        {"orderItems": [{"orderItemId": "unheard-of", "quantity": 1}]},
        {"trackingId": "1Z1"},
    ],
)
async def test_a_confirmation_against_the_rules_is_refused(amazon: Client, change: dict[str, Any]) -> None:
    """References are texts of positive numbers, Other needs a name, items are a list."""
    number = await sold(amazon)
    line = (await amazon.order(number))["orderItems"][0]["orderItemId"]
    assert (await amazon.confirm(number, package(line, **change))).status == 400
    assert amazon.sandbox.orders()[0]["state"] == "open"


async def test_what_must_not_be_shipped(amazon: Client) -> None:
    """PENDING, cancelled and Amazon's own orders are refused, an unknown one is not found."""
    pending = await sold(amazon, cleared=False)
    line = amazon.sandbox.book.orders[pending].lines[0].number
    assert (await amazon.confirm(pending, package(line))).status == 400
    amazon.clock.advance(1)
    await amazon.sandbox.cancel(pending)
    assert (await amazon.confirm(pending, package(line))).status == 400
    amazon.sandbox.stock_fba("F", 3)
    theirs = await amazon.sandbox.sell_fba([("F", 1)])
    assert theirs is not None
    amazon.clock.advance(1)
    line = amazon.sandbox.book.orders[theirs].lines[0].number
    assert (await amazon.confirm(theirs, package(line, 1))).status == 400
    assert (await amazon.confirm("111-0000000-0000000", package(line))).status == 404


# Listings


def merge(quantity: Any, op: str = "merge", **entry: Any) -> list[dict[str, Any]]:
    value = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity, **entry}
    return [{"op": op, "path": "/attributes/fulfillment_availability", "value": [value]}]


async def test_submitted_and_actual_differ_for_a_while(amazon: Client) -> None:
    """ACCEPTED shows at once in the attributes and later in what can be bought."""
    amazon.sandbox.stock("A/B %", 5)
    amazon.sandbox.stockroom.propagation_s = 30
    answer = await amazon.patch("A/B %", merge(7))
    assert (answer.status, answer.body["status"], answer.body["issues"]) == (200, "ACCEPTED", [])
    found = (await amazon.listing("A/B %")).body
    assert found["attributes"]["fulfillment_availability"][0]["quantity"] == 7
    assert found["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}]
    amazon.clock.advance(31)
    assert (await amazon.listing("A/B %")).body["fulfillmentAvailability"][0]["quantity"] == 7
    await amazon.sandbox.sell([("A/B %", 3)])
    found = (await amazon.listing("A/B %")).body
    assert found["fulfillmentAvailability"][0]["quantity"] == 4
    assert found["attributes"]["fulfillment_availability"][0]["quantity"] == 7
    amazon.clock.advance(5)
    amazon.sandbox.stock("A/B %", 9)
    amazon.sandbox.faults.force("late_read")
    assert (await amazon.listing("A/B %")).body["fulfillmentAvailability"][0]["quantity"] == 4


async def test_merge_keeps_and_replace_wipes(amazon: Client) -> None:
    """The lead time survives a merge and not a replace."""
    amazon.sandbox.stock("MUG", 5)

    async def entry() -> Any:
        return (await amazon.listing("MUG")).body["attributes"]["fulfillment_availability"][0]

    assert (await entry())["lead_time_to_ship_max_days"] == 2
    await amazon.patch("MUG", merge(6))
    assert await entry() == {"fulfillment_channel_code": "DEFAULT", "lead_time_to_ship_max_days": 2, "quantity": 6}
    await amazon.patch("MUG", merge(6, "replace"))
    assert await entry() == {"fulfillment_channel_code": "DEFAULT", "quantity": 6}


@pytest.mark.parametrize(
    ("patches", "code"),
    [
        (merge(1, "increment"), "90000900"),
        ([{"op": "merge", "path": "/attributes/fulfillmentAvailability", "value": [{}]}], "90000900"),
        ([{"op": "merge", "path": "/attributes/fulfillment_availability/0/quantity", "value": [{}]}], "90000900"),
        ([{**merge(1)[0], "value": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 1}]}], "90000900"),
        ([{**merge(1)[0], "value": [{"quantity": 1}]}], "90220"),
        (merge(-1), "99022"),
        (merge("7"), "99022"),
    ],
)
async def test_a_bad_patch_is_invalid_in_a_200(amazon: Client, patches: Any, code: str) -> None:
    """Nothing changes, and the issue says why."""
    amazon.sandbox.stock("MUG", 5)
    answer = await amazon.patch("MUG", patches)
    assert (answer.status, answer.body["status"]) == (200, "INVALID")
    assert answer.body["issues"][0]["code"] == code
    assert answer.body["issues"][0]["severity"] == "ERROR"
    amazon.clock.advance(60)
    assert amazon.sandbox.shown("MUG") == 5


async def test_a_preview_changes_nothing(amazon: Client) -> None:
    """VALIDATION_PREVIEW answers VALID and leaves everything."""
    amazon.sandbox.stock("MUG", 5)
    answer = await amazon.patch("MUG", merge(9), mode="VALIDATION_PREVIEW")
    assert answer.body["status"] == "VALID"
    amazon.clock.advance(60)
    assert amazon.sandbox.shown("MUG") == 5


async def test_amazons_channel_makes_a_second_entry(amazon: Client) -> None:
    """AMAZON_NA in a patch stands beside DEFAULT, without a quantity of its own."""
    amazon.sandbox.stock("MUG", 5)
    patches = merge(7)
    patches[0]["value"][0]["fulfillment_channel_code"] = "AMAZON_NA"
    await amazon.patch("MUG", patches)
    amazon.clock.advance(1)
    assert (await amazon.listing("MUG")).body["fulfillmentAvailability"] == [
        {"fulfillmentChannelCode": "DEFAULT", "quantity": 5},
        {"fulfillmentChannelCode": "AMAZON_NA"},
    ]


async def test_an_unknown_sku(amazon: Client) -> None:
    """Not found when read; invalid when patched, or accepted for nothing as operators have seen it."""
    assert (await amazon.listing("GONE")).status == 404
    assert (await amazon.patch("GONE", merge(1))).body["status"] == "INVALID"
    amazon.sandbox.listings.accepts_unknown = True
    assert (await amazon.patch("GONE", merge(1))).body["status"] == "ACCEPTED"
    assert (await amazon.listing("GONE")).status == 404


async def test_searching_listings(amazon: Client) -> None:
    """Pages of a search, by identifier too, and never past a thousand."""
    for index in range(45):
        amazon.sandbox.stock(f"SKU-{index:02d}", index)
    query = {"marketplaceIds": US, "includedData": "summaries,fulfillmentAvailability", "sortBy": "sku"}
    query |= {"sortOrder": "ASC", "pageSize": "20"}
    skus, token = [], ""
    for _ in range(3):
        more = {"pageToken": token} if token else {}
        page = (await amazon.call("GET", LISTINGS, **query, **more)).body
        skus += [item["sku"] for item in page["items"]]
        token = page.get("pagination", {}).get("nextToken", "")
        assert page["numberOfResults"] == 45
    assert (skus, token) == ([f"SKU-{index:02d}" for index in range(45)], "")
    wanted = {"identifiers": "SKU-03,GONE", "identifiersType": "SKU"}
    page = (await amazon.call("GET", LISTINGS, **query, **wanted)).body
    assert [item["sku"] for item in page["items"]] == ["SKU-03"]
    many = ",".join(f"SKU-{index:02d}" for index in range(21))
    assert (await amazon.call("GET", LISTINGS, **query, identifiers=many, identifiersType="SKU")).status == 400
    assert (await amazon.call("GET", LISTINGS, **query, identifiers="SKU-03")).status == 400
    assert (await amazon.call("GET", LISTINGS, **{**query, "pageSize": "21"})).status == 400
    for index in range(1_000):
        amazon.sandbox.stock(f"MORE-{index}", 1)
    found, token = 0, ""
    while True:
        page = (await amazon.call("GET", LISTINGS, **query, **({"pageToken": token} if token else {}))).body
        found += len(page["items"])
        token = page.get("pagination", {}).get("nextToken", "")
        if not token:
            break
    assert (found, page["numberOfResults"]) == (1_000, 1_045)


# Feeds


def message(number: int, sku: str, quantity: int, **changes: Any) -> dict[str, Any]:
    found = {"messageId": number, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT"}
    return found | {"patches": merge(quantity)} | changes


def feed_of(messages: list[dict[str, Any]], **header: Any) -> bytes:
    return json.dumps({"header": {"sellerId": SELLER, "version": "2.0"} | header, "messages": messages}).encode()


async def test_a_listings_feed_reports_per_message(amazon: Client) -> None:
    """Queued, working, DONE: good messages take effect beside bad ones, the report names each bad one."""
    for sku in ("A", "B", "C"):
        amazon.sandbox.stock(sku, 1)
    messages = [message(1, "A", 4), message(2, "GONE", 4), message(3, "B", -1), message(9, "C", 0)]
    number = await amazon.feed("JSON_LISTINGS_FEED", feed_of(messages))
    assert (await amazon.call("GET", f"{FEEDS}/feeds/{number}")).body["processingStatus"] == "IN_QUEUE"
    amazon.clock.advance(1.5)
    assert (await amazon.call("GET", f"{FEEDS}/feeds/{number}")).body["processingStatus"] == "IN_PROGRESS"
    feed, content = await amazon.processed(number)
    report = json.loads(content)
    assert feed["processingStatus"] == "DONE"
    assert [(each["messageId"], each["sku"]) for each in report["issues"]] == [(2, "GONE"), (3, "B")]
    assert report["summary"] == {
        "errors": 2,
        "warnings": 0,
        "messagesProcessed": 4,
        "messagesAccepted": 2,
        "messagesInvalid": 2,
    }
    amazon.clock.advance(1)
    assert [amazon.sandbox.shown(sku) for sku in "ABC"] == [4, 1, 0]
    assert "lead_time_to_ship_max_days" in amazon.sandbox.stockroom.listings["A"].submitted()  # type: ignore[operator]


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        json.dumps({"header": [], "messages": [message(1, "A", 1)]}).encode(),
        feed_of([message(1, "A", 1)], version="1.0"),
        feed_of([message(1, "A", 1)], sellerId="ANOTHER"),
        feed_of([]),
        feed_of([message(1, "A", 1), message(1, "A", 2)]),
        feed_of([message(0, "A", 1)]),
    ],
)
async def test_a_feed_that_does_not_fit_is_fatal(amazon: Client, content: bytes) -> None:
    """Nothing is applied; the report that FATAL may have says why."""
    amazon.sandbox.stock("A", 3)
    feed, report = await amazon.processed(await amazon.feed("JSON_LISTINGS_FEED", content))
    assert feed["processingStatus"] == "FATAL"
    assert json.loads(report)["issues"][0]["severity"] == "ERROR"
    assert amazon.sandbox.shown("A") == 3


async def test_dead_feeds_end_fatal(amazon: Client) -> None:
    """The XML inventory feed is taken and never works; an unheard-of type is refused."""
    number = await amazon.feed("POST_INVENTORY_AVAILABILITY_DATA", b"<a/>", "text/xml; charset=UTF-8")
    amazon.clock.advance(60)
    feed = (await amazon.call("GET", f"{FEEDS}/feeds/{number}")).body
    assert (feed["processingStatus"], "resultFeedDocumentId" in feed) == ("FATAL", False)
    document = await amazon.upload(b"x")
    body = {"feedType": "POST_NOTHING", "marketplaceIds": [US], "inputFeedDocumentId": document}
    assert (await amazon.call("POST", f"{FEEDS}/feeds", body)).status == 400
    assert (await amazon.call("POST", f"{FEEDS}/feeds", body | {"inputFeedDocumentId": "made-up"})).status == 400


async def test_feed_faults(amazon: Client) -> None:
    """A feed that did nothing says DONE; a partial failure names its message."""
    for sku in ("A", "B"):
        amazon.sandbox.stock(sku, 1)
    amazon.sandbox.faults.force("feed_noop")
    _, content = await amazon.processed(await amazon.feed("JSON_LISTINGS_FEED", feed_of([message(1, "A", 8)])))
    amazon.clock.advance(1)
    assert (json.loads(content)["issues"], amazon.sandbox.shown("A")) == ([], 1)
    amazon.sandbox.faults.force("partial_failure")
    both = feed_of([message(1, "A", 8), message(2, "B", 8)])
    _, content = await amazon.processed(await amazon.feed("JSON_LISTINGS_FEED", both))
    amazon.clock.advance(1)
    assert [each["messageId"] for each in json.loads(content)["issues"]] == [1]
    assert (amazon.sandbox.shown("A"), amazon.sandbox.shown("B")) == (1, 8)


async def test_presigned_addresses(amazon: Client) -> None:
    """Five minutes, the stated content type, and no header of ours."""
    made = (await amazon.call("POST", f"{FEEDS}/documents", {"contentType": "text/xml"})).body

    async def put(**headers: str) -> int:
        async with amazon.session.put(made["url"], data=b"x", headers=headers) as response:
            await response.read()
            return response.status

    assert await put(**{"Content-Type": "text/plain"}) == 403
    assert await put(**{"Content-Type": "text/xml", "Authorization": "Bearer x"}) == 400
    assert await put(**{"Content-Type": "text/xml", "x-amz-access-token": amazon.seller}) == 400
    assert await put(**{"Content-Type": "text/xml"}) == 200
    amazon.clock.advance(301)
    assert await put(**{"Content-Type": "text/xml"}) == 403


async def test_listing_and_cancelling_feeds(amazon: Client) -> None:
    """Newest first, filtered, in pages; only a queued feed can be cancelled."""
    amazon.sandbox.stock("A", 1)
    numbers = [await amazon.feed("JSON_LISTINGS_FEED", feed_of([message(1, "A", 3)])) for _ in range(3)]
    page = (await amazon.call("GET", f"{FEEDS}/feeds", feedTypes="JSON_LISTINGS_FEED", pageSize="2")).body
    rest = (await amazon.call("GET", f"{FEEDS}/feeds", nextToken=page["nextToken"])).body
    assert [feed["feedId"] for feed in page["feeds"] + rest["feeds"]] == numbers[::-1]
    assert (await amazon.call("GET", f"{FEEDS}/feeds")).status == 400
    assert (await amazon.call("DELETE", f"{FEEDS}/feeds/{numbers[0]}")).status == 200
    amazon.clock.advance(60)
    assert (await amazon.call("DELETE", f"{FEEDS}/feeds/{numbers[1]}")).status == 400
    query = {"feedTypes": "JSON_LISTINGS_FEED", "processingStatuses": "CANCELLED"}
    assert [each["feedId"] for each in (await amazon.call("GET", f"{FEEDS}/feeds", **query)).body["feeds"]] == [
        numbers[0]
    ]
    late = {"feedTypes": "JSON_LISTINGS_FEED", "createdSince": iso(amazon.clock.now())}
    assert (await amazon.call("GET", f"{FEEDS}/feeds", **late)).body["feeds"] == []


def envelope(kind: str, body: str, seller: str = SELLER) -> bytes:
    return (
        f'<?xml version="1.0"?><AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion>'
        f"<MerchantIdentifier>{seller}</MerchantIdentifier></Header><MessageType>{kind}</MessageType>"
        f"<Message><MessageID>1</MessageID><{kind}>{body}</{kind}></Message></AmazonEnvelope>"
    ).encode()


def cancellation(order: str, line: str, reason: str = "NoInventory") -> bytes:
    item = f"<Item><AmazonOrderItemCode>{line}</AmazonOrderItemCode><CancelReason>{reason}</CancelReason></Item>"
    text = f"<AmazonOrderID>{order}</AmazonOrderID><StatusCode>Failure</StatusCode>{item}"
    return envelope("OrderAcknowledgement", text)


async def test_an_acknowledgement_of_failure_cancels(amazon: Client) -> None:
    """The order is cancelled by the seller with the reason; again, or of a shipped order, it is an error."""
    number = await sold(amazon)
    line = amazon.sandbox.book.orders[number].lines[0].number
    kind, xml = "POST_ORDER_ACKNOWLEDGEMENT_DATA", "text/xml; charset=UTF-8"
    _, bad = await amazon.processed(await amazon.feed(kind, cancellation(number, line, "Whim"), xml))
    assert b"<MessagesWithError>1</MessagesWithError>" in bad
    feed, good = await amazon.processed(await amazon.feed(kind, cancellation(number, line), xml))
    assert feed["processingStatus"] == "DONE"
    assert b"<MessagesSuccessful>1</MessagesSuccessful>" in good
    order = await amazon.order(number)
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert order["orderItems"][0]["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "MERCHANT",
        "cancelReason": "NoInventory",
    }
    _, again = await amazon.processed(await amazon.feed(kind, cancellation(number, line), xml))
    assert b"ResultCode>Error" in again
    shipped = await sold(amazon)
    await amazon.sandbox.ship(shipped)
    line = amazon.sandbox.book.orders[shipped].lines[0].number
    _, late = await amazon.processed(await amazon.feed(kind, cancellation(shipped, line), xml))
    assert b"ResultCode>Error" in late
    fatal, _ = await amazon.processed(await amazon.feed(kind, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", xml))
    assert fatal["processingStatus"] == "FATAL"


async def test_an_adjustment_refunds(amazon: Client) -> None:
    """Money goes back once per adjustment, never more than was paid, and shows among the transactions."""
    number = await sold(amazon)
    order = amazon.sandbox.book.orders[number]
    amount = f'<Amount currency="USD">{order.lines[0].price}</Amount>'
    text = (
        f"<AmazonOrderID>{number}</AmazonOrderID><AdjustedItem><AmazonOrderItemCode>{order.lines[0].number}"
        "</AmazonOrderItemCode><MerchantAdjustmentItemID>r-1</MerchantAdjustmentItemID>"
        "<AdjustmentReason>CustomerReturn</AdjustmentReason><ItemPriceAdjustments><Component><Type>Principal</Type>"
        f"{amount}</Component></ItemPriceAdjustments></AdjustedItem>"
    )
    kind, xml = "POST_PAYMENT_ADJUSTMENT_DATA", "text/xml; charset=UTF-8"
    nonsense = text.replace(f">{order.lines[0].price}<", ">NaN<")
    _, report = await amazon.processed(await amazon.feed(kind, envelope("OrderAdjustment", nonsense), xml))
    assert b"no number" in report
    for _ in range(2):
        _, report = await amazon.processed(await amazon.feed(kind, envelope("OrderAdjustment", text), xml))
        assert b"<MessagesSuccessful>1</MessagesSuccessful>" in report
    _, report = await amazon.processed(await amazon.feed(kind, envelope("OrderAdjustment", text), xml))
    assert b"exceeds what was paid" in report
    path = "/finances/2024-06-19/transactions"
    wanted = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": number}
    found = (await amazon.call("GET", path, **wanted)).body["payload"]["transactions"]
    assert [each["transactionType"] for each in found] == ["Refund", "Refund"]
    assert (await amazon.call("GET", path)).status == 400


async def test_an_adjustment_may_give_units_up(amazon: Client) -> None:
    """QuantityCancelled takes units that were not sent; more than are left are refused."""
    number = await sold(amazon, units=3)
    line = amazon.sandbox.book.orders[number].lines[0].number

    def adjustment(units: int) -> bytes:
        text = (
            f"<AmazonOrderID>{number}</AmazonOrderID><AdjustedItem><AmazonOrderItemCode>{line}</AmazonOrderItemCode>"
            "<MerchantAdjustmentItemID>r-1</MerchantAdjustmentItemID><AdjustmentReason>NoInventory</AdjustmentReason>"
            '<ItemPriceAdjustments><Component><Type>Principal</Type><Amount currency="USD">1.00</Amount></Component>'
            f"</ItemPriceAdjustments><QuantityCancelled>{units}</QuantityCancelled></AdjustedItem>"
        )
        return envelope("OrderAdjustment", text)

    kind, xml = "POST_PAYMENT_ADJUSTMENT_DATA", "text/xml; charset=UTF-8"
    _, report = await amazon.processed(await amazon.feed(kind, adjustment(2), xml))
    assert b"<MessagesSuccessful>1</MessagesSuccessful>" in report
    assert (await amazon.order(number))["orderItems"][0]["fulfillment"]["quantityUnfulfilled"] == 1
    _, report = await amazon.processed(await amazon.feed(kind, adjustment(2), xml))
    assert b"ResultCode>Error" in report
    await amazon.processed(await amazon.feed(kind, adjustment(1), xml))
    assert (await amazon.order(number))["fulfillment"]["fulfillmentStatus"] == "CANCELLED"


# Reports, FBA, account


async def report(amazon: Client, kind: str, **spec: Any) -> str:
    body = {"reportType": kind, "marketplaceIds": [US], **spec}
    number = (await amazon.call("POST", f"{REPORTS}/reports", body)).body["reportId"]
    assert (await amazon.call("GET", f"{REPORTS}/reports/{number}")).body["processingStatus"] == "IN_QUEUE"
    amazon.clock.advance(5)
    found = (await amazon.call("GET", f"{REPORTS}/reports/{number}")).body
    described = (await amazon.call("GET", f"{REPORTS}/documents/{found['reportDocumentId']}")).body
    content = await amazon.download(described)
    return content.decode("iso-8859-1" if kind == "GET_MERCHANT_LISTINGS_ALL_DATA" else "utf-8")


async def test_returns_reports(amazon: Client) -> None:
    """Each kind of return stands in its own report, within the span asked for."""
    mine = await sold(amazon, "MUG")
    amazon.sandbox.stock_fba("F", 3)
    theirs = await amazon.sandbox.sell_fba([("F", 1)])
    assert theirs is not None
    await amazon.sandbox.open_return(mine, 1)
    await amazon.sandbox.open_return(theirs, 1)
    rows = (await report(amazon, "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE")).splitlines()
    row = dict(zip(rows[0].split("\t"), rows[1].split("\t"), strict=True))
    assert (len(rows), row["Order ID"], row["Merchant SKU"], row["Return quantity"]) == (2, mine, "MUG", "1")
    rows = (await report(amazon, "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA")).splitlines()
    row = dict(zip(rows[0].split("\t"), rows[1].split("\t"), strict=True))
    assert (row["order-id"], row["sku"], row["detailed-disposition"]) == (theirs, "F", "SELLABLE")
    since = iso(amazon.clock.now())
    rows = (await report(amazon, "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", dataStartTime=since)).splitlines()
    assert len(rows) == 1
    bad = {"reportType": "GET_NOTHING", "marketplaceIds": [US]}
    assert (await amazon.call("POST", f"{REPORTS}/reports", bad)).status == 400


async def test_the_listings_report(amazon: Client) -> None:
    """A row per channel; Amazon's has no quantity; the text is not UTF-8."""
    amazon.sandbox.stock("MUG", 4, title="Café mug")
    amazon.sandbox.stock_fba("MUG", 9, title="Café mug")
    rows = (await report(amazon, "GET_MERCHANT_LISTINGS_ALL_DATA")).splitlines()
    found = [dict(zip(rows[0].split("\t"), row.split("\t"), strict=True)) for row in rows[1:]]
    assert [(row["seller-sku"], row["fulfillment-channel"], row["quantity"]) for row in found] == [
        ("MUG", "AMAZON_NA", ""),
        ("MUG", "DEFAULT", "4"),
    ]
    assert found[0]["item-name"] == "Café mug"


async def test_amazons_own_stock(amazon: Client) -> None:
    """Pages whose token dies after thirty seconds; the seller's own units are not in it."""
    amazon.sandbox.fba.page_size = 2
    amazon.sandbox.stock("MINE", 5)
    for index in range(3):
        amazon.sandbox.stock_fba(f"F-{index}", index)
    query = {"granularityType": "Marketplace", "granularityId": US, "marketplaceIds": US, "details": "true"}
    path = "/fba/inventory/v1/summaries"
    page = (await amazon.call("GET", path, **query)).body
    token = page["pagination"]["nextToken"]
    rest = (await amazon.call("GET", path, **query, nextToken=token)).body
    rows = page["payload"]["inventorySummaries"] + rest["payload"]["inventorySummaries"]
    assert [(row["sellerSku"], row["inventoryDetails"]["fulfillableQuantity"]) for row in rows] == [
        ("F-0", 0),
        ("F-1", 1),
        ("F-2", 2),
    ]
    assert "pagination" not in rest
    amazon.clock.advance(31)
    assert (await amazon.call("GET", path, **query, nextToken=token)).status == 400
    assert (await amazon.call("GET", path, **query, startDateTime="2020-01-01T00:00:00Z")).status == 400
    assert (await amazon.call("GET", path, marketplaceIds=US)).status == 400
    one = (await amazon.call("GET", path, **query, sellerSkus="F-2")).body["payload"]["inventorySummaries"]
    assert [row["sellerSku"] for row in one] == ["F-2"]


async def test_fba_and_merchant_stock_of_one_sku_are_apart(amazon: Client) -> None:
    """Selling one kind leaves the other."""
    amazon.sandbox.stock("MUG", 4)
    amazon.sandbox.stock_fba("MUG", 9)
    await amazon.sandbox.sell_fba([("MUG", 2)])
    await amazon.sandbox.sell([("MUG", 1)])
    listing = amazon.sandbox.stockroom.listings["MUG"]
    assert (listing.available, listing.fba) == (3, 7)


async def test_a_restricted_token(amazon: Client) -> None:
    """One to fifty resources, each with a method and a path."""
    path = "/tokens/2021-03-01/restrictedDataToken"
    resource = {"method": "GET", "path": "/orders/v0/orders/1/address", "dataElements": ["shippingAddress"]}
    good = await amazon.call("POST", path, {"restrictedResources": [resource]})
    assert good.body["expiresIn"] == 3600
    assert (await amazon.call("POST", path, {"restrictedResources": [resource] * 51})).status == 400
    assert (await amazon.call("POST", path, {"restrictedResources": [{"method": "", "path": "/"}]})).status == 400


async def test_everything_included_is_known(amazon: Client) -> None:
    """Every dataset the tests ask for is one the model has."""
    assert (await amazon.search(includedData=EVERYTHING)).status == 200


ODD: tuple[Any, ...] = (
    {},
    {"marketplaceIds": "US"},
    {"packageDetail": [], "marketplaceId": US},
    {"packageDetail": {"packageReferenceId": {}, "carrierCode": [], "trackingNumber": 1, "shipDate": 5}},
    {"productType": 1, "patches": {}},
    {"productType": "PRODUCT", "patches": [None, 1, {"op": "merge"}, {"op": [], "path": {}, "value": "x"}]},
    {"feedType": [], "marketplaceIds": [US], "inputFeedDocumentId": {}},
    {"reportType": {}, "marketplaceIds": [US]},
    {"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [US], "dataStartTime": []},
    {"name": "n", "resourceSpecification": {"sqs": []}},
    {"name": "n", "resourceSpecification": {"eventBridge": "x"}},
    {"payloadVersion": "1.0", "destinationId": [], "processingDirective": "x"},
    {"restrictedResources": [1, {"method": "GET", "path": 5}]},
)


@pytest.mark.parametrize("body", ODD, ids=str)
async def test_an_odd_body_is_refused_and_breaks_nothing(amazon: Client, body: Any) -> None:
    """Whatever is sent, the answer is Amazon's, never a failure of the fake."""
    number = await sold(amazon)
    targets = (
        ("POST", f"/orders/v0/orders/{number}/shipmentConfirmation", False),
        ("PATCH", f"{LISTINGS}/MUG", False),
        ("POST", f"{FEEDS}/documents", False),
        ("POST", f"{FEEDS}/feeds", False),
        ("POST", f"{REPORTS}/reports", False),
        ("POST", f"{NOTICES}/destinations", True),
        ("POST", f"{NOTICES}/subscriptions/ORDER_CHANGE", False),
        ("POST", "/tokens/2021-03-01/restrictedDataToken", False),
    )
    for method, path, grantless in targets:
        query = {"marketplaceIds": US} if method == "PATCH" else {}
        answer = await amazon.call(method, path, body, grantless=grantless, **query)
        invalid = answer.status == 200 and answer.body.get("status") == "INVALID"
        assert invalid or 400 <= answer.status < 500, (path, answer)
