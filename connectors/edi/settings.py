"""One account's section of the configuration, checked once: who the partner is, and how its files come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.edi.as2_settings import read_as2
from connectors.edi.keys import Keys
from connectors.edi.mailbox_settings import read_folder, read_sftp
from connectors.edi.transport.as2.partner import Partner
from connectors.edi.transport.folder import FolderSettings
from connectors.edi.transport.sftp import SftpSettings
from connectors.sdk.contract import AccountContext
from connectors.sdk.sections import refuse_unknown, text
from mappings.edi.grammar.profile import ProfileInvalid
from mappings.edi.partners import PartnerProfile, find_partner

CREDENTIALS: Final[Mapping[str, str]] = {
    "password": "SFTP password",
    "private_key": "SFTP private key, PEM or OpenSSH, instead of the password or beside it",
    "passphrase": "optional: passphrase of private_key",
    "as2_certificate": "our AS2 certificate, PEM",
    "as2_key": "private key of as2_certificate, PEM",
    "as2_key_password": "optional: password of as2_key",
    "as2_certificate_next": "optional: our next AS2 certificate while it is being rolled over",
    "as2_key_next": "private key of as2_certificate_next",
    "as2_key_next_password": "optional: password of as2_key_next",
}
OPTIONS: Final[Mapping[str, str]] = {
    "partner": "the partner's profile: a file, or the name of a shipped example",
    "transport": "exactly one of folder, sftp and as2 with its settings; default: the profile's own `transport`",
}
KINDS: Final = ("folder", "sftp", "as2")

TransportSettings = FolderSettings | SftpSettings | Partner


@dataclass(frozen=True, slots=True)
class Settings:
    """`transport` is of the kind that was configured."""

    partner: PartnerProfile
    transport: TransportSettings


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message begins with it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    partner = _partner(ctx)
    kind, given = _transport(ctx.options.get("transport"), partner)
    keys = Keys(f"options.transport.{kind}", given)
    if kind == "folder":
        return Settings(partner, read_folder(keys, ctx))
    if kind == "sftp":
        return Settings(partner, read_sftp(keys, ctx))
    return Settings(partner, read_as2(keys, ctx))


def _partner(ctx: AccountContext) -> PartnerProfile:
    named = text(ctx.options, "partner")
    if named is None:
        raise ValueError(f"options.partner: missing; it is {OPTIONS['partner']}")
    try:
        return find_partner(named, ctx.root)
    except ProfileInvalid as invalid:
        raise ValueError(f"options.partner: {invalid.faults[0]}") from invalid


def _transport(given: Any, partner: PartnerProfile) -> tuple[str, Mapping[str, Any]]:
    section = given if given is not None else dict(partner.agreed.transport)
    if not isinstance(section, Mapping) or len(section) != 1:
        raise ValueError(f"options.transport: name exactly one of {', '.join(KINDS)}")
    ((kind, settings),) = section.items()
    if kind not in KINDS:
        raise ValueError(f"options.transport.{kind}: unknown; known are {', '.join(KINDS)}")
    if not isinstance(settings, Mapping):
        raise ValueError(f"options.transport.{kind}: must be a block of settings")  # noqa: TRY004  # what `open` raises
    return str(kind), settings
