"""Sending: made once, kept, sent as the same bytes until a receipt settles it.

Source: RFC 4130 sections 5 to 7 (2005-07).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Final

from connectors.edi.transport.as2 import receipts
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.exchange import OwedReceipt, Pairs, Post, Reply
from connectors.edi.transport.as2.failures import NotTaken
from connectors.edi.transport.as2.mime import Entity
from connectors.edi.transport.as2.names import quoted
from connectors.edi.transport.as2.partner import Partner, Receipt
from connectors.edi.transport.as2.receiving import VERSION
from connectors.edi.transport.as2.wrapping import wrap
from connectors.edi.transport.mailbox import checked_name
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.ports import Ids

_AGAIN: Final = frozenset({408, 425})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message made ready. Keep it before the first try: a repetition must be these bytes under this Message-ID.

    Args:
        mics: The hash a receipt may state, per algorithm, in base64.
    """

    message_id: str
    headers: Pairs
    body: bytes
    mics: Mapping[Digest, str]


class State(StrEnum):
    """Where a message stands after a try."""

    CONFIRMED = "confirmed"
    AWAITED = "awaited"
    """Taken over; the receipt comes later by a request of the partner's."""
    SENT = "sent"
    """Taken over; no receipt was agreed."""
    REFUSED = "refused"
    UNPROVEN = "unproven"
    """An answer that neither confirms nor refuses: a person, or the same bytes again."""


@dataclass(frozen=True, slots=True)
class Sent:
    state: State
    reason: str = ""
    receipt: receipts.Received | None = None


_STATES: Final[Mapping[receipts.Verdict, State]] = {
    receipts.Verdict.CONFIRMED: State.CONFIRMED,
    receipts.Verdict.REFUSED: State.REFUSED,
    receipts.Verdict.ALTERED: State.UNPROVEN,
    receipts.Verdict.UNPROVEN: State.UNPROVEN,
}


async def compose(payload: bytes, file_name: str, partner: Partner, ids: Ids, moment: datetime) -> Outgoing:
    """Wrap a payload for a partner, byte for byte as it is.

    Raises:
        CertificateUnusable: A certificate that is needed is not valid now.
        NameRefused: The file name cannot go into a header.
    """
    return await asyncio.to_thread(_compose, payload, checked_name(file_name), partner, ids, moment)


def _compose(payload: bytes, file_name: str, partner: Partner, ids: Ids, moment: datetime) -> Outgoing:
    plain = Entity.build(
        [
            ("Content-Type", partner.content_type),
            # Binary says that no line break may be touched.
            ("Content-Transfer-Encoding", "binary"),
            ("Content-Disposition", f'attachment; filename="{file_name.replace(chr(34), "_")}"'),
        ],
        payload,
    )
    wrapped = wrap(plain, partner, moment, lambda: f"=_{ids.uuid()}")
    message_id = f"<{ids.uuid()}@trunkline>"
    headers = (
        ("AS2-Version", VERSION),
        ("AS2-From", quoted(partner.own_name)),
        ("AS2-To", quoted(partner.partner_name)),
        ("Message-ID", message_id),
        ("Date", format_datetime(moment, usegmt=True)),
        ("Subject", partner.subject),
        ("MIME-Version", "1.0"),
        *_receipt_headers(partner),
        *wrapped.entity.headers,
    )
    mics = {digest: receipts.mic(wrapped.hashed, digest) for digest in Digest}
    return Outgoing(message_id, headers, wrapped.entity.body, mics)


async def send(outgoing: Outgoing, partner: Partner, post: Post, moment: datetime) -> Sent:
    """One try. The same `outgoing` may be tried again after any error and any `UNPROVEN`.

    Raises:
        Transient: No answer, or one that asks to come again.
        RateLimited: The partner asks for a pause.
        AuthFailed: The partner's server does not let us in.
        Rejected: Refused by status.
    """
    reply = await post(partner.url, outgoing.headers, outgoing.body)
    _check_status(reply)
    if partner.receipt is Receipt.NONE:
        return Sent(State.SENT)
    answer = reply.entity()
    if partner.receipt is Receipt.ASYNC and not receipts.is_receipt(answer):
        return Sent(State.AWAITED)
    if not reply.body:
        return Sent(State.UNPROVEN, "the partner answered without the receipt agreed")
    try:
        received = await asyncio.to_thread(receipts.read, answer, partner, moment)
    except NotTaken as error:
        return Sent(State.UNPROVEN, error.detail)
    return settle(received, outgoing.message_id, outgoing.mics, partner)


def settle(received: receipts.Received, message_id: str, mics: Mapping[Digest, str], partner: Partner) -> Sent:
    """What a receipt, come with the answer or later, says about a message kept."""
    judged = receipts.judge(received, message_id, mics, partner)
    return Sent(_STATES[judged.verdict], judged.reason, received)


async def send_receipt(owed: OwedReceipt, post: Post) -> None:
    """Raises: ConnectorError: As `send` does; the same bytes may be tried again."""
    _check_status(await post(owed.url, owed.headers, owed.body))


def _receipt_headers(partner: Partner) -> Pairs:
    if partner.receipt is Receipt.NONE:
        return ()
    # The value of -To is said to be ignored by receivers; that it is there asks for a receipt.
    asking: Pairs = (("Disposition-Notification-To", quoted(partner.own_name)),)
    if partner.receipt_signed:
        word = partner.digest.micalg
        options = f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, {word}"
        asking += (("Disposition-Notification-Options", options),)
    if partner.receipt is Receipt.ASYNC:
        asking += (("Receipt-Delivery-Option", partner.receipt_to),)
    return asking


def _check_status(reply: Reply) -> None:
    if 200 <= reply.status < 300:
        return
    raise refusal(reply.status)


def refusal(status: int, retry_after_s: float | None = None) -> ConnectorError:
    """What a status other than 2xx means."""
    if status == 429:
        return RateLimited(
            "the partner's AS2 server asks for a pause", retry_after_s=retry_after_s, status=status, code="as2_status"
        )
    if status >= 500 or status in _AGAIN:
        return Transient(f"the partner's AS2 server answered {status}", status=status, code="as2_status")
    if status in {401, 403}:
        return AuthFailed(f"the partner's AS2 server does not let us in ({status})", status=status, code="as2_status")
    return Rejected(f"the partner's AS2 server refused with {status}", status=status, code="as2_status")
