"""One unit of work: all of it or nothing, guarded by revisions, alone in its fate."""

from __future__ import annotations

import asyncio

import pytest

from hub.ports.store import (
    AccountRow,
    ApiToken,
    Attempt,
    Bucket,
    CursorRow,
    DocumentRow,
    DuplicateKey,
    FailureState,
    NewFailure,
    PersonalRow,
    ReadSet,
    State,
    StoreConflict,
    StoredReply,
    WriteSet,
)
from tests.support.stores import Bench, effect, given, holding, order, posting, stock

FAILURE = NewFailure("shop", "inbound", "7", "MappingError", "missing", "lines[0].sku", "no SKU", "f1")


async def test_an_order_is_written_once_per_revision(bench: Bench) -> None:
    """Revisions grow by one; a write over another revision stores nothing."""
    await bench.write(WriteSet(orders=[order(1)]))
    state = await bench.read(ReadSet(orders={("shop", "1"), ("shop", "2")}))
    assert list(state.orders) == [("shop", "1")]
    assert state.orders["shop", "1"].rev == 1
    await bench.write(WriteSet(orders=[order(1, rev=1, state="cancelled")]))
    for stale in (0, 1):
        with pytest.raises(StoreConflict):
            await bench.write(
                WriteSet(orders=[order(1, rev=stale, state="open")], postings=[posting(f"{stale}", "S", 1)])
            )
    found = await bench.queries.order("order_000001")
    assert found is not None
    assert (found.state, found.rev) == ("cancelled", 2)
    assert (await bench.queries.postings())[0] == []


async def test_an_order_written_twice_in_one_batch_keeps_its_last_form(bench: Bench) -> None:
    """Two inputs of one batch about the same order are one write."""
    await bench.write(WriteSet(orders=[order(1), order(1, state="closed")]))
    found = await bench.queries.order("order_000001")
    assert found is not None
    assert (found.state, found.rev) == ("closed", 1)


async def test_everything_of_an_order_comes_back(bench: Bench) -> None:
    """Allocations, holds and unresolved SKUs survive storing, quotes and all."""
    row = order(
        1, allocations=holding('S"1', 2), holds=("unknown_sku",), unresolved=('odd "name"',), document='{"a":"é"}'
    )
    await bench.write(WriteSet(orders=[row]))
    state = await bench.read(ReadSet(orders={("shop", "1")}))
    stored = state.orders["shop", "1"]
    assert (stored.allocations, stored.holds, stored.unresolved, stored.document) == (
        row.allocations, row.holds, row.unresolved, row.document,
    )  # fmt: skip


async def test_documents_are_guarded_like_orders(bench: Bench) -> None:
    """Unique on (account, type, source id), guarded by revision, listed with their order."""
    row = DocumentRow("ship_1", "shipment", "shop", "s1", "v", "1", 5, "{}")
    await bench.write(WriteSet(documents=[row]))
    with pytest.raises(StoreConflict):
        await bench.write(WriteSet(documents=[row]))
    state = await bench.read(ReadSet(documents={("shop", "shipment", "s1")}))
    assert state.documents["shop", "shipment", "s1"].rev == 1
    assert [d.id for d in await bench.queries.order_documents("shop", "1")] == ["ship_1"]
    assert [d.id for d in (await bench.queries.documents(type="shipment", account="shop"))[0]] == ["ship_1"]
    assert (await bench.queries.documents(type="return"))[0] == []


