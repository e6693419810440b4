"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret

TEST_PREFIX: Final = "TEST_"

CREDENTIALS: Final[Mapping[str, str]] = {
    "api_key": "API key of the account, production or TEST_",
    "webhook_secret": "a text of your own, which the hub puts into a header of the webhook it sets up at ShipEngine",
    "webhook_secret_previous": "optional: the former one, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {
    "service": "shipengine (default), shipengine_eu, or shipstation for the API v2 of a ShipStation account",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One API under two names: where it is, what its paths begin with, and what it calls the webhook for tracking."""

    url: str
    keys_url: str
    prefix: str
    event: str


_US: Final = "https://api.shipengine.com"
_EU: Final = "https://api.eu.shipengine.com"
SERVICES: Final[Mapping[str, Service]] = {
    "shipengine": Service(_US, _US, "/v1", "track"),
    "shipengine_eu": Service(_EU, _EU, "/v1", "track"),
    "shipstation": Service("https://api.shipstation.com", _US, "/v2", "track_event_v2"),
}
"""Source: servers of the ShipEngine OpenAPI document 1.1.202604070904; docs.shipstation.com, API v2: tracking,
webhooks and their validation (2026-11), whose keys are ShipEngine's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it is replaced."""

    service: Service
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
    service = SERVICES[choice(ctx.options, "service", tuple(SERVICES), "shipengine")]
    if ctx.base_url:
        base = ctx.base_url.rstrip("/")
        service = replace(service, url=base, keys_url=base)
    return Settings(
        service=service,
        api_key=required(ctx.credentials, "api_key", CREDENTIALS["api_key"]),
        webhook_secrets=tuple(each for each in found if each is not None),
    )
