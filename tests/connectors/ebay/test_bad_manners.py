"""eBay at its worst: what the connector promises holds against a sandbox that pretends, lags and refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.contract import PushState
from connectors.sdk.contract_suite import Rig
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited
from tests.connectors.test_ebay_contract import TestEbayContract as Suite


@pytest.fixture
def suite() -> Suite:
    return Suite()


@asynccontextmanager
async def opened(suite: Suite) -> AsyncIterator[tuple[Rig, Any, Any]]:
    async with suite.opened() as rig:
        sandbox: Any = rig.sandbox
        yield rig, rig.connector, sandbox


async def test_a_yes_that_changed_nothing_is_seen_by_reading(suite: Suite) -> None:
    """200 for every entry, yet the old numbers read back; the same call again works."""
    async with opened(suite) as (rig, connector, sandbox):
        refs = await suite._listed(rig, 5)
        items = [suite.item(ref, 4) for ref in refs.values()]
        sandbox.faults.force("feed_noop")
        assert {result.state for result in await connector.publish(items)} == {PushState.ACCEPTED}
        assert sandbox.faults.counts["feed_noop"] == 1
        assert {level.quantity for level in await connector.read_back(list(refs.values()))} == {10}
        await connector.publish([replace(item, key=f"{item.key}-2", version=2) for item in items])
        assert {level.quantity for level in await connector.read_back(list(refs.values()))} == {4}


async def test_one_entry_of_207_fails_alone(suite: Suite) -> None:
    """Exactly the entry eBay named is failed; the others are live."""
    async with opened(suite) as (rig, connector, sandbox):
        refs = await suite._listed(rig, 5)
        sandbox.faults.force("partial_failure")
        results = await connector.publish([suite.item(ref, 4) for ref in refs.values()])
        (failed,) = [result for result in results if result.state is PushState.FAILED]
        assert isinstance(failed.error, ConnectorError)
        assert [sku for sku in refs if sandbox.shown(sku) != 4] == [failed.item.ref.channel_sku]


async def test_a_late_read_shows_the_old_number_and_then_the_new_one(suite: Suite) -> None:
    """Never something else, and never as a listing that is gone."""
    async with opened(suite) as (rig, connector, sandbox):
        ((_, ref),) = (await suite._listed(rig, 1)).items()
        await connector.publish([suite.item(ref, 30)])
        sandbox.faults.set("late_read", 1.0)
        (before,) = await connector.read_back([ref])
        sandbox.faults.set("late_read", 0.0)
        (after,) = await connector.read_back([ref])
        assert (before.quantity, before.missing, after.quantity) == (10, False, 30)


async def test_an_expired_token_is_renewed_and_the_walk_goes_on(suite: Suite) -> None:
    """The refusal costs one renewal and no order."""
    async with opened(suite) as (rig, connector, sandbox):
        numbers = await suite.trade(rig, orders=3)
        await connector.fetch("orders", None, 50)
        sandbox.faults.force("expired_token")
        pages = await suite.walk(connector, "orders", limit=50)
        assert sandbox.faults.counts["expired_token"] == 1
        documents = suite.documents(rig, [each for page in pages for each in page.envelopes])
        assert {document.source.id for document in documents if document.type == "order"} >= set(numbers)


async def test_a_revoked_consent_is_told_as_such(suite: Suite) -> None:
    """A person has to act: neither weather nor a wrong password."""
    async with opened(suite) as (_, connector, sandbox):
        await sandbox.revoke()
        with pytest.raises(AuthFailed) as caught:
            await connector.check()
        assert caught.value.reason is AuthReason.REVOKED


async def test_a_day_that_is_spent_is_waited_for(suite: Suite) -> None:
    """Every call of the day used: the wait is told, and other APIs of the same account go on."""
    async with opened(suite) as (rig, connector, sandbox):
        ((_, ref),) = (await suite._listed(rig, 1)).items()
        sandbox.exhaust("fulfillment")
        with pytest.raises(RateLimited):
            await connector.fetch("orders", None, 50)
        (result,) = await connector.publish([suite.item(ref, 3)])
        assert result.state is PushState.ACCEPTED


async def test_an_order_that_moves_while_pages_are_read_hides_no_other(suite: Suite) -> None:
    """Between two pages the first order is shipped and moves to the end: every order is still read."""
    async with opened(suite) as (rig, connector, sandbox):
        numbers = await suite.trade(rig, orders=5)
        page = await connector.fetch("orders", None, 2)
        found = list(page.envelopes)
        rig.clock.advance(1)
        await sandbox.ship(numbers[0])
        while page.more:
            page = await connector.fetch("orders", page.cursor, 2)
            found += page.envelopes
        documents = suite.documents(rig, found)
        assert {document.source.id for document in documents if document.type == "order"} == set(numbers)