async def test_one_failing_unit_among_many_takes_nobody_with_it(bench: Bench) -> None:
    """Units share a commit, not a fate: 50 at once, every fifth broken in one of three ways."""
    await bench.write(WriteSet(postings=[posting("taken", "S", 1)]))

    def broken(_: State) -> WriteSet:
        raise LookupError("decided against")

    async def unit(number: int) -> str:
        writes = WriteSet(orders=[order(number)], postings=[posting(f"e{number}", "S", 1)])
        if number % 15 == 0:
            writes.postings.append(posting("taken", "S", 1))
        if number % 15 == 5:
            writes.orders.append(order(number + 1000, rev=3))
        try:
            if number % 15 == 10:
                await bench.store.run(ReadSet(), broken)
            else:
                await bench.write(writes)
        except (DuplicateKey, StoreConflict, LookupError) as error:
            return type(error).__name__
        return "stored"

    outcomes = await asyncio.gather(*(unit(number) for number in range(50)))
    assert outcomes.count("DuplicateKey") == 4
    assert outcomes.count("StoreConflict") == 3
    assert outcomes.count("LookupError") == 3
    (position,) = await bench.queries.positions_at(["S"], None)
    assert position.on_hand == 1 + outcomes.count("stored") == 41
    assert await bench.queries.verify() == []


async def test_what_decide_folds_into_the_state_does_not_disturb_the_store(bench: Bench) -> None:
    """A batch folds its items' writes into the state; the store still knows what it had read."""
    await stock(bench, "S", 5)
    await bench.write(WriteSet(orders=[order(1, allocations=holding("S", 1))]))

    def decide(state: State) -> WriteSet:
        writes = WriteSet(orders=[order(1, rev=1, allocations=holding("S", 3))])
        writes.postings.append(posting("more", "S", 2, Bucket.RESERVED))
        state.fold(writes)
        return writes

    await bench.store.run(ReadSet(orders={("shop", "1")}, own_open={("shop", "S")}), decide)
    state = await bench.read(ReadSet(own_open={("shop", "S"), ("other", "S")}))
    assert state.own_open == {("shop", "S", "main"): 3}
    assert state.position("S", "main").reserved == 2


async def test_orders_waiting_for_a_sku_are_found_by_it(bench: Bench) -> None:
    """`held_for` finds orders with an unresolved line until they are resolved."""
    await bench.write(WriteSet(orders=[order(1, unresolved=("X",)), order(2, unresolved=("X", "Y")), order(3)]))
    state = await bench.read(ReadSet(held_for={("shop", "X"), ("other", "Y")}))
    assert sorted(state.orders) == [("shop", "1"), ("shop", "2")]
    await bench.write(WriteSet(orders=[order(1, rev=1)]), ReadSet(orders={("shop", "1")}))
    await bench.write(WriteSet(orders=[order(2, rev=1, unresolved=("Y",))]))
    assert (await bench.read(ReadSet(held_for={("shop", "X")}))).orders == {}
    assert list((await bench.read(ReadSet(held_for={("shop", "Y")}))).orders) == [("shop", "2")]


async def test_personal_data_is_sealed_replaced_and_shredded(bench: Bench) -> None:
    """It comes back whole, not for another account's key, and never after shredding."""
    person = PersonalRow("order_000001", "shop", '{"name": "Ada Invented"}', delete_after=10)
    await bench.write(WriteSet(orders=[order(1)], personal=[person]))
    assert await bench.queries.personal("order_000001") == person.plain
    state = await bench.read(ReadSet(personal={("shop", "1"), ("shop", "2")}))
    assert state.personal == {"order_000001": person.plain}
    newer = PersonalRow("order_000001", "shop", "{}", delete_after=99)
    await bench.write(WriteSet(personal=[newer]))
    assert await bench.queries.personal("order_000001") == "{}"
    await bench.write(WriteSet(shredded=["order_000001"]))
    assert await bench.queries.personal("order_000001") is None
    assert (await bench.read(ReadSet(personal={("shop", "1")}))).personal == {}


