"""Walmart's wire: token, headers, budgets. Everything that calls Walmart passes here.

Source: Walmart authentication OpenAPI document (read 2026-06); rate-limiting guide (read 2026-11).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, ConnectorError, Rejected, Transient
from connectors.sdk.http import Answer, Call, HttpClient
from connectors.sdk.queries import encoded
from connectors.sdk.whole import whole
from connectors.walmart import errors
from connectors.walmart.manifest import BUDGETS
from connectors.walmart.settings import Settings

SERVICE_NAME: Final = "Walmart Marketplace"
TOKEN_HEADER: Final = "wm_sec.access_token"  # noqa: S105  # a header's name
CORRELATION_HEADER: Final = "wm_qos.correlation_id"
TOKEN_LIFE_S: Final = 900.0
RENEW_EARLY_S: Final = 60.0


class Api:
    """One account's calls. For one event loop; any number of tasks.

    A token lasts 15 minutes; one task renews it for all, and a 401 earns one renewal and one more
    try. Every try carries a correlation id of its own, as Walmart asks.
    """

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, BUDGETS)
        common = self._common_headers()
        self._login = HttpClient(
            ctx,
            base_url=settings.auth_url,
            budgets=self.budgets,
            classify=classify_login,
            headers=common,
            correlation_headers=(CORRELATION_HEADER,),
        )
        self._tokens = OAuthTokens(ctx, "access", self._fetch_token, renew_early_s=RENEW_EARLY_S)
        self._http = HttpClient(
            ctx,
            base_url=settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            headers=common,
            authorize=TokenHeader(self._tokens, header=TOKEN_HEADER, prefix=""),
            correlation_headers=(CORRELATION_HEADER,),
        )

    async def close(self) -> None:
        await self._login.close()
        await self._http.close()

    async def get(
        self,
        path: str,
        *,
        kind: str,
        budget: str,
        params: Mapping[str, str | int] | None = None,
        raw_query: str | None = None,
    ) -> Answer:
        """A read. `raw_query` is a cursor, sent byte for byte."""
        query = raw_query if raw_query is not None else encoded(params or {})
        answer = await self._http.request(
            "GET", path, raw_query=query or None, kind=kind, budget=budget, fresh_headers=self._fresh
        )
        self._learn(budget, answer)
        return answer

    async def send(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        budget: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        files: Any = None,
        keyed: bool = False,
        timeout_s: float | None = None,
    ) -> Answer:
        """A write. `keyed` says that doing it twice is the same as once."""
        answer = await self._http.request(
            method,
            path,
            raw_query=encoded(params or {}) or None,
            json=json,
            files=files,
            kind=kind,
            budget=budget,
            write=True,
            keyed=keyed,
            timeout_s=timeout_s,
            fresh_headers=self._fresh,
        )
        self._learn(budget, answer)
        return answer

    def _common_headers(self) -> dict[str, str]:
        headers = {"accept": "application/json", "wm_svc.name": SERVICE_NAME}
        if self._settings.channel_type:
            headers["wm_consumer.channel.type"] = self._settings.channel_type
        if self._settings.market != "us":
            # The US API needs no market; the others refuse a token call without it.
            headers |= {"wm_market": self._settings.market, "wm_global_version": "3.1"}
        return headers

    def _fresh(self) -> dict[str, str]:
        return {CORRELATION_HEADER: self._ctx.ids.uuid()}

    async def _fetch_token(self) -> Token:
        pair = f"{self._settings.client_id.reveal()}:{self._settings.client_secret.reveal()}"
        answer = await self._login.request(
            "POST",
            "/v3/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
            kind="token.fetch",
            budget="token",
            fresh_headers=self._fresh,
        )
        body = answer.json()
        value = body.get("access_token") if isinstance(body, Mapping) else None
        if not isinstance(value, str) or not value:
            raise Transient("Walmart's token answer holds no access token", code="no_token", status=answer.status)
        return Token(value, float(whole(body.get("expires_in")) or TOKEN_LIFE_S))

    def _learn(self, budget: str, answer: Answer) -> None:
        """Walmart counts for us: what is left of this endpoint's bucket and when it is refilled."""
        left = whole(answer.header("x-current-token-count"))
        if left is None:
            return
        wait = errors.wait_s(
            {"x-next-replenishment-time": answer.header("x-next-replenishment-time") or ""}, self._ctx.clock.now()
        )
        self.budgets.learn(budget, remaining=left, reset_after_s=wait)


def classify_login(answer: Answer, call: Call) -> ConnectorError | None:
    """As `errors.classify`; a 400 at the token endpoint is about the login, never about an item."""
    error = errors.classify(answer, call)
    if isinstance(error, Rejected) and answer.status in {400, 403, 404}:
        return AuthFailed(error.message, code=error.code, status=error.status, correlation_id=error.correlation_id)
    return error
