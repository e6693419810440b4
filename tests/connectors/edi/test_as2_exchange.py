"""A message is stored before it is confirmed, confirmed once in effect, and sent until a receipt proves it."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import ClientSession, web

from connectors.edi.transport.arrival import Arrival, Keeping
from connectors.edi.transport.as2 import receipts
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.certificates import OwnCertificate
from connectors.edi.transport.as2.exchange import OwedReceipt, Pairs, Reply
from connectors.edi.transport.as2.failures import NotTaken, Why
from connectors.edi.transport.as2.mime import Entity
from connectors.edi.transport.as2.partner import Duplicates, Partner, Receipt, Wrap
from connectors.edi.transport.as2.receiving import Outcome, Receiver, Response
from connectors.edi.transport.as2.sending import Outgoing, Sent, State, compose, send, send_receipt, settle
from connectors.sdk.clock import EPOCH, ManualClock, SeededIds
from connectors.sdk.errors import AuthFailed, RateLimited, Rejected, Transient
from tests.support.edi_partners import Kept, both, certified

ORDER = b"ISA*00*~\nGS*PO~\nST*850*0001~\n"
ASKED = "https://hub.example/as2/receipts"


@pytest.fixture(scope="module")
def keys() -> tuple[OwnCertificate, OwnCertificate]:
    return certified("Hub"), certified("Big Box")


@dataclass
class Other:
    """The partner's side: a receiver, what it keeps, and the order in which it does things."""

    partner: Partner
    store: Kept = field(default_factory=Kept)
    owed: list[OwedReceipt] = field(default_factory=list)
    settled: list[receipts.Received] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver = Receiver(self._find, self._store, self._settle, self._owe, ManualClock(), SeededIds(7))

    def _find(self, own_name: str, partner_name: str) -> Partner | None:
        known = (self.partner.own_name, self.partner.partner_name)
        return self.partner if (own_name, partner_name) == known else None

    async def _store(self, arrival: Arrival) -> Keeping:
        self.done.append("stored")
        return await self.store(arrival)

    async def _settle(self, _: Partner, received: receipts.Received) -> None:
        self.settled.append(received)

    async def _owe(self, owed: OwedReceipt) -> None:
        self.done.append("owed")
        self.owed.append(owed)

    async def post(self, _: str, headers: Pairs, body: bytes) -> Reply:
        response = await self.receiver.receive(headers, body)
        self.done.append("answered")
        self.responses.append(response)
        return Reply(response.status, response.headers, response.body)


async def outgoing(partner: Partner) -> Outgoing:
    return await compose(ORDER, "po.edi", partner, SeededIds(1), EPOCH)


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.SHA256, Digest.SHA512])
@pytest.mark.parametrize(
    "wraps", [(), (Wrap.SIGN,), (Wrap.ENCRYPT,), (Wrap.COMPRESS,), (Wrap.SIGN, Wrap.COMPRESS, Wrap.ENCRYPT)]
)
async def test_a_synchronous_receipt_confirms(
    keys: tuple[OwnCertificate, OwnCertificate], wraps: tuple[Wrap, ...], digest: Digest
) -> None:
    """Signed, with the hash of what was sent, for each kind of message; stored before it was answered."""
    ours, theirs = both(
        *keys, wraps=wraps, digest=digest, signing_required=False, encryption_required=False,
        digests_accepted=frozenset(Digest),
    )  # fmt: skip
    other = Other(theirs)
    sent = await send(await outgoing(ours), ours, other.post, EPOCH)
    assert sent == Sent(State.CONFIRMED, "", sent.receipt)
    assert sent.receipt is not None
    assert sent.receipt.signer == theirs.own[0].fingerprint
    assert other.done == ["stored", "answered"]
    [arrival] = other.store.arrivals
    assert arrival.body == ORDER
    assert arrival.attributes["file"] == "po.edi"
    assert (Wrap.SIGN in wraps) == bool(arrival.evidence)


