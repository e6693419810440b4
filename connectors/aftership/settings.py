"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import refuse_unknown, required, secret

PRODUCTION_URL: Final = "https://api.aftership.com"
API_VERSION: Final = "2026-01"
"""The version all addresses are pinned to. Source: aftership.com/docs, API versioning (2026-11)."""

CREDENTIALS: Final[Mapping[str, str]] = {
    "api_key": "API key of the organization, with Tracking permitted",
    "webhook_secret": "webhook secret of Tracking (settings, webhooks); pushes are believed by it",
    "webhook_secret_previous": "optional: the former secret, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it is replaced."""

    base_url: str
    api_key: Secret
    webhook_secrets: tuple[Secret, ...]


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    found = (secret(ctx.credentials, name) for name in ("webhook_secret", "webhook_secret_previous"))
    return Settings(
        base_url=(ctx.base_url or PRODUCTION_URL).rstrip("/"),
        api_key=required(ctx.credentials, "api_key", CREDENTIALS["api_key"]),
        webhook_secrets=tuple(each for each in found if each is not None),
    )
