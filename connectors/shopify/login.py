"""The client credentials grant: a token for 24 hours, asked for again when it ends.

Source: shopify.dev/docs/apps/build/authentication-authorization/client-secrets and
access-tokens/client-credentials-grant, read 2026-11-20. Only for apps and shops of one organisation.
"""

from __future__ import annotations

from typing import Any

from connectors.sdk.answer import Answer, Call, by_status
from connectors.sdk.auth import OAuthTokens, Token
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, Transient
from connectors.sdk.http import HttpClient
from connectors.shopify.manifest import GRAPHQL
from connectors.shopify.settings import Settings

KIND = "token.fetch"
PATH = "/admin/oauth/access_token"


class Login:
    """Fetches tokens for one account; `tokens` hands them out, one fetch at a time."""

    def __init__(self, ctx: AccountContext, settings: Settings, budgets: BudgetBook) -> None:
        self._settings = settings
        # No `authorize` here: this is the call that proves who we are.
        self._http = HttpClient(ctx, base_url=settings.auth_url, budgets=budgets, classify=_classify)
        self.tokens = OAuthTokens(ctx, "access", self._fetch)

    async def close(self) -> None:
        await self._http.close()

    async def _fetch(self) -> Token:
        secret = self._settings.client_secret
        answer = await self._http.request(
            "POST",
            PATH,
            data={
                "grant_type": "client_credentials",
                "client_id": self._settings.client_id,
                "client_secret": secret.reveal() if secret else "",
            },
            kind=KIND,
            # A second token does no harm, so a lost answer is simply asked for again.
            write=True,
            keyed=True,
            budget=GRAPHQL,
            cost=0.0,
        )
        return _token(answer.json(), answer)


_WRONG = "client_id and client_secret do not belong together, or the secret was rotated"


def _token(body: Any, answer: Answer) -> Token:
    value = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise Transient(f"{KIND}: the answer has no access_token", **answer.facts("no_token"))
    life = body.get("expires_in")
    seconds = float(life) if isinstance(life, int) and not isinstance(life, bool) and life > 0 else None
    return Token(value, seconds, {"scope": str(body.get("scope") or "")})


def _classify(answer: Answer, call: Call) -> ConnectorError | None:
    if answer.ok:
        return None
    weather = by_status(answer, f"{call.kind}: shopify answered {answer.status}")
    if weather is not None:
        return weather
    body = answer.json_or_none()
    code = str(body.get("error") or "") if isinstance(body, dict) else ""
    reason = AuthReason.REVOKED if code == "app_not_installed" else AuthReason.CREDENTIALS
    text = code or f"http_{answer.status}"
    why = "the app is not installed in the shop" if reason is AuthReason.REVOKED else _WRONG
    return AuthFailed(
        f"{call.kind}: shopify refuses the app's login ({text}): {why}", reason=reason, **answer.facts(text)
    )