async def test_an_asynchronous_receipt_confirms_later(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """The answer is empty, the receipt is queued before it, sent to our address and settles the message there."""
    ours, theirs = both(*keys)
    ours = replace(ours, receipt=Receipt.ASYNC, receipt_to=ASKED)
    other = Other(replace(theirs, receipt_urls=("https://hub.example/",)))
    message = await outgoing(ours)
    assert (await send(message, ours, other.post, EPOCH)).state is State.AWAITED
    assert other.done == ["stored", "owed", "answered"]
    us = Other(ours)
    assert other.owed[0].url == ASKED
    await send_receipt(other.owed[0], us.post)
    assert us.responses[0].outcome is Outcome.RECEIPT
    assert settle(us.settled[0], message.message_id, message.mics, ours).state is State.CONFIRMED


async def test_nothing_is_confirmed_that_is_not_stored(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """While the store fails there is no answer at all; the same bytes are taken when it works again."""
    ours, theirs = both(*keys)
    other = Other(theirs)
    other.store.failing = OSError(errno.ENOSPC, "full")
    message = await outgoing(ours)
    with pytest.raises(OSError, match="full"):
        await send(message, ours, other.post, EPOCH)
    other.store.failing = None
    assert (await send(message, ours, other.post, EPOCH)).state is State.CONFIRMED


@pytest.mark.parametrize("duplicates", Duplicates)
async def test_a_message_sent_twice_is_kept_once(
    keys: tuple[OwnCertificate, OwnCertificate], duplicates: Duplicates
) -> None:
    """The second receipt confirms like the first, with the warning where the profile says so."""
    ours, theirs = both(*keys, duplicates=duplicates)
    other = Other(theirs)
    message = await outgoing(ours)
    answers = [await send(message, ours, other.post, EPOCH) for _ in range(2)]
    assert [answer.state for answer in answers] == [State.CONFIRMED, State.CONFIRMED]
    assert answers[1].reason == ("warning: duplicate-document" if duplicates is Duplicates.WARNING else "")
    assert len(other.store.arrivals) == 1
    assert other.responses[1].outcome is Outcome.DUPLICATE


async def test_one_message_id_with_other_content_is_a_conflict(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """The second content is shown to the store, which parks it, and the partner hears of the duplicate."""
    ours, theirs = both(*keys)
    other = Other(theirs)
    first = await outgoing(ours)
    second = await compose(b"other", "po.edi", ours, SeededIds(1), EPOCH)
    second = replace(
        second, headers=tuple((n, first.message_id if n == "Message-ID" else v) for n, v in second.headers)
    )
    await send(first, ours, other.post, EPOCH)
    sent = await send(replace(second, message_id=first.message_id), ours, other.post, EPOCH)
    assert other.responses[1].outcome is Outcome.CONFLICT
    assert sent.reason == "warning: duplicate-document"


async def test_what_is_not_taken_is_refused_in_the_partners_words(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """A wrong signature is refused by a signed receipt, nothing is stored, and our detail does not leave the house."""
    ours, theirs = both(*keys)
    other = Other(replace(theirs, theirs=(replace(both(certified("Hub"), keys[1])[1].theirs[0]),)))
    sent = await send(await outgoing(ours), ours, other.post, EPOCH)
    assert (sent.state, sent.reason) == (State.REFUSED, "processed/error: authentication-failed")
    assert other.store.arrivals == []
    assert other.responses[0].why is Why.AUTHENTICATION_FAILED
    assert other.responses[0].detail.encode() not in other.responses[0].body


async def test_strangers_and_foreign_addresses_get_nothing(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Unknown names, names in other case and receipt addresses outside the list are refused before anything is read."""
    ours, theirs = both(*keys)
    message = await outgoing(replace(ours, receipt=Receipt.ASYNC, receipt_to="https://hub.example.evil/as2"))
    for other in (Other(theirs), Other(replace(theirs, receipt_urls=("https://hub.example/",)))):
        with pytest.raises(AuthFailed):
            await send(message, ours, other.post, EPOCH)
        assert other.owed == []
        assert other.store.arrivals == []
    named = replace(ours, own_name="HUB")
    with pytest.raises(AuthFailed):
        await send(await outgoing(named), named, Other(theirs).post, EPOCH)


async def test_a_request_without_names_or_id_is_a_bad_request(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    _, theirs = both(*keys)
    other = Other(theirs)
    assert (await other.receiver.receive((), b"x")).status == 400
    named = (("AS2-From", "Hub"), ("AS2-To", '"Big Box"'), ("Content-Type", "text/plain"))
    assert (await other.receiver.receive(named, b"x")).status == 400
    assert (await other.receiver.receive((*named, ("Message-ID", "<1>")), b"x")).why is Why.INSUFFICIENT_SECURITY


async def test_hashes_nobody_makes_are_refused_by_name(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Required and unknown: a failure. Optional and unknown: ours is used."""
    ours, theirs = both(*keys)
    message = await outgoing(ours)
    for importance, state in (("required", State.UNPROVEN), ("optional", State.CONFIRMED)):
        options = f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg={importance}, whirlpool"
        headers = tuple((n, options if n.endswith("Options") else v) for n, v in message.headers)
        other = Other(theirs)
        assert (await send(replace(message, headers=headers), ours, other.post, EPOCH)).state is state
        assert (other.responses[0].why is Why.UNSUPPORTED_MIC) == (importance == "required")


async def test_the_partner_gets_its_own_spelling_of_the_hash_back(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Some compare the algorithm's name as text."""
    ours, theirs = both(*keys)
    message = await outgoing(ours)
    options = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, md5, SHA2-512"
    headers = tuple((n, options if n.endswith("Options") else v) for n, v in message.headers)
    other = Other(theirs)
    sent = await send(replace(message, headers=headers), ours, other.post, EPOCH)
    assert sent.state is State.CONFIRMED
    assert b", SHA2-512\r\n" in other.responses[0].body


async def test_a_receipt_cannot_be_written_without_a_valid_certificate(
    keys: tuple[OwnCertificate, OwnCertificate],
) -> None:
    """The message is kept, the partner told to come again: it is a duplicate then and gets its receipt."""
    ours, theirs = both(*keys)
    other = Other(replace(theirs, own=(replace(theirs.own[0], use_from=EPOCH.replace(year=2030)),)))
    with pytest.raises(Transient):
        await send(await outgoing(ours), ours, other.post, EPOCH)
    assert len(other.store.arrivals) == 1


async def test_a_relationship_without_certificates_confirms_unsigned() -> None:
    """Asked for a signature nobody can make, it states the hash all the same."""
    plain = Partner("Hub", "Big Box", wraps=(), signing_required=False, encryption_required=False, receipt_signed=False)
    theirs = replace(plain, own_name="Big Box", partner_name="Hub")
    message = await outgoing(plain)
    options = ("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature")
    other = Other(theirs)
    sent = await send(replace(message, headers=(*message.headers, options)), plain, other.post, EPOCH)
    assert sent.state is State.CONFIRMED
    assert sent.receipt is not None
    assert sent.receipt.mic


REPORT = receipts.Report("<1@trunkline>", receipts.PROCESSED, "")
MICS = {digest: receipts.mic(b"sent", digest) for digest in Digest}
GOOD = f"{MICS[Digest.SHA256]}, sha-256"


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (replace(REPORT, mic=GOOD), receipts.Verdict.CONFIRMED),
        (replace(REPORT, mic=f"{MICS[Digest.SHA1]}, SHA1"), receipts.Verdict.CONFIRMED),
        (replace(REPORT, mic=GOOD, disposition="Processed/Warning: duplicate-document"), receipts.Verdict.CONFIRMED),
        (REPORT, receipts.Verdict.UNPROVEN),
        (replace(REPORT, mic="not base64!, sha-256"), receipts.Verdict.UNPROVEN),
        (replace(REPORT, mic=f"{MICS[Digest.SHA256]}, md5"), receipts.Verdict.UNPROVEN),
        (replace(REPORT, mic=f"{MICS[Digest.SHA1]}, sha-256"), receipts.Verdict.ALTERED),
        (replace(REPORT, mic=GOOD, original_message_id="<2@trunkline>"), receipts.Verdict.UNPROVEN),
        (replace(REPORT, mic=GOOD, disposition="processed/error: decryption-failed"), receipts.Verdict.REFUSED),
        (replace(REPORT, disposition="processed/error: duplicate-document"), receipts.Verdict.UNPROVEN),
        (replace(REPORT, mic=GOOD, disposition="failed/failure: unsupported format"), receipts.Verdict.REFUSED),
        (replace(REPORT, mic=GOOD, disposition="displayed"), receipts.Verdict.UNPROVEN),
    ],
)
def test_only_a_matching_hash_confirms(
    keys: tuple[OwnCertificate, OwnCertificate], report: receipts.Report, verdict: receipts.Verdict
) -> None:
    """A receipt without a hash, about another message or neither yes nor no ends no waiting."""
    ours, theirs = both(*keys)
    entity = receipts.write_signed(report, theirs, EPOCH, Digest.SHA256, "=_b")
    received = receipts.read(Entity(entity.headers, entity.body, entity.body), ours, EPOCH)
    assert receipts.judge(received, "<1@trunkline>", MICS, ours).verdict is verdict


def test_an_unsigned_receipt_counts_only_where_agreed(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    ours, _ = both(*keys)
    received = receipts.read(receipts.write(replace(REPORT, mic=GOOD), "Big Box", "=_b"), ours, EPOCH)
    assert receipts.judge(received, "<1@trunkline>", MICS, ours).verdict is receipts.Verdict.UNPROVEN
    plain = replace(ours, receipt_signed=False)
    assert receipts.judge(received, "1@trunkline", MICS, plain).verdict is receipts.Verdict.CONFIRMED


def test_a_forged_receipt_is_no_receipt(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Signed by a stranger it is not read at all."""
    ours, theirs = both(*keys)
    stranger = replace(theirs, own=(certified("Big Box"),))
    entity = receipts.write_signed(replace(REPORT, mic=GOOD), stranger, EPOCH, Digest.SHA256, "=_b")
    with pytest.raises(NotTaken):
        receipts.read(Entity(entity.headers, entity.body, entity.body), ours, EPOCH)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Transient), (503, Transient), (408, Transient), (429, RateLimited), (403, AuthFailed), (404, Rejected)],
)
async def test_a_status_says_whether_to_try_again(
    keys: tuple[OwnCertificate, OwnCertificate], status: int, error: type[Exception]
) -> None:
    ours, _ = both(*keys)

    async def answer(*_: object) -> Reply:
        return Reply(status, (), b"")

    with pytest.raises(error):
        await send(await outgoing(ours), ours, answer, EPOCH)


@pytest.mark.parametrize("body", [b"", b"<html>thank you</html>"])
async def test_a_friendly_answer_without_a_receipt_proves_nothing(
    keys: tuple[OwnCertificate, OwnCertificate], body: bytes
) -> None:
    ours, _ = both(*keys)

    async def answer(*_: object) -> Reply:
        return Reply(200, (("Content-Type", "text/html"),), body)

    assert (await send(await outgoing(ours), ours, answer, EPOCH)).state is State.UNPROVEN


async def test_over_a_real_socket_every_byte_arrives(keys: tuple[OwnCertificate, OwnCertificate]) -> None:
    """Headers and body survive aiohttp on both sides, chunked as well; the receipt still confirms."""
    ours, theirs = both(*keys)
    other = Other(theirs)

    async def serve(request: web.Request) -> web.Response:
        pairs = [(name.decode(), value.decode("latin-1")) for name, value in request.raw_headers]
        response = await other.receiver.receive(pairs, await request.read())
        return web.Response(status=response.status, headers=list(response.headers), body=response.body)  # type: ignore[arg-type]

    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/as2", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with ClientSession() as session:

            async def post(_: str, headers: Pairs, body: bytes) -> Reply:
                async with session.post(f"http://127.0.0.1:{port}/as2", headers=headers, data=body) as answer:
                    pairs = tuple((n.decode(), v.decode("latin-1")) for n, v in answer.raw_headers)
                    return Reply(answer.status, pairs, await answer.read())

            message = await compose(ORDER * 20_000, "po.edi", ours, SeededIds(3), EPOCH)
            assert (await send(message, ours, post, EPOCH)).state is State.CONFIRMED
    finally:
        await runner.cleanup()
    assert other.store.arrivals[0].body == ORDER * 20_000
