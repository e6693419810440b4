"""A feed is judged item by item, and a lost answer never makes a second feed while the first is there."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.sdk.contract import ListingRef, PushItem, PushResult, PushState
from connectors.sdk.errors import Rejected, Transient
from connectors.walmart import feeds
from tests.support.walmart_world import Wire, item, opened, scripted

FEED_ID = "F129C19240844B97A3C6AD8F1A2C4997@AU8BAQA"
NODE, OTHER = "1000005050", "79897837271126017"


def many(count: int, node: str | None = NODE) -> list[PushItem]:
    return [item(ListingRef(f"S{n}", f"S{n}", node), n) for n in range(count)]


def status(rows: list[dict[str, Any]], feed_status: str = "PROCESSED", **more: Any) -> dict[str, Any]:
    return {
        "feedId": FEED_ID,
        "feedStatus": feed_status,
        "itemsReceived": len(rows),
        "itemDetails": {"itemIngestionStatus": rows},
        **more,
    }


def row(sku: str, state: str, *found: Any) -> dict[str, Any]:
    return {"sku": sku, "ingestionStatus": state, "ingestionErrors": {"ingestionError": list(found) or None}}


async def poll(wire: Wire, body: dict[str, Any], items: list[PushItem]) -> list[PushResult]:
    wire.routes.get(path__startswith="/v3/feeds/").respond(json=body)
    return list(await wire.connector.poll_receipt(FEED_ID, items))


def test_one_node_makes_a_file_of_spec_1_4() -> None:
    (file,) = feeds.files(many(2))
    assert (file.feed_type, file.ship_node) == ("inventory", NODE)
    assert json.loads(file.content) == {
        "InventoryHeader": {"version": "1.4"},
        "Inventory": [
            {"sku": "S0", "quantity": {"unit": "EACH", "amount": 0}},
            {"sku": "S1", "quantity": {"unit": "EACH", "amount": 1}},
        ],
    }


def test_several_nodes_make_a_file_of_spec_1_5_with_one_row_per_sku() -> None:
    (file,) = feeds.files([item(ListingRef("A", "A", NODE), 3), item(ListingRef("A", "A", OTHER), 4)])
    assert (file.feed_type, file.ship_node, file.rows) == ("MP_INVENTORY", None, 1)
    assert json.loads(file.content) == {
        "inventoryHeader": {"version": "1.5"},
        "inventory": [
            {
                "sku": "A",
                "shipNodes": [
                    {"shipNode": NODE, "quantity": {"unit": "EACH", "amount": 3}},
                    {"shipNode": OTHER, "quantity": {"unit": "EACH", "amount": 4}},
                ],
            }
        ],
    }


def test_items_without_a_node_go_apart_from_those_with_one() -> None:
    made = feeds.files([*many(1, None), *many(1, NODE), *many(1, OTHER)])
    assert [(file.feed_type, file.ship_node, file.rows) for file in made] == [
        ("inventory", None, 1),
        ("MP_INVENTORY", None, 1),
    ]


@pytest.mark.parametrize("nodes", [(NODE,), (NODE, OTHER)])
def test_no_file_passes_its_limits_and_no_item_is_lost(nodes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "BYTES_MAX", {"inventory": 2_000, "MP_INVENTORY": 2_000})
    items = [item(ListingRef(f"SKU-{n}", f"SKU-{n}", node), n) for n in range(100) for node in nodes]
    made = feeds.files(items)
    assert len(made) >= 3
    assert all(len(file.content) <= 2_000 for file in made)
    assert [one for file in made for one in file.items] == items


async def test_items_are_matched_by_sku_and_processed_is_not_success() -> None:
    doubled = {"type": "DATA_ERROR", "code": "ERR_PDI_0047", "description": "bad check digit"}
    rows = [
        row("S3", "TIMEOUT_ERROR"),
        row("S2", "DATA_ERROR", doubled, doubled),
        row("S1", "SUCCESS", {"description": None}),
        row("S0", "SUCCESS"),
    ]
    async with scripted() as wire:
        results = await poll(wire, status(rows), many(5))
    assert [result.state for result in results] == [PushState.ACCEPTED] * 2 + [PushState.FAILED] * 3
    assert isinstance(results[2].error, Rejected)
    assert results[2].error.code == "ERR_PDI_0047"
    assert isinstance(results[3].error, Transient)
    assert isinstance(results[4].error, Transient)
    assert results[4].error.code == "feed_item_missing"


async def test_what_is_not_judged_yet_stays_pending() -> None:
    rows = [row("S0", "SUCCESS"), row("S1", "INPROGRESS")]
    async with scripted() as wire:
        results = await poll(wire, status(rows, "INPROGRESS", itemsReceived=3), many(3))
    assert [result.state for result in results] == [PushState.ACCEPTED, PushState.PENDING, PushState.PENDING]
    assert {result.receipt for result in results} == {FEED_ID}


async def test_a_feed_that_failed_as_a_whole_fails_every_item() -> None:
    broken = {"ingestionError": [{"type": "DATA_ERROR", "code": "ERR_EXT_DATA_0503009", "description": "shape"}]}
    async with scripted() as wire:
        results = await poll(wire, status([], "ERROR", ingestionErrors=broken), many(2))
    assert [result.error.code for result in results if result.error] == ["ERR_EXT_DATA_0503009"] * 2


async def test_details_are_read_fifty_at_a_time_with_the_id_escaped() -> None:
    rows = [row(f"S{n}", "SUCCESS") for n in range(120)]

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        assert request.url.params["includeDetails"] == "true"
        assert request.url.raw_path.startswith(b"/v3/feeds/F129C19240844B97A3C6AD8F1A2C4997%40AU8BAQA?")
        return httpx.Response(200, json=status(rows[offset : offset + limit], itemsReceived=120))

    async with scripted() as wire:
        route = wire.routes.get(path__startswith="/v3/feeds/").mock(side_effect=answer)
        results = await wire.connector.poll_receipt(FEED_ID, many(120))
        assert route.call_count == 3
        assert {result.state for result in results} == {PushState.ACCEPTED}


def listed(wire: Wire, **changes: Any) -> dict[str, Any]:
    feed = {
        "feedId": FEED_ID,
        "feedType": "inventory",
        "itemsReceived": 300,
        "feedStatus": "RECEIVED",
        "feedDate": int(wire.clock.now().timestamp() * 1000),
    }
    return {"results": {"feed": [feed | changes]}}


async def test_a_lost_answer_finds_its_feed() -> None:
    async with scripted() as wire:
        post = wire.routes.post("/v3/feeds").mock(side_effect=httpx.ReadTimeout("lost"))
        wire.routes.get("/v3/feeds").respond(json=listed(wire))
        results = await wire.connector.publish(many(300))
        assert post.call_count == 1
        assert {result.receipt for result in results} == {FEED_ID}


@pytest.mark.parametrize(
    "changes", [{"itemsReceived": 299}, {"feedType": "MP_ITEM"}, {"feedDate": 1_000_000_000_000}, {"feedId": ""}]
)
async def test_a_feed_that_is_somebody_elses_is_not_taken_for_ours(changes: dict[str, Any]) -> None:
    """Looked for twice, half a minute apart; then the engine may send again."""
    async with scripted() as wire:
        wire.routes.post("/v3/feeds").mock(side_effect=httpx.ReadTimeout("lost"))
        look = wire.routes.get("/v3/feeds").respond(json=listed(wire, **changes))
        with pytest.raises(Transient):
            await wire.connector.publish(many(300))
        assert look.call_count == 2
        assert feeds.LOOKUP_WAIT_S in wire.clock.slept


async def test_a_feed_is_claimed_once() -> None:
    async with scripted() as wire:
        wire.routes.post("/v3/feeds").mock(
            side_effect=[httpx.Response(200, json={"feedId": FEED_ID}), httpx.ReadTimeout("lost")]
        )
        wire.routes.get("/v3/feeds").respond(json=listed(wire))
        assert {result.receipt for result in await wire.connector.publish(many(300))} == {FEED_ID}
        with pytest.raises(Transient):
            await wire.connector.publish(many(300))


async def test_a_feed_reported_as_processed_may_have_changed_nothing() -> None:
    """The item is called accepted, and only reading it back shows that nothing happened."""
    async with opened() as world:
        for n in range(201):
            world.sandbox.stock(f"S{n}", 9)
        world.sandbox.faults.force("feed_noop")
        items = [item(world.ref(f"S{n}"), 4) for n in range(201)]
        sent = await world.connector.publish(items)
        world.clock.advance(60)
        done = await world.connector.poll_receipt(sent[0].receipt or "", items)
        assert {result.state for result in done} == {PushState.ACCEPTED}
        (level,) = await world.connector.read_back([world.ref("S0")])
        assert level.quantity == 9
