"""FedEx's wire: token, headers, budgets. Everything that calls FedEx passes here.

Source: FedEx Track v1 OpenAPI document (2025-10); developer.fedex.com, API authorization (read 2026-10).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from connectors.fedex import errors
from connectors.fedex.manifest import MANIFEST
from connectors.fedex.settings import Settings
from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.login import token_of
from connectors.sdk.tracking import TrackedNumber

TOKEN_LIFE_S: Final = 3_600.0
EARLY: Final = timedelta(days=3)
LATE: Final = timedelta(days=30)
"""Around the day a parcel was shipped: numbers come again, and FedEx asks to narrow the search."""


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, MANIFEST.budgets)
        self._login = HttpClient(ctx, base_url=settings.auth_url, budgets=self.budgets, classify=errors.classify_login)
        self._tokens = OAuthTokens(ctx, "access", self._fetch_token)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=TokenHeader(self._tokens),
            headers={"x-locale": settings.locale},
            correlation_headers=("x-customer-transaction-id", "x-request-id"),
        )

    async def close(self) -> None:
        await self._login.close()
        await self._http.close()

    async def track(self, numbers: Sequence[TrackedNumber]) -> Answer:
        """Up to thirty numbers in one call: a read, although it is sent by POST."""
        return await self._http.request(
            "POST",
            "/track/v1/trackingnumbers",
            json={"includeDetailedScans": True, "trackingInfo": [_info(each) for each in numbers]},
            kind="parcel.track",
            budget="tracking",
            fresh_headers=lambda: {"x-customer-transaction-id": self._ctx.ids.uuid()},
        )

    async def _fetch_token(self) -> Token:
        answer = await self._login.request(
            "POST",
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self._settings.client_id.reveal(),
                "client_secret": self._settings.client_secret.reveal(),
            },
            kind="token.fetch",
            budget="token",
        )
        return token_of(answer, life_s=TOKEN_LIFE_S)


def _info(number: TrackedNumber) -> dict[str, Any]:
    """A parcel FedEx has named before is asked for by that name; else the day it was shipped narrows the search."""
    info: dict[str, Any] = {"trackingNumberInfo": {"trackingNumber": number.number}}
    if number.parcel:
        info["trackingNumberInfo"]["trackingNumberUniqueId"] = number.parcel
        if number.carrier_raw:
            info["trackingNumberInfo"]["carrierCode"] = number.carrier_raw
    elif number.shipped_on is not None:
        info["shipDateBegin"] = (number.shipped_on - EARLY).isoformat()
        info["shipDateEnd"] = (number.shipped_on + LATE).isoformat()
    return info
