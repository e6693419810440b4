"""Every effect is sent once in effect, in order per key, and parked with a reason when it cannot be."""

import itertools
from collections import deque

import pytest

from connectors.sdk.contract import Envelope, Settlement
from connectors.sdk.errors import AuthFailed, Conflict, InDoubt, RateLimited, Rejected, TargetMissing, Transient
from hub.ports.accounts import Mode
from hub.ports.store import OutboxState, StoreUnavailable
from tests.support.toy_channel import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def drain(desk: Desk, rounds: int = 50) -> None:
    for _ in range(rounds):
        if not (await desk.dispatcher.send_due()).again:
            return


async def test_order_per_key_is_kept(desk: Desk) -> None:
    """Effects of one key leave in the order they were made; keys do not wait for each other."""
    for number in range(4):
        await desk.effect("o1", f"a{number}")
        await desk.effect("o2", f"b{number}")
    await drain(desk)
    sent = [effect.idempotency_key for effect in desk.vendor.sent]
    assert [name for name in sent if name[0] == "a"] == ["a0", "a1", "a2", "a3"]
    assert [name for name in sent if name[0] == "b"] == ["b0", "b1", "b2", "b3"]
    assert len(sent) == 8


async def test_order_survives_retries(desk: Desk) -> None:
    """A failing head keeps everything behind it on its key waiting, and nothing else."""
    first = await desk.effect("o1", "a0")
    await desk.effect("o1", "a1")
    await desk.effect("o2", "b0")
    desk.vendor.faults["send"] = deque([Transient("reset")])
    await drain(desk)
    assert [effect.idempotency_key for effect in desk.vendor.sent] == ["a0", "b0"]
    assert (desk.outbox(first).state, desk.outbox(first).attempts) == (OutboxState.PENDING, 1)
    desk.clock.advance(2.5)
    await drain(desk)
    assert [effect.idempotency_key for effect in desk.vendor.sent] == ["a0", "b0", "a0", "a1"]


@pytest.mark.parametrize("error", [Rejected("no", code="BAD"), TargetMissing("gone")])
async def test_a_refused_effect_parks_its_key_only(desk: Desk, error: Rejected) -> None:
    """Dead-lettered with its reason; what is behind it on the key waits, other keys go on."""
    dead = await desk.effect("o1", "a0")
    behind = await desk.effect("o1", "a1")
    other = await desk.effect("o2", "b0")
    desk.vendor.faults["send"] = deque([error])
    await drain(desk)
    assert desk.outbox(dead).state is OutboxState.FAILED
    assert desk.outbox(behind).state is OutboxState.PENDING
    assert desk.outbox(other).state is OutboxState.DONE
    assert desk.open_failures() == [("effect", str(dead), type(error).__name__)]


async def test_a_refused_effect_of_its_own_kind_parks_itself_only(desk: Desk) -> None:
    """A parcel the channel refuses is parked by name; the order's next parcels are told."""
    refused = await desk.effect("o1", "a0", kind="alone")
    behind = await desk.effect("o1", "a1", kind="alone")
    desk.vendor.faults["send"] = deque([Rejected("no such carrier", code="BAD")])
    await drain(desk)
    await drain(desk)
    assert desk.outbox(refused).state is OutboxState.PARKED
    assert desk.outbox(behind).state is OutboxState.DONE
    assert desk.open_failures() == [("effect", str(refused), "Rejected")]


async def test_the_whole_schedule_ends_in_a_dead_letter(desk: Desk) -> None:
    """Eleven tries at the listed times, then parked; never dropped."""
    number = await desk.effect("o1", "a0")
    tried_at: list[float] = []
    # Only this effect fails, each time alone, so the circuit has too few calls to open.
    while desk.outbox(number).state is not OutboxState.FAILED:
        desk.vendor.faults["send"] = deque([Transient("reset")])
        before = len(desk.vendor.sent)
        await desk.dispatcher.send_due()
        if len(desk.vendor.sent) > before:
            tried_at.append(desk.clock.monotonic())
        desk.clock.advance(2.5)
    waits = [round(later - earlier) for earlier, later in itertools.pairwise(tried_at)]
    assert len(tried_at) == 11
    assert waits == [2, 30, 150, 900, 3_600, 9_000, 18_000, 25_200, 36_000, 43_200]
    assert desk.open_failures() == [("effect", str(number), "Transient")]


@pytest.mark.parametrize(
    ("settlement", "sends", "state"),
    [
        (Settlement.APPLIED, 1, OutboxState.DONE),
        (Settlement.NOT_APPLIED, 2, OutboxState.DONE),
        (Settlement.UNKNOWN, 1, OutboxState.IN_DOUBT),
    ],
)
async def test_in_doubt_is_settled_by_reading(
    desk: Desk, settlement: Settlement, sends: int, state: OutboxState
) -> None:
    """An unkeyed call without an answer is never sent again before the vendor was asked."""
    number = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([InDoubt("no answer")])
    desk.vendor.settlements = deque([settlement])
    await drain(desk)
    assert desk.outbox(number).state is OutboxState.IN_DOUBT
    desk.clock.advance(5.0)
    await drain(desk)
    assert len(desk.vendor.sent) == sends
    assert desk.outbox(number).state is state


