"""Amazon at its worst: what the connector promises holds against a sandbox that loses, repeats and pretends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.contract import PushState
from connectors.sdk.contract_suite import Rig
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited
from tests.connectors.test_amazon_contract import TestAmazonContract as Suite


@pytest.fixture
def suite() -> Suite:
    return Suite()


@asynccontextmanager
async def opened(suite: Suite) -> AsyncIterator[tuple[Rig, Any, Any]]:
    async with suite.opened() as rig:
        sandbox: Any = rig.sandbox
        yield rig, rig.connector, sandbox


async def subscribed(connector: Any) -> None:
    await connector.ensure_subscriptions("http://127.0.0.1:9/webhooks/suite")


async def notified(suite: Suite, connector: Any) -> list[Any]:
    return [each for page in await suite.walk(connector, "notifications", limit=10) for each in page.envelopes]


async def polled(suite: Suite, rig: Rig) -> set[str]:
    pages = await suite.walk(rig.connector, "orders", limit=50)
    documents = suite.documents(rig, [each for page in pages for each in page.envelopes])
    return {document.source.id for document in documents if document.type == "order"}


async def test_a_lost_notification_is_found_by_the_poll(suite: Suite) -> None:
    """Nothing in the queue, the order in the next walk; the control order is announced."""
    async with opened(suite) as (rig, connector, sandbox):
        await subscribed(connector)
        sandbox.faults.force("lost_webhook", 2)
        (lost,) = await suite.trade(rig, orders=1)
        sandbox.work()
        assert sandbox.faults.counts["lost_webhook"] == 2
        assert await notified(suite, connector) == []
        assert await polled(suite, rig) >= {lost}
        await suite.trade(rig, orders=1)
        assert await notified(suite, connector)


async def test_a_notification_delivered_twice_has_one_key(suite: Suite) -> None:
    """Two messages, one fact."""
    async with opened(suite) as (rig, connector, sandbox):
        await subscribed(connector)
        sandbox.faults.force("duplicate_webhook")
        await suite.trade(rig, orders=1)
        sandbox.work()
        assert len(sandbox.queue.messages) == 3
        found = await notified(suite, connector)
        assert len({each.dedupe_key for each in found}) == 2
        assert sandbox.queue.messages == {}, "what was stored was not deleted"


async def test_an_undeleted_message_comes_again_under_the_same_key(suite: Suite) -> None:
    """A restart before the next fetch: the visibility timeout brings the message back."""
    async with opened(suite) as (rig, connector, sandbox):
        await subscribed(connector)
        await suite.trade(rig, orders=1)
        first = await connector.fetch("notifications", None, 10)
        rig.clock.advance(3600)
        again = await connector.fetch("notifications", None, 10)
        assert {e.dedupe_key for e in first.envelopes} == {e.dedupe_key for e in again.envelopes} != set()
        await connector.fetch("notifications", json.loads(json.dumps(again.cursor)), 10)
        assert sandbox.queue.messages == {}


async def test_a_feed_that_did_nothing_is_seen_by_reading(suite: Suite) -> None:
    """DONE without an issue, yet the old number reads back; the same feed again works."""
    async with opened(suite) as (rig, connector, sandbox):
        refs = await suite._listed(rig, 110)
        items = [suite.item(ref, 4) for ref in refs.values()]
        sandbox.faults.force("feed_noop")
        results = await suite._push_all(rig, connector, items)
        assert sandbox.faults.counts["feed_noop"] == 1
        assert {result.state for result in results} == {PushState.ACCEPTED}
        levels = await connector.read_back([item.ref for item in items[:5]])
        assert {level.quantity for level in levels} == {10}
        await suite._push_all(rig, connector, [replace(item, key=f"{item.key}-2", version=2) for item in items])
        levels = await connector.read_back([item.ref for item in items[:5]])
        assert {level.quantity for level in levels} == {4}


async def test_one_message_of_a_feed_fails_alone(suite: Suite) -> None:
    """Exactly the item Amazon named is failed; the others are live."""
    async with opened(suite) as (rig, connector, sandbox):
        refs = await suite._listed(rig, 110)
        items = [suite.item(ref, 4) for ref in refs.values()]
        sandbox.faults.force("partial_failure")
        results = await suite._push_all(rig, connector, items)
        failed = [result for result in results if result.state is PushState.FAILED]
        assert len(failed) == 1
        assert isinstance(failed[0].error, ConnectorError)
        shown = {sku: sandbox.shown(sku) for sku in refs}
        assert [sku for sku, number in shown.items() if number != 4] == [failed[0].item.ref.channel_sku]


async def test_actual_availability_comes_late(suite: Suite) -> None:
    """An accepted number reads back as the old one until it is live, never as something else."""
    async with opened(suite) as (rig, connector, sandbox):
        ((_, ref),) = (await suite._listed(rig, 1)).items()
        sandbox.stockroom.propagation_s = 90
        (result,) = await connector.publish([suite.item(ref, 3)])
        assert result.state is not PushState.FAILED
        (before,) = await connector.read_back([ref])
        rig.clock.advance(91)
        (after,) = await connector.read_back([ref])
        assert (before.quantity, after.quantity) == (10, 3)


async def test_a_revoked_authorisation_is_told_as_such(suite: Suite) -> None:
    async with opened(suite) as (_, connector, sandbox):
        await sandbox.revoke()
        with pytest.raises(AuthFailed) as caught:
            await connector.check()
        assert caught.value.reason is AuthReason.REVOKED


async def test_a_hint_is_answered_although_reading_is_not_granted(suite: Suite) -> None:
    """With published limits and getOrder's bucket empty the notification's own words reserve at once."""
    async with opened(suite) as (rig, connector, sandbox):
        await subscribed(connector)
        sandbox.buckets.grant = 1.0
        numbers = await suite.trade(rig, orders=3)
        hints = [each for each in await notified(suite, connector) if each.topic == "ORDER_CHANGE"]
        # All at once: one after another would find a token every two seconds.
        resolved = await asyncio.gather(*(connector.resolve(hint) for hint in hints * 12))
        topics = {each.topic for envelopes in resolved for each in envelopes}
        for envelopes in resolved:
            found = [document for document in suite.documents(rig, envelopes) if document.type == "order"]
            assert {document.source.id for document in found} <= set(numbers)
            assert found, "a hint led to nothing"
        assert "order" in topics
        assert "order_summary" in topics, "every read was granted: the control never ran dry"


async def test_a_spent_bucket_says_how_long_to_wait(suite: Suite) -> None:
    """searchOrders beyond its burst is held back with a wait of minutes, and works after it."""
    async with opened(suite) as (rig, connector, sandbox):
        sandbox.buckets.grant = 1.0
        await suite.trade(rig, orders=1)
        with pytest.raises(RateLimited) as caught:
            await asyncio.gather(*(connector.fetch("orders", None, 50) for _ in range(40)))
        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 60
        rig.clock.advance(caught.value.retry_after_s + 200)
        assert (await connector.fetch("orders", None, 50)).envelopes


async def test_an_expired_token_is_renewed_and_the_walk_goes_on(suite: Suite) -> None:
    """The refusal costs one renewal and no order."""
    async with opened(suite) as (rig, connector, sandbox):
        numbers = await suite.trade(rig, orders=3)
        await connector.fetch("orders", None, 50)
        sandbox.faults.force("expired_token")
        assert await polled(suite, rig) >= set(numbers)
        assert sandbox.faults.counts["expired_token"] == 1


async def test_an_order_that_moves_while_pages_are_read_hides_no_other(suite: Suite) -> None:
    """Between two pages the first order is shipped: every order is still read."""
    async with opened(suite) as (rig, connector, sandbox):
        numbers = await suite.trade(rig, orders=5)
        rig.clock.advance(300)
        page = await connector.fetch("orders", None, 2)
        found = list(page.envelopes)
        await sandbox.ship(numbers[0])
        while page.more:
            page = await connector.fetch("orders", page.cursor, 2)
            found += page.envelopes
        documents = suite.documents(rig, found)
        assert {document.source.id for document in documents if document.type == "order"} == set(numbers)
