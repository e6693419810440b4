"""Login with Amazon: the selling partner's token by refresh, the application's own for grantless calls.

Access tokens live an hour. The refresh token stays as it is, also when the client secret is rotated.

Source: developer-docs.amazon.com/sp-api "connect to the Selling Partner API", "grantless operations" (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from connectors.amazon import errors
from connectors.amazon.settings import Settings
from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Transient
from connectors.sdk.http import HttpClient

TOKEN_PATH: Final = "/auth/o2/token"  # noqa: S105  # a path
NOTIFICATIONS_SCOPE: Final = "sellingpartnerapi::notifications"
ACCESS_LIFE_S: Final = 3_600.0
USELESS_S: Final = 60.0
"""After a renewal that did not help against a 403: the role is missing, and asking again would not add it."""

_used: ContextVar[str] = ContextVar("amazon_token_used", default="")


class Proof(TokenHeader):
    """The token's header; remembers which token this task sent, for a refusal that is no 401."""

    async def headers(self) -> Mapping[str, str]:
        found = await super().headers()
        _used.set(next(iter(found.values())))
        return found


class Login:
    """One account's tokens. For one event loop; any number of tasks."""

    def __init__(self, ctx: AccountContext, settings: Settings, budgets: BudgetBook) -> None:
        self._ctx = ctx
        self._settings = settings
        self._http = HttpClient(ctx, base_url=settings.auth_url, budgets=budgets, classify=errors.classify_login)
        self.partner = OAuthTokens(ctx, "partner", self._fetch_partner)
        self.grantless = OAuthTokens(ctx, "grantless", self._fetch_grantless)
        self._useless_until_s: dict[int, float] = {}

    async def close(self) -> None:
        await self._http.close()

    def worth_renewing(self, tokens: OAuthTokens) -> bool:
        """False for a while after a renewal that did not help."""
        return self._ctx.clock.monotonic() >= self._useless_until_s.get(id(tokens), 0.0)

    def drop_used(self, tokens: OAuthTokens) -> None:
        """Forget the token this task has just sent; one that another task has fetched meanwhile stays."""
        tokens.invalidate(_used.get())

    def renewed_in_vain(self, tokens: OAuthTokens) -> None:
        self._useless_until_s[id(tokens)] = self._ctx.clock.monotonic() + USELESS_S

    async def _fetch_partner(self) -> Token:
        refresh = self._settings.refresh_token.reveal()
        grant = {"grant_type": "refresh_token", "refresh_token": refresh}
        return await self._ask(grant, "token.refresh", "token")

    async def _fetch_grantless(self) -> Token:
        grant = {"grant_type": "client_credentials", "scope": NOTIFICATIONS_SCOPE}
        return await self._ask(grant, "token.grantless", "grantless_token")

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
