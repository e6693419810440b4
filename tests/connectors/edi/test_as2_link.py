"""Two accounts trade over AS2: a message is kept before it is confirmed, and confirmed before it counts as sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.edi import as2_link
from connectors.edi.transport.as2.certificates import OwnCertificate
from connectors.sdk.clock import MemoryTokens
from connectors.sdk.contract import Settlement, WebhookReply
from connectors.sdk.errors import AuthFailed, InDoubt, Rejected, Transient
from hub.ports.store import StoreUnavailable
from tests.support.edi_accounts import ORDER, Side, as2_pair, file_effect
from tests.support.edi_partners import certified


@pytest.fixture(scope="module")
def keys() -> tuple[OwnCertificate, OwnCertificate]:
    return certified("hub"), certified("partner")


@pytest.fixture
def sides(tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]) -> tuple[Side, Side]:
    return as2_pair(tmp_path, *keys)


async def again(side: Side) -> WebhookReply:
    """The last request this side was sent, once more."""
    assert side.connector is not None
    return await side.connector.receive(side.requests[-1], side.store)


async def test_a_file_arrives_byte_for_byte_and_is_confirmed(sides: tuple[Side, Side]) -> None:
    """Bare line feeds included; the signed bytes are kept as evidence beside it."""
    hub, partner = sides
    assert hub.connector is not None
    assert await hub.connector.settle(file_effect()) is Settlement.NOT_APPLIED
    result = await hub.connector.send(file_effect())
    assert (result.vendor_id or "").endswith("@trunkline>")
    (receipt,) = result.evidence
    assert receipt.topic == "receipt"
    assert b"Disposition: automatic-action" in receipt.payload
    assert partner.store.topics() == ["interchange", "evidence"]
    file, evidence = partner.store.envelopes
    assert file.payload == ORDER
    assert file.headers["file"] == "850_1.edi"
    assert file.headers["message_id"] == result.vendor_id
    assert ORDER in evidence.payload
    assert await hub.connector.settle(file_effect()) is Settlement.APPLIED
    await hub.connector.send(file_effect())
    assert len(partner.requests) == 1


async def test_a_lost_answer_costs_nothing(sides: tuple[Side, Side]) -> None:
    """The message goes again under its Message-ID, and the partner keeps it once."""
    hub, partner = sides
    assert hub.connector is not None
    partner.lose_answers = 1
    await hub.connector.send(file_effect())
    assert len(partner.requests) == 2
    assert len({request.headers["message-id"] for request in partner.requests}) == 1
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_killed_before_the_answer_it_goes_again_under_its_message_id(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """Another process composes the message anew, with other keys, and the partner still knows it."""
    tokens = MemoryTokens()
    hub, partner = as2_pair(tmp_path, *keys, tokens=tokens)
    assert hub.connector is not None
    partner.lose_answers = 100
    with pytest.raises(Transient):
        await hub.connector.send(file_effect())
    partner.lose_answers = 0
    after, _ = as2_pair(tmp_path, *keys, tokens=tokens)
    after.connector, old = hub.connector, after.connector
    assert old is not None
    assert await hub.connector.settle(file_effect()) is Settlement.NOT_APPLIED
    await hub.connector.send(file_effect())
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_nothing_is_confirmed_that_is_not_durable(sides: tuple[Side, Side]) -> None:
    """What the store raises goes through to the door, which says 503; the same message is taken later."""
    hub, partner = sides
    assert hub.connector is not None
    partner.store.failing = StoreUnavailable("disk full")
    with pytest.raises(StoreUnavailable):
        await hub.connector.send(file_effect())
    partner.store.failing = None
    await hub.connector.send(file_effect())
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_a_message_that_comes_twice_is_kept_once_and_answered_as_the_first_time(
    sides: tuple[Side, Side],
) -> None:
    """The first receipt may have been lost."""
    hub, partner = sides
    assert hub.connector is not None
    await hub.connector.send(file_effect())
    reply = await again(partner)
    assert reply.status == 200
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_the_same_message_id_with_other_content_is_parked_beside_the_first(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """Neither is lost, and the second is never opened by itself."""
    hub, partner = as2_pair(tmp_path, *keys)
    mixed_up, unheard = as2_pair(tmp_path, *keys)
    assert hub.connector is not None
    assert mixed_up.connector is not None
    await hub.connector.send(file_effect())
    # The sender has lost its memory and uses a number again.
    unheard.connector, unheard.store = partner.connector, partner.store
    await mixed_up.connector.send(file_effect(content=ORDER + b"other"))
    assert partner.store.topics() == ["interchange", "evidence", "conflict"]
    assert partner.store.envelopes[-1].payload == ORDER + b"other"


async def test_strangers_and_forgeries_are_refused(tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Names nobody agreed on, and a signature by a key that is not pinned."""
    hub, partner = as2_pair(tmp_path, *keys)
    assert hub.connector is not None
    await hub.connector.send(file_effect())
    assert partner.connector is not None
    stranger = replace(partner.requests[-1], headers={**partner.requests[-1].headers, "as2-from": "Somebody"})
    assert (await partner.connector.receive(stranger, partner.store)).status == 403
    forger, victim = as2_pair(tmp_path, certified("forger"), keys[1])
    partner.requests.clear()
    assert forger.connector is not None
    assert victim.connector is not None
    victim.connector = partner.connector
    victim.store = partner.store
    with pytest.raises((Rejected, Transient)):
        await forger.connector.send(file_effect(key="forged"))
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_an_asynchronous_receipt_that_comes_at_once_confirms(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """The partner owes the receipt durably, posts it as an effect, and the waiting sender is done."""
    hub, partner = as2_pair(tmp_path, *keys, receipt="async")
    assert hub.connector is not None
    assert partner.connector is not None
    sending = asyncio.create_task(hub.connector.send(file_effect()))
    await asyncio.wait_for(partner.store.owes.wait(), 60)
    assert partner.store.owed[0].kind == "send_receipt"
    await partner.connector.send(partner.store.owed[0])
    assert await partner.connector.settle(partner.store.owed[0]) is Settlement.APPLIED
    assert "confirms" in (await sending).note
    assert hub.store.topics() == ["receipt"]


async def test_an_asynchronous_receipt_that_is_late_leaves_doubt_until_it_comes(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile nothing is sent again; when it comes, settling says applied."""
    monkeypatch.setattr(as2_link, "RECEIPT_WAIT_S", 0.01)
    hub, partner = as2_pair(tmp_path, *keys, receipt="async")
    assert hub.connector is not None
    assert partner.connector is not None
    with pytest.raises(InDoubt):
        await hub.connector.send(file_effect())
    assert await hub.connector.settle(file_effect()) is Settlement.UNKNOWN
    with pytest.raises(InDoubt):
        await hub.connector.send(file_effect())
    assert len(partner.requests) == 1
    await partner.connector.send(partner.store.owed[0])
    assert await hub.connector.settle(file_effect()) is Settlement.APPLIED


async def test_certificates_that_end_soon_are_warned_of_and_ended_ones_refused(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """A month ahead, by whose they are."""
    hub, _ = as2_pair(tmp_path, certified("hub", days=(-30, 20)), keys[1])
    assert hub.connector is not None
    (warning,) = (await hub.connector.check()).warnings
    assert "our AS2 certificate ends" in warning
    gone, _ = as2_pair(tmp_path, keys[0], certified("partner", days=(-30, -1)))
    assert gone.connector is not None
    with pytest.raises(AuthFailed, match="the partner's AS2 certificate"):
        await gone.connector.check()
    with pytest.raises(AuthFailed):
        await gone.connector.send(file_effect())
    assert warning.endswith("agree on the next one now")


@pytest.mark.parametrize(("status", "said"), [(200, None), (405, None), (500, None), (404, "knows no such address")])
async def test_a_partners_server_is_up_whatever_it_thinks_of_get(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate], status: int, said: str | None
) -> None:
    """Only an address it does not know is worth a word."""
    hub, partner = as2_pair(tmp_path, *keys)
    assert hub.connector is not None
    partner.get_status = status
    warnings = (await hub.connector.check()).warnings
    assert [said in warning for warning in warnings] == ([True] if said else [])


async def confirmed(hub: Side, partner: Side) -> str:
    """Send, have the partner post the receipt it owes for it, and say what came of it."""
    assert hub.connector is not None
    assert partner.connector is not None
    partner.store.owes.clear()
    sending = asyncio.create_task(hub.connector.send(file_effect()))
    await asyncio.wait_for(partner.store.owes.wait(), 10)
    await partner.connector.send(partner.store.owed[-1])
    return (await sending).note or ""


async def test_a_refusal_by_an_asynchronous_receipt_is_not_the_answer_to_the_next_try(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """Run again after the partner has our certificate, the message is posted again under its Message-ID."""
    hub, partner = as2_pair(tmp_path, *keys, receipt="async")
    old, outdated = as2_pair(tmp_path, certified("old"), keys[1], receipt="async")
    old.connector, old.store = hub.connector, hub.store
    right, partner.connector = partner.connector, outdated.connector
    with pytest.raises(Rejected, match="authentication-failed"):
        await confirmed(hub, partner)
    partner.connector = right
    assert hub.connector is not None
    assert await hub.connector.settle(file_effect()) is Settlement.NOT_APPLIED
    assert "confirms" in await confirmed(hub, partner)
    assert len({request.headers["message-id"] for request in partner.requests}) == 1
    assert partner.store.topics() == ["interchange", "evidence"]


async def test_a_receipt_that_came_after_a_lost_answer_ends_the_sending(
    tmp_path: Path, keys: tuple[OwnCertificate, OwnCertificate]
) -> None:
    """What is confirmed already is not posted again: many partners would call it a duplicate and an error."""
    hub, partner = as2_pair(tmp_path, *keys, receipt="async")
    assert hub.connector is not None
    assert partner.connector is not None
    partner.lose_answers = 100
    with pytest.raises(Transient):
        await hub.connector.send(file_effect())
    partner.lose_answers = 0
    await partner.connector.send(partner.store.owed[0])
    tries = len(partner.requests)
    assert "confirms" in ((await hub.connector.send(file_effect())).note or "")
    assert len(partner.requests) == tries
