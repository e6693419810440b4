"""What is received is durable, told apart from its duplicates, and taken in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.ports.store import InboxResult, InboxState, StoreConflict, WriteSet
from tests.support.stores import Bench, given, lanes, opened


def settled(*seqs: int, state: InboxState = InboxState.DONE, due_at: int | None = None) -> WriteSet:
    return WriteSet(inbox=[InboxResult(seq, state, due_at=due_at) for seq in seqs])


async def test_a_duplicate_is_reported_and_stored_once(bench: Bench) -> None:
    """One row per (account, dedupe key), within one call, over calls and over restarts."""
    first = await bench.store.receive([given(1), given(1), given(2), given(1, account="other")])
    assert list(first) == [True, False, True, True]
    await bench.again()
    assert list(await bench.store.receive([given(1), given(3)])) == [False, True]
    found, _ = await bench.queries.inputs(account="shop")
    assert len(found) == 3


async def test_receiving_nothing_is_nothing(bench: Bench) -> None:
    """An empty call neither fails nor stores."""
    assert list(await bench.store.receive([])) == []


async def test_many_receivers_share_commits_and_each_input_is_new_once(bench: Bench) -> None:
    """64 senders of the same 20 events: every event is new for exactly one of them."""
    answers = await asyncio.gather(*(bench.store.receive([given(n) for n in range(20)]) for _ in range(64)))
    assert [sum(answer[n] for answer in answers) for n in range(20)] == [1] * 20


async def test_the_payload_comes_back_untouched_and_is_not_in_the_database(bench: Bench) -> None:
    """Raw bytes survive sealing exactly; on the disk they cannot be read."""
    body = b'{"email": "canary@example.test"}\x00\xff'
    await bench.store.receive([given(1, body=body)])
    (item,) = await bench.store.claim_inbox(1)
    assert item.payload == body
    found = await bench.queries.input(item.seq)
    assert found is not None
    assert found.payload == body
    if bench.sqlite:
        path = bench.url.removeprefix("sqlite:///")
        assert not any(b"canary" in Path(name).read_bytes() for name in (path, f"{path}-wal"))


async def test_only_the_head_of_a_lane_is_taken(bench: Bench) -> None:
    """Rows of one ordering key never run side by side and never overtake."""
    await bench.store.receive([given(1, lane="a"), given(2, lane="a"), given(3, lane="b")])
    first = await bench.store.claim_inbox(10)
    assert lanes(first) == ["a", "b"]
    assert list(await bench.store.claim_inbox(10)) == []
    await bench.write(settled(first[0].seq))
    (second,) = await bench.store.claim_inbox(10)
    assert second.seq > first[0].seq
    assert second.ordering_key == "a"


async def test_a_postponed_head_holds_its_lane_until_it_is_due(bench: Bench) -> None:
    """PENDING with a due time goes back on the schedule; what is behind it waits with it."""
    await bench.store.receive([given(1, lane="a"), given(2, lane="a")])
    (item,) = await bench.store.claim_inbox(10)
    later = WriteSet(inbox=[InboxResult(item.seq, InboxState.PENDING, due_at=bench.now + 5_000_000, attempts=1)])
    await bench.write(later)
    assert list(await bench.store.claim_inbox(10)) == []
    bench.clock.advance(6)
    (again,) = await bench.store.claim_inbox(10)
    assert (again.seq, again.attempts, again.crashes) == (item.seq, 1, 0)


async def test_a_failed_input_lets_its_lane_go_on_and_can_come_back(bench: Bench) -> None:
    """Quarantine parks one row; an operator's replay makes it the head again with its crashes forgotten."""
    await bench.store.receive([given(1, lane="a"), given(2, lane="a")])
    (item,) = await bench.store.claim_inbox(10)
    await bench.write(settled(item.seq, state=InboxState.FAILED))
    (behind,) = await bench.store.claim_inbox(10)
    assert behind.seq != item.seq
    await bench.write(WriteSet(inbox=[InboxResult(item.seq, InboxState.PENDING, due_at=bench.now, crashes=0)]))
    assert list(await bench.store.claim_inbox(10)) == [], "two of one lane must not run side by side"
    await bench.write(settled(behind.seq))
    (back,) = await bench.store.claim_inbox(10)
    assert back.seq == item.seq


async def test_a_finished_input_can_be_run_again(bench: Bench) -> None:
    """Replaying stored input puts a finished row back to work."""
    await bench.store.receive([given(1)])
    (item,) = await bench.store.claim_inbox(1)
    await bench.write(settled(item.seq))
    assert list(await bench.store.claim_inbox(1)) == []
    await bench.write(settled(item.seq, state=InboxState.PENDING, due_at=bench.now))
    (again,) = await bench.store.claim_inbox(1)
    assert again.seq == item.seq


