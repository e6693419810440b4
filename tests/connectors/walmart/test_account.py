"""An account is checked by key before any call, its login by one read, its subscriptions made once and mended."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import AuthFailed, AuthReason, Rejected, Transient, UnknownTopic
from connectors.walmart import CONNECTOR, settings
from connectors.walmart.manifest import MANIFEST
from connectors.walmart.subscriptions import PATH
from tests.support.walmart_payloads import ORDER_NUMBER, errors, event, nodes, page, returned, split_order
from tests.support.walmart_world import CREDENTIALS, context, opened, scripted

CALLBACK = "https://hub.example.com/webhooks/walmart-us"
OFFERED = {"events": [{"eventType": "PO_CREATED", "eventVersion": "V1", "resourceName": "ORDER"}]}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"credentials": {"client_secret": "x"}}, "client_id"),
        ({"credentials": {"client_id": "", "client_secret": "x"}}, "client_id"),
        ({"credentials": {**CREDENTIALS, "token": "x"}}, "token"),
        ({"options": {"market": "uk"}}, "market"),
        ({"options": {"ship_nodes": "1000005050"}}, "ship_nodes"),
        ({"options": {"ship_nodes": [1000005050]}}, "quotes"),
        ({"options": {"webhook_auth": "oauth"}}, "webhook_auth"),
        ({"options": {"webhook_auth": "basic"}}, "webhook_user"),
        ({"options": {"webhook_header": " "}}, "webhook_header"),
        ({"base_url": "http://walmart.example.com"}, "base_url"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(**changes))


def test_defaults_are_production() -> None:
    ctx = context(base_url="")
    read = settings.read(ctx)
    assert read.base_url == read.auth_url == "https://marketplace.walmartapis.com"
    assert (read.market, read.webhook_auth) == ("us", "hmac")


async def test_another_market_is_said_on_every_call() -> None:
    async with scripted(options={"market": "mx", "channel_type": "abc"}) as wire:
        wire.routes.get("/v3/orders").respond(json=page(split_order()))
        await wire.connector.fetch("orders", None, 1)
        for call in wire.routes.calls:
            assert call.request.headers["WM_MARKET"] == "mx"
            assert call.request.headers["WM_CONSUMER.CHANNEL.TYPE"] == "abc"


async def test_check_names_the_scopes_that_are_missing() -> None:
    async with scripted() as wire:
        scopes = {"orders": "view_only", "inventory": "full_access", "feeds": "no_access"}
        wire.routes.get("/v3/token/detail").respond(json={"is_valid": True, "scopes": scopes, "expire_at": "x"})
        with pytest.raises(AuthFailed, match=r"orders \(view_only.*feeds \(no_access") as caught:
            await wire.connector.check()
        assert caught.value.reason is AuthReason.SCOPE


async def test_check_tells_what_it_found_and_what_it_misses() -> None:
    async with scripted(credentials={"client_id": "a", "client_secret": "b"}) as wire:
        scopes = dict.fromkeys(("orders", "inventory", "feeds"), "full_access")
        body = {"is_valid": True, "is_channel_match": False, "scopes": scopes, "expire_at": "1560973098000"}
        wire.routes.get("/v3/token/detail").respond(json=body)
        report = await wire.connector.check()
        assert report.detail["token until"] == "2019-06-19T19:38:18+00:00"
        assert len(report.warnings) == 3
        assert any("webhook_secret" in warning for warning in report.warnings)


@pytest.mark.parametrize(("body", "reason"), [({"is_valid": False}, AuthReason.REVOKED)])
async def test_check_tells_a_revoked_token(body: dict[str, Any], reason: AuthReason) -> None:
    async with scripted() as wire:
        wire.routes.get("/v3/token/detail").respond(json=body)
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.check()
        assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": [{"code": "INVALID_CREDENTIALS.GMP_GATEWAY_API", "description": "wrong"}]}),
        (400, {"error": "invalid_client", "error_description": "wrong"}),
    ],
)
async def test_a_refused_login_is_wrong_credentials_whatever_its_status(status: int, body: dict[str, Any]) -> None:
    async with scripted() as wire:
        wire.routes["token"].respond(status, json=body)
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.check()
        assert caught.value.reason is AuthReason.CREDENTIALS
        assert wire.routes["token"].call_count == 1


async def test_a_login_answer_without_a_token_is_weather() -> None:
    async with scripted() as wire:
        wire.routes["token"].respond(json={"expires_in": 900})
        with pytest.raises(Transient, match="no access token"):
            await wire.connector.check()


async def test_subscriptions_that_stand_wrongly_are_mended_and_others_left_alone() -> None:
    standing = {
        "eventType": "PO_CREATED",
        "subscriptionId": "s-1",
        "eventVersion": "V1",
        "resourceName": "ORDER",
        "eventUrl": CALLBACK,
        "status": "INACTIVE",
    }
    other = {**standing, "subscriptionId": "s-2", "eventUrl": "https://else.example.com"}
    async with scripted() as wire:
        wire.routes.get("/v3/webhooks/eventTypes").respond(json=OFFERED)
        wire.routes.get(PATH).respond(json={"events": [{"event": [other, standing]}]})
        mend = wire.routes.patch(f"{PATH}/s-1").respond(json={})
        assert await wire.connector.ensure_subscriptions(CALLBACK) == ["mended PO_CREATED"]
        assert json.loads(mend.calls[0].request.read())["status"] == "ACTIVE"


@pytest.mark.parametrize(("shown", "mended"), [("hook-secret", False), ("****", False), (None, False), ("other", True)])
async def test_a_rotated_secret_is_mended_where_it_can_be_seen(shown: str | None, mended: bool) -> None:
    async with opened() as world:
        await world.connector.ensure_subscriptions(CALLBACK)
        for row in world.sandbox.hooks.subscriptions.values():
            kept = row["authDetails"]["clientSecret"]
            row["authDetails"]["clientSecret"] = kept if shown == "hook-secret" else shown
        changes = await world.connector.ensure_subscriptions(CALLBACK)
        assert bool(changes) is mended


async def test_without_a_secret_nothing_is_subscribed() -> None:
    async with scripted(credentials={"client_id": "a", "client_secret": "b"}) as wire:
        with pytest.raises(Rejected, match="webhook_secret"):
            await wire.connector.ensure_subscriptions(CALLBACK)


def hint(topic: str, payload: dict[str, Any] | None = None) -> Envelope:
    return Envelope(topic, "event:e", "order:1", event(topic, "e", payload))


async def test_a_hint_leads_to_the_order_with_the_key_a_poll_would_give_it() -> None:
    async with scripted() as wire:
        wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").respond(json={"order": split_order()})
        wire.routes.get("/v3/orders").respond(json=page(split_order()))
        (resolved,) = await wire.connector.resolve(hint("PO_CREATED"))
        polled = await wire.connector.fetch("orders", None, 10)
        assert resolved.dedupe_key == polled.envelopes[0].dedupe_key
        nested = {"meta": {"subEventType": "INTENT_TO_CANCEL"}, "order": {"purchaseOrderId": ORDER_NUMBER}}
        (updated,) = await wire.connector.resolve(hint("ORDER_UPDATES", nested))
        assert updated == resolved


async def test_an_order_that_cannot_be_read_yet_is_tried_again() -> None:
    async with scripted() as wire:
        wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").respond(404, json=errors("CONTENT_NOT_FOUND.X", "none"))
        with pytest.raises(Transient, match="cannot be read yet"):
            await wire.connector.resolve(hint("PO_CREATED"))


@pytest.mark.parametrize("wfs", [True, False])
async def test_an_order_that_does_not_name_its_node_is_asked_for_by_kind(wfs: bool) -> None:
    bare = split_order()
    del bare["shipNode"]

    def listed(request: httpx.Request) -> httpx.Response:
        found = wfs and request.url.params["shipNodeType"] == "WFSFulfilled"
        return (
            httpx.Response(200, json=page(bare))
            if found
            else httpx.Response(404, json=errors("CONTENT_NOT_FOUND.X", "-"))
        )

    async with scripted() as wire:
        wire.routes.get(f"/v3/orders/{ORDER_NUMBER}").respond(json={"order": bare})
        wire.routes.get("/v3/orders").mock(side_effect=listed)
        (resolved,) = await wire.connector.resolve(hint("PO_CREATED"))
        expected = "WFSFulfilled" if wfs else "SellerFulfilled"
        assert json.loads(resolved.payload)["shipNodeType"] == expected


async def test_returns_and_stock_are_read_where_a_hint_names_them() -> None:
    async with scripted() as wire:
        wire.routes.get("/v3/returns").respond(json={"returnOrders": [returned()]})
        wire.routes.get("/v3/inventories/A").respond(json=nodes("A"))
        wire.routes.get("/v3/inventories/GONE").respond(404)
        (found,) = await wire.connector.resolve(hint("RETURN_EVENT", {"returnOrderId": "103738048909818825"}))
        assert found.topic == "returns"
        (stock,) = await wire.connector.resolve(hint("INVENTORY_OOS", {"sku": "A"}))
        assert stock.topic == "inventory"
        assert await wire.connector.resolve(hint("INVENTORY_OOS", {"sku": "GONE"})) == []
        assert await wire.connector.resolve(hint("PO_CREATED", {"test": True})) == []
        with pytest.raises(UnknownTopic, match="PO_CREATED"):
            await wire.connector.resolve(hint("BUY_BOX_CHANGED"))


async def test_return_events_share_a_topic_and_unknown_events_keep_their_name() -> None:
    async with scripted() as wire:
        for event_type, topic in (("RETURN_CREATED", "RETURN_EVENT"), ("SOMETHING_NEW", "SOMETHING_NEW")):
            body = event(event_type, "e-9", {"returnOrderId": "7"})
            request = WebhookRequest("POST", "/", {}, body, wire.clock.now())
            (envelope,) = wire.connector.envelopes(request)
            assert (envelope.topic, envelope.dedupe_key) == (topic, "event:e-9")
            assert envelope.headers["event_type"] == event_type


async def test_walmarts_headers_correct_our_budget() -> None:
    async with scripted() as wire:
        replenished = str(int((wire.clock.now().timestamp() + 4) * 1000))
        headers = {"x-current-token-count": "0", "X-Next-Replenishment-Time": replenished}
        wire.routes.get("/v3/orders").respond(json=page(split_order()), headers=headers)
        await wire.connector.fetch("orders", None, 1)
        await wire.connector.fetch("orders", None, 1)
        assert sum(wire.clock.slept) >= 4


def test_every_budget_names_its_source() -> None:
    assert all(budget.source for budget in MANIFEST.budgets)
    assert MANIFEST.acknowledge_within_s == 4 * 3600