async def test_an_answer_nobody_can_give_ends_with_a_person(desk: Desk) -> None:
    """UNKNOWN for ever follows the schedule and then parks as in doubt; it is not sent again."""
    number = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([InDoubt("no answer")])
    desk.vendor.settlements = deque([Settlement.UNKNOWN] * 100)
    for _ in range(12):
        await drain(desk)
        desk.clock.advance(86_400.0)
    assert len(desk.vendor.sent) == 1
    assert desk.outbox(number).state is OutboxState.FAILED
    assert desk.open_failures() == [("effect", str(number), "InDoubt")]


async def test_a_keyed_effect_is_simply_sent_again(desk: Desk) -> None:
    """Where the vendor honours our key a repeat is harmless and needs no question."""
    number = await desk.effect("o1", "a0", kind="keyed")
    desk.vendor.faults["send"] = deque([InDoubt("no answer")])
    await drain(desk)
    desk.clock.advance(5.0)
    await drain(desk)
    assert [effect.idempotency_key for effect in desk.vendor.sent] == ["a0", "a0"]
    assert desk.vendor.count("settle") == 0
    assert desk.outbox(number).state is OutboxState.DONE


async def test_a_crash_in_flight_is_settled_first(desk: Desk) -> None:
    """Found sending after a crash: asked, not repeated."""
    number = await desk.effect("o1", "a0")
    await desk.store.claim_effects("shop", 10)
    desk.vendor.applied["a0"] = object()  # type: ignore[assignment]
    desk.store.crash()
    await drain(desk)
    assert desk.vendor.sent == []
    assert desk.outbox(number).state is OutboxState.DONE


async def test_an_outcome_the_store_could_not_take_is_written_later(desk: Desk) -> None:
    """Sent, then the disk was full: the outcome is kept and nothing is sent twice."""
    number = await desk.effect("o1", "a0")
    good = desk.vendor.send

    async def fills_the_disk(effect):  # type: ignore[no-untyped-def]
        result = await good(effect)
        desk.store.fail = "disk full"
        return result

    desk.vendor.send = fills_the_disk  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await desk.dispatcher.send_due()
    with pytest.raises(StoreUnavailable):
        await desk.dispatcher.send_due()
    desk.store.fail = None
    await drain(desk)
    assert desk.outbox(number).state is OutboxState.DONE
    assert len(desk.vendor.sent) == 1


async def test_conflict_is_redone_at_once(desk: Desk) -> None:
    """The state there moved: three redos in the same round, no try burned by them."""
    number = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([Conflict("moved"), Conflict("moved"), None])
    await drain(desk)
    assert desk.outbox(number).state is OutboxState.DONE
    assert len(desk.vendor.sent) == 3


async def test_rate_limited_and_auth_failed_burn_nothing(desk: Desk) -> None:
    """The lane rests exactly as told; the account is held; the try count stays at zero."""
    number = await desk.effect("o1", "a0")
    desk.vendor.faults["send"] = deque([RateLimited("slow", retry_after_s=20.0), AuthFailed("revoked")])
    await drain(desk)
    assert (await desk.dispatcher.send_due()).wait_s == pytest.approx(20.0)
    desk.clock.advance(20.0)
    await drain(desk)
    assert desk.accounts.row("shop").held is not None
    assert (await desk.dispatcher.send_due()).blocked
    assert (desk.outbox(number).state, desk.outbox(number).attempts) == (OutboxState.PENDING, 0)
    await desk.accounts.resume("shop", "alice")
    await drain(desk)
    assert desk.outbox(number).state is OutboxState.DONE


async def test_what_has_a_deadline_goes_first(desk: Desk) -> None:
    """Nearest deadline first, then the oldest cause."""
    await desk.effect("o1", "plain")
    await desk.effect("o2", "later", deadline_s=3_600.0)
    await desk.effect("o3", "soon", deadline_s=60.0)
    await drain(desk)
    assert [effect.idempotency_key for effect in desk.vendor.sent] == ["soon", "later", "plain"]


async def test_shadow_mode_keeps_effects_waiting() -> None:
    """Nothing is claimed, nothing is sent, nothing is lost."""
    desk = Desk(mode=Mode.SHADOW)
    number = await desk.effect("o1", "a0")
    await drain(desk)
    assert desk.vendor.sent == []
    assert desk.outbox(number).state is OutboxState.PENDING


async def test_a_bug_in_a_connector_leaves_nothing_half_told(desk: Desk) -> None:
    """An error outside the contract stops loudly; the effect is in doubt, its neighbours are finished."""
    number = await desk.effect("o1", "a0")
    other = await desk.effect("o2", "b0")
    good = desk.vendor.send

    async def buggy(effect):  # type: ignore[no-untyped-def]
        if effect.key == "o1":
            raise KeyError("bug")
        return await good(effect)

    desk.vendor.send = buggy  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        await desk.dispatcher.send_due()
    assert desk.outbox(other).state is OutboxState.DONE
    await desk.dispatcher.send_due()
    assert desk.outbox(number).state is OutboxState.IN_DOUBT
    assert desk.gate.breaker.wait_s(0.0) == 0.0


async def test_what_proves_a_sending_is_kept_with_its_outcome(desk: Desk) -> None:
    """A receipt is an input from the unit that says done, and once only."""
    done = await desk.effect("o1", "a0")
    desk.vendor.evidence = [Envelope("receipt", "receipt-1", "receipt-1", b"signed")]
    await drain(desk)
    assert desk.outbox(done).state is OutboxState.DONE
    (item,) = await desk.store.claim_inbox(10)
    assert (item.topic, item.origin, item.payload) == ("receipt", "receipt", b"signed")
