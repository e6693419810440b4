"""An account is checked by key before any call, its login by reads, its subscriptions made once and mended."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.ebay import settings
from connectors.ebay.connector import EbayConnector
from connectors.ebay.settings import CREDENTIALS as DESCRIBED
from connectors.sdk.clock import EPOCH, MemoryTokens
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from tests.support.ebay_wire import (
    CREDENTIALS,
    ORDER_PATH,
    TOKEN_PATH,
    VERIFICATION_TOKEN,
    Wire,
    context,
    fault,
    notification,
    page,
    scripted,
)

CALLBACK = "https://hub.example.com/webhooks/ebay-us"
NOTIFY = "/commerce/notification/v1"
ITEMS = "/sell/inventory/v1/inventory_item"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"credentials": {"client_secret": "x", "refresh_token": "y"}}, "client_id"),
        ({"credentials": {"client_id": "", "client_secret": "x"}}, "client_id"),
        ({"credentials": {"client_id": "a", "client_secret": "x"}}, "refresh_token"),
        ({"credentials": {"client_id": "a", "client_secret": "x", "authorization_code": "c"}}, "ru_name"),
        ({"credentials": {**CREDENTIALS, "webhook_secret": "x"}}, "webhook_secret"),
        ({"credentials": {**CREDENTIALS, "verification_token": "short"}}, "verification_token"),
        ({"credentials": {**CREDENTIALS, "verification_token": "x" * 81}}, "verification_token"),
        ({"credentials": {**CREDENTIALS, "verification_token": "ü" * 40}}, "verification_token"),
        ({"options": {"marketplace": "EBAY-US"}}, "marketplace"),
        ({"options": {"trading": "yes"}}, "trading"),
        ({"options": {"post_order_scheme": "Basic"}}, "post_order_scheme"),
        ({"options": {"refresh_token_expires_on": "soon"}}, "refresh_token_expires_on"),
        ({"options": {"alert_email": " "}}, "alert_email"),
        ({"options": {"market": "us"}}, "market"),
        ({"base_url": "http://ebay.example.com"}, "base_url"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], named: str) -> None:
    """A section with a fault is refused before any connection, and no value of it is shown."""
    with pytest.raises(ValueError, match=named) as caught:
        EbayConnector(context(**changes))
    assert "refresh-1" not in str(caught.value)


def test_defaults_are_production() -> None:
    read = settings.read(context(base_url=""))
    assert read.base_url == read.auth_url == "https://api.ebay.com"
    assert (read.marketplace, read.site_id, read.trading, read.post_order_scheme) == ("EBAY_US", 0, False, "IAF")
    assert set(DESCRIBED) >= set(CREDENTIALS)


async def test_the_token_is_refreshed_once_for_all_and_again_when_refused() -> None:
    """Golden shape of the refresh: Basic login, form body, no scope; a 401 earns one renewal."""
    async with scripted() as wire:
        answers = [httpx.Response(401, json=fault(1001, "Invalid access token")), httpx.Response(200, json=page())]
        wire.routes.get(ORDER_PATH).mock(side_effect=answers)
        await wire.connector.fetch("orders", None, 5)
        token = wire.routes["token"]
        assert token.call_count == 2
        request = token.calls[0].request
        assert parse_qs(request.read().decode()) == {"grant_type": ["refresh_token"], "refresh_token": ["refresh-1"]}
        assert request.headers["authorization"] == "Basic YXBwLWlkOmNlcnQtaWQ="
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error": "invalid_grant", "error_description": "revoked"}, AuthReason.REVOKED),
        (401, {"error": "invalid_client", "error_description": "bad"}, AuthReason.CREDENTIALS),
        (400, {"error": "unauthorized_client"}, AuthReason.CREDENTIALS),
        (400, {"error": "invalid_scope"}, AuthReason.SCOPE),
        (400, {"error": "invalid_request"}, AuthReason.CREDENTIALS),
        (401, {}, AuthReason.CREDENTIALS),
    ],
)
async def test_a_refused_login_says_what_to_do(status: int, body: dict[str, Any], reason: AuthReason) -> None:
    async with scripted() as wire:
        wire.routes["token"].respond(status, json=body)
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.check()
        assert caught.value.reason is reason
        assert wire.routes["token"].call_count == 1


@pytest.mark.parametrize(("status", "body"), [(500, {}), (200, {"expires_in": 7200}), (200, [])])
async def test_a_login_in_trouble_is_weather(status: int, body: Any) -> None:
    async with scripted() as wire:
        wire.routes["token"].respond(status, json=body)
        with pytest.raises(Transient):
            await wire.connector.check()


async def test_a_fresh_consent_is_exchanged_once_and_kept() -> None:
    """The code works once: its refresh token is kept over restarts; another code is another consent."""
    tokens = MemoryTokens()
    options = {"ru_name": "Example-ExampleAp-PRD-x"}
    given = {"client_id": "a", "client_secret": "b", "authorization_code": "code-1"}
    grants: list[dict[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        grant = parse_qs(request.read().decode())
        grants.append(grant)
        fresh = {"refresh_token": "kept-1", "refresh_token_expires_in": 47_304_000}
        more = fresh if grant["grant_type"] == ["authorization_code"] else {}
        return httpx.Response(200, json={"access_token": "access-1", "expires_in": 7200, **more})

    async def run(credentials: dict[str, str]) -> Any:
        async with scripted(credentials=credentials, options=options, tokens=tokens) as wire:
            wire.routes.post(TOKEN_PATH, name="token").mock(side_effect=answer)
            wire.routes.get(ORDER_PATH).respond(json=page())
            wire.routes.get(ITEMS).respond(json={"total": 0})
            return await wire.connector.check()

    report = await run(given)
    assert report.detail["consent until"] == str((EPOCH + timedelta(seconds=47_304_000)).date())
    assert [grant["grant_type"][0] for grant in grants] == ["authorization_code", "refresh_token"]
    assert grants[0]["redirect_uri"] == ["Example-ExampleAp-PRD-x"]
    assert grants[1]["refresh_token"] == ["kept-1"]
    await run({**given, "authorization_code": "code-2"})
    assert [grant["grant_type"][0] for grant in grants][2:] == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize(
    ("ends_on", "said"),
    [(None, "without a warning"), ("2026-02-01", "26 days"), ("2026-01-01", "ended"), ("2027-06-01", None)],
)
async def test_the_end_of_the_consent_is_announced(ends_on: str | None, said: str | None) -> None:
    async with scripted(options={"refresh_token_expires_on": ends_on} if ends_on else {}) as wire:
        wire.routes.get(ORDER_PATH).respond(json=page())
        wire.routes.get(ITEMS).respond(json={"total": 0})
        report = await wire.connector.check()
        assert report.who == "eBay seller on EBAY_US"
        if said is None:
            assert not report.warnings
        else:
            assert any(said in warning for warning in report.warnings)


async def test_check_names_each_scope_that_is_missing() -> None:
    """A login that works but does not reach far enough is a scope, and both reads are tried before it is said."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(403, json=fault(1100, "Insufficient permissions"))
        wire.routes.get(ITEMS).respond(403, json=fault(1100, "Insufficient permissions"))
        with pytest.raises(AuthFailed, match=r"sell\.fulfillment, .*sell\.inventory") as caught:
            await wire.connector.check()
        assert caught.value.reason is AuthReason.SCOPE


