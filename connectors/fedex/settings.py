"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import refuse_unknown, required, secret, text

PRODUCTION_URL: Final = "https://apis.fedex.com"
"""Source: servers of the FedEx Track v1 OpenAPI document (2025-10; sandbox: apis-sandbox.fedex.com)."""

REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret")
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "API key of the project at developer.fedex.com",
    "client_secret": "secret key of the same project",
    "webhook_secret": "security token of the webhook project (Advanced Integrated Visibility)",
    "webhook_secret_previous": "optional: the former token, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {
    "account_number": "optional 9-digit FedEx account number, for the operator's eye",
    "locale": "language of texts, default en_US",
}
_ACCOUNT: Final = re.compile(r"[0-9]{9}")
_LOCALE: Final = re.compile(r"[a-z]{2}_[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present token first, then the former one while it is replaced."""

    base_url: str
    auth_url: str
    client_id: Secret
    client_secret: Secret
    account_number: str | None
    locale: str
    webhook_secrets: tuple[Secret, ...]


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    client_id, client_secret = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    found = (secret(ctx.credentials, name) for name in ("webhook_secret", "webhook_secret_previous"))
    base = (ctx.base_url or PRODUCTION_URL).rstrip("/")
    account = text(ctx.options, "account_number")
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise ValueError("options.account_number: must be the nine digits of the account, in quotes")
    locale = text(ctx.options, "locale") or "en_US"
    if not _LOCALE.fullmatch(locale):
        raise ValueError(f"options.locale: {locale!r} is no locale such as en_US")
    return Settings(
        base_url=base,
        auth_url=(ctx.auth_url or base).rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        account_number=account,
        locale=locale,
        webhook_secrets=tuple(each for each in found if each is not None),
    )
