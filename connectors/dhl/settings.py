"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, text
from connectors.sdk.whole import whole

PRODUCTION_URL: Final = "https://api-eu.dhl.com"
"""Source: servers of the DHL Shipment Tracking Unified 1.3.1 OpenAPI document; the paths begin with /track."""
CALLS_PER_DAY: Final = 250
"""What an app is given to start with. Source: developer.dhl.com, Shipment Tracking Unified, rate limits (2026-10)."""

SERVICES: Final = (
    "express", "parcel-de", "ecommerce", "dgf", "parcel-uk", "post-de", "sameday", "freight", "parcel-nl",
    "parcel-pl", "dsc",
)  # fmt: skip
"""Source: the document's `service` parameter (1.3.1)."""

CREDENTIALS: Final[Mapping[str, str]] = {"api_key": "API key of the app at developer.dhl.com"}
OPTIONS: Final[Mapping[str, str]] = {
    "account_number": "optional DHL customer number, for the operator's eye",
    "service": f"optional division whose numbers these are: {', '.join(SERVICES)}",
    "country": "optional two-letter country asked from; it shapes what DHL tells",
    "calls_per_day": f"the app's quota once DHL has raised it; default {CALLS_PER_DAY}",
}
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Settings:
    """`service` is empty where any division's numbers may come."""

    base_url: str
    api_key: Secret
    account_number: str | None
    service: str
    country: str | None
    calls_per_day: int


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    calls = whole(ctx.options.get("calls_per_day", CALLS_PER_DAY))
    if calls is None or calls < 1:
        raise ValueError("options.calls_per_day: must be a whole number above zero")
    country = text(ctx.options, "country")
    if country is not None and not _COUNTRY.fullmatch(country):
        raise ValueError(f"options.country: {country!r} is no two-letter country code in capitals")
    account = ctx.options.get("account_number")
    return Settings(
        base_url=(ctx.base_url or PRODUCTION_URL).rstrip("/"),
        api_key=required(ctx.credentials, "api_key", CREDENTIALS["api_key"]),
        account_number=None if account is None else str(account),
        service=choice(ctx.options, "service", ("", *SERVICES), ""),
        country=country,
        calls_per_day=calls,
    )
