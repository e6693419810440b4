"""The Postal Service's wire: token, budgets. Everything that calls USPS passes here.

Source: USPS Tracking 3.2.6 OpenAPI document (2026-08); the token endpoint's JSON form as the Postal Service
describes it (USPS/api-examples issue 40, 2025-07).
"""

from __future__ import annotations

from typing import Final

from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, AuthReason
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.login import token_of
from connectors.sdk.queries import encoded, escaped
from connectors.sdk.tracking import TrackedNumber
from connectors.usps import errors, manifest
from connectors.usps.settings import Settings

TOKEN_LIFE_S: Final = 28_799.0
NEEDED_SCOPE: Final = "tracking"


class Api:
    """One account's calls. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, manifest.budgets(settings.calls_per_hour))
        self._login = HttpClient(ctx, base_url=settings.auth_url, budgets=self.budgets, classify=errors.classify_login)
        self._tokens = OAuthTokens(ctx, "access", self._fetch_token, renew_early_s=600.0)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=TokenHeader(self._tokens),
        )

    async def close(self) -> None:
        await self._login.close()
        await self._http.close()

    async def tracking(self, number: TrackedNumber) -> Answer:
        """One parcel in full; "no news" comes back as an answer. The day it was mailed tells used-again numbers apart.

        Raises:
            AuthFailed: Also before anything is asked, when the login says that it may not: a call counts.
        """
        await self._require_scope()
        params = {"expand": "DETAIL"}
        if number.shipped_on is not None:
            params["mailingDate"] = number.shipped_on.isoformat()
        return await self._http.request(
            "GET",
            f"/tracking/v3/tracking/{escaped(number.number)}",
            raw_query=encoded(params),
            kind=errors.TRACK_KIND,
            budget="tracking",
        )

    async def _require_scope(self) -> None:
        """The token's answer lists what it is good for; without the scope every call is a 401 that looks like a
        wrong application. Source: USPS/api-examples issue 56 (2025-02)."""
        token = await self._tokens.get()
        scope = self._tokens.kept.get("scope")
        if scope is not None and NEEDED_SCOPE not in scope.split():
            # The permission may have been given meanwhile; the next try logs in anew.
            self._tokens.invalidate(token)
            message = f"the app's login lacks the scope {NEEDED_SCOPE!r}; {errors.SCOPE_REMEDY}"
            raise AuthFailed(message, reason=AuthReason.SCOPE, code="scope")

    async def _fetch_token(self) -> Token:
        answer = await self._login.request(
            "POST",
            "/oauth2/v3/token",
            json={
                "grant_type": "client_credentials",
                "client_id": self._settings.client_id.reveal(),
                "client_secret": self._settings.client_secret.reveal(),
            },
            kind="token.fetch",
            budget="token",
        )
        return token_of(answer, life_s=TOKEN_LIFE_S, keep=("scope",))
