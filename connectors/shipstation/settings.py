"""One account's section of the configuration, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import refuse_unknown, required, secret
from connectors.sdk.whole import whole

PRODUCTION_URL: Final = "https://ssapi.shipstation.com"
"""Source: ShipStation API v1, requirements (docs.shipstation.com, 2026-11)."""

REQUIRED_CREDENTIALS: Final = ("api_key", "api_secret")
CREDENTIALS: Final[Mapping[str, str]] = {
    "api_key": "API key of the account (Settings, Account, API Settings)",
    "api_secret": "API secret beside it",
    "webhook_token": "a long random text of your own; it becomes part of the address ShipStation is given",
    "webhook_token_previous": "optional: the former token, accepted while it is being replaced",
}
OPTIONS: Final[Mapping[str, str]] = {
    "store_id": "optional number of the one store whose shipments are wanted; all of them without",
}
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]{16,128}")


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_tokens` holds the present token first, then the former one while it is replaced."""

    base_url: str
    api_key: Secret
    api_secret: Secret
    webhook_tokens: tuple[Secret, ...]
    store_id: int | None


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    key, password = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    store = whole(ctx.options.get("store_id"))
    if ctx.options.get("store_id") is not None and (store is None or store < 1):
        raise ValueError("options.store_id: must be the number of a store")
    return Settings(
        base_url=(ctx.base_url or PRODUCTION_URL).rstrip("/"),
        api_key=key,
        api_secret=password,
        webhook_tokens=tuple(_tokens(ctx)),
        store_id=store,
    )


def _tokens(ctx: AccountContext) -> list[Secret]:
    found = []
    for name in ("webhook_token", "webhook_token_previous"):
        token = secret(ctx.credentials, name)
        if token is None:
            continue
        if not _TOKEN.fullmatch(token.reveal()):
            raise ValueError(f"credentials.{name}: must be 16 to 128 letters, digits, dots, dashes or underscores")
        found.append(token)
    return found
