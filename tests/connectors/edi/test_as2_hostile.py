"""Whatever bytes arrive, the receiver answers: it never raises, and confirms nothing it did not store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.edi.transport.as2 import receipts
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.exchange import OwedReceipt, Pairs
from connectors.edi.transport.as2.mime import Entity
from connectors.edi.transport.as2.partner import Partner, Wrap
from connectors.edi.transport.as2.receiving import Outcome, Receiver, Response
from connectors.edi.transport.as2.sending import Outgoing, compose
from connectors.sdk.clock import EPOCH, ManualClock, SeededIds
from tests.support.edi_partners import Kept, both, certified

ORDER = b"ISA*00*~\nGS*PO~\nST*850*0001~\n" * 20
OURS, THEIRS = both(
    certified("Hub"), certified("Big Box"), signing_required=False, encryption_required=False,
    digests_accepted=frozenset(Digest),
)  # fmt: skip
LAYERS = [(), (Wrap.SIGN,), (Wrap.COMPRESS,), (Wrap.ENCRYPT,), (Wrap.COMPRESS, Wrap.SIGN)]
Change = tuple[float, bytes, int]
CHANGES = st.lists(
    st.tuples(st.floats(0, 0.999), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=4
)  # fmt: skip


def made(wraps: tuple[Wrap, ...]) -> Outgoing:
    return asyncio.run(compose(ORDER, "po.edi", replace(OURS, wraps=wraps), SeededIds(1), EPOCH))


MESSAGES = {wraps: made(wraps) for wraps in LAYERS}


def changed(body: bytes, changes: list[Change]) -> bytes:
    for share, inserted, removed in changes:
        at = int(len(body) * share)
        body = body[:at] + inserted + body[at + removed :]
    return body


def answered(headers: Pairs, body: bytes, partner: Partner = THEIRS) -> tuple[Response, Kept]:
    store = Kept()

    async def settled(_: Partner, __: receipts.Received) -> None:
        return None

    async def owed(_: OwedReceipt) -> None:
        return None

    receiver = Receiver(lambda *_: partner, store, settled, owed, ManualClock(), SeededIds())
    return asyncio.run(receiver.receive(headers, body)), store


@settings(max_examples=60, deadline=None)
@given(wraps=st.sampled_from(LAYERS), changes=CHANGES)
def test_changed_bytes_are_answered(wraps: tuple[Wrap, ...], changes: list[Change]) -> None:
    """Each answer is a status and an outcome; what was stored under a signature is what was signed."""
    message = MESSAGES[wraps]
    response, store = answered(message.headers, changed(message.body, changes))
    assert response.status in {200, 400}
    assert (response.outcome is Outcome.STORED) == bool(store.arrivals)
    if store.arrivals and store.arrivals[0].attributes["signer"]:
        assert store.arrivals[0].body == ORDER


@settings(max_examples=60, deadline=None)
@given(
    content_type=st.sampled_from(
        [
            "multipart/signed; boundary=b", "multipart/report; boundary=b", "application/pkcs7-mime",
            "application/pkcs7-mime; smime-type=signed-data", "application/pkcs7-mime; smime-type=compressed-data",
            "multipart/signed; boundary*=utf-8''b", "", ";;;=", "text/plain; charset=nonsense",
        ]
    ),
    encoding=st.sampled_from(["", "base64", "quoted-printable", "binary", "x"]),
    body=st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda raw: b"--b\r\n" + raw + b"\r\n--b--")),
)  # fmt: skip
def test_any_bytes_are_answered(content_type: str, encoding: str, body: bytes) -> None:
    headers = (
        ("AS2-From", "Hub"), ("AS2-To", "Big Box"), ("Message-ID", "<1>"), ("Disposition-Notification-To", "x"),
        ("Content-Type", content_type), ("Content-Transfer-Encoding", encoding),
    )  # fmt: skip
    response, _ = answered(headers, body)
    assert response.status in {200, 400}


@pytest.mark.parametrize("value", ["é" * 5, "\udce9", 'a"b', "=?utf-8?q?x?=", "x" * 200, "\t"])
@pytest.mark.parametrize(
    "name", ["AS2-From", "Message-ID", "Content-Type", "Disposition-Notification-Options", "Subject"]
)
def test_any_header_is_answered(name: str, value: str) -> None:
    """The answer's own headers stay single lines of Latin text whatever was sent."""
    message = MESSAGES[(Wrap.SIGN,)]
    headers = tuple((key, value if key == name else given) for key, given in message.headers)
    response, store = answered(headers, message.body)
    assert response.status in {200, 400}
    for arrival in store.arrivals:
        "".join([arrival.key, arrival.name, *arrival.attributes.values()]).encode()
    for key, given_back in response.headers:
        assert "\n" not in given_back
        (key + given_back).encode("latin-1")


def test_a_long_line_of_nothing_costs_no_time() -> None:
    """A megabyte of almost-boundaries and almost-headers is refused in one pass."""
    for body in (b"--b" * 350_000, b"\r\n--b " * 150_000, b"\n" * 1_000_000, b"a: b\r\n" * 150_000):
        headers = (
            ("AS2-From", "Hub"), ("AS2-To", "Big Box"), ("Message-ID", "<1>"),
            ("Content-Type", "multipart/signed; boundary=b"),
        )  # fmt: skip
        response, _ = answered(headers, body)
        assert response.outcome is Outcome.REFUSED


def test_deep_nesting_inside_a_signature_is_refused() -> None:
    """Ten thousand lists in one another are no reason to fall over."""
    nested = b"\x30\x80" * 10_000
    headers = (
        ("AS2-From", "Hub"), ("AS2-To", "Big Box"), ("Message-ID", "<1>"),
        ("Content-Type", "application/pkcs7-mime; smime-type=signed-data"),
    )  # fmt: skip
    assert answered(headers, nested)[0].outcome is Outcome.REFUSED
    assert Entity.parse(b"\r\n").body == b""


@pytest.mark.parametrize("about", ["<\udcff@partner>", "<ü@partner>", "<a\x01@partner>"])
def test_a_receipt_about_no_message_id_is_refused(about: str) -> None:
    """Nothing is kept under a key that no database can hold."""
    report = receipts.write(receipts.Report(about, receipts.PROCESSED), "Hub", "=_b")
    names = (("AS2-From", "Hub"), ("AS2-To", "Big Box"), ("Message-ID", "<r@partner>"))
    response, _ = answered((*names, *report.headers), report.body)
    assert (response.status, response.outcome) == (400, Outcome.REFUSED)
