"""An account's credentials and options, checked before anything is connected."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret
from connectors.sdk.sections import refuse_unknown
from connectors.shopify import ids

API_VERSION: Final = "2026-10"
"""Current stable version. Source: shopify.dev/docs/api/usage/versioning, read 2026-11-20."""

CREDENTIALS: Final = {
    "access_token": "Admin API access token of a custom app; or give client_id and client_secret instead",
    "client_id": "client id of an app of your own organisation (client credentials grant)",
    "client_secret": "its secret",
    "webhook_secret": "the app's client secret: signs every webhook",
    "webhook_secret_previous": "the secret before a rotation; it may sign for up to an hour longer",
}
OPTIONS: Final = {
    "shop": "the shop's myshopify.com domain",
    "api_version": f"quarterly version of the Admin API, default {API_VERSION}",
}

_SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,98}\.myshopify\.com")
_VERSION: Final = re.compile(r"20[0-9]{2}-(01|04|07|10)")


@dataclass(frozen=True, slots=True)
class Settings:
    """`locations` are the numbers of the mapped locations, in configuration order."""

    shop: str
    api_version: str
    base_url: str
    auth_url: str
    access_token: Secret | None
    client_id: str = field(repr=False)
    client_secret: Secret | None
    webhook_secrets: tuple[Secret, ...] = field(default=())
    locations: tuple[str, ...] = ()

    @property
    def graphql_path(self) -> str:
        return f"/admin/api/{self.api_version}/graphql.json"


def read(ctx: AccountContext) -> Settings:
    """Check the account's section.

    Raises:
        ValueError: Naming the key that is wrong and what to put there.
    """
    refuse_unknown("credentials", ctx.credentials, CREDENTIALS)
    refuse_unknown("options", ctx.options, OPTIONS)
    shop = _shop(ctx)
    token, client_id, client_secret = _login(ctx)
    return Settings(
        shop=shop,
        api_version=_version(ctx),
        base_url=ctx.base_url or f"https://{shop}",
        auth_url=ctx.auth_url or ctx.base_url or f"https://{shop}",
        access_token=token,
        client_id=client_id,
        client_secret=client_secret,
        webhook_secrets=_secrets(ctx),
        locations=tuple(_location(key) for key in ctx.locations),
    )


def _shop(ctx: AccountContext) -> str:
    shop = ctx.options.get("shop")
    if not isinstance(shop, str) or not shop.strip():
        raise ValueError("options.shop is missing: put the shop's domain there, like example.myshopify.com")
    shop = shop.strip().lower()
    if not _SHOP.fullmatch(shop):
        raise ValueError(f"options.shop: {shop!r} is not a shop domain like example.myshopify.com")
    return shop


def _version(ctx: AccountContext) -> str:
    version = ctx.options.get("api_version", API_VERSION)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError(f"options.api_version: {version!r} is not a quarterly version like {API_VERSION}")
    if version < "2026-04":
        # Before 2026-04 inventory writes compare under other names and are not recognised when repeated.
        raise ValueError(f"options.api_version: {version} is too old, this connector speaks 2026-04 and later")
    return version


def _login(ctx: AccountContext) -> tuple[Secret | None, str, Secret | None]:
    token = _given(ctx, "access_token")
    client_id, client_secret = _given(ctx, "client_id"), _given(ctx, "client_secret")
    if token is not None:
        return token, "", client_secret
    if client_id is None and client_secret is None:
        raise ValueError("credentials.access_token is missing (or give client_id and client_secret)")
    if client_id is None:
        raise ValueError("credentials.client_id is missing beside client_secret")
    if client_secret is None:
        raise ValueError("credentials.client_secret is missing beside client_id")
    return None, client_id.reveal(), client_secret


def _secrets(ctx: AccountContext) -> tuple[Secret, ...]:
    given = (_given(ctx, "webhook_secret"), _given(ctx, "webhook_secret_previous"))
    return tuple(secret for secret in given if secret is not None)


def _given(ctx: AccountContext, key: str) -> Secret | None:
    secret = ctx.credentials.get(key)
    if secret is None:
        return None
    value = secret.reveal()
    if not value.strip():
        raise ValueError(f"credentials.{key} is empty")
    if value != value.strip() or not value.isascii() or any(ord(sign) < 32 for sign in value):
        raise ValueError(f"credentials.{key} has blanks around it or characters that no key has")
    return secret


def _location(key: str) -> str:
    found = ids.number(key)
    if not found:
        raise ValueError(f"locations: {key!r} is no Shopify location, write gid://shopify/Location/123 or 123")
    return found
