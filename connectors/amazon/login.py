"""Login with Amazon: the selling partner's token by refresh, the application's own for grantless calls.

Access tokens live an hour. The refresh token stays as it is, also when the client secret is rotated.

Source: developer-docs.amazon.com/sp-api "connect to the Selling Partner API", "grantless operations" (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.amazon import errors
from connectors.amazon.settings import Settings
from connectors.sdk.auth import OAuthTokens, Token
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Transient
from connectors.sdk.http import HttpClient

TOKEN_PATH: Final = "/auth/o2/token"  # noqa: S105  # a path
NOTIFICATIONS_SCOPE: Final = "sellingpartnerapi::notifications"
ACCESS_LIFE_S: Final = 3_600.0
RENEW_APART_S: Final = 60.0
"""A 403 may be a token that ended or a role that is missing; renewing more often than this would not tell."""


class Login:
    """One account's tokens. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings, budgets: BudgetBook) -> None:
        self._ctx = ctx
        self._settings = settings
        self._http = HttpClient(ctx, base_url=settings.auth_url, budgets=budgets, classify=errors.classify_login)
        self.partner = OAuthTokens(ctx, "partner", self._fetch_partner)
        self.grantless = OAuthTokens(ctx, "grantless", self._fetch_grantless)
        self._renewed_at_s: dict[int, float] = {}

    async def close(self) -> None:
        await self._http.close()

    async def renew(self, tokens: OAuthTokens) -> bool:
        """Drop a token that was refused; False when it is so young that its age cannot be the reason.

        Raises:
            AuthFailed, Transient, RateLimited: As the login answered.
        """
        now_s = self._ctx.clock.monotonic()
        last_s = self._renewed_at_s.get(id(tokens))
        if last_s is not None and now_s - last_s < RENEW_APART_S:
            return False
        tokens.invalidate(await tokens.get())
        await tokens.get()
        return True

    async def _fetch_partner(self) -> Token:
        refresh = self._settings.refresh_token.reveal()
        grant = {"grant_type": "refresh_token", "refresh_token": refresh}
        token = await self._ask(grant, "token.refresh", "token")
        self._renewed_at_s[id(self.partner)] = self._ctx.clock.monotonic()
        return token

    async def _fetch_grantless(self) -> Token:
        grant = {"grant_type": "client_credentials", "scope": NOTIFICATIONS_SCOPE}
        token = await self._ask(grant, "token.grantless", "grantless_token")
        self._renewed_at_s[id(self.grantless)] = self._ctx.clock.monotonic()
        return token

    async def _ask(self, grant: Mapping[str, str], kind: str, budget: str) -> Token:
        proof = {
            "client_id": self._settings.client_id.reveal(),
            "client_secret": self._settings.client_secret.reveal(),
        }
        answer = await self._http.request("POST", TOKEN_PATH, data={**grant, **proof}, kind=kind, budget=budget)
        body = answer.json()
        value = body.get("access_token") if isinstance(body, Mapping) else None
        if not isinstance(value, str) or not value:
            raise Transient(f"{kind}: the answer holds no access token", code="no_token", status=answer.status)
        life = body.get("expires_in")
        return Token(value, float(life) if isinstance(life, int | str) and str(life).isdigit() else ACCESS_LIFE_S)
