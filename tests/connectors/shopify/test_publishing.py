"""A push answers per item, compares before it sets, and one bad item never blocks its neighbours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.contract import PushState
from connectors.sdk.errors import Conflict, RateLimited, Rejected, TargetMissing, Transient
from tests.support.shopify_rig import ShopRig, opened


async def stocked(rig: ShopRig, count: int, quantity: int = 10) -> list[str]:
    skus = [f"SKU-{number}" for number in range(count)]
    for sku in skus:
        rig.sandbox.stock(sku, quantity)
    return skus


async def test_a_stale_item_conflicts_and_the_others_are_set() -> None:
    """Of three items one was sold meanwhile: it is a conflict to recompute, the two others show the new number."""
    async with opened() as rig:
        skus = await stocked(rig, 3)
        items = [rig.push(sku, 4, expected=10) for sku in skus]
        await rig.sandbox.sell([(skus[1], 1)])
        results = await rig.connector.publish(items)
        assert [result.state for result in results] == [PushState.ACCEPTED, PushState.FAILED, PushState.ACCEPTED]
        assert isinstance(results[1].error, Conflict)
        assert results[1].error.code == "CHANGE_FROM_QUANTITY_STALE"
        assert [rig.sandbox.shown(sku) for sku in skus] == [4, 9, 4]


async def test_a_recomputed_number_goes_with_a_new_key() -> None:
    """After a conflict the engine reads back, computes again and gets through."""
    async with opened() as rig:
        (sku,) = await stocked(rig, 1)
        await rig.sandbox.sell([(sku, 2)])
        (level,) = await rig.connector.read_back([rig.ref(sku)])
        assert level.quantity == 8
        (result,) = await rig.connector.publish([rig.push(sku, 5, expected=level.quantity, key="another")])
        assert result.state is PushState.ACCEPTED
        assert rig.sandbox.shown(sku) == 5


async def test_a_mixed_batch_answers_each_item_in_order() -> None:
    """Unknown item, unknown location, stale, out of range, good: five answers of five kinds."""
    async with opened() as rig:
        skus = await stocked(rig, 5)
        good = [rig.push(sku, 3, expected=10) for sku in skus]
        unknown = replace(good[0], ref=replace(good[0].ref, listing_id="999"))
        elsewhere = replace(good[1], ref=replace(good[1].ref, location="999"))
        stale = replace(good[2], expected=7)
        beyond = replace(good[3], quantity=2_000_000_000)
        results = await rig.connector.publish([unknown, elsewhere, stale, beyond, good[4]])
        kinds = [type(result.error) for result in results]
        assert kinds == [TargetMissing, TargetMissing, Conflict, Rejected, type(None)]
        assert [rig.sandbox.shown(sku) for sku in skus] == [10, 10, 10, 10, 3]


async def test_many_bad_items_cost_few_calls() -> None:
    """Of a full batch a hundred items are stale: each is answered, the rest is set, in a handful of calls."""
    async with opened() as rig:
        skus = await stocked(rig, 250)
        items = [rig.push(sku, 2, expected=10 if number % 5 < 3 else 1) for number, sku in enumerate(skus)]
        results = await rig.connector.publish(items)
        failed = [result for result in results if result.state is PushState.FAILED]
        assert len(failed) == 100
        assert all(isinstance(result.error, Conflict) for result in failed)
        assert rig.calls("mutation SetQuantities") == 2


async def test_an_item_that_is_not_stocked_there_is_stocked() -> None:
    """A location the item was never at is activated with the number, not refused for ever."""
    async with opened() as rig:
        (sku,) = await stocked(rig, 1)
        annex = rig.sandbox.shop.add_location("Annex")
        item = replace(rig.push(sku, 6, expected=0), ref=replace(rig.ref(sku), location=str(annex.id)))
        (level,) = await rig.connector.read_back([item.ref])
        assert (level.quantity, level.missing) == (0, False)
        (result,) = await rig.connector.publish([item])
        assert result.state is PushState.ACCEPTED
        assert rig.sandbox.shown(sku) == 16


async def test_one_pair_twice_in_a_batch_is_sent_one_after_the_other() -> None:
    """Shopify takes each (item, location) once per call; the later number wins."""
    async with opened() as rig:
        (sku,) = await stocked(rig, 1)
        results = await rig.connector.publish([rig.push(sku, 7), rig.push(sku, 3)])
        assert [result.state for result in results] == [PushState.ACCEPTED, PushState.ACCEPTED]
        assert rig.sandbox.shown(sku) == 3


async def test_a_lost_answer_is_asked_again_with_the_same_key() -> None:
    """Applied, answer lost: the repeat is recognised, so a sale in between is not undone."""
    async with opened() as rig:
        (sku,) = await stocked(rig, 1)
        await rig.connector.read_back([rig.ref(sku)])
        rig.sandbox.faults_on_writes_only = True
        rig.sandbox.faults.force("timeout_after_apply")
        (result,) = await rig.connector.publish([rig.push(sku, 5, expected=10)])
        assert result.state is PushState.ACCEPTED
        assert rig.sandbox.shown(sku) == 5
        assert rig.calls("mutation SetQuantities") == 2


async def test_a_vendor_fault_on_one_item_leaves_the_rest_accepted() -> None:
    """A single entry failing inside the vendor fails alone."""
    async with opened() as rig:
        skus = await stocked(rig, 4)
        rig.sandbox.faults.force("partial_failure")
        results = await rig.connector.publish([rig.push(sku, 1) for sku in skus])
        assert [result.state for result in results].count(PushState.FAILED) == 1
        assert sorted(rig.sandbox.shown(sku) for sku in skus) == [1, 1, 1, 10]


@pytest.mark.parametrize(("fault", "kind"), [("rate_limit", RateLimited), ("rate_limit_bare", RateLimited)])
async def test_throttling_holds_the_lane_with_a_computed_wait(fault: str, kind: type[RateLimited]) -> None:
    """429 with its header and a throttled 200 both say how long to wait, and nothing was applied."""
    async with opened() as rig:
        (sku,) = await stocked(rig, 1)
        await rig.connector.read_back([rig.ref(sku)])
        rig.sandbox.faults.force(fault)
        with pytest.raises(kind) as caught:
            await rig.connector.publish([rig.push(sku, 5)])
        assert caught.value.retry_after_s is not None
        assert 0 < caught.value.retry_after_s <= 60
        assert rig.sandbox.shown(sku) == 10


async def test_a_batch_half_answered_before_the_vendor_broke_says_which_half() -> None:
    """The good items' second call meets a dead vendor: the stale one keeps its answer, the others say transient."""
    async with opened() as rig:
        skus = await stocked(rig, 2)
        items = [rig.push(skus[0], 4, expected=3), rig.push(skus[1], 4, expected=10)]
        await rig.connector.read_back([rig.ref(skus[0])])
        publish, calls = rig.connector._publishing._call, 0

        async def failing(entries: object) -> object:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise Transient("down", code="no_connection")
            return await publish(entries)  # type: ignore[arg-type]

        rig.connector._publishing._call = failing  # type: ignore[assignment,method-assign]
        results = await rig.connector.publish(items)
        assert [type(result.error) for result in results] == [Conflict, Transient]


async def test_what_cannot_be_bought_reads_back_as_it_is() -> None:
    """Untracked is no number, gone is missing, neither is zero."""
    async with opened() as rig:
        skus = await stocked(rig, 2)
        rig.sandbox.shop.by_sku[skus[0]].tracked = False
        gone = rig.ref(skus[1])
        rig.sandbox.shop.remove_item(rig.sandbox.shop.by_sku[skus[1]])
        first, second = await rig.connector.read_back([rig.ref(skus[0]), gone])
        assert (first.quantity, first.missing) == (None, False)
        assert (second.quantity, second.missing) == (None, True)
