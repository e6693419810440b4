"""Answering a partner's request: read, store, and only then confirm.

Source: RFC 4130 sections 5 and 7 (2005-07).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime
from enum import StrEnum

from connectors.edi.transport.arrival import LOOP_BYTES_MAX, Arrival, Keeping, Store
from connectors.edi.transport.as2 import receipts
from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.certificates import CertificateUnusable
from connectors.edi.transport.as2.exchange import OwedReceipt, Pairs
from connectors.edi.transport.as2.failures import NotTaken, Why
from connectors.edi.transport.as2.mime import Entity
from connectors.edi.transport.as2.names import BadName, quoted, unquoted
from connectors.edi.transport.as2.partner import Duplicates, Partner
from connectors.edi.transport.as2.wrapping import Unwrapped, unwrap
from connectors.sdk.ports import Clock, Ids

VERSION = "1.1"
"""1.1 says that compression is understood. Source: RFC 5402 section 7 (2010-02)."""

MESSAGE_ID_LENGTH_MAX = 998
"""What fits a line of mail. Source: RFC 5322 section 2.1.1 (2008-10)."""

FindPartner = Callable[[str, str], Partner | None]
"""(our AS2 name, the partner's) → the relationship; both exactly as written."""
KeepReceipt = Callable[[Partner, receipts.Received], Awaitable[None]]
"""Keeps an asynchronous receipt durably and settles the message it is about."""
Owe = Callable[[OwedReceipt], Awaitable[None]]
"""Queues a receipt durably; called before the request is answered, again when a partner repeats itself."""


class Outcome(StrEnum):
    """What a request turned out to be, for the log line of whoever serves it."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    RECEIPT = "receipt"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. `detail` is for the operator and in neither headers nor body."""

    status: int
    outcome: Outcome
    headers: Pairs = ()
    body: bytes = b""
    message_id: str = ""
    why: Why | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One address for any number of partners. Any number of requests at once."""

    partners: FindPartner
    store: Store
    keep_receipt: KeepReceipt
    owe: Owe
    clock: Clock
    ids: Ids
    _plain: Pairs = field(default=(("Content-Type", "text/plain; charset=us-ascii"),), repr=False)

    async def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> Response:
        """Answer one POST.

        Whatever `store`, `keep_receipt` and `owe` raise goes through: then nothing is durable and
        the partner must be told 503, so that it sends again.
        """
        message = Entity(tuple(headers), body, body)
        try:
            own_name, partner_name = unquoted(message.get("as2-to")), unquoted(message.get("as2-from"))
        except BadName as error:
            return self._refused(400, "", str(error))
        message_id = message.get("message-id").strip()
        partner = self.partners(own_name, partner_name)
        if partner is None:
            # Answered in the open and by status alone: whoever this is has proved nothing, and may choose no address.
            return self._refused(403, message_id, f"no partner {partner_name!r} for {own_name!r}")
        if await _is_receipt(message):
            return await self._settle(message, partner, message_id)
        if (
            not message_id
            or len(message_id) > MESSAGE_ID_LENGTH_MAX
            or not (message_id.isascii() and message_id.isprintable())
        ):
            return self._refused(400, "", "without a Message-ID in ASCII a message cannot be told from its repetition")
        return await self._take(message, partner, message_id)

    async def _settle(self, message: Entity, partner: Partner, message_id: str) -> Response:
        try:
            received = await asyncio.to_thread(receipts.read, message, partner, self.clock.now())
        except NotTaken as error:
            return self._refused(400, message_id, error.detail, error.why)
        await self.keep_receipt(partner, received)
        return Response(200, Outcome.RECEIPT, message_id=received.original_message_id)

    async def _take(self, message: Entity, partner: Partner, message_id: str) -> Response:
        wanted, url = bool(message.get("disposition-notification-to")), message.get("receipt-delivery-option").strip()
        if wanted and url and not url.startswith(partner.receipt_urls or ("\0",)):
            return self._refused(403, message_id, "the address for the receipt is not one agreed with this partner")
        asked = receipts.Asked(wanted, url=url)
        try:
            asked = receipts.Asked.of(message)
            found = await asyncio.to_thread(unwrap, message, partner, self.clock.now())
            keeping = await self.store(self._arrival(message, found, partner, message_id))
        except NotTaken as error:
            return await self._answer(partner, asked, message_id, Outcome.REFUSED, refusal=error)
        outcome = {Keeping.NEW: Outcome.STORED, Keeping.KNOWN: Outcome.DUPLICATE, Keeping.CONFLICT: Outcome.CONFLICT}
        return await self._answer(partner, asked, message_id, outcome[keeping], found=found)

    def _arrival(self, message: Entity, found: Unwrapped, partner: Partner, message_id: str) -> Arrival:
        return Arrival(
            key=f"as2:{partner.partner_name}:{partner.own_name}:{message_id}",
            name=message_id,
            body=found.content,
            received_at=self.clock.now(),
            evidence=found.signed_part,
            # What the partner wrote is kept as text: signs that no storage takes do not stop an order.
            attributes={
                "as2_from": partner.partner_name,
                "as2_to": partner.own_name,
                "message_id": message_id,
                "subject": _shown(message.get("subject")),
                "content_type": _shown(found.payload.content_type),
                "file": _shown(found.payload.file_name()),
                "wraps": "+".join(found.wraps),
                "signer": found.signer.fingerprint if found.signer else "",
            },
        )

    async def _answer(
        self,
        partner: Partner,
        asked: receipts.Asked,
        message_id: str,
        outcome: Outcome,
        *,
        found: Unwrapped | None = None,
        refusal: NotTaken | None = None,
    ) -> Response:
        why, detail = (refusal.why, refusal.detail) if refusal else (None, "")
        if not asked.wanted:
            # Without a receipt the status is all the partner learns.
            status = 200 if refusal is None else 400
            return Response(status, outcome, message_id=message_id, why=why, detail=detail)
        report = _report(partner, asked, message_id, outcome, found, refusal)
        try:
            headers, body = await asyncio.to_thread(self._written, report, partner, asked)
        except CertificateUnusable as error:
            # The message is stored and its repetition will be known: once the certificate is renewed it is confirmed.
            return Response(500, outcome, message_id=message_id, why=Why.UNEXPECTED, detail=f"no receipt: {error}")
        if not asked.url:
            return Response(200, outcome, headers, body, message_id, why, detail)
        await self.owe(OwedReceipt(asked.url, headers, body, message_id))
        return Response(200, outcome, message_id=message_id, why=why, detail=detail)

    def _written(self, report: receipts.Report, partner: Partner, asked: receipts.Asked) -> tuple[Pairs, bytes]:
        moment, boundary = self.clock.now(), f"=_{self.ids.uuid()}"
        # A relationship without certificates confirms without a signature; RFC 4130 section 7.3 lets the asker decide.
        if asked.signed and partner.own:
            entity = receipts.write_signed(report, partner, moment, asked.digest or Digest.SHA256, boundary)
        else:
            entity = receipts.write(report, partner.own_name, boundary)
        headers = (
            ("AS2-Version", VERSION),
            ("AS2-From", quoted(partner.own_name)),
            ("AS2-To", quoted(partner.partner_name)),
            ("Message-ID", f"<{self.ids.uuid()}@trunkline>"),
            ("Date", format_datetime(moment, usegmt=True)),
            ("Subject", "Message Disposition Notification"),
            ("MIME-Version", "1.0"),
            *entity.headers,
        )
        return headers, entity.body

    def _refused(self, status: int, message_id: str, detail: str, why: Why | None = None) -> Response:
        body = b"This AS2 message is not taken.\r\n"
        return Response(status, Outcome.REFUSED, self._plain, body, message_id, why, detail)


async def _is_receipt(message: Entity) -> bool:
    """A signed message is searched for its parts; a large one not on the event loop."""
    if len(message.body) <= LOOP_BYTES_MAX:
        return receipts.is_receipt(message)
    return await asyncio.to_thread(receipts.is_receipt, message)


def _shown(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _report(
    partner: Partner,
    asked: receipts.Asked,
    message_id: str,
    outcome: Outcome,
    found: Unwrapped | None,
    refusal: NotTaken | None,
) -> receipts.Report:
    if refusal is not None or found is None:
        why = refusal.why if refusal else Why.UNEXPECTED
        return receipts.Report(message_id, why.disposition, text=f"The message was not taken: {why}.")
    digest = asked.digest or found.digest or Digest.SHA256
    stated = f"{receipts.mic(found.hashed, digest)}, {asked.word or digest.micalg}"
    if outcome is Outcome.CONFLICT or (outcome is Outcome.DUPLICATE and partner.duplicates is Duplicates.WARNING):
        return receipts.Report(
            message_id, receipts.DUPLICATE, stated, "A message with this Message-ID was here before."
        )
    return receipts.Report(message_id, receipts.PROCESSED, stated)
