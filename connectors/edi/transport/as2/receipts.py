"""Receipts (MDN): asked for, written, read, and judged against what was sent.

Source: RFC 3798 section 3 (2004-05) for the report; RFC 4130 sections 7.3 and 7.4 (2005-07) for what AS2 adds.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from connectors.edi.transport.as2.algorithms import Digest
from connectors.edi.transport.as2.failures import NotTaken, Why
from connectors.edi.transport.as2.mime import Entity, MimeBroken, multipart
from connectors.edi.transport.as2.partner import Partner
from connectors.edi.transport.as2.wrapping import signed, verified_part

REPORT: Final = "multipart/report"
AUTOMATIC: Final = "automatic-action/MDN-sent-automatically"
PROCESSED: Final = "processed"
DUPLICATE: Final = "processed/warning: duplicate-document"


@dataclass(frozen=True, slots=True)
class Asked:
    """What kind of receipt a message asks for.

    Args:
        digest, word: The hash to state and how the partner spells it; it gets its own spelling back.
        url: Where to; empty for the answer of the same request.
    """

    wanted: bool = False
    signed: bool = False
    digest: Digest | None = None
    word: str = ""
    url: str = ""

    @classmethod
    def of(cls, message: Entity) -> Asked:
        """Raises: NotTaken: Only hashes or kinds of signature are wanted that we do not make."""
        if not message.get("disposition-notification-to"):
            return cls()
        options = _options(message.get("disposition-notification-options"))
        importance, protocols = options.get("signed-receipt-protocol", ("", []))
        signed_wanted = any(word.lower().endswith("pkcs7-signature") for word in protocols)
        if importance == "required" and not signed_wanted:
            raise NotTaken(Why.UNSUPPORTED_FORMAT, "receipts can be signed as pkcs7-signature only")
        importance, words = options.get("signed-receipt-micalg", ("", []))
        known = [(digest, word) for word in words if (digest := Digest.spelt(word)) is not None]
        if importance == "required" and not known:
            raise NotTaken(Why.UNSUPPORTED_MIC, f"none of the hashes asked for is known: {', '.join(words)}")
        digest, word = known[0] if known else (None, "")
        return cls(True, signed_wanted, digest, word, message.get("receipt-delivery-option").strip())


def mic(content: bytes, digest: Digest) -> str:
    return base64.b64encode(digest.over(content)).decode()


@dataclass(frozen=True, slots=True)
class Report:
    """What a receipt says. `mic` is `hash, algorithm` or empty."""

    original_message_id: str
    disposition: str
    mic: str = ""
    text: str = "The message was received."


def write(report: Report, own_name: str, boundary: str) -> Entity:
    """The report as a MIME entity, not yet signed."""
    fields = [
        ("Reporting-UA", "Trunkline"),
        ("Original-Recipient", f"rfc822; {own_name}"),
        ("Final-Recipient", f"rfc822; {own_name}"),
        ("Original-Message-ID", report.original_message_id),
        ("Disposition", f"{AUTOMATIC}; {report.disposition}"),
    ]
    if report.mic:
        fields.append(("Received-content-MIC", report.mic))
    notification = "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return multipart(
        "report",
        {"report-type": "disposition-notification"},
        boundary,
        [
            Entity.build([("Content-Type", "text/plain; charset=us-ascii")], report.text.encode() + b"\r\n"),
            Entity.build(
                [("Content-Type", "message/disposition-notification")], notification.encode("utf-8", "surrogateescape")
            ),
        ],
    )


def write_signed(report: Report, partner: Partner, moment: datetime, digest: Digest, boundary: str) -> Entity:
    return signed(write(report, partner.own_name, boundary), partner, moment, f"{boundary}-s", digest)


@dataclass(frozen=True, slots=True)
class Received:
    """A partner's receipt as read; `signer` is the fingerprint of the certificate that proves it, empty when unsigned.

    `raw` is the whole receipt with its headers, the evidence to keep.
    """

    original_message_id: str
    disposition: str
    mic: bytes
    digest: Digest | None
    signer: str
    raw: bytes


def is_receipt(message: Entity) -> bool:
    """A report, signed or not. Looks only, proves nothing."""
    if message.content_type == "multipart/signed":
        try:
            return message.parts()[0].content_type == REPORT
        except MimeBroken:
            return False
    return message.content_type == REPORT


def read(message: Entity, partner: Partner, moment: datetime) -> Received:
    """Raises: NotTaken: A signature that does not hold, or no report in it."""
    raw = Entity.build(message.headers, message.body).raw
    try:
        signer = ""
        entity = message
        if entity.content_type == "multipart/signed":
            entity, verified = verified_part(entity, partner, moment)
            signer = verified.signer.fingerprint
        if entity.content_type != REPORT:
            raise NotTaken(Why.UNSUPPORTED_FORMAT, f"the answer is {entity.content_type} and no receipt")
        part = next((p for p in entity.parts() if p.content_type == "message/disposition-notification"), None)
        if part is None:
            raise NotTaken(Why.UNSUPPORTED_FORMAT, "the receipt has no disposition notification")
        # Blank lines stand before the fields in receipts of some products.
        fields = Entity.parse(part.content().strip() + b"\r\n\r\n")
    except MimeBroken as error:
        raise NotTaken(Why.UNSUPPORTED_FORMAT, f"the receipt cannot be read: {error}") from error
    about = fields.get("original-message-id").strip()
    if not (about.isascii() and about.isprintable()):
        raise NotTaken(Why.UNSUPPORTED_FORMAT, "the receipt names a message by signs that no Message-ID has")
    stated, _, algorithm = fields.get("received-content-mic").partition(",")
    return Received(
        about,
        fields.get("disposition").partition(";")[2].strip(),
        _hash(stated),
        Digest.spelt(algorithm),
        signer,
        raw,
    )


class Verdict(StrEnum):
    """What a receipt means for the message it is about. Only CONFIRMED ends the waiting well."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """The partner has it and did not take it; `Judged.reason` has its words."""
    ALTERED = "altered"
    """The partner hashed other bytes than we sent."""
    UNPROVEN = "unproven"
    """No hash, no signature although one was agreed, or about another message."""


@dataclass(frozen=True, slots=True)
class Judged:
    verdict: Verdict
    reason: str = ""


def judge(received: Received, message_id: str, mics: Mapping[Digest, str], partner: Partner) -> Judged:
    """Compare a receipt with the message it claims to be about.

    A receipt without a hash confirms nothing: it would also be written by a gateway that lost the content.
    """
    if _bare(received.original_message_id) != _bare(message_id):
        return Judged(Verdict.UNPROVEN, "the receipt is about another message")
    if partner.receipt_signed and not received.signer:
        return Judged(Verdict.UNPROVEN, "the receipt is not signed, and was agreed to be")
    kind, _, modifier = received.disposition.partition("/")
    if "duplicate" in modifier.lower() and "error" in modifier.lower():
        # Taken as a refusal it would be sent anew under another Message-ID, and the order would exist twice.
        return Judged(Verdict.UNPROVEN, "the partner says it has this message already, and does not say which content")
    if kind.strip().lower() == "failed" or modifier.strip().lower().startswith(("error", "failure")):
        return Judged(Verdict.REFUSED, received.disposition)
    if kind.strip().lower() != PROCESSED:
        return Judged(Verdict.UNPROVEN, f"the disposition {received.disposition!r} says neither yes nor no")
    if not received.mic or received.digest is None:
        if partner.receipt_signed:
            return Judged(Verdict.UNPROVEN, "the receipt states no hash that could be compared")
        return Judged(Verdict.CONFIRMED, "without a hash, as agreed for unsigned receipts")
    if received.mic != base64.b64decode(mics.get(received.digest, "")):
        return Judged(Verdict.ALTERED, "the partner's hash is not that of what was sent")
    return Judged(Verdict.CONFIRMED, modifier.strip())


def _options(header: str) -> dict[str, tuple[str, list[str]]]:
    """`name=importance, value, value; …` as {name: (importance, values)}."""
    found = {}
    for option in header.split(";"):
        name, _, value = option.partition("=")
        words = [word.strip().strip('"') for word in value.split(",")]
        if name.strip():
            found[name.strip().lower()] = (words[0].lower(), words[1:])
    return found


def _hash(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>")
