"""A second AS2 implementation takes what we send, sends what we take, and each believes the other's receipts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.exchange import Pairs, Reply
from connectors.edi.transport.as2.partner import Partner, Wrap
from connectors.edi.transport.as2.receiving import Outcome, Receiver
from connectors.edi.transport.as2.sending import State, compose, send
from connectors.sdk.clock import EPOCH, ManualClock, SeededIds
from tests.support.edi_partners import Kept, both, certified

PEER = os.environ.get("TRUNKLINE_AS2_PEER", "")
SCRIPT = Path(__file__).resolve().parents[2] / "support" / "as2_peer.py"
pytestmark = [
    pytest.mark.on_demand,
    pytest.mark.skipif(not PEER, reason="TRUNKLINE_AS2_PEER names no Python with pyas2lib"),
]

CRLF = b"ISA*00*~\r\nGS*PO~\r\nST*850*0001~\r\n"
WRAPS = [
    (Wrap.SIGN,),
    (Wrap.ENCRYPT,),
    (Wrap.SIGN, Wrap.ENCRYPT),
    (Wrap.COMPRESS, Wrap.SIGN),
    (Wrap.COMPRESS, Wrap.ENCRYPT),
    (Wrap.COMPRESS, Wrap.SIGN, Wrap.ENCRYPT),
]
READ_ONLY = [(Wrap.COMPRESS,), (Wrap.SIGN, Wrap.COMPRESS), (Wrap.SIGN, Wrap.COMPRESS, Wrap.ENCRYPT)]
"""Orders the peer reads and does not write."""
Ask = Callable[..., dict[str, Any]]


def relation(wraps: tuple[Wrap, ...], digest: Digest) -> tuple[Partner, Partner]:
    return both(
        certified("Hub"), certified("Big Box"), wraps=wraps, digest=digest, signing_required=Wrap.SIGN in wraps,
        encryption_required=Wrap.ENCRYPT in wraps, digests_accepted=frozenset(Digest),
    )  # fmt: skip


def asking(ours: Partner, theirs: Partner) -> Ask:
    own = theirs.own[0]
    key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fixed = {
        "key": (key + own.certificate.public_bytes(Encoding.PEM)).decode(),
        "certificate": ours.own[0].certificate.public_bytes(Encoding.PEM).decode(),
        "wraps": list(ours.wraps),
        "digest": ours.digest.value,
    }

    def ask(do: str, **request: Any) -> dict[str, Any]:
        done = subprocess.run(
            [PEER, str(SCRIPT)], input=json.dumps({"do": do, **fixed, **request}), capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    return ask


def message(headers: Pairs, body: bytes) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return base64.b64encode(lines.encode() + b"\r\n" + body).decode()


def one_line(headers: list[list[str]]) -> Pairs:
    """As HTTP carries them: the peer's library folds long ones."""
    return tuple((name, " ".join(value.split())) for name, value in headers)


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.SHA256])
@pytest.mark.parametrize("wraps", WRAPS + READ_ONLY, ids="-".join)
async def test_the_peer_takes_our_message_and_we_believe_its_receipt(wraps: tuple[Wrap, ...], digest: Digest) -> None:
    """Content equal there, and its signed receipt has our hash."""
    ours, theirs = relation(wraps, digest)
    ask = asking(ours, theirs)
    answers = []

    async def post(_: str, headers: Pairs, body: bytes) -> Reply:
        answers.append(ask("receive", message=message(headers, body)))
        return Reply(200, one_line(answers[0]["headers"]), base64.b64decode(answers[0]["body"]))

    sent = await send(await compose(CRLF, "po.edi", ours, SeededIds(1), EPOCH), ours, post, EPOCH)
    assert (answers[0]["status"], answers[0]["error"]) == ("processed", "")
    assert base64.b64decode(answers[0]["payload"]) == CRLF
    if Wrap.SIGN in wraps:
        assert (sent.state, sent.reason) == (State.CONFIRMED, "")
    else:
        # This peer states a hash for signed messages only, and what states none proves nothing to us.
        assert (sent.state, "no hash" in sent.reason) == (State.UNPROVEN, True)


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.SHA256, Digest.SHA512])
@pytest.mark.parametrize("content_type", ["application/edi-x12", "application/octet-stream"])
@pytest.mark.parametrize("wraps", WRAPS, ids="-".join)
async def test_we_take_the_peers_message_and_it_believes_our_receipt(
    wraps: tuple[Wrap, ...], content_type: str, digest: Digest
) -> None:
    """Content equal here, stored, and the peer finds its hash in our signed receipt."""
    ours, theirs = relation(wraps, digest)
    ask, store = asking(ours, theirs), Kept()

    async def never(*_: object) -> None:
        pytest.fail("nothing of this kind is expected")

    def find(own_name: str, partner_name: str) -> Partner | None:
        return ours if (own_name, partner_name) == ("Hub", "Big Box") else None

    made = ask("send", payload=base64.b64encode(CRLF).decode(), content_type=content_type)
    receiver = Receiver(find, store, never, never, ManualClock(), SeededIds())
    response = await receiver.receive(one_line(made["headers"]), base64.b64decode(made["body"]))
    assert (response.status, response.outcome, response.detail) == (200, Outcome.STORED, "")
    assert [arrival.body for arrival in store.arrivals] == [CRLF]
    receipt = message(response.headers, response.body)
    judged = ask("judge", message=receipt, message_id=made["message_id"], mic=made["mic"])
    assert judged == {"status": "processed", "detail": ""}


@pytest.mark.parametrize("wraps", [(Wrap.SIGN,), (Wrap.SIGN, Wrap.ENCRYPT), (Wrap.COMPRESS, Wrap.SIGN, Wrap.ENCRYPT)])
async def test_bare_line_feeds_keep_their_signature_at_the_peer(wraps: tuple[Wrap, ...]) -> None:
    """Our exact bytes, marked binary, verify there and are hashed there as here."""
    ours, theirs = relation(wraps, Digest.SHA256)
    ask = asking(ours, theirs)

    async def post(_: str, headers: Pairs, body: bytes) -> Reply:
        answer = ask("receive", message=message(headers, body))
        return Reply(200, one_line(answer["headers"]), base64.b64decode(answer["body"]))

    lines = CRLF.replace(b"\r\n", b"\n")
    sent = await send(await compose(lines, "po.edi", ours, SeededIds(1), EPOCH), ours, post, EPOCH)
    assert (sent.state, sent.reason) == (State.CONFIRMED, "")


async def test_the_peers_belief_can_fail() -> None:
    """The control: a receipt with another hash than its own is not believed."""
    ours, theirs = relation((Wrap.SIGN,), Digest.SHA256)
    ask = asking(ours, theirs)

    async def nothing(*_: object) -> None:
        return None

    made = ask("send", payload=base64.b64encode(CRLF).decode(), content_type="application/edi-x12")
    receiver = Receiver(lambda *_: ours, Kept(), nothing, nothing, ManualClock(), SeededIds())
    response = await receiver.receive(one_line(made["headers"]), base64.b64decode(made["body"]))
    receipt = message(response.headers, response.body)
    judged = ask("judge", message=receipt, message_id=made["message_id"], mic=base64.b64encode(b"other").decode())
    assert judged["status"] == "processed/warning"
