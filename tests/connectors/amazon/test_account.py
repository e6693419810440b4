"""A section that is wrong is refused by key, and `check` says which part of an account does not work."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any, Self

import httpx
import pytest
from aiobotocore import session

from connectors.amazon import CONNECTOR, check, settings
from connectors.amazon.queue import Queue
from connectors.sdk.contract import ReceivesWebhooks
from connectors.sdk.errors import AuthFailed, AuthReason, Transient
from connectors.sdk.manifest import Capability
from tests.support.amazon_wire import AWS_KEYS, BASE, ITEMS_PATH, ORDERS_PATH, US, context, fault, scripted

DE = "A1PA6795UKMFR9"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"credentials": {"client_id": ""}}, "credentials.client_id"),
        ({"credentials": {"refresh_token": ""}}, "credentials.refresh_token"),
        ({"credentials": {"role": "x"}}, "credentials.role"),
        ({"credentials": {"aws_access_key_id": "A"}}, "credentials.aws_secret_access_key"),
        ({"credentials": {"aws_secret_access_key": "A"}}, "credentials.aws_access_key_id"),
        ({"options": {"seller_id": None}}, "options.seller_id"),
        ({"options": {"seller_id": 7}}, "options.seller_id"),
        ({"options": {"marketplace_ids": None}}, "options.marketplace_ids"),
        ({"options": {"marketplace_ids": []}}, "options.marketplace_ids"),
        ({"options": {"marketplace_ids": [US, US]}}, "options.marketplace_ids"),
        ({"options": {"marketplace_ids": [US, DE]}}, "options.marketplace_ids"),
        ({"options": {"marketplace_ids": ["AXXXXXXXXXXXXX"]}}, "options.region"),
        ({"options": {"region": "us"}}, "options.region"),
        ({"options": {"region": "eu"}}, "options.marketplace_ids"),
        ({"options": {"queue_url": "sqs.us-east-1.amazonaws.com/1/q"}}, "options.queue_url"),
        ({"options": {"queue_url": "http://sqs.us-east-1.amazonaws.com/1/q"}}, "options.queue_url"),
        ({"options": {"queue_url": "https://sqs.us-east-1.amazonaws.com/"}}, "options.queue_url"),
        ({"options": {"queue_url": "https://sqs.us-east-1.amazonaws.com/1/q.fifo"}}, "options.queue_url"),
        ({"options": {"secret_issued_on": "yesterday"}}, "options.secret_issued_on"),
        ({"options": {"feed_from": 0}}, "options.feed_from"),
        ({"options": {"feed_from": True}}, "options.feed_from"),
        ({"options": {"report_from": "many"}}, "options.report_from"),
        ({"options": {"issue_locale": "english"}}, "options.issue_locale"),
        ({"options": {"speed": "high"}}, "options.speed"),
    ],
)
def test_a_wrong_section_is_refused_by_name(changes: dict[str, Any], key: str) -> None:
    """Opening the account names the key that is wrong, before any call."""
    with pytest.raises(ValueError, match=f"^{key}"):
        CONNECTOR.open(context(**changes))


def test_hosts_follow_the_region_and_can_be_replaced() -> None:
    """The marketplace gives the region, the region the host; base_url and auth_url stand in for both."""
    plain = settings.read(context(base_url=None, options={"marketplace_ids": [DE]}))
    assert plain.base_url == "https://sellingpartnerapi-eu.amazon.com"
    assert plain.auth_url == "https://api.amazon.com"
    assert plain.marketplace == DE
    unknown = settings.read(context(base_url=None, options={"marketplace_ids": ["AXXXXXXXXXXXXX"], "region": "fe"}))
    assert unknown.base_url == "https://sellingpartnerapi-fe.amazon.com"
    replaced = settings.read(context())
    assert (replaced.base_url, replaced.auth_url) == (BASE, BASE)


@pytest.mark.parametrize(
    ("url", "options", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/1/q", {}, "eu-central-1"),
        ("https://queue.example.com/1/q", {"queue_region": "eu-west-2"}, "eu-west-2"),
        ("http://127.0.0.1:4100/1/q", {}, "us-east-1"),
    ],
)
def test_the_queues_region_is_read_from_its_host(url: str, options: dict[str, Any], region: str) -> None:
    """AWS says it in the host; elsewhere an option does."""
    assert settings.read(context(options={"queue_url": url, **options})).queue_region == region


def test_amazon_sends_no_webhooks() -> None:
    """The capability is absent, and so is the code: notifications come through a queue."""
    assert Capability.WEBHOOKS not in CONNECTOR.manifest.capabilities
    assert not isinstance(CONNECTOR.open(context()), ReceivesWebhooks)


async def test_check_says_who_and_warns() -> None:
    """One read per role; what will hurt later is said now."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json={"numberOfResults": 0, "items": []})
        report = await wire.connector.check()
        assert report.who == "Amazon seller A3SELLEREXMPL"
        assert report.detail["region"] == "na"
        assert [text.split(" ")[0] for text in report.warnings] == ["options.queue_url"]


