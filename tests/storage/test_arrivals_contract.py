"""Inputs that arrive together share a statement and a commit, and each is told its own fate."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.support.stores import Bench, given


async def test_more_than_a_statement_holds_is_stored_whole(bench: Bench) -> None:
    """700 inputs in one call, some known, some twice: each is new exactly once, and every payload is its own."""
    await bench.store.receive([given(n) for n in range(0, 700, 7)])
    wanted = [given(n, body=b'{"n": %d}' % n) for n in range(700)]
    answer = await bench.store.receive([*wanted, *wanted[:50]])
    assert list(answer) == [n % 7 != 0 for n in range(700)] + [False] * 50
    taken = {item.ordering_key: item.payload for item in await bench.store.claim_inbox(1000)}
    assert taken[wanted[1].ordering_key] == b'{"n": 1}'
    assert len(taken) == 700


async def test_one_that_cannot_be_stored_fails_alone(bench: Bench) -> None:
    """A text no database takes among thirty arrivals: twenty-nine are stored, and stored once."""
    arrivals = [[given(n)] for n in range(30)]
    arrivals[11] = [replace(given(11), topic="orders/\ud800")]
    answers = await asyncio.gather(*(bench.store.receive(each) for each in arrivals), return_exceptions=True)
    assert [place for place, answer in enumerate(answers) if isinstance(answer, BaseException)] == [11]
    assert all(list(answer) == [True] for answer in answers if not isinstance(answer, BaseException))
    assert list(await bench.store.receive([given(n) for n in range(30)])) == [n == 11 for n in range(30)]


async def test_a_sender_that_leaves_takes_nobody_along(bench: Bench) -> None:
    """One of twenty callers is cancelled while it waits: the others are answered."""
    calls = [asyncio.ensure_future(bench.store.receive([given(n)])) for n in range(20)]
    await asyncio.sleep(0)
    calls[0].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert all(answer == [True] for answer in answers[1:])


async def test_accounts_with_the_same_key_keep_their_own_bodies(bench: Bench) -> None:
    """Two shops tell of different things under one key, in one call: neither gets the other's body."""
    both = [given(1, account=name, body=name.encode()) for name in ("shop", "other")]
    assert list(await bench.store.receive([*both, *both])) == [True, True, False, False]
    assert {item.account: item.payload for item in await bench.store.claim_inbox(10)} == {
        "shop": b"shop",
        "other": b"other",
    }


async def test_the_last_answer_of_a_lane_is_the_newest_that_nobody_pushed(bench: Bench) -> None:
    """Of one account, lane and topic; a push in between is no answer."""
    origins = ((1, "poll"), (2, "resolve"), (3, "webhook"))
    told = [replace(given(n, lane="parcel:1"), origin=origin) for n, origin in origins]
    await bench.store.receive([*told, replace(given(4, lane="parcel:1"), origin="poll", topic="another")])
    account, topic = given(1).account, given(1).topic
    assert await bench.store.last_answer(account, "parcel:1", topic) == given(2).dedupe_key
    assert await bench.store.last_answer(account, "parcel:2", topic) is None
    assert await bench.store.last_answer("somebody", "parcel:1", topic) is None


async def test_what_is_kept_under_a_key_can_be_told_by_its_digest(bench: Bench) -> None:
    """Of one account's key, and of none that never came."""
    await bench.store.receive([given(1), replace(given(2), digest="another")])
    assert await bench.store.received_digest(given(1).account, given(1).dedupe_key) == given(1).digest
    assert await bench.store.received_digest(given(2).account, given(2).dedupe_key) == "another"
    assert await bench.store.received_digest("somebody", given(1).dedupe_key) is None
