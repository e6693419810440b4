"""A partner's file becomes inputs and an answer, once, whatever comes twice and wherever the process dies."""

from __future__ import annotations

import json

import pytest

from hub.ports.store import InboxItem, InboxResult, InboxState, WriteSet
from tests.support.exchange import Desk, Killed, interchange, order


async def test_a_file_becomes_an_input_per_set_and_one_acknowledgement(desk: Desk) -> None:
    """Two orders: two inputs as their mapping reads them, a 997 that accepts both, both shown with the file."""
    inputs = await desk.trade(interchange(order(), order("4500002", control="0002")))
    assert [(item.topic, item.ordering_key) for item in inputs] == [("850", "po:4500001"), ("850", "po:4500002")]
    content = json.loads(inputs[0].payload)
    assert content["BEG"]["03"] == "4500001"
    assert content["_envelope"]["control"] == "000000001"
    assert content["_partner"]["role"] == "retailer"
    (answer,) = await desk.sent()
    assert "*ZZ*INVENTEDSELLER *ZZ*INVENTEDBUYER  *" in answer
    assert "AK1*PO*17~AK2*850*0001~AK5*A~AK2*850*0002~AK5*A~AK9*A*2*2*2~" in answer
    received, made = await desk.files("in"), await desk.files("out")
    assert (received[0].state, received[0].name, received[0].sets) == ("taken", "orders.edi", 2)
    assert await desk.states(received[0]) == ["taken", "taken"]
    effects, _ = await desk.bench.queries.effects(account="retailer")
    assert [(row.kind, json.loads(row.body)["file"]) for row in effects] == [("send_file", made[0].id)]
    assert "ISA" not in effects[0].body
    assert (await desk.bench.queries.expectations())[0] == []


async def test_the_same_file_again_is_acknowledged_without_effect(desk: Desk) -> None:
    """Interchange level: same number, same content, in another file."""
    await desk.trade(interchange(order()))
    assert len(await desk.trade(interchange(order()))) == 1
    first, second = await desk.files("in")
    assert (await desk.states(first), await desk.states(second)) == (["taken"], ["again"])
    assert second.state == "taken"
    one, two = await desk.sent()
    assert "*000000001*" in one
    assert "*000000002*" in two
    assert await desk.failures() == []


async def test_the_same_interchange_number_with_other_content_is_parked(desk: Desk) -> None:
    """Named, not answered, no effect; replayed by an operator it is taken and answered."""
    await desk.trade(interchange(order()))
    assert len(await desk.trade(interchange(order("4500009")))) == 1
    (failure,) = await desk.failures()
    assert "000000001 came before with other content" in failure.message
    assert len(await desk.sent()) == 1
    await desk.again(failure)
    assert [item.ordering_key for item in await desk.work()] == ["po:4500001", "po:4500009"]
    assert len(await desk.sent()) == 2
    assert await desk.failures() == []


async def test_a_group_number_that_comes_again_is_told_apart_by_its_content(desk: Desk) -> None:
    """Group level: another interchange with the same group is no effect, with another content is parked."""
    await desk.trade(interchange(order(), control=1))
    assert len(await desk.trade(interchange(order(), control=2))) == 1
    assert len(await desk.trade(interchange(order("4500009"), control=3))) == 1
    states = [await desk.states(row) for row in await desk.files("in")]
    assert states == [["taken"], ["again"], ["parked"]]
    (failure,) = await desk.failures()
    assert "group PO 17 came before with other content" in failure.message
    assert len(await desk.sent()) == 2
    await desk.again(failure)
    assert [item.ordering_key for item in await desk.work()] == ["po:4500001", "po:4500009"]
    assert len(await desk.sent()) == 3


async def test_a_set_number_that_comes_twice_in_one_group_is_refused(desk: Desk) -> None:
    """Set level: the second of one number is refused by the acknowledgement and never becomes an input."""
    inputs = await desk.trade(interchange(order(), order("4500002")))
    assert [item.ordering_key for item in inputs] == ["po:4500001"]
    (received,) = await desk.files("in")
    assert (await desk.states(received)) == ["taken", "refused"]
    (answer,) = await desk.sent()
    assert "AK9*P*2*2*1~" in answer


async def test_an_order_that_comes_again_under_new_numbers_is_known(desk: Desk) -> None:
    """Business level: same order and content has no effect, other content is parked and can be taken by hand."""
    await desk.trade(interchange(order()))
    assert len(await desk.trade(interchange(order(), control=2, group=18))) == 1
    assert len(await desk.trade(interchange(order(quantity=99), control=3, group=19))) == 1
    states = [await desk.states(row) for row in await desk.files("in")]
    assert states == [["taken"], ["again"], ["parked"]]
    (failure,) = await desk.failures()
    assert "850 4500001 came before with other content" in failure.message
    assert len(await desk.sent()) == 3
    await desk.again(failure)
    assert len(await all_inputs(desk)) == 2
    assert len(await desk.sent()) == 3


