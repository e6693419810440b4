"""A document of ours becomes one file, is awaited, and what the partner says of it is settled by name."""

from __future__ import annotations

import json

import pytest

from hub.ports.store import InboxResult, InboxState, ReadSet, WriteSet
from tests.support.exchange import ACCOUNT, Desk, Killed, acknowledgement, answer, interchange
from tests.support.trading import document

DAY = 86_400 * 1_000_000


async def awaited(desk: Desk, state: str | None = "open") -> list[tuple[str, str, str]]:
    rows, _ = await desk.bench.queries.expectations(state=state)
    return sorted((row.kind, row.reference, row.state) for row in rows)


async def test_a_document_is_numbered_queued_and_awaited_in_one_unit(desk: Desk) -> None:
    """The file, its bytes, the sending and the deadline of its 997; the next file counts on."""
    await desk.ask(answer())
    await desk.ask(answer("4500002"), dedupe="2", subject="ord_2")
    await desk.work()
    one, two = await desk.sent()
    assert "*000000001*" in one
    assert "*000000002*" in two
    assert "GS*PR*INVENTEDSELLER*INVENTEDBUYER*" in one
    assert "ST*855*0001~BAK*00*" in one
    assert await awaited(desk) == [("997", "PR 1 855 0001", "open"), ("997", "PR 2 855 0001", "open")]
    rows, _ = await desk.bench.queries.expectations(subject="ord_1")
    assert [(row.ours, (row.due_at or 0) - row.opened_at) for row in rows] == [(False, DAY)]
    first = (await desk.files("out"))[0]
    (made,) = await desk.bench.queries.file_sets(first.id)
    assert (made.kind, made.state, made.subject) == ("855", "sent", "ord_1")
    effects, _ = await desk.bench.queries.effects(account=ACCOUNT)
    assert [(row.kind, row.key) for row in effects] == [("send_file", "out:ord_2"), ("send_file", "out:ord_1")]
    assert json.loads(effects[1].body) == {"file": first.id, "name": "855_000000001.edi"}


async def test_asked_for_twice_it_is_sent_once(quick: Desk) -> None:
    """The same set, key and version is one input, and an input run again makes no second file."""
    await quick.ask(answer())
    await quick.work()
    await quick.bench.store.receive([])
    await quick.ask(answer())
    await quick.work()
    assert len(await quick.sent()) == 1


async def test_what_cannot_be_written_is_parked_with_its_field_and_spends_no_number(desk: Desk) -> None:
    """Decisions that do not add up are refused by the mapping; mended and replayed, the file has number 1."""
    await desk.ask(answer(decided=7))
    await desk.ask({"type": "order_acknowledgement"}, dedupe="2", subject="x")
    await desk.work()
    first, second = sorted(await desk.failures(), key=lambda row: row.id)
    assert first.error == second.error == "MappingError"
    assert second.code == "document"
    assert await desk.files() == []
    state = await desk.bench.read(ReadSet(counters={(ACCOUNT, "interchange:P")}))
    assert state.counters.get((ACCOUNT, "interchange:P"), 0) == 0
    await desk.ask(answer(), dedupe="3")
    await desk.work()
    assert "*000000001*" in (await desk.sent())[0]


async def test_a_kill_in_the_middle_of_sending_skips_no_number_and_sends_nothing_twice(desk: Desk) -> None:
    """Whichever unit dies, there is one file with the first number."""
    await desk.ask(answer())
    for kill_at in (1, 2):
        desk.kill_at = kill_at
        with pytest.raises(Killed):
            await desk.work()
        await desk.crash()
        assert await desk.files() == []
    await desk.work()
    assert len(await desk.sent()) == 1
    assert "*000000001*" in (await desk.sent())[0]


async def sent_two(desk: Desk) -> None:
    await desk.ask(answer())
    await desk.ask(answer("4500002"), dedupe="2", subject="ord_2")
    await desk.work()


async def test_an_acknowledgement_ends_the_wait(desk: Desk) -> None:
    """997 A: met; the set shows it; nothing is answered to an answer, nothing becomes an input."""
    await sent_two(desk)
    told = interchange(acknowledgement(1, ("0001", "A")), functional="FA", control=7, group=7)
    assert await desk.trade(told) == []
    assert await awaited(desk, None) == [("997", "PR 1 855 0001", "met"), ("997", "PR 2 855 0001", "open")]
    first = (await desk.files("out"))[0]
    assert await desk.states(first) == ["accepted"]
    assert len(await desk.sent()) == 2
    assert await desk.states((await desk.files("in"))[0]) == ["answer"]


async def test_an_acknowledgement_without_sets_speaks_for_all_of_the_group(quick: Desk) -> None:
    """AK2 is left out where everything was taken."""
    await sent_two(quick)
    await quick.trade(interchange(acknowledgement(2), functional="FA", control=7, group=7))
    assert ("997", "PR 2 855 0001", "met") in await awaited(quick, None)


async def test_a_refused_set_is_parked_by_segment_element_and_code_and_can_be_sent_anew(desk: Desk) -> None:
    """997 R names the defect; replayed, the document goes out with new numbers; accepted then, nothing is open."""
    await sent_two(desk)
    await desk.trade(interchange(acknowledgement(1, ("0001", "R"), state="R"), functional="FA", control=7, group=7))
    (failure,) = await desk.failures()
    assert (failure.error, failure.code, failure.path) == ("Rejected", "997 7", "BAK[2] element 3")
    assert "refused 855 0001 of group PR 1" in failure.message
    assert ("997", "PR 1 855 0001", "failed") in await awaited(desk, None)
    assert desk.corrected == []
    await desk.again(failure)
    await desk.work()
    assert desk.corrected == ["retailer"]
    again = (await desk.sent())[-1]
    assert "*000000003*" in again
    assert ("997", "PR 3 855 0001", "open") in await awaited(desk)
    await desk.trade(interchange(acknowledgement(3, ("0001", "A")), functional="FA", control=8, group=8))
    assert await desk.failures() == []


