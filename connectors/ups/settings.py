"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret, text

PRODUCTION_URL: Final = "https://onlinetools.ups.com"
"""Source: servers of the UPS Tracking and OAuth OpenAPI documents (2026-07)."""
INTEGRATION_HOST: Final = "wwwcie.ups.com"
"""UPS's integration host: it answers, and creates no subscription (UPS Track Alert OpenAPI document, 2026-07)."""

REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret")
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "client id of the app at developer.ups.com",
    "client_secret": "client secret of the same app",
    "webhook_client_id": "with webhook_auth: oauth, a client id made up for UPS (Manage Webhook Credentials)",
    "webhook_secret": "the secret entered there: UPS's client secret at this hub, or the credential header's value",
    "webhook_secret_previous": "optional: the former one, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {
    "account_number": "optional 6-digit UPS account number, sent when logging in",
    "alerts": "standard (default) or enhanced: which Track Alert product the app has",
    "webhook_auth": "oauth (default): UPS fetches tokens from the webhook's own address; or credential: a fixed header",
    "locale": "language of texts, default en_US",
}
WEBHOOK_METHODS: Final = ("oauth", "credential")
ALERTS: Final = ("standard", "enhanced")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{6}")
_LOCALE: Final = re.compile(r"[a-z]{2}_[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it is replaced."""

    base_url: str
    auth_url: str
    client_id: Secret
    client_secret: Secret
    account_number: str | None
    alerts: str
    locale: str
    webhook_auth: str
    webhook_client_id: Secret | None
    webhook_secrets: tuple[Secret, ...]


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    client_id, client_secret = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    method = choice(ctx.options, "webhook_auth", WEBHOOK_METHODS, "oauth")
    secrets = tuple(
        found
        for name in ("webhook_secret", "webhook_secret_previous")
        if (found := secret(ctx.credentials, name)) is not None
    )
    caller = secret(ctx.credentials, "webhook_client_id")
    if method == "oauth" and secrets and caller is None:
        raise ValueError("credentials.webhook_client_id: missing; webhook_auth: oauth needs it beside webhook_secret")
    base = (ctx.base_url or PRODUCTION_URL).rstrip("/")
    return Settings(
        base_url=base,
        auth_url=(ctx.auth_url or base).rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        account_number=_account_number(ctx.options.get("account_number")),
        alerts=choice(ctx.options, "alerts", ALERTS, "standard"),
        locale=_locale(text(ctx.options, "locale") or "en_US"),
        webhook_auth=method,
        webhook_client_id=caller,
        webhook_secrets=secrets,
    )


def _account_number(value: object) -> str | None:
    if value is None:
        return None
    # Unquoted digits are an integer to YAML, and a leading zero would be gone.
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value.strip()):
        raise ValueError("options.account_number: must be the six characters of the account, in quotes")
    return value.strip()


def _locale(value: str) -> str:
    if not _LOCALE.fullmatch(value):
        raise ValueError(f"options.locale: {value!r} is no locale such as en_US")
    return value
