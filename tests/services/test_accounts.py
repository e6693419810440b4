"""Holds act at once and survive a store that is away; operators' words are audited."""

import pytest

from connectors.sdk.errors import AuthFailed, AuthReason
from hub.delivery.breaker import Circuit
from hub.ports.accounts import Mode
from hub.ports.store import AccountRow, Decide, ReadSet, StoreUnavailable, WriteSet
from hub.services.accounts import UnknownAccount
from hub.services.retention import Keep, Retention
from tests.support.toy_channel import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_hold_works_before_it_is_written(desk: Desk) -> None:
    """The store is away: the account is held in memory and written as soon as it is back."""
    desk.store.fail = "gone"
    assert desk.accounts.hold("shop", "credentials: expired")
    assert not desk.accounts.hold("shop", "credentials: expired"), "one alert"
    assert not desk.accounts.may_call("shop")
    with pytest.raises(StoreUnavailable):
        await desk.accounts.flush()
    desk.store.fail = None
    await desk.accounts.flush()
    assert desk.store.tables.accounts["shop"].held == "credentials: expired"


async def test_what_others_wrote_is_kept(desk: Desk) -> None:
    """A circuit of ours does not undo a hold somebody else has stored meanwhile."""
    desk.accounts.note_circuit("shop", Circuit.OPEN)
    uninstalled = AccountRow("shop", held="uninstalled")
    await desk.store.run(ReadSet(), lambda _: WriteSet(accounts=[uninstalled]))
    await desk.accounts.flush()
    await desk.accounts.refresh()
    row = desk.store.tables.accounts["shop"]
    assert (row.held, row.circuit) == ("uninstalled", "open")
    assert not desk.accounts.may_call("shop")


async def test_pause_and_resume_are_audited(desk: Desk) -> None:
    """Who did what, with what it was before."""
    await desk.accounts.pause("shop", "alice")
    assert desk.accounts.mode("shop") is Mode.PAUSED
    desk.accounts.hold("shop", "broken")
    await desk.accounts.resume("shop", "bob")
    assert desk.accounts.may_send("shop")
    assert [(entry.actor, entry.action) for entry in desk.store.tables.audit] == [
        ("alice", "account.paused"),
        ("bob", "account.resumed"),
    ]


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_a_hold_met_while_an_operators_word_is_written_stands(
    desk: Desk, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login refused in the middle of the write is held in memory and written with the next flush."""
    run = desk.store.run

    async def refused_meanwhile(reads: ReadSet, decide: Decide) -> WriteSet:
        written = await run(reads, decide)
        desk.accounts.hold("shop", "credentials: refused")
        return written

    monkeypatch.setattr(desk.store, "run", refused_meanwhile)
    await getattr(desk.accounts, act)("shop", "alice")
    monkeypatch.undo()
    assert not desk.accounts.may_call("shop")
    await desk.accounts.flush()
    assert desk.store.tables.accounts["shop"].held == "credentials: refused"


async def test_a_hold_is_not_forgotten_when_an_operators_word_cannot_be_written(desk: Desk) -> None:
    """The store is away: what the engine wanted written is still owed."""
    desk.accounts.hold("shop", "credentials: refused")
    desk.store.fail = "gone"
    with pytest.raises(StoreUnavailable):
        await desk.accounts.pause("shop", "alice")
    desk.store.fail = None
    await desk.accounts.flush()
    assert desk.store.tables.accounts["shop"].held == "credentials: refused"


async def test_resume_goes_back_to_the_configured_mode() -> None:
    """A shadow account resumed is a shadow account."""
    desk = Desk(mode=Mode.SHADOW)
    await desk.accounts.pause("shop", "alice")
    await desk.accounts.resume("shop", "alice")
    assert desk.accounts.mode("shop") is Mode.SHADOW
    assert not desk.accounts.may_send("shop")


async def test_a_check_that_works_lifts_the_hold(desk: Desk) -> None:
    """And one that fails sets it, with what is wrong."""
    desk.vendor.down = AuthFailed("read_orders is missing", reason=AuthReason.SCOPE)
    with pytest.raises(AuthFailed):
        await desk.accounts.check("shop", desk.vendor)
    assert desk.accounts.row("shop").held == "scope: read_orders is missing"
    desk.vendor.down = None
    assert (await desk.accounts.check("shop", desk.vendor)).who == "toy"
    assert desk.accounts.row("shop").held is None


async def test_an_unknown_account_is_named_with_the_known_ones(desk: Desk) -> None:
    """The error tells what to type instead."""
    with pytest.raises(UnknownAccount, match="configured: shop"):
        await desk.accounts.pause("shpo", "alice")


def test_payloads_are_kept_while_vendors_redeliver() -> None:
    """A keep under thirty days would break replay and is refused."""
    with pytest.raises(ValueError, match="at least 30 days"):
        Keep(payload_days=7)


async def test_retention_prunes_by_age(desk: Desk) -> None:
    """Nothing young goes; what is past its span does."""
    await desk.list_sku("MUG", 5)
    await desk.publish_all()
    retention = Retention(desk.store, desk.clock, Keep(attempt_days=10))
    assert (await retention.prune())["attempts"] == 0
    desk.clock.advance(11 * 86_400.0)
    assert (await retention.prune())["attempts"] == 1
