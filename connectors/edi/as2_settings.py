"""`as2` of an account's transport: names, address, certificates, layers and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from connectors.edi.keys import Keys, path_under
from connectors.edi.transport.as2.algorithms import Cipher, Digest
from connectors.edi.transport.as2.certificates import CertificateUnusable, OwnCertificate, PartnerCertificate
from connectors.edi.transport.as2.partner import DIGESTS_ACCEPTED, Duplicates, Partner, Receipt, Wrap
from connectors.edi.transport.mailbox import FILE_BYTES_MAX
from connectors.sdk.contract import AccountContext
from connectors.sdk.egress import check_base_url
from connectors.sdk.sections import secret

_KEYS: Final = (
    "us", "them", "url", "certificates", "use_own_next_from", "wraps", "digest", "cipher", "oaep", "signing_required",
    "encryption_required", "expired_allowed", "digests_accepted", "receipt", "receipt_signed", "receipt_urls",
    "duplicates", "content_type", "subject", "bytes_max",
)  # fmt: skip
_PEM: Final = "-----BEGIN"
_PEM_BYTES_MAX: Final = 64 * 1024


def read_as2(keys: Keys, ctx: AccountContext) -> Partner:
    """Raises: ValueError: The message begins with the key that is wrong, credentials included."""
    keys.refuse_unknown(_KEYS)
    receipt = keys.word("receipt", Receipt, Receipt.SYNC)
    own = _own(keys, ctx)
    theirs = _theirs(keys, ctx)
    url = _url(keys)
    receipt_to = f"{(ctx.public_url or '').rstrip('/')}/as2/{ctx.account}"
    if receipt is Receipt.ASYNC and not ctx.public_url:
        raise keys.wrong("receipt", "async receipts come to hub.public_url, which is not set")
    accepted = frozenset(keys.words("digests_accepted", Digest, tuple(DIGESTS_ACCEPTED)))
    return keys.made(
        lambda: Partner(
            own_name=keys.text("us"),
            partner_name=keys.text("them"),
            url=url,
            own=own,
            theirs=theirs,
            wraps=keys.words("wraps", Wrap, (Wrap.SIGN, Wrap.ENCRYPT)),
            digest=keys.word("digest", Digest, Digest.SHA256),
            cipher=keys.word("cipher", Cipher, Cipher.AES256),
            oaep=keys.flag("oaep", default=False),
            signing_required=keys.flag("signing_required", default=True),
            encryption_required=keys.flag("encryption_required", default=True),
            expired_allowed=keys.flag("expired_allowed", default=False),
            digests_accepted=accepted,
            receipt=receipt,
            receipt_signed=keys.flag("receipt_signed", default=True),
            receipt_to=receipt_to if receipt is Receipt.ASYNC else "",
            receipt_urls=keys.texts("receipt_urls"),
            duplicates=keys.word("duplicates", Duplicates, Duplicates.SAME_ANSWER),
            content_type=keys.text("content_type", "application/edi-x12"),
            subject=keys.text("subject", "EDI"),
            bytes_max=keys.whole("bytes_max", FILE_BYTES_MAX, 1024, FILE_BYTES_MAX),
        )
    )


def _url(keys: Keys) -> str:
    """Plain http reaches this machine only; what is not encrypted on the way must be so by the message."""
    url = keys.text("url", "")
    if url:
        check_base_url(url, key=f"{keys.place}.url")
    return url


def _own(keys: Keys, ctx: AccountContext) -> tuple[OwnCertificate, ...]:
    present = _pair(ctx, "as2_certificate", "as2_key", "as2_key_password", None)
    following = _pair(
        ctx, "as2_certificate_next", "as2_key_next", "as2_key_next_password", _moment(keys, "use_own_next_from")
    )
    return tuple(each for each in (present, following) if each is not None)


def _pair(
    ctx: AccountContext, certificate: str, key: str, password: str, use_from: datetime | None
) -> OwnCertificate | None:
    pem, private = secret(ctx.credentials, certificate), secret(ctx.credentials, key)
    if pem is None and private is None:
        return None
    if pem is None or private is None:
        lacking = certificate if pem is None else key
        raise ValueError(f"credentials.{lacking}: missing; a certificate and its key go together")
    opening = secret(ctx.credentials, password)
    try:
        return OwnCertificate.from_pems(
            pem.reveal().encode(), private.reveal().encode(), opening.reveal().encode() if opening else None, use_from
        )
    except CertificateUnusable as error:
        raise ValueError(f"credentials.{key}: {error}") from error


def _theirs(keys: Keys, ctx: AccountContext) -> tuple[PartnerCertificate, ...]:
    given = keys.given.get("certificates", [])
    listed = [given] if isinstance(given, str | Mapping) else given
    if not isinstance(listed, list | tuple):
        raise keys.wrong("certificates", "must be a list of PEM files")
    return tuple(_certificate(keys, ctx, each) for each in listed)


def _certificate(keys: Keys, ctx: AccountContext, given: Any) -> PartnerCertificate:
    use_from = None
    if isinstance(given, Mapping):
        inner = Keys(f"{keys.place}.certificates", given)
        inner.refuse_unknown(("certificate", "use_from"))
        use_from, given = _moment(inner, "use_from"), inner.text("certificate")
    if not isinstance(given, str):
        raise keys.wrong("certificates", "each is a PEM file, or {certificate: FILE, use_from: DATE}")
    try:
        return PartnerCertificate.from_pem(_pem(keys, ctx, given), use_from)
    except CertificateUnusable as error:
        raise keys.wrong("certificates", str(error)) from error


def _pem(keys: Keys, ctx: AccountContext, given: str) -> bytes:
    if given.lstrip().startswith(_PEM):
        return given.encode()
    path = path_under(ctx.root, given)
    try:
        with path.open("rb") as file:
            return file.read(_PEM_BYTES_MAX)
    except OSError as error:
        raise keys.wrong("certificates", f"{given} cannot be read ({error.strerror})") from error


def _moment(keys: Keys, name: str) -> datetime | None:
    """A day (its beginning in UTC), or an instant with an offset."""
    value = keys.given.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, str) and len(value) == 10:
            day = date.fromisoformat(value)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise keys.wrong(name, "must be a date such as 2027-01-31, or an instant with its offset") from None
    if moment.tzinfo is None:
        raise keys.wrong(name, "an instant needs its offset, as in 2027-01-31T12:00:00Z")
    return moment
