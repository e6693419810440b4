"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret

PRODUCTION_URL: Final = "https://api.goshippo.com"
"""Source: docs.goshippo.com, API quickstart (2026-11); test and live tokens share it."""
TEST_PREFIX: Final = "shippo_test_"
TOKEN: Final = "token"  # noqa: S105  # the name of a way to be believed
SIGNATURE: Final = "signature"

CREDENTIALS: Final[Mapping[str, str]] = {
    "api_key": "API token of the account, live or test",
    "webhook_secret": "what pushes are believed by: the token in the webhook's address, or the HMAC secret",
    "webhook_secret_previous": "optional: the former one, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {
    "webhook_auth": "token (default: the webhook's address ends in ?token=…) or signature (HMAC, set up by Shippo)",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it is replaced."""

    base_url: str
    api_key: Secret
    webhook_secrets: tuple[Secret, ...]
    webhook_auth: str

    @property
    def is_test(self) -> bool:
        return self.api_key.reveal().startswith(TEST_PREFIX)


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
        webhook_auth=choice(ctx.options, "webhook_auth", (TOKEN, SIGNATURE), TOKEN),
    )
