"""Are the credentials right, do they reach far enough, is the queue there, and how old is the secret?

Source: developer-docs.amazon.com/sp-api "rotating your application's LWA credentials" (read 2026-11): a client
secret lives 180 days and calls fail afterwards; a missing role answers 403.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from connectors.amazon import catalogue, moments, orders
from connectors.amazon.api import Api, escaped
from connectors.amazon.queue import Queue
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext, CheckReport
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, TargetMissing

WARN_DAYS: Final = 150
SECRET_DAYS: Final = 180
ORDERS_ROLE: Final = "Inventory and Order Tracking"
LISTINGS_ROLE: Final = "Product Listing"
"""Roles as Amazon names them. Source: developer-docs.amazon.com/sp-api "roles in the SP-API" (read 2026-11)."""


async def check(ctx: AccountContext, api: Api, settings: Settings, queue: Queue) -> CheckReport:
    """One login, a read per role, and a look at the queue.

    A spent budget is no fault of the account's: Amazon grants few reads, and a refusal for quota came from
    credentials that were good.

    Raises:
        AuthFailed: Wrong credentials, an authorisation that ended, or a missing role (the message names it).
        Transient: Amazon is down.
    """
    await api.login.partner.get()
    lacking: list[str] = []
    correlation: str | None = None
    for role, read in ((ORDERS_ROLE, _read_order), (LISTINGS_ROLE, _read_listing)):
        try:
            await read(ctx, api, settings)
        except AuthFailed as error:
            if error.reason is not AuthReason.SCOPE:
                raise
            lacking.append(role)
            correlation = error.correlation_id
    if lacking:
        message = (
            f"Amazon refuses what the role {' and '.join(lacking)} allows; add it to the application and let the "
            f"seller authorise again, or see whether the account belongs to region {settings.region}"
        )
        raise AuthFailed(message, reason=AuthReason.SCOPE, code="role", status=403, correlation_id=correlation)
    detail = {"region": settings.region, "marketplaces": ", ".join(settings.marketplace_ids)}
    warnings = secret_warnings(settings.secret_issued_on, ctx.clock.now().date())
    if settings.queue_url is None:
        warnings.append("options.queue_url is not set: orders are found by polling only, every few minutes")
    else:
        warnings += await _queue_warnings(queue)
        detail["queue"] = settings.queue_url
    return CheckReport(who=f"Amazon seller {settings.seller_id}", detail=detail, warnings=warnings)


def secret_warnings(issued_on: date | None, today: date) -> list[str]:
    """What the age of the client secret will do to the account, while everything works now."""
    if issued_on is None:
        return ["options.secret_issued_on is not set: the end of the client secret's 180 days comes without a warning"]
    ends_on = issued_on + timedelta(days=SECRET_DAYS)
    age = (today - issued_on).days
    if age >= SECRET_DAYS:
        remedy = "make a new one and set credentials.client_secret and options.secret_issued_on"
        return [f"error: the client secret is {age} days old and ended on {ends_on.isoformat()}: {remedy}"]
    if age >= WARN_DAYS:
        return [f"the client secret ends in {SECRET_DAYS - age} days ({ends_on.isoformat()}): make a new one in time"]
    return []


async def _read_order(ctx: AccountContext, api: Api, settings: Settings) -> None:
    """A list of nothing much: a search is dear, so one order at most and only when the bucket allows it."""
    since = moments.text(ctx.clock.now() - timedelta(hours=1))
    params: dict[str, str | int | Sequence[str]] = {
        "marketplaceIds": settings.marketplace_ids,
        "lastUpdatedAfter": since,
        "maxResultsPerPage": 1,
    }
    if not api.ready_within("searchOrders", 1.0):
        return
    try:
        await api.request("GET", orders.PATH, operation="searchOrders", params=params)
    except RateLimited as error:
        if error.status != 429:
            raise


async def _read_listing(ctx: AccountContext, api: Api, settings: Settings) -> None:  # noqa: ARG001  # one shape
    path = f"{catalogue.ROOT}/{escaped(settings.seller_id)}"
    params: dict[str, str | int | Sequence[str]] = {"marketplaceIds": settings.marketplace_ids, "pageSize": 1}
    try:
        await api.request("GET", path, operation="searchListingsItems", params=params)
    except TargetMissing as error:
        message = f"Amazon knows no seller {settings.seller_id} for these credentials; see options.seller_id"
        raise AuthFailed(message, code=error.code, status=404, correlation_id=error.correlation_id) from error


async def _queue_warnings(queue: Queue) -> list[str]:
    """A queue that cannot be read is a warning: the account works, only slower, and must not be held for it."""
    try:
        await queue.waiting()
    except ConnectorError as error:
        return [f"the queue cannot be read, so orders are found by polling only: {error.message}"]
    return []