async def test_a_refused_document_that_is_run_again_by_hand_is_no_failure_any_more(quick: Desk) -> None:
    """Running the stored input again sends it anew and ends the failure, like a replay."""
    await sent_two(quick)
    await quick.trade(interchange(acknowledgement(1, ("0001", "R"), state="R"), functional="FA", control=7, group=7))
    (failure,) = await quick.failures()
    again = InboxResult(int(failure.reference), InboxState.PENDING, quick.bench.now, 1)
    await quick.bench.write(WriteSet(inbox=[again]))
    await quick.work()
    assert "*000000003*" in (await quick.sent())[-1]
    assert await quick.failures() == []


async def test_an_answer_to_nothing_is_shown(desk: Desk) -> None:
    """A 997 for a group that was never sent stays open as a failure of its own, the file is taken."""
    await desk.trade(interchange(acknowledgement(99, ("0001", "A")), functional="FA", control=7, group=7))
    (failure,) = await desk.failures()
    assert (failure.kind, failure.error, failure.code) == ("exchange", "Unmatched", "997")
    assert "group PR 99" in failure.message
    (received,) = await desk.files("in")
    assert (received.state, await desk.states(received)) == ("taken", ["unmatched"])


async def test_a_ta1_is_awaited_where_it_was_asked_for_and_refuses_the_whole_interchange(quick: Desk) -> None:
    """TA1 R fails every set of the interchange."""
    quick.agree(envelope={"version": "00401", "request_ta1": True})
    await quick.ask(answer())
    await quick.work()
    assert await awaited(quick) == [("997", "PR 1 855 0001", "open"), ("TA1", "000000001", "open")]
    head = interchange("", control=9).split(b"GS*")[0]
    await quick.trade(head + b"TA1*000000001*261120*1200*R*006~IEA*0*000000009~")
    assert await awaited(quick) == []
    (failure,) = await quick.failures()
    assert (failure.code, failure.path) == ("TA1 006", "TA1")


@pytest.mark.parametrize("named", ["PO*4500002", "PO*4500002***20261121**9*0009*855", "TN*?***20261121**2*0001*855"])
async def test_advice_is_attached_to_the_set_it_names(quick: Desk, named: str) -> None:
    """824 by the document's number, or by group and set: the partner's application refused what its translator took."""
    await sent_two(quick)
    advice = f"ST*824*0001~BGN*00*ADV1*20261121~OTI*TR*{named}~TED*024*UNKNOWN ITEM~SE*5*0001~"
    await quick.trade(interchange(advice, functional="AG", control=7, group=7))
    (failure,) = await quick.failures()
    assert (failure.error, failure.code) == ("Rejected", "824 024")
    second = (await quick.files("out"))[1]
    (row,) = await quick.bench.queries.file_sets(second.id)
    assert row.state == "rejected"
    assert json.loads(row.problems)[0]["told_by"] == "824"


async def test_a_late_acknowledgement_is_overdue_until_it_comes(desk: Desk) -> None:
    """Counted as overdue once the deadline has passed, and no longer when it was met."""
    await sent_two(desk)
    counts = await desk.bench.queries.expectation_counts()
    assert [(row.kind, row.open, row.overdue) for row in counts] == [("997", 2, 0)]
    desk.bench.clock.advance(25 * 3600)
    counts = await desk.bench.queries.expectation_counts()
    assert [(row.kind, row.open, row.overdue) for row in counts] == [("997", 2, 2)]
    await desk.trade(interchange(acknowledgement(1, ("0001", "E")), functional="FA", control=7, group=7))
    counts = await desk.bench.queries.expectation_counts()
    assert [(row.kind, row.open, row.overdue) for row in counts] == [("997", 1, 1)]


async def test_a_remittance_is_noted_beside_the_invoice_it_pays(quick: Desk) -> None:
    """820 by the invoice's number, whatever group it had gone out in; one that pays nothing of ours is shown."""
    line = {
        "number": "1", "quantity": 2, "uom": "EA", "unit_price": {"amount": "5.00"},
        "properties": {"ids": {"UP": "012345678905"}, "eaches_per_unit": 1, "uom_stated": "EA"},
    }  # fmt: skip
    invoice = document(
        "invoice", number="INV1", purchase_order_number="4500001", invoiced_on="2026-11-21",
        totals={"grand_total": {"amount": "10.00"}}, lines=[line],
    )  # fmt: skip
    await quick.ask(invoice, "810")
    await quick.work()
    assert [failure.message for failure in await quick.failures()] == []
    paid = "ST*820*0001~BPR*I*10.00*C*ACH~TRN*1*T1~RMR*IV*INV1**10.00*10.00~SE*5*0001~"
    await quick.trade(interchange(paid, functional="RA", control=7, group=7))
    (row,) = await quick.bench.queries.file_sets((await quick.files("out"))[0].id)
    assert [(one["told_by"], one["message"]) for one in json.loads(row.problems)] == [("820", "paid")]
    assert row.state == "sent"
    other = paid.replace("INV1", "INV9").replace("T1", "T2")
    await quick.trade(interchange(other, functional="RA", control=8, group=8))
    assert [failure.error for failure in await quick.failures()] == ["Unmatched"]