async def test_an_open_failure_is_one_row_until_it_is_closed(bench: Bench) -> None:
    """Unique while open: a second report updates it, a report after closing is a new one."""
    await bench.write(WriteSet(failures=[FAILURE]))
    again = NewFailure("shop", "inbound", "7", "MappingError", "missing", "lines[1].sku", "still no SKU", "f1", 2)
    await bench.write(WriteSet(failures=[again]))
    ((row,), _) = await bench.queries.failures(account="shop")
    assert (row.path, row.attempts, row.state) == ("lines[1].sku", 2, FailureState.OPEN)
    await bench.write(WriteSet(failure_states=[(row.id, FailureState.REPLAYED)]))
    found = await bench.queries.failure(row.id)
    assert found is not None
    assert (found.state, found.replays) == (FailureState.REPLAYED, 1)
    await bench.write(WriteSet(failures=[FAILURE]))
    await bench.write(WriteSet(resolved_failures=[("shop", "inbound", "7"), ("shop", "inbound", "8")]))
    assert (await bench.queries.failures())[0] == []
    assert len((await bench.queries.failures(state=None))[0]) == 2
    with pytest.raises(StoreConflict):
        await bench.write(WriteSet(failure_states=[(999, FailureState.DISCARDED)]))


async def test_small_rows_are_upserts(bench: Bench) -> None:
    """Cursors, accounts, tokens, replies: the last write counts, and the cursor moves with its rows."""
    for turn in ("one", "two"):
        await bench.write(
            WriteSet(
                inputs=[given(1), given(2 if turn == "one" else 3)],
                cursors=[CursorRow("shop", "orders", turn, 5, 6, 7)],
                accounts=[AccountRow("shop", mode=turn)],
                api_tokens=[ApiToken("t1", "ab", "viewer", turn, 1, 2)],
                replies=[StoredReply("k1", "f", 200, turn, 1)],
                attempts=[Attempt("shop", "out", "set", "t", 1, 2, "ok", reference="r")],
            )
        )
    assert await bench.store.cursor("shop", "orders") == CursorRow("shop", "orders", "two", 5, 6, 7)
    assert await bench.store.cursor("shop", "other") is None
    assert (await bench.queries.cursors("shop")) == [CursorRow("shop", "orders", "two", 5, 6, 7)]
    assert await bench.store.account("shop") == AccountRow("shop", mode="two")
    assert [token.label for token in await bench.queries.api_tokens()] == ["two"]
    reply = await bench.queries.reply("k1")
    assert reply is not None
    assert reply.body == "two"
    assert len((await bench.queries.attempts(account="shop", reference="r"))[0]) == 2
    assert len((await bench.queries.inputs(account="shop"))[0]) == 3


async def test_an_effect_is_stored_once_per_idempotency_key(bench: Bench) -> None:
    """The second with the key fails its whole unit."""
    await bench.write(WriteSet(effects=[effect("ship:1")]))
    with pytest.raises(DuplicateKey):
        await bench.write(WriteSet(effects=[effect("ship:1")], orders=[order(9)]))
    assert await bench.queries.order("order_000009") is None


async def test_tokens_come_back_decrypted_and_are_bound_to_their_account(bench: Bench) -> None:
    """A vendor token survives a restart; another account or name has none."""
    await bench.store.save_token("shop", "access", '{"value": "canary-token"}')
    await bench.store.save_token("shop", "access", '{"value": "canary-token-2"}')
    await bench.again()
    assert await bench.store.load_token("shop", "access") == '{"value": "canary-token-2"}'
    assert await bench.store.load_token("shop", "refresh") is None
    assert await bench.store.load_token("other", "access") is None


async def test_waiting_ends_when_something_is_stored(bench: Bench) -> None:
    """A ring is not lost between two waits, and silence times out."""
    assert await bench.store.wait_for_work(0.01) is False
    waiting = asyncio.create_task(bench.store.wait_for_work(60))
    await asyncio.sleep(0.01)
    await bench.store.receive([given(1)])
    assert await waiting is True
    await bench.store.receive([given(2)])
    assert await bench.store.wait_for_work(60) is True


async def test_the_store_says_whether_it_can_write(bench: Bench) -> None:
    """Healthy while open, not after closing."""
    assert await bench.store.healthy() is True
    assert await bench.store.hold_account("shop") is True