async def test_a_replaced_order_is_another_state_of_it(quick: Desk) -> None:
    """BEG01 05 tells the order anew: each content once."""
    await quick.trade(interchange(order()))
    for number in (2, 3):
        await quick.trade(interchange(order(quantity=20 + number, purpose="05"), control=number, group=number))
    await quick.trade(interchange(order(quantity=23, purpose="05"), control=4, group=4))
    assert [await quick.states(row) for row in await quick.files("in")] == [["taken"], ["taken"], ["taken"], ["again"]]


async def test_a_partner_may_agree_that_duplicates_are_refused_or_dropped(quick: Desk) -> None:
    """`reject`: TA1 with note 025; `drop`: nothing goes out; `business: park`: a person looks."""
    await quick.trade(interchange(order()))
    quick.agree(duplicates={"interchange": "reject"})
    await quick.trade(interchange(order()))
    assert "TA1*000000001*261120*1200*R*025~" in (await quick.sent())[-1]
    quick.agree(duplicates={"interchange": "drop"})
    await quick.trade(interchange(order()))
    assert len(await quick.sent()) == 2
    quick.agree(duplicates={"business": "park"})
    await quick.trade(interchange(order(), control=5, group=20))
    (failure,) = await quick.failures()
    assert "came before with the same content" in failure.message


async def test_a_test_is_shown_and_answered_and_moves_nothing(desk: Desk) -> None:
    """No input is made of it, and the real order of the same number is none the less new."""
    assert await desk.trade(interchange(order(), usage="T")) == []
    (received,) = await desk.files("in")
    assert (received.test, await desk.states(received)) == (True, ["test"])
    assert "*0*T*>~" in (await desk.sent())[0]
    assert len(await desk.trade(interchange(order()))) == 1


async def test_somebody_elses_file_is_parked_by_name(desk: Desk) -> None:
    """Who writes to whom is told; nothing is answered; with the address in the profile it is taken."""
    assert await desk.trade(interchange(order(), sender="SOMEBODYELSE")) == []
    (failure,) = await desk.failures()
    assert "ZZ:SOMEBODYELSE to ZZ:INVENTEDSELLER, which the profile does not know" in failure.message
    assert await desk.sent() == []
    desk.agree(
        identities={"us": {"id": "INVENTEDSELLER"}, "them": {"id": "INVENTEDBUYER"}, "also": [{"id": "SOMEBODYELSE"}]}
    )
    await desk.again(failure)
    assert len(await desk.work()) == 1
    assert len(await desk.sent()) == 1


async def test_running_a_file_again_takes_only_what_its_operator_was_shown(quick: Desk) -> None:
    """Parked for its address, it is judged for the first time once that is known: what contradicts is parked then."""
    await quick.trade(interchange(order()))
    await quick.trade(interchange(order(quantity=99), sender="SOMEBODYELSE", control=2, group=18))
    (failure,) = await quick.failures()
    them = {"us": {"id": "INVENTEDSELLER"}, "them": {"id": "INVENTEDBUYER"}, "also": [{"id": "SOMEBODYELSE"}]}
    quick.agree(identities=them)
    await quick.again(failure)
    await quick.work()
    assert len(await all_inputs(quick)) == 1
    (failure,) = await quick.failures()
    assert "850 4500001 came before with other content" in failure.message
    await quick.again(failure)
    assert len(await all_inputs(quick)) == 2


async def test_an_operators_word_outlasts_a_kill(quick: Desk) -> None:
    """300 orders that came before with other content: replayed and killed in the middle, all of them are taken."""
    first, second = ([order(f"A{n}", units, control=f"{n:04d}") for n in range(300)] for units in (12, 99))
    await quick.trade(interchange(*first))
    done = [InboxResult(item.seq, InboxState.DONE) for item in await all_inputs(quick)]
    await quick.bench.write(WriteSet(inbox=done))
    await quick.trade(interchange(*second, control=2, group=18))
    (failure,) = await quick.failures()
    await quick.again(failure)
    quick.kill_at = 2
    with pytest.raises(Killed):
        await quick.work()
    await quick.crash()
    assert len(await all_inputs(quick)) == 600
    assert await quick.failures() == []


async def test_a_group_of_which_nothing_can_be_taken_is_refused_whatever_its_number(quick: Desk) -> None:
    """There is nothing in it to wait for an operator, and the partner has to hear of it."""
    await quick.trade(interchange(order()))
    await quick.trade(interchange(order("4500002").replace("SE*5", "SE*9"), control=2))
    assert await quick.failures() == []
    assert "AK1*PO*17~AK2*850*0001~AK5*R*4~AK9*R*1*1*0~" in (await quick.sent())[1]


async def test_a_file_without_an_interchange_and_an_account_without_a_profile_are_parked(quick: Desk) -> None:
    """Both say what is missing."""
    await quick.trade(b"this is no interchange")
    quick.forget_partner()
    await quick.trade(interchange(order()))
    messages = [failure.message for failure in await quick.failures()]
    assert any("there is no interchange in it" in message for message in messages)
    assert any("options.partner" in message for message in messages)


