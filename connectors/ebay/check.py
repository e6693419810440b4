"""Are the credentials right, do they reach far enough, and for how long?

Source: developer.ebay.com OAuth scopes page (read 2026-11): a missing scope answers 403 with error 1100.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connectors.ebay import orders
from connectors.ebay.api import Api
from connectors.ebay.offers import ITEMS_PATH
from connectors.ebay.settings import Settings
from connectors.sdk.contract import AccountContext, CheckReport
from connectors.sdk.errors import AuthFailed, AuthReason

NEEDED: Final = (
    ("https://api.ebay.com/oauth/api_scope/sell.fulfillment", orders.PATH, "fulfillment"),
    ("https://api.ebay.com/oauth/api_scope/sell.inventory", ITEMS_PATH, "inventory"),
)
"""Scope, a read that needs it, and the budget that pays."""

WARN_DAYS: Final = 60


async def check(ctx: AccountContext, api: Api, settings: Settings) -> CheckReport:
    """One login and a read per scope.

    Raises:
        AuthFailed: Wrong credentials, a consent that ended, or one that lacks a scope (the message names it).
        Transient: eBay is down.
    """
    # A login refused for its scopes has its own message; only reads tell which scope is lacking.
    await api.login.user.get()
    lacking: list[str] = []
    correlation: str | None = None
    for scope, path, budget in NEEDED:
        try:
            await api.get(path, kind="check.read", budget=budget, params={"limit": 1})
        except AuthFailed as error:
            if error.reason is not AuthReason.SCOPE:
                raise
            lacking.append(scope)
            correlation = error.correlation_id
    if lacking:
        message = f"the seller's consent lacks the scope {', '.join(lacking)}; let the seller consent again with it"
        raise AuthFailed(message, reason=AuthReason.SCOPE, code="scope", correlation_id=correlation)
    ends_at = await api.login.consent_ends_at()
    detail = {"marketplace": settings.marketplace, "trading": "on" if settings.trading else "off"}
    if ends_at is not None:
        detail["consent until"] = ends_at.date().isoformat()
    return CheckReport(
        who=f"eBay seller on {settings.marketplace}",
        detail=detail,
        warnings=warnings(settings, ends_at, ctx.clock.now()),
    )


def warnings(settings: Settings, ends_at: datetime | None, now: datetime) -> list[str]:
    """What will hurt later although everything works now."""
    found = []
    if ends_at is None:
        found.append(
            "options.refresh_token_expires_on is not set: the end of the seller's consent comes without a warning"
        )
    elif (days := (ends_at - now).days) < WARN_DAYS:
        when = f"ends in {days} days" if days >= 0 else "ended by the day configured"
        found.append(f"the seller's consent {when} ({ends_at.date().isoformat()}): let the seller consent again")
    if settings.verification_token is None:
        found.append("credentials.verification_token is not set: orders are found by polling only")
    return found
