"""OAuth at eBay: the seller's token by refresh, the application's own by client credentials.

Access tokens live two hours, refresh tokens 18 months; refreshing gives no new refresh token and
says nothing of the end of the old one. An authorization code lives five minutes and works once.

Source: developer.ebay.com OAuth pages "refreshing user access tokens", "exchanging the
authorization code", "client credentials grant" (read 2026-11); oauth-rate-limits page (2026-11).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from connectors.ebay import errors, moments
from connectors.ebay.settings import Settings
from connectors.sdk.auth import OAuthTokens, Token
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, AuthReason, Transient
from connectors.sdk.http import HttpClient
from connectors.sdk.whole import whole

TOKEN_PATH: Final = "/identity/v1/oauth2/token"  # noqa: S105  # a path
APPLICATION_SCOPE: Final = "https://api.ebay.com/oauth/api_scope"
ACCESS_LIFE_S: Final = 7_200.0
REFRESH_LIFE_S: Final = 47_304_000
CONSENT: Final = "consent"
"""Name under which an exchanged refresh token is kept."""


class Login:
    """One account's tokens. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings, budgets: BudgetBook) -> None:
        self._ctx = ctx
        self._settings = settings
        self._http = HttpClient(ctx, base_url=settings.auth_url, budgets=budgets, classify=errors.classify_login)
        self.user = OAuthTokens(ctx, "user", self._fetch_user)
        self.application = OAuthTokens(ctx, "application", self._fetch_application)

    async def close(self) -> None:
        await self._http.close()

    async def consent_ends_at(self) -> datetime | None:
        """When the refresh token ends, where that is known: from the exchange or as configured."""
        if self._settings.authorization_code is not None:
            kept = await self._ctx.tokens.load(CONSENT)
            return moments.read(kept.get("ends_at")) if kept else None
        day = self._settings.refresh_token_expires_on
        return datetime.combine(day, time(), UTC) if day else None

    async def _fetch_user(self) -> Token:
        """Scopes are left out of the request: the token then reaches as far as the seller's consent."""
        grant = {"grant_type": "refresh_token", "refresh_token": await self._refresh_token()}
        return _token(await self._ask(grant, "token.refresh", "token"))

    async def _fetch_application(self) -> Token:
        grant = {"grant_type": "client_credentials", "scope": APPLICATION_SCOPE}
        return _token(await self._ask(grant, "token.application", "app_token"))

    async def _refresh_token(self) -> str:
        if self._settings.refresh_token is not None:
            return self._settings.refresh_token.reveal()
        code = self._settings.authorization_code.reveal() if self._settings.authorization_code else ""
        kept = await self._ctx.tokens.load(CONSENT)
        # Tied to its code: another code in the configuration is another consent.
        if kept and kept.get("refresh_token") and kept.get("code") == code:
            return kept["refresh_token"]
        return await self._exchange(code)

    async def _exchange(self, code: str) -> str:
        """Trade the code of a consent for a refresh token and keep that. Runs inside the single-flight fetch."""
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._settings.ru_name or ""}
        body = await self._ask(grant, "token.exchange", "token", repeatable=False)
        refresh = body.get("refresh_token")
        if not isinstance(refresh, str) or not refresh:
            message = "eBay gave no refresh token for the authorization code; the seller must consent again"
            raise AuthFailed(message, reason=AuthReason.CREDENTIALS, code="no_refresh_token")
        ends_at = self._ctx.clock.now() + timedelta(
            seconds=whole(body.get("refresh_token_expires_in")) or REFRESH_LIFE_S
        )
        record = {"refresh_token": refresh, "code": code, "ends_at": moments.text(ends_at)}
        await self._ctx.tokens.save(CONSENT, record)
        return refresh

    async def _ask(
        self, grant: Mapping[str, str], kind: str, budget: str, *, repeatable: bool = True
    ) -> Mapping[str, Any]:
        pair = f"{self._settings.client_id.reveal()}:{self._settings.client_secret.reveal()}"
        answer = await self._http.request(
            "POST",
            TOKEN_PATH,
            data=dict(grant),
            headers={"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
            kind=kind,
            budget=budget,
            write=not repeatable,
        )
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Transient(f"{kind}: the answer is no token", code="no_token", status=answer.status)
        return body


def _token(body: Mapping[str, Any]) -> Token:
    value = body.get("access_token")
    if not isinstance(value, str) or not value:
        raise Transient("eBay's token answer holds no access token", code="no_token")
    return Token(value, float(whole(body.get("expires_in")) or ACCESS_LIFE_S))
