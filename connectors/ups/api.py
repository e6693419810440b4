"""UPS's wire: token, headers, budgets. Everything that calls UPS passes here.

Source: UPS OAuth client credentials, Tracking and Track Alert v2 OpenAPI documents (2026-07).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.login import basic, token_of
from connectors.sdk.queries import encoded, escaped
from connectors.ups import errors
from connectors.ups.manifest import MANIFEST
from connectors.ups.settings import Settings

SOURCE: Final = "trunkline"
"""`transactionSrc`: who calls, for UPS's support."""
TOKEN_LIFE_S: Final = 3_600.0
"""Where the answer states none; UPS states four hours."""


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
            headers={"transactionsrc": SOURCE},
            correlation_headers=("transid", "x-request-id"),
        )

    async def close(self) -> None:
        await self._login.close()
        await self._http.close()

    async def details(self, number: str) -> Answer:
        """Track one parcel; a 404 that says "not found" comes back as an answer."""
        query = encoded({"locale": self._settings.locale, "returnSignature": "false"})
        return await self._http.request(
            "GET",
            f"/api/track/v1/details/{escaped(number)}",
            raw_query=query,
            kind=errors.TRACK_KIND,
            budget="tracking",
            fresh_headers=self._fresh,
        )

    async def subscribe(self, numbers: Sequence[str]) -> Answer:
        """Have alerts sent for these numbers; repeating it renews, so it may be repeated."""
        wanted: dict[str, Any] = {
            "locale": self._settings.locale,
            "countryCode": self._settings.locale[-2:],
            "trackingNumberList": list(numbers),
        }
        return await self._http.request(
            "POST",
            f"/api/track/v2/subscription/{self._settings.alerts}/package",
            json=wanted,
            kind="alert.subscribe",
            budget="alerts",
            write=True,
            keyed=True,
            fresh_headers=self._fresh,
        )

    async def _fetch_token(self) -> Token:
        headers = {"authorization": basic(self._settings.client_id, self._settings.client_secret)}
        if self._settings.account_number is not None:
            headers["x-merchant-id"] = self._settings.account_number
        answer = await self._login.request(
            "POST",
            "/security/v1/oauth/token",
            data={"grant_type": "client_credentials"},
            headers=headers,
            kind="token.fetch",
            budget="token",
        )
        return token_of(answer, life_s=TOKEN_LIFE_S)

    def _fresh(self) -> dict[str, str]:
        return {"transid": self._ctx.ids.uuid().replace("-", "")}