@pytest.mark.parametrize(
    ("refused", "named"),
    [
        ((ORDERS_PATH,), ["Inventory and Order Tracking"]),
        ((ITEMS_PATH,), ["Product Listing"]),
        ((ORDERS_PATH, ITEMS_PATH), ["Inventory and Order Tracking", "Product Listing"]),
    ],
)
async def test_check_names_the_missing_role(refused: tuple[str, ...], named: list[str]) -> None:
    """403 on one API is a role, not a wrong password."""
    async with scripted() as wire:
        for path in (ORDERS_PATH, ITEMS_PATH):
            good = {"orders": [], "numberOfResults": 0, "items": []}
            answer = (
                httpx.Response(403, json=fault("Unauthorized")) if path in refused else httpx.Response(200, json=good)
            )
            wire.routes.get(f"{BASE}{path}").mock(return_value=answer)
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.check()
        assert caught.value.reason is AuthReason.SCOPE
        assert all(role in caught.value.message for role in named)


@pytest.mark.parametrize(
    ("code", "reason"), [("invalid_client", AuthReason.CREDENTIALS), ("invalid_grant", AuthReason.REVOKED)]
)
async def test_check_tells_wrong_from_revoked(code: str, reason: AuthReason) -> None:
    """A rotated secret and a seller who withdrew ask for different steps."""
    async with scripted() as wire:
        wire.routes["token"].respond(400, json={"error": code})
        with pytest.raises(AuthFailed) as caught:
            await wire.connector.check()
        assert caught.value.reason is reason


async def test_check_tells_a_vendor_that_is_down_and_an_unknown_seller() -> None:
    """Weather is no fault of the login; a seller id that is not the login's is."""
    async with scripted() as wire:
        orders = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(503)
        with pytest.raises(Transient):
            await wire.connector.check()
        orders.respond(json={"orders": []})
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(404, json=fault("NOT_FOUND"))
        with pytest.raises(AuthFailed, match=r"options\.seller_id"):
            await wire.connector.check()


async def test_a_spent_budget_is_no_fault_of_the_account() -> None:
    """A search is granted once in three minutes: a refusal for quota came from a login that is good."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(429, json=fault("QuotaExceeded"))
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json={"numberOfResults": 0, "items": []})
        assert (await wire.connector.check()).who
        assert (await wire.connector.check()).who, "and while the bucket rests it is not asked again"


async def test_a_queue_that_cannot_be_read_is_a_warning() -> None:
    """The account works without it, only slower; holding the account would stop the numbers it sends."""
    async with scripted(options={"queue_url": "http://127.0.0.1:1/1/q"}, credentials=AWS_KEYS) as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        wire.routes.get(f"{BASE}{ITEMS_PATH}").respond(json={"numberOfResults": 0, "items": []})
        (warning,) = (await wire.connector.check()).warnings
        assert "polling only" in warning


async def test_two_who_ask_the_queue_at_once_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check beside the stream: a second client would stay open for ever."""
    opened: list[str] = []

    class Client:
        async def __aenter__(self) -> Self:
            await asyncio.sleep(0)
            return self

        async def __aexit__(self, *_: object) -> None:
            opened.remove("sqs")

        async def get_queue_attributes(self, **_: object) -> dict[str, Any]:
            return {"Attributes": {"ApproximateNumberOfMessages": "3"}}

    def create(_: object, name: str, **__: object) -> Client:
        opened.append(name)
        return Client()

    monkeypatch.setattr(session.AioSession, "create_client", create)
    ctx = context(options={"queue_url": "http://127.0.0.1:1/1/q"}, credentials=AWS_KEYS)
    queue = Queue(ctx, settings.read(ctx))
    assert list(await asyncio.gather(queue.waiting(), queue.waiting())) == [3, 3]
    await queue.close()
    assert opened == [], "every client that was opened is closed"


@pytest.mark.parametrize(
    ("today", "words"),
    [
        ("2026-05-30", None),
        ("2026-05-31", "ends in 30 days (2026-06-30)"),
        ("2026-06-29", "ends in 1 days"),
        ("2026-06-30", "error: the client secret is 180 days old"),
        ("2027-01-01", "error: the client secret is 365 days old"),
    ],
)
def test_the_secrets_age_is_told_from_day_150(today: str, words: str | None) -> None:
    """Made on 1 January: a warning from day 150, an error from day 180 on."""
    found = check.secret_warnings(date(2026, 1, 1), date.fromisoformat(today))
    assert (not found) if words is None else (words in found[0])


def test_a_secret_of_unknown_age_is_told() -> None:
    """Amazon does not say how old it is, so without the option nobody will."""
    assert "secret_issued_on" in check.secret_warnings(None, date(2026, 1, 1))[0]
