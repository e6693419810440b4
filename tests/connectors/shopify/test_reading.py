"""Reads are complete, affordable, and resume where they were."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from connectors.sdk.contract import Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, Transient, UnknownTopic
from connectors.shopify import orders as orders_module
from connectors.shopify.walk import CEILING, Walk
from tests.support.shopify_rig import ShopRig, opened


async def everything(
    rig: ShopRig, stream: str, cursor: Cursor | None = None, limit: int = 50
) -> tuple[list[Envelope], Page]:
    found: list[Envelope] = []
    while True:
        page = await rig.connector.fetch(stream, cursor, limit)
        found += page.envelopes
        if not page.more:
            return found, page
        cursor = json.loads(json.dumps(page.cursor))


async def test_an_order_longer_than_a_page_is_read_to_its_end() -> None:
    """A hundred and twenty lines: all of them are in the envelope."""
    async with opened() as rig:
        lines = []
        for number in range(120):
            rig.sandbox.stock(f"SKU-{number}", 5)
            lines.append((f"SKU-{number}", 1))
        await rig.sandbox.sell(lines)
        (envelope,), _ = await everything(rig, "orders")
        order = json.loads(envelope.payload)
        assert len(order["lineItems"]["nodes"]) == 120
        assert len({line["id"] for line in order["lineItems"]["nodes"]}) == 120


async def test_pages_shrink_to_what_the_shop_allows() -> None:
    """A page over the single-query limit is asked for again at half the size, at once."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        for _ in range(30):
            await rig.sandbox.sell([("MUG-1", 1)])
        rig.connector._orders._page = 250
        found, _ = await everything(rig, "orders", limit=250)
        assert len({envelope.ordering_key for envelope in found}) == 30
        assert rig.connector._orders._page < 250


async def test_the_mark_is_the_beginning_of_the_walk_less_the_overlap() -> None:
    """What changed while a walk was under way is met by the next one."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        _, page = await everything(rig, "orders")
        began = page.watermark
        await rig.sandbox.sell([("MUG-1", 1)])
        rig.clock.advance(240)
        found, page = await everything(rig, "orders", page.cursor)
        assert len(found) == 1
        assert page.watermark is not None
        assert began is not None
        assert page.watermark > began


async def test_the_same_second_twice_is_two_facts() -> None:
    """Timestamps have whole seconds: content is part of the key, or the second change would be lost."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        order_id = await rig.sandbox.sell([("MUG-1", 2)])
        (before,), _ = await everything(rig, "orders")
        order = rig.sandbox.shop.orders[int(order_id or 0)]
        work = order.works[0]
        rig.sandbox.shop.ship(order, [(work, [(work.lines[0], 1)])], "UPS", ["1Z1"])
        (after,), _ = await everything(rig, "orders")
        assert json.loads(before.payload)["updatedAt"] == json.loads(after.payload)["updatedAt"]
        assert before.dedupe_key != after.dedupe_key


def test_a_walk_begins_afresh_before_the_ceiling() -> None:
    """25,000 objects are as far as paging goes: the walk goes on from its latest change, or not at all."""
    now = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    walk = Walk(now - timedelta(days=9), now)
    moved, more = walk.step({"hasNextPage": True, "endCursor": "c"}, CEILING, now - timedelta(days=4))
    assert more
    fresh = moved.afresh(sorted_by_change=True)
    assert fresh is not None
    assert (fresh.start, fresh.after, fresh.seen, fresh.began) == (now - timedelta(days=4), None, 0, now)
    assert moved.afresh(sorted_by_change=False) is None
    stuck = Walk(moved.last, now, "c", CEILING, moved.last)
    assert stuck.afresh(sorted_by_change=True) is None


def test_a_repeated_page_cursor_is_an_error() -> None:
    """A silent stop would move the mark past orders nobody saw."""
    now = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    with pytest.raises(Transient):
        Walk(None, now, "c").step({"hasNextPage": True, "endCursor": "c"}, 1, None)


async def test_a_late_read_is_met_by_the_overlap() -> None:
    """A replica that lags misses the newest order; the next walk has it."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        await rig.sandbox.sell([("MUG-1", 1)])
        rig.sandbox.faults.force("late_read")
        missed, page = await everything(rig, "orders")
        rig.clock.advance(60)
        found, _ = await everything(rig, "orders", page.cursor)
        assert (len(missed), len(found)) == (0, 1)


async def test_the_catalogue_is_read_whole_once_and_then_by_change() -> None:
    """The first walk is a bulk operation with every level; the next asks for changed variants only."""
    async with opened() as rig:
        for number in range(40):
            rig.sandbox.stock(f"SKU-{number}", number)
        rig.clock.advance(3600)
        found, page = await everything(rig, "listings", limit=7)
        assert len([each for each in found if each.topic == "listings"]) == 40
        assert len([each for each in found if each.topic == "inventory"]) == 40
        rig.clock.advance(3600)
        rig.sandbox.stock("NEW-1", 3)
        changed, page = await everything(rig, "listings", page.cursor)
        assert [json.loads(each.payload)["sku"] for each in changed] == ["NEW-1"]
        assert rig.calls("mutation BulkStart") == 1
        rig.clock.advance(25 * 3600)
        await everything(rig, "listings", page.cursor)
        assert rig.calls("mutation BulkStart") == 2


async def test_a_bulk_operation_that_died_is_started_again_by_the_next_poll() -> None:
    """A cursor that points at a dead operation must not stay there for ever."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 1)
        page = await rig.connector.fetch("listings", None, 50)
        rig.sandbox.bulk.by_id.clear()
        page = await rig.connector.fetch("listings", page.cursor, 50)
        assert (list(page.envelopes), page.more, page.watermark) == ([], False, None)
        found, _ = await everything(rig, "listings", page.cursor)
        assert len(found) == 2