async def test_a_spent_day_is_said_and_asked_about_later() -> None:
    """Error 2001 without a wait holds the budget a quarter of an hour, not a second."""
    async with scripted() as wire:
        wire.routes.get(ORDER_PATH).respond(429, json=fault(2001, "Too many requests"))
        with pytest.raises(RateLimited, match="midnight Pacific") as caught:
            await wire.connector.fetch("orders", None, 5)
        assert caught.value.retry_after_s == 900


async def test_a_revocation_is_believed_once_the_login_fails() -> None:
    """It concerns some user of the application: only a refused refresh makes it this account's."""
    hint = Envelope("AUTHORIZATION_REVOCATION", "k", "k", notification("AUTHORIZATION_REVOCATION", {"userId": "x"}))
    async with scripted() as wire:
        assert await wire.connector.resolve(hint) == []
        wire.routes["token"].respond(400, json={"error": "invalid_grant"})
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.resolve(hint)
        assert caught.value.reason is AuthReason.REVOKED


# Subscriptions.


class Desk:
    """The Notification API as far as subscribing needs it."""

    def __init__(self, wire: Wire) -> None:
        self.email: str | None = None
        self.destinations: list[dict[str, Any]] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.tokens: dict[str, str] = {}
        payload = {"format": ["JSON"], "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}
        offered = [("ORDER_CONFIRMATION", "USER"), ("AUTHORIZATION_REVOCATION", "APPLICATION"), ("ITEM_SOLD", "USER")]
        self.topics = [{"topicId": name, "scope": scope, "supportedPayloads": [payload]} for name, scope in offered]
        wire.routes.post(TOKEN_PATH, name="token").mock(side_effect=self.token)
        wire.routes.route(path__startswith=NOTIFY).mock(side_effect=self.answer)

    def token(self, request: httpx.Request) -> httpx.Response:
        grant = parse_qs(request.read().decode())["grant_type"][0]
        return httpx.Response(200, json={"access_token": f"by-{grant}", "expires_in": 7200})

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path.removeprefix(NOTIFY), request.method
        body = json.loads(request.read()) if request.read() else {}
        self.tokens[f"{method} {path}"] = request.headers["authorization"].removeprefix("Bearer by-")
        if path == "/config":
            if method == "PUT":
                self.email = body["alertEmail"]
                return httpx.Response(204)
            return httpx.Response(200, json={"alertEmail": self.email}) if self.email else httpx.Response(404)
        if path == "/topic":
            # Two pages, as eBay's continuation tokens give them.
            rest = "continuation_token" in request.url.params
            more = {} if rest else {"next": f"https://api.ebay.com{NOTIFY}/topic?limit=1&continuation_token=abc%3D"}
            return httpx.Response(200, json={"topics": self.topics[1:] if rest else self.topics[:1], **more})
        name = path.strip("/").split("/")[0]
        rows = self.destinations if name == "destination" else self.subscriptions
        if method == "GET":
            return httpx.Response(200, json={f"{name}s": rows})
        if method == "POST" and path.count("/") == 1:
            rows.append({f"{name}Id": f"{name}-{len(rows)}", **body})
            return httpx.Response(
                201, headers={"location": f"https://api.ebay.com{NOTIFY}{path}/{name}-{len(rows) - 1}"}
            )
        found = next(row for row in rows if row[f"{name}Id"] == path.split("/")[2])
        found.update(body if method == "PUT" else {"status": "ENABLED"})
        return httpx.Response(204)


async def test_subscriptions_are_made_in_ebays_order_once() -> None:
    """Alert address, destination, a subscription per wanted topic; the second round changes nothing."""
    async with scripted(options={"alert_email": "ops@example.com"}) as wire:
        desk = Desk(wire)
        assert await wire.connector.ensure_subscriptions(CALLBACK) == [
            "set the alert address",
            "made the destination",
            "subscribed to ORDER_CONFIRMATION",
            "subscribed to AUTHORIZATION_REVOCATION",
        ]
        config = {"endpoint": CALLBACK, "verificationToken": VERIFICATION_TOKEN}
        assert desk.destinations[0]["deliveryConfig"] == config
        assert desk.subscriptions[0] == {
            "subscriptionId": "subscription-0",
            "topicId": "ORDER_CONFIRMATION",
            "destinationId": "destination-0",
            "status": "ENABLED",
            "payload": {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"},
        }
        assert await wire.connector.ensure_subscriptions(CALLBACK) == []
        assert desk.tokens["POST /destination"] == "client_credentials"


async def test_what_stands_wrongly_is_mended_and_what_is_elsewhere_left_alone() -> None:
    async with scripted(options={"alert_email": "ops@example.com"}) as wire:
        desk = Desk(wire)
        await wire.connector.ensure_subscriptions(CALLBACK)
        desk.destinations[0]["status"] = "MARKED_DOWN"
        desk.subscriptions[0]["status"] = "DISABLED"
        desk.subscriptions[1]["destinationId"] = "somebody-elses"
        assert await wire.connector.ensure_subscriptions(CALLBACK) == [
            "mended the destination",
            "enabled ORDER_CONFIRMATION",
        ]
        assert desk.subscriptions[1]["destinationId"] == "somebody-elses"


async def test_without_token_or_alert_address_nothing_is_subscribed() -> None:
    async with scripted() as wire:
        Desk(wire)
        with pytest.raises(Rejected, match="alert_email"):
            await wire.connector.ensure_subscriptions(CALLBACK)
    bare = {key: value for key, value in CREDENTIALS.items() if key != "verification_token"}
    async with scripted(credentials=bare) as wire:
        with pytest.raises(Rejected, match="verification_token"):
            await wire.connector.ensure_subscriptions(CALLBACK)


# Cancellations and returns.


async def test_cases_are_read_over_a_look_back_and_changes_have_another_key() -> None:
    """Both searches filter by creation alone, so the look-back is read again; what is unchanged keeps its key."""
    row = {
        "returnId": "5",
        "state": "RETURN_REQUESTED",
        "creationInfo": {"creationDate": {"value": "2026-01-04T08:00:00.000Z"}},
    }
    async with scripted() as wire:
        search = wire.routes.get("/post-order/v2/return/search")
        search.respond(json={"members": [row], "total": 1})
        first = await wire.connector.fetch("returns", None, 50)
        wire.clock.advance(900)
        again = await wire.connector.fetch("returns", first.cursor, 50)
        assert first.envelopes[0].dedupe_key == again.envelopes[0].dedupe_key
        search.respond(json={"members": [row | {"state": "CLOSED"}], "total": 1})
        changed = await wire.connector.fetch("returns", again.cursor, 50)
        assert changed.envelopes[0].dedupe_key != first.envelopes[0].dedupe_key
        assert changed.envelopes[0].ordering_key == first.envelopes[0].ordering_key
        params = search.calls[0].request.url.params
        assert params["creation_date_range_from"] == "2025-10-07T12:00:00.000Z"
        assert params["role"] == "SELLER"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_post_order_does_not_take_holds_nothing_else(status: int) -> None:
    """The scheme may be another one: that stream is refused by name, while a login that fails is still the login's."""
    async with scripted() as wire:
        wire.routes.get("/post-order/v2/cancellation/search").respond(status, json=fault(1001, "Invalid token"))
        with pytest.raises(Rejected, match="post_order_scheme") as caught:
            await wire.connector.fetch("cancellations", None, 50)
        assert (caught.value.code, caught.value.status) == ("post_order_refused", status)
        wire.routes["token"].respond(400, json={"error": "invalid_grant"})
        wire.clock.advance(7_200)
        with pytest.raises(AuthFailed):
            await wire.connector.fetch("cancellations", None, 50)


async def test_cases_are_paged_and_a_lying_total_does_not_loop() -> None:
    async with scripted() as wire:
        rows = [{"cancelId": str(number), "legacyOrderId": f"o-{number}"} for number in range(5)]

        def answer(request: httpx.Request) -> httpx.Response:
            offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
            return httpx.Response(200, json={"cancellations": rows[offset : offset + limit], "total": 9})

        wire.routes.get("/post-order/v2/cancellation/search").mock(side_effect=answer)
        cursor, found = None, []
        for _ in range(20):
            got = await wire.connector.fetch("cancellations", cursor, 2)
            found += [json.loads(each.payload)["cancelId"] for each in got.envelopes]
            cursor = got.cursor
            if not got.more:
                break
        assert found == ["0", "1", "2", "3", "4"]
        wire.routes.get("/post-order/v2/cancellation/search").respond(json=[])
        with pytest.raises(ConnectorError):
            await wire.connector.fetch("cancellations", None, 2)