async def test_what_is_wrong_is_told_to_the_partner_and_kept_with_the_set(quick: Desk) -> None:
    """A wrong count refuses one set of two; its neighbour is taken."""
    wrong = order("4500002", control="0002").replace("SE*5", "SE*9")
    inputs = await quick.trade(interchange(order(), wrong))
    assert [item.ordering_key for item in inputs] == ["po:4500001"]
    (received,) = await quick.files("in")
    rows = await quick.bench.queries.file_sets(received.id)
    assert [row.state for row in rows] == ["taken", "refused"]
    assert json.loads(rows[1].problems)[0]["code"] == "AK502 4"
    assert "AK2*850*0002~AK5*R*4~AK9*P*2*2*1~" in (await quick.sent())[0]


def many(count: int) -> bytes:
    """Two interchanges, each with half of the orders."""
    half = count // 2
    first = [order(f"A{n}", control=f"{n:04d}") for n in range(half)]
    second = [order(f"B{n}", control=f"{n:04d}") for n in range(half)]
    return interchange(*first) + interchange(*second, control=2, group=18)


@pytest.mark.parametrize("kill_at", [1, 2, 3])
async def test_a_large_file_that_is_killed_goes_on_where_it_was(desk: Desk, kill_at: int) -> None:
    """500 orders in three units: whichever of them dies, each order is one input and each interchange one answer."""
    await desk.receive(many(500))
    desk.kill_at = kill_at
    with pytest.raises(Killed):
        await desk.work()
    await desk.crash()
    inputs = await all_inputs(desk)
    assert len({item.ordering_key for item in inputs}) == len(inputs) == 500
    assert len(await desk.sent()) == 2
    (received,) = await desk.files("in")
    assert (received.state, received.done) == ("taken", 500)


async def all_inputs(desk: Desk) -> list[InboxItem]:
    """Of orders, those that wait behind another of their lane included."""
    await desk.work()
    rows, _ = await desk.bench.queries.inputs(account="retailer", topics=["850"], limit=1000)
    return list(rows)


async def test_a_file_taken_before_is_left_alone_when_its_input_runs_again(quick: Desk) -> None:
    """Running stored inputs again gives no second answer and no second input."""
    await quick.receive(interchange(order()))
    await quick.work()
    (received,) = await quick.files("in")
    assert received.input is not None
    again = InboxResult(received.input, InboxState.PENDING, quick.bench.now, 1)
    await quick.bench.write(WriteSet(inbox=[again]))
    assert len(await quick.work()) == 1
    assert len(await quick.sent()) == 1
    assert (await quick.files("in"))[0].rev == received.rev


async def test_of_a_group_that_comes_again_changed_what_is_the_same_has_no_effect(quick: Desk) -> None:
    """Set level across files: under a known group number the same set is known, another content waits."""
    await quick.trade(interchange(order("A"), order("B", control="0002")))
    await quick.trade(interchange(order("A"), order("B", quantity=99, control="0002"), control=2))
    assert [await quick.states(row) for row in await quick.files("in")] == [["taken", "taken"], ["again", "parked"]]


async def test_a_partner_may_count_anew_after_a_while(quick: Desk) -> None:
    """A control number is forgotten after the span agreed; its documents are not."""
    quick.agree(duplicates={"numbers_for": "30d"})
    await quick.trade(interchange(order()))
    await quick.trade(interchange(order("4500002")))
    quick.bench.clock.advance(31 * 86_400)
    await quick.trade(interchange(order("4500003")))
    quick.bench.clock.advance(31 * 86_400)
    await quick.trade(interchange(order()))
    assert [await quick.states(row) for row in await quick.files("in")] == [["taken"], ["parked"], ["taken"], ["again"]]


async def test_orders_outside_any_interchange_are_told_to_a_person(desk: Desk) -> None:
    """A header damaged on the way leaves its orders unread: what is whole is taken, and the rest is no secret."""
    damaged = interchange(order("4500002"), control=2, group=18)[3:]
    inputs = await desk.trade(interchange(order()) + damaged)
    assert [item.ordering_key for item in inputs] == ["po:4500001"]
    (failure,) = await desk.failures()
    assert "bytes outside any interchange, sets among them" in failure.message
    assert len(await desk.sent()) == 1
    await desk.again(failure)
    await desk.work()
    assert [row.state for row in await desk.files("in")] == ["taken"]
    assert await desk.failures() == []
    assert len(await desk.sent()) == 1


async def test_a_count_that_says_the_same_again_counts_where_numbers_begin_anew(quick: Desk) -> None:
    """Equal numbers and content, but another file: the state is stated once more."""
    quick.agree(duplicates={"numbers_for": "1d"})
    body = "ST*846*0001~BIA*00*SI*REF1*20261120~LIN**VN*MUG~QTY*17*5~CTT*1~SE*6*0001~"
    for _ in range(2):
        await quick.trade(interchange(body, functional="IB"))
        quick.bench.clock.advance(2 * 86_400)
    rows, _ = await quick.bench.queries.inputs(account="retailer", topics=["846"])
    assert len(rows) == 2
