"""Sending again is the same file, asked for by a person, and never beside a sending that is not over."""

from __future__ import annotations

import asyncio
import json

import pytest

from hub.ports.store import OutboxState, OutboxUpdate, ReadSet, WriteSet
from hub.services.trading.resending import CannotResend, Resending, UnknownFile
from hub.trading.outbound import GROUPS, interchanges
from tests.support.exchange import ACCOUNT, Desk, answer, interchange, order


async def made(desk: Desk) -> str:
    await desk.ask(answer())
    await desk.work()
    (row,) = await desk.files("out")
    return row.id


async def over(desk: Desk, state: OutboxState = OutboxState.DONE) -> None:
    """Every sending so far ended so."""
    rows, _ = await desk.bench.queries.effects(account=ACCOUNT)
    await desk.bench.write(WriteSet(outbox=[OutboxUpdate(row.id, state, 1) for row in rows]))


async def test_it_is_queued_again_with_the_same_bytes_and_numbers(desk: Desk) -> None:
    """Another sending of the same file, in the lane of the first; who asked stands in the audit log."""
    file = await made(desk)
    before = await desk.bench.store.file_content(file)
    await over(desk)
    row = await Resending(desk.bench.store, desk.bench.queries).resend(file, now=desk.bench.now, actor="ada")
    assert row.sends == 2
    second, first = (await desk.bench.queries.effects(account=ACCOUNT))[0]
    assert (second.key, json.loads(second.body)) == (first.key, json.loads(first.body))
    assert second.idempotency_key != first.idempotency_key
    assert await desk.bench.store.file_content(file) == before
    entries, _ = await desk.bench.queries.audit()
    assert (entries[0]["actor"], entries[0]["action"], entries[0]["target"]) == ("ada", "edi.resent", file)
    state = await desk.bench.read(ReadSet(counters={(ACCOUNT, interchanges(test=False))}))
    assert state.counters[ACCOUNT, interchanges(test=False)] == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [(None, "still on its way"), (OutboxState.FAILED, "replay that failure"), (OutboxState.IN_DOUBT, "in_doubt")],
)
async def test_not_while_an_earlier_sending_is_not_over(quick: Desk, state: OutboxState | None, words: str) -> None:
    """It may still arrive, or be replayed: then it would be there twice."""
    file = await made(quick)
    if state is not None:
        await over(quick, state)
    with pytest.raises(CannotResend, match=words):
        await Resending(quick.bench.store, quick.bench.queries).resend(file, now=0, actor="ada")


async def test_two_people_at_once_send_it_once(desk: Desk) -> None:
    """Both saw that nothing was on its way; the second is told so."""
    file = await made(desk)
    await over(desk)
    resending = Resending(desk.bench.store, desk.bench.queries)
    asked = [resending.resend(file, now=desk.bench.now, actor=name) for name in ("ada", "bob")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["CannotResend", "FileRow"]
    assert len((await desk.bench.queries.effects(account=ACCOUNT))[0]) == 2


async def test_only_files_of_ours_that_are_kept_can_be_sent_again(quick: Desk) -> None:
    """Received ones, unknown ones and those whose bytes are forgotten cannot."""
    resending = Resending(quick.bench.store, quick.bench.queries)
    await quick.trade(interchange(order()))
    (received,) = await quick.files("in")
    with pytest.raises(CannotResend, match="was received"):
        await resending.resend(received.id, now=0, actor="ada")
    with pytest.raises(UnknownFile):
        await resending.resend("file_none", now=0, actor="ada")
    (answered,) = await quick.files("out")
    await over(quick)
    await quick.bench.store.prune(payloads_before=quick.bench.now + 1, attempts_before=0, personal_due=0)
    with pytest.raises(CannotResend, match="forgotten"):
        await resending.resend(answered.id, now=0, actor="ada")


async def test_numbers_begin_again_behind_the_highest(quick: Desk) -> None:
    """999999999 is followed by 1, for interchanges and groups."""
    highest = 999_999_998
    counters = {(ACCOUNT, interchanges(test=False)): highest, (ACCOUNT, GROUPS): highest}
    await quick.bench.write(WriteSet(counters=counters))
    for number in range(2):
        await quick.ask(answer(f"PO{number}"), dedupe=str(number), subject=f"ord_{number}")
    await quick.work()
    assert sorted(row.control for row in await quick.files("out")) == ["000000001", "999999999"]
    rows, _ = await quick.bench.queries.expectations()
    assert sorted(row.reference for row in rows) == ["PR 1 855 0001", "PR 999999999 855 0001"]
