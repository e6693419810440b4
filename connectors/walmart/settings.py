"""One account's section of the configuration, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import choice, refuse_unknown, required, secret, text

PRODUCTION_URL: Final = "https://marketplace.walmartapis.com"
"""Source: servers of the Walmart Marketplace OpenAPI documents (sandbox: sandbox.walmartapis.com)."""

MARKETS: Final = ("us", "ca", "mx", "cl")
WEBHOOK_METHODS: Final = ("hmac", "basic")
DEFAULT_WEBHOOK_HEADER: Final = "x-walmart-webhook-signature"

REQUIRED_CREDENTIALS: Final = ("client_id", "client_secret")
CREDENTIALS: Final[Mapping[str, str]] = {
    "client_id": "client id of the account's API key (Developer Portal, My API Key)",
    "client_secret": "client secret of the same key",
    "webhook_secret": "secret of webhook subscriptions: the HMAC key, or the password with webhook_auth: basic",
    "webhook_secret_previous": "optional: the former webhook secret, accepted while it is being rotated",
    "webhook_user": "user name of webhook subscriptions with webhook_auth: basic",
}
OPTIONS: Final[Mapping[str, str]] = {
    "market": "us (default), ca, mx or cl; sent as WM_MARKET outside the US",
    "ship_nodes": "ids of the ship nodes this account sells from, a list of strings; default: the virtual node",
    "channel_type": "optional WM_CONSUMER.CHANNEL.TYPE given by Walmart at onboarding",
    "webhook_auth": "hmac (default) or basic: how subscriptions made here are signed",
    "webhook_header": f"header that carries the HMAC or basic value; default {DEFAULT_WEBHOOK_HEADER}",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """`webhook_secrets` holds the present secret first, then the former one while it rotates."""

    base_url: str
    auth_url: str
    client_id: Secret
    client_secret: Secret
    market: str
    ship_nodes: tuple[str, ...]
    channel_type: str | None
    webhook_auth: str
    webhook_header: str
    webhook_user: Secret | None
    webhook_secrets: tuple[Secret, ...]


def read(ctx: AccountContext) -> Settings:
    """Turn an account's section into settings.

    Raises:
        ValueError: A key is missing, unknown or of the wrong kind; the message names it.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    client_id, client_secret = (required(ctx.credentials, name, CREDENTIALS[name]) for name in REQUIRED_CREDENTIALS)
    base = (ctx.base_url or PRODUCTION_URL).rstrip("/")
    method = choice(ctx.options, "webhook_auth", WEBHOOK_METHODS, "hmac")
    if method == "basic" and secret(ctx.credentials, "webhook_user") is None:
        raise ValueError("credentials.webhook_user: missing; webhook_auth: basic needs it beside webhook_secret")
    return Settings(
        base_url=base,
        auth_url=(ctx.auth_url or base).rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        market=choice(ctx.options, "market", MARKETS, "us"),
        ship_nodes=_ship_nodes(ctx.options.get("ship_nodes")) or tuple(ctx.locations),
        channel_type=text(ctx.options, "channel_type"),
        webhook_auth=method,
        webhook_header=(text(ctx.options, "webhook_header") or DEFAULT_WEBHOOK_HEADER).lower(),
        webhook_user=ctx.credentials.get("webhook_user"),
        webhook_secrets=_secrets(ctx.credentials),
    )


def _ship_nodes(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError("options.ship_nodes: must be a list of ship node ids")  # noqa: TRY004  # what `open` raises
    for node in value:
        # An unquoted 18-digit id is read by YAML as an integer and would be compared in vain.
        if not isinstance(node, str) or not node.strip():
            raise ValueError(f"options.ship_nodes: {node!r} must be a text; put the id in quotes")
    return tuple(node.strip() for node in value)


def _secrets(credentials: Mapping[str, Secret]) -> tuple[Secret, ...]:
    found = (secret(credentials, name) for name in ("webhook_secret", "webhook_secret_previous"))
    return tuple(each for each in found if each is not None)
