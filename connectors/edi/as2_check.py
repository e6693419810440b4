"""Can messages go to and come from an AS2 partner: certificates first, then whether its server answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from connectors.edi.transport.as2.certificates import PartnerCertificate, ends_at
from connectors.edi.transport.as2.partner import Partner
from connectors.sdk.contract import CheckReport
from connectors.sdk.errors import AuthFailed, Rejected, Transient
from connectors.sdk.http import HttpClient

_NO_GET: Final = frozenset({500, 501})
"""What servers answer that are up and were made for POST alone."""
WARN_BEFORE: Final = timedelta(days=30)
"""A partner needs its time to enter a new certificate."""


async def check(partner: Partner, client: HttpClient | None, now: datetime) -> CheckReport:
    """One GET of the partner's address, which AS2 servers answer with anything at all.

    Raises:
        AuthFailed: A certificate that is needed is not valid now.
        Transient: The partner's server does not answer.
    """
    detail, warnings = {"transport": "as2"}, []
    for whose, certificates, needed in (
        ("our", partner.own, bool(partner.own)),
        ("the partner's", partner.theirs, not partner.expired_allowed),
    ):
        if not certificates:
            continue
        until = ends_at(certificates, now)
        if until is None and needed:
            raise AuthFailed(f"{whose} AS2 certificate is not valid on {now:%Y-%m-%d}", code="as2_certificate")
        if until is not None and until - now < WARN_BEFORE:
            warnings.append(f"{whose} AS2 certificate ends on {until:%Y-%m-%d}; agree on the next one now")
        detail |= dict(_named(whose, certificates))
    if client is not None and partner.url:
        warnings += await _knock(client, partner.url)
    return CheckReport(f"{partner.own_name} with {partner.partner_name}", detail, warnings)


def _named(whose: str, certificates: Sequence[PartnerCertificate]) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(certificates, 1):
        ends = each.certificate.not_valid_after_utc
        yield f"{whose} certificate {number}", f"{each.fingerprint[:16]}…, until {ends:%Y-%m-%d}"


async def _knock(client: HttpClient, url: str) -> list[str]:
    """A server that answers is up; what it thinks of a GET says nothing about a message."""
    try:
        await client.request("GET", url, kind="as2.check")
    except (Rejected, AuthFailed) as error:
        if error.status in {404, 410}:
            return [f"the partner's server knows no such address ({error.status}); compare options.transport.as2.url"]
    except Transient as error:
        if error.status not in _NO_GET:
            raise
    return []