async def test_a_result_that_is_gone_is_asked_for_by_the_next_poll() -> None:
    """A storage that refuses every URL costs one operation a poll, never one after the other."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 1)
        page = await rig.connector.fetch("listings", None, 50)
        page = await rig.connector.fetch("listings", page.cursor, 50)
        gone = {**page.cursor, "url": f"{rig.sandbox.base_url}/nowhere.jsonl"}
        page = await rig.connector.fetch("listings", gone, 50)
        assert (list(page.envelopes), page.more, page.watermark) == ([], False, None)
        assert rig.calls("mutation BulkStart") == 1
        found, _ = await everything(rig, "listings", page.cursor)
        assert len(found) == 2


async def test_an_empty_catalogue_has_no_file() -> None:
    """Nothing listed is an end, not an error."""
    async with opened() as rig:
        found, page = await everything(rig, "listings")
        assert (found, page.more) == ([], False)


@pytest.mark.parametrize("topic", ["orders/edited", "fulfillment_orders/moved", "returns/request"])
async def test_order_hints_lead_to_the_order(topic: str) -> None:
    """Whatever a hint names, the order it belongs to is read."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        order_id = await rig.sandbox.sell([("MUG-1", 1)])
        work = rig.sandbox.shop.orders[int(order_id or 0)].works[0]
        body = {
            "orders/edited": {"order_edit": {"order_id": int(order_id or 0)}},
            "fulfillment_orders/moved": {
                "original_fulfillment_order": {"id": f"gid://shopify/FulfillmentOrder/{work.id}"}
            },
            "returns/request": {"id": 1, "order": {"id": int(order_id or 0)}},
        }[topic]
        (envelope,) = await rig.connector.resolve(Envelope(topic, "k", "o", json.dumps(body).encode()))
        assert (envelope.topic, envelope.ordering_key) == ("order", f"order:{order_id}")


async def test_item_hints_lead_to_levels_and_listings() -> None:
    """A level taken away and an item changed are read as they are now."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 100)
        item = rig.sandbox.shop.by_sku["MUG-1"]
        body = json.dumps({"inventory_item_id": item.id, "location_id": 1, "id": item.id}).encode()
        (level,) = await rig.connector.resolve(Envelope("inventory_levels/disconnect", "k", "o", body))
        (listing,) = await rig.connector.resolve(Envelope("inventory_items/update", "k", "o", body))
        assert (level.topic, listing.topic) == ("inventory", "listings")
        assert level.ordering_key == listing.ordering_key == f"item:{item.id}"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"order_edit":{}}'])
async def test_a_hint_that_names_nothing_is_refused(body: bytes) -> None:
    """It is quarantined with a reason, not retried for ever."""
    async with opened() as rig:
        with pytest.raises(Rejected, match="hint"):
            await rig.connector.resolve(Envelope("orders/edited", "k", "o", body))
        with pytest.raises(UnknownTopic):
            await rig.connector.resolve(Envelope("app/uninstalled", "k", "o", b"{}"))


async def test_a_token_is_fetched_once_for_many_and_again_when_it_ends() -> None:
    """Twenty reads at once log in once; a day later there is a new token."""
    import asyncio

    async with opened() as rig:
        await asyncio.gather(*(rig.connector.check() for _ in range(20)))
        logins = [each for each in rig.sandbox.happenings("request") if each.facts["path"].endswith("access_token")]
        assert len(logins) == 1
        rig.clock.advance(25 * 3600)
        await rig.connector.check()
        logins = [each for each in rig.sandbox.happenings("request") if each.facts["path"].endswith("access_token")]
        assert len(logins) == 2


def test_lists_without_pages_are_read_again_when_full() -> None:
    """The document asks for as many refunds and fulfilments as the code takes for full."""
    from connectors.shopify.graphql import document

    text = document("order")
    assert f"refunds(first: {orders_module.LIST_FIRST})" in text
    assert f"fulfillments(first: {orders_module.LIST_FIRST})" in text
