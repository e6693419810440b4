"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from connectors.ebay.digital_signatures import CallSigner, load_key
from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret, text

PRODUCTION_URL: Final = "https://api.ebay.com"
"""Source: servers of the Sell API OpenAPI documents, 2025-11 (sandbox: api.sandbox.ebay.com)."""

SITES: Final[Mapping[str, int]] = {
    "EBAY_US": 0,
    "EBAY_CA": 2,
    "EBAY_GB": 3,
    "EBAY_AU": 15,
    "EBAY_AT": 16,
    "EBAY_BE": 123,
    "EBAY_FR": 71,
    "EBAY_DE": 77,
    "EBAY_MOTORS_US": 100,
    "EBAY_IT": 101,
    "EBAY_NL": 146,
    "EBAY_ES": 186,
    "EBAY_CH": 193,
    "EBAY_HK": 201,
    "EBAY_IE": 205,
    "EBAY_MY": 207,
    "EBAY_PH": 211,
    "EBAY_PL": 212,
    "EBAY_SG": 216,
}
"""Marketplace → the site id of the Trading API. Source: developer.ebay.com "Site ID to Global ID mapping" (2026-11)."""

POST_ORDER_SCHEMES: Final = ("IAF", "TOKEN", "Bearer")
REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret")
TOKEN_LENGTH: Final = (32, 80)
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "App ID (client id) of the application's keyset",
    "client_secret": "Cert ID (client secret) of the same keyset",
    "refresh_token": "the seller's refresh token; it lives 18 months",
    "authorization_code": "instead of a refresh token: the code of a fresh consent, exchanged once and then kept",
    "signature_private_key": "private key of eBay's Key Management (base64 or PEM): EU and UK sellers' refunds need it",
    "signature_jwe": "the JWE that was given together with that key",
    "verification_token": "32 to 80 letters, digits, _ or -, of your choice: proves the notification endpoint is yours",
}
OPTIONS: Final[Mapping[str, str]] = {
    "marketplace": "EBAY_US (default), EBAY_GB, EBAY_DE, …: whose offers this account publishes",
    "refresh_token_expires_on": "the day the refresh token ends (YYYY-MM-DD), for a warning in time",
    "ru_name": "the RuName of the application's redirect; needed with authorization_code",
    "alert_email": "where eBay writes when notifications fail; needed before the first subscription",
    "trading": "on: also serve listings made in Seller Hub or by the Trading API; off (default)",
    "post_order_scheme": "IAF (default), TOKEN or Bearer: how Post-Order calls carry the token",
}
_JWE: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}")
_VERIFICATION: Final = re.compile(r"[A-Za-z0-9_-]{32,80}")
# Source: commerce/notification v1.6.2, DeliveryConfig.verificationToken (2025-11).


@dataclass(frozen=True, slots=True)
class Settings:
    """Exactly one of `refresh_token` and `authorization_code` is set."""

    base_url: str
    auth_url: str
    client_id: Secret
    client_secret: Secret
    refresh_token: Secret | None
    authorization_code: Secret | None
    verification_token: Secret | None
    signer: CallSigner | None
    marketplace: str
    refresh_token_expires_on: date | None
    ru_name: str | None
    alert_email: str | None
    trading: bool
    post_order_scheme: str

    @property
    def site_id(self) -> int:
        return SITES[self.marketplace]


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    client_id, client_secret = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    refresh = secret(ctx.credentials, "refresh_token")
    code = secret(ctx.credentials, "authorization_code") if refresh is None else None
    ru_name = text(ctx.options, "ru_name")
    if refresh is None and code is None:
        raise ValueError(f"credentials.refresh_token: missing; it is {CREDENTIALS['refresh_token']}")
    if code is not None and ru_name is None:
        raise ValueError("options.ru_name: missing; an authorization_code is exchanged together with the RuName")
    base = (ctx.base_url or PRODUCTION_URL).rstrip("/")
    return Settings(
        base_url=base,
        auth_url=(ctx.auth_url or base).rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        refresh_token=refresh,
        authorization_code=code,
        verification_token=_verification_token(ctx.credentials),
        signer=_signer(ctx.credentials),
        marketplace=choice(ctx.options, "marketplace", tuple(SITES), "EBAY_US"),
        refresh_token_expires_on=_day(ctx.options, "refresh_token_expires_on"),
        ru_name=ru_name,
        alert_email=text(ctx.options, "alert_email"),
        trading=_switch(ctx.options, "trading"),
        post_order_scheme=choice(ctx.options, "post_order_scheme", POST_ORDER_SCHEMES, "IAF"),
    )


def _verification_token(credentials: Mapping[str, Secret]) -> Secret | None:
    found = secret(credentials, "verification_token")
    if found is not None and not _VERIFICATION.fullmatch(found.reveal()):
        least, most = TOKEN_LENGTH
        raise ValueError(f"credentials.verification_token: must be {least} to {most} letters, digits, _ or -")
    return found


def _signer(credentials: Mapping[str, Secret]) -> CallSigner | None:
    key, jwe = (secret(credentials, name) for name in ("signature_private_key", "signature_jwe"))
    if key is None and jwe is None:
        return None
    if key is None or jwe is None:
        missing = "signature_private_key" if key is None else "signature_jwe"
        raise ValueError(f"credentials.{missing}: missing; a private key and its JWE belong together")
    try:
        loaded = load_key(key.reveal())
    except ValueError as error:
        raise ValueError(f"credentials.signature_private_key: {error}") from None
    if not _JWE.fullmatch(jwe.reveal()):
        raise ValueError("credentials.signature_jwe: must be the JWE as eBay gave it: five parts with dots between")
    return CallSigner(loaded, jwe.reveal())


def _switch(options: Mapping[str, Any], name: str) -> bool:
    # YAML reads a bare on and off as booleans.
    value = options.get(name, False)
    if value in ("on", "off"):
        return bool(value == "on")
    if not isinstance(value, bool):
        raise ValueError(f"options.{name}: {value!r} is not one of on, off")  # noqa: TRY004  # what `open` raises
    return value


def _day(options: Mapping[str, Any], name: str) -> date | None:
    value = options.get(name)
    if value is None or (isinstance(value, date) and type(value) is date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"options.{name}: {value!r} is no day (YYYY-MM-DD)") from None
