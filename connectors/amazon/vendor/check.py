"""Are the credentials right, and do they reach the programmes the account follows?

Source: developer-docs.amazon.com/sp-api, roles of the vendor interfaces (read 2026-11).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.amazon.api import Api
from connectors.amazon.check import secret_warnings
from connectors.amazon.vendor.orders import Orders
from connectors.amazon.vendor.settings import VendorSettings
from connectors.sdk.contract import AccountContext, CheckReport
from connectors.sdk.errors import AuthFailed, AuthReason

RETAIL_ROLE: Final = "Vendor Retail Procurement Orders"
DIRECT_ROLE: Final = "Direct-to-Consumer Shipping (Restricted)"


async def check(ctx: AccountContext, api: Api, orders: Orders, settings: VendorSettings) -> CheckReport:
    """One login and one read per programme.

    Raises:
        AuthFailed: Wrong credentials, an authorisation that ended, or a missing role (the message names it).
        Transient: Amazon is down.
    """
    await api.login.partner.get()
    now = ctx.clock.now()
    since = now - timedelta(hours=1)
    asked = [(RETAIL_ROLE, orders.retail_page)] if settings.retail else []
    asked += [(DIRECT_ROLE, orders.direct_page)] if settings.direct else []
    lacking = []
    correlation = None
    for role, read in asked:
        try:
            await read("created", since, now, 1, None)
        except AuthFailed as error:
            if error.reason is not AuthReason.SCOPE:
                raise
            lacking.append(role)
            correlation = error.correlation_id
    if lacking:
        message = (
            f"Amazon refuses what the role {' and '.join(lacking)} allows; add it to the application and authorise it "
            f"again, or see whether the account belongs to region {settings.amazon.region}"
        )
        raise AuthFailed(message, reason=AuthReason.SCOPE, code="role", status=403, correlation_id=correlation)
    warnings = secret_warnings(settings.amazon.secret_issued_on, now.date())
    if settings.direct:
        warnings.append("Amazon has no read of direct-fulfilment numbers: what was sent is never read back")
        if not settings.items:
            warnings.append("options.items is empty: no number is published")
    programmes = ", ".join(name for name, on in (("retail", settings.retail), ("direct", settings.direct)) if on)
    detail = {
        "region": settings.amazon.region,
        "programmes": programmes,
        "warehouses": ", ".join(settings.warehouses) or "none",
    }
    return CheckReport(who=f"Amazon vendor {settings.vendor_code}", detail=detail, warnings=warnings)
