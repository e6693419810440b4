"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret

HOSTS: Final[Mapping[str, str]] = {"us": "https://api.shipengine.com", "eu": "https://api.eu.shipengine.com"}
"""Source: servers of the ShipEngine OpenAPI document 1.1.202604070904; the European host as its key set has it."""
TEST_PREFIX: Final = "TEST_"

CREDENTIALS: Final[Mapping[str, str]] = {
    "api_key": "API key of the account, production or TEST_",
    "webhook_secret": "a text of your own, which the hub puts into a header of the webhook it sets up at ShipEngine",
    "webhook_secret_previous": "optional: the former one, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {"region": "us (default) or eu: where the account is kept"}


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it is replaced."""

    base_url: str
    api_key: Secret
    webhook_secrets: tuple[Secret, ...]

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
    region = choice(ctx.options, "region", tuple(HOSTS), "us")
    return Settings(
        base_url=(ctx.base_url or HOSTS[region]).rstrip("/"),
        api_key=required(ctx.credentials, "api_key", CREDENTIALS["api_key"]),
        webhook_secrets=tuple(each for each in found if each is not None),
    )