async def test_an_input_cannot_be_finished_twice(bench: Bench) -> None:
    """The second to settle a row is refused, and nothing of its unit is stored."""
    await bench.store.receive([given(1)])
    (item,) = await bench.store.claim_inbox(1)
    await bench.write(settled(item.seq))
    with pytest.raises(StoreConflict):
        await bench.write(settled(item.seq))


async def test_released_rows_come_back_untouched(bench: Bench) -> None:
    """Drain gives rows back without an attempt or a crash counted."""
    await bench.store.receive([given(1)])
    (item,) = await bench.store.claim_inbox(1)
    await bench.store.release([item.seq])
    (again,) = await bench.store.claim_inbox(1)
    assert again == item


async def test_a_clean_restart_counts_no_crash(bench: Bench) -> None:
    """Closing gives claimed rows back."""
    await bench.store.receive([given(1)])
    await bench.store.claim_inbox(1)
    await bench.again()
    (item,) = await bench.store.claim_inbox(1)
    assert item.crashes == 0


async def test_excluded_accounts_wait(bench: Bench) -> None:
    """A held account's backlog neither runs nor holds up the others."""
    await bench.store.receive([*(given(n, account="held") for n in range(30)), given(1, account="live")])
    items = await bench.store.claim_inbox(10, accounts_excluded={"held"})
    assert [item.account for item in items] == ["live"]


async def test_a_cancelled_claim_leaves_nothing_claimed(bench: Bench) -> None:
    """Who stops waiting for a claim does not take rows with him."""
    await bench.store.receive([given(n) for n in range(5)])
    claim = asyncio.create_task(bench.store.claim_inbox(5))
    await asyncio.sleep(0)
    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim
    for _ in range(2_000):
        items = await bench.store.claim_inbox(5)
        if len(items) == 5:
            break
        await bench.store.release([item.seq for item in items])
        await asyncio.sleep(0.01)
    assert len(items) == 5


async def test_many_claimers_never_invert_a_lane(bench: Bench) -> None:
    """8 workers (on PostgreSQL of two processes' stores) over 40 lanes: each lane is worked in order."""
    total, worked = 400, dict[str, list[int]]()
    await bench.store.receive([given(n, lane=f"lane:{n % 40}") for n in range(total)])
    running: set[str] = set()

    async def work(store: object) -> None:
        while sum(map(len, worked.values())) < total:
            items = await store.claim_inbox(7)  # type: ignore[attr-defined]
            assert not {(item.ordering_key) for item in items} & running, "one lane ran twice at once"
            running.update(lanes(items))
            for item in items:
                await asyncio.sleep(0)
                worked.setdefault(item.ordering_key, []).append(item.seq)
            running.difference_update(lanes(items))
            if items:
                await store.run_settled([item.seq for item in items])  # type: ignore[attr-defined]
            else:
                await asyncio.sleep(0.005)

    class Worker:
        def __init__(self, bench: Bench) -> None:
            self.bench = bench
            self.claim_inbox = bench.store.claim_inbox

        async def run_settled(self, seqs: list[int]) -> None:
            await self.bench.write(settled(*seqs))

    if bench.sqlite:
        await asyncio.gather(*(work(Worker(bench)) for _ in range(8)))
    else:
        async with opened(bench.url) as second:
            await asyncio.gather(*(work(Worker(which)) for which in (bench, second) for _ in range(4)))
    assert sum(map(len, worked.values())) == total
    assert all(seqs == sorted(seqs) for seqs in worked.values())


async def test_only_a_parked_input_is_called_up(bench: Bench) -> None:
    """One that is held, over or given up stays as it is, and the unit that calls it does not fail for it."""
    await bench.store.receive([given(number) for number in range(4)])
    parked, over, given_up, held = await bench.store.claim_inbox(10)
    await bench.write(settled(parked.seq, state=InboxState.FAILED))
    await bench.write(settled(over.seq))
    await bench.write(settled(given_up.seq, state=InboxState.DISCARDED))
    called = [
        InboxResult(one.seq, InboxState.PENDING, bench.now, 1, if_parked=True) for one in (parked, over, given_up, held)
    ]
    await bench.write(WriteSet(inbox=called))
    (again,) = await bench.store.claim_inbox(10)
    assert (again.seq, again.attempts) == (parked.seq, 1)
    await bench.write(settled(held.seq, again.seq))
    assert list(await bench.store.claim_inbox(10)) == []
