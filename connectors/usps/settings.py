"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import refuse_unknown, required
from connectors.sdk.whole import whole

PRODUCTION_URL: Final = "https://apis.usps.com"
"""Source: servers of the USPS Tracking 3.2.6 OpenAPI document (testing: apis-tem.usps.com)."""
CALLS_PER_HOUR: Final = 60
"""What an application is given to start with, over all its APIs and logins. Source: the Postal Service on its
quota of 60 calls an hour (USPS/api-examples issue 30, 2025-08; issue 107, 2026-03)."""
CALLS_PER_HOUR_MIN: Final = 10

REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret")
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "consumer key of the app at developers.usps.com",
    "client_secret": "consumer secret of the same app",
}
OPTIONS: Final[Mapping[str, str]] = {
    "account_number": "optional customer registration id, for the operator's eye",
    "calls_per_hour": f"the app's quota once the Postal Service has raised it; default {CALLS_PER_HOUR}",
}


@dataclass(frozen=True, slots=True)
class Settings:
    base_url: str
    auth_url: str
    client_id: Secret
    client_secret: Secret
    account_number: str | None
    calls_per_hour: int


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    client_id, client_secret = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    calls = whole(ctx.options.get("calls_per_hour", CALLS_PER_HOUR))
    if calls is None or calls < CALLS_PER_HOUR_MIN:
        raise ValueError(f"options.calls_per_hour: must be a whole number from {CALLS_PER_HOUR_MIN} up")
    account = ctx.options.get("account_number")
    base = (ctx.base_url or PRODUCTION_URL).rstrip("/")
    return Settings(
        base_url=base,
        auth_url=(ctx.auth_url or base).rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        account_number=None if account is None else str(account),
        calls_per_hour=calls,
    )
