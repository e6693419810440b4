"""The health question: who are we there, what may we do, and do the mapped locations exist?"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sdk.contract import CheckReport
from connectors.sdk.errors import AuthFailed, AuthReason
from connectors.shopify import ids
from connectors.shopify.graphql import GraphQL
from connectors.shopify.manifest import SCOPES_REQUIRED
from connectors.shopify.settings import Settings


async def check(graphql: GraphQL, settings: Settings) -> CheckReport:
    """One read-only call.

    Raises:
        AuthFailed: The token is refused, belongs to another shop, or lacks scopes, each named.
    """
    reply = await graphql.run("shop", kind="account.check")
    shop = reply.data["shop"]
    domain = str(shop["myshopifyDomain"]).lower()
    if domain != settings.shop:
        raise AuthFailed(
            f"account.check: the token belongs to {domain}, options.shop is {settings.shop}",
            reason=AuthReason.CREDENTIALS,
            code="other_shop",
        )
    granted = {scope["handle"] for scope in reply.data["currentAppInstallation"]["accessScopes"]}
    missing = [scope for scope in SCOPES_REQUIRED if not _allows(granted, scope)]
    if missing:
        raise AuthFailed(
            f"account.check: the app lacks {', '.join(missing)}; grant it and install the app again",
            reason=AuthReason.SCOPE,
            code="scope_missing",
        )
    places = {ids.number(node["id"]): node for node in reply.data["locations"]["nodes"]}
    warnings = [*_scope_warnings(granted), *_place_warnings(settings, places)]
    detail = {
        "shop": domain,
        "currency": str(shop["currencyCode"]),
        "time_zone": str(shop["ianaTimezone"]),
        "api_version": settings.api_version,
        "locations": ", ".join(f"{node['name']} ({number})" for number, node in places.items()),
    }
    return CheckReport(f"{shop['name']} ({domain})", detail, warnings)


def _allows(granted: set[str], scope: str) -> bool:
    """Leave to write implies leave to read."""
    return scope in granted or scope.replace("read_", "write_", 1) in granted


def _scope_warnings(granted: set[str]) -> Iterable[str]:
    if "read_all_orders" not in granted:
        yield "without read_all_orders only the last 60 days of orders can be read"


def _place_warnings(settings: Settings, places: dict[str, dict[str, object]]) -> Iterable[str]:
    if not settings.locations:
        yield "no location is mapped, so no stock is read or published"
    if not settings.webhook_secrets:
        yield "no webhook_secret: every webhook will be refused"
    for number in settings.locations:
        place = places.get(number)
        if place is None:
            yield f"location {number} is mapped and does not exist in the shop"
        elif not place["isActive"]:
            yield f"location {number} ({place['name']}) is mapped and not active"
