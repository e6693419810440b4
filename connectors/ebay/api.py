"""eBay's wire: tokens, headers, budgets. Everything that calls eBay passes here.

Source: Sell API OpenAPI documents (2025-11): `Content-Language` is required on inventory and offer
writes; Post-Order pages "making a call" (two versions, read 2026-11) disagree on the scheme of the
Authorization header, so it is an option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.ebay import errors
from connectors.ebay.login import Login
from connectors.ebay.manifest import BUDGETS
from connectors.ebay.settings import Settings
from connectors.sdk import exact
from connectors.sdk.auth import TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import AuthFailed, RateLimited
from connectors.sdk.http import Answer, HttpClient
from connectors.sdk.queries import encoded

CORRELATION_HEADERS: Final = ("x-ebay-request-id", "x-ebay-c-request-id", "rlogid")
FULFILLMENT: Final = "/sell/fulfillment/v1"
INVENTORY: Final = "/sell/inventory/v1"
NOTIFICATION: Final = "/commerce/notification/v1"
POST_ORDER: Final = "/post-order/v2"
TRADING: Final = "/ws/api.dll"
QUOTA_WAIT_S: Final = 900.0
DAY_LIMIT_CODES: Final = frozenset({"2001", "2002"})

LANGUAGES: Final[Mapping[str, str]] = {
    "EBAY_AT": "de-AT", "EBAY_AU": "en-AU", "EBAY_BE": "nl-BE", "EBAY_CA": "en-CA", "EBAY_CH": "de-CH",
    "EBAY_DE": "de-DE", "EBAY_ES": "es-ES", "EBAY_FR": "fr-FR", "EBAY_GB": "en-GB", "EBAY_HK": "zh-HK",
    "EBAY_IE": "en-IE", "EBAY_IT": "it-IT", "EBAY_MY": "en-MY", "EBAY_NL": "nl-NL", "EBAY_PH": "en-PH",
    "EBAY_PL": "pl-PL", "EBAY_SG": "en-SG",
}  # fmt: skip
# Source: developer.ebay.com "HTTP request headers", marketplace and language table (read 2026-11); US is en-US.


class Api:
    """One account's calls. For one event loop; any number of tasks.

    A token lasts two hours; one task renews it for all, and a 401 earns one renewal and one more try.
    """

    def __init__(self, ctx: AccountContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings
        self.budgets = BudgetBook(ctx.clock, BUDGETS)
        self.login = Login(ctx, settings, self.budgets)
        self._user = self._client(TokenHeader(self.login.user))
        self._application = self._client(TokenHeader(self.login.application))
        prefix = f"{settings.post_order_scheme} "
        self._post_order = self._client(TokenHeader(self.login.user, prefix=prefix))
        self._trading = self._client(TokenHeader(self.login.user, header="X-EBAY-API-IAF-TOKEN", prefix=""))

    async def close(self) -> None:
        await self.login.close()
        for client in (self._user, self._application, self._post_order, self._trading):
            await client.close()

    async def get(self, path: str, *, kind: str, budget: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """A read with the seller's token."""
        return await self._send(self._user, "GET", path, kind=kind, budget=budget, params=params)

    async def send(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        budget: str,
        json: Any = None,
        keyed: bool = False,
        signed: bool = False,
    ) -> Answer:
        """A write with the seller's token. `keyed` says that doing it twice is the same as once.

        `signed`: eBay asks a digital signature of some sellers here; it is made where there is a key.
        """
        headers = {"content-language": LANGUAGES.get(self._settings.marketplace, "en-US")}
        return await self._send(
            self._user,
            method,
            path,
            kind=kind,
            budget=budget,
            json=json,
            headers=headers,
            write=True,
            keyed=keyed,
            signed=signed,
        )

    async def ask(self, path: str, *, kind: str, budget: str, json: Any) -> Answer:
        """A read that eBay wants as POST: nothing changes there."""
        return await self._send(self._user, "POST", path, kind=kind, budget=budget, json=json)

    async def application(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        keyed: bool = False,
        budget: str = "notification",
    ) -> Answer:
        """A call of the Notification API as the application, not as the seller."""
        return await self._send(
            self._application,
            method,
            f"{NOTIFICATION}{path}",
            kind=kind,
            budget=budget,
            params=params,
            json=json,
            write=method != "GET",
            keyed=keyed,
        )

    async def post_order(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        write: bool = False,
        signed: bool = False,
    ) -> Answer:
        """A call of Post-Order with the seller's token, under the scheme of the account's options.

        Raises:
            Rejected: Post-Order refuses a token that the login gave and other calls carry: its scheme or its scope is
                another. Orders and numbers must not be held for that.
        """
        # Post-Order spells marketplaces with a dash. Source: its request header tables (2026-11).
        headers = {"x-ebay-c-marketplace-id": self._settings.marketplace.replace("_", "-")}
        try:
            return await self._send(
                self._post_order,
                method,
                f"{POST_ORDER}{path}",
                kind=kind,
                budget="post_order",
                params=params,
                json=json,
                headers=headers,
                write=write,
                signed=signed,
            )
        except AuthFailed as error:
            if error.code in errors.BY_OAUTH_CODE:
                raise
            raise errors.post_order_refused(error, self._settings.post_order_scheme) from error

    async def trading(self, call: str, body: bytes, headers: Mapping[str, str], *, write: bool) -> Answer:
        """One XML call. Revisions of stock are absolute, so a write may be repeated."""
        return await self._trading.request(
            "POST",
            TRADING,
            content=body,
            headers={"content-type": "text/xml", "accept": "text/xml", "x-ebay-api-call-name": call, **headers},
            kind=f"trading.{call}",
            budget="trading",
            write=write,
            keyed=True,
        )

    async def token(self) -> str:
        """The seller's token that calls carry now."""
        return await self.login.user.get()

    def token_refused(self, token: str) -> None:
        """An answer that said 200 refused this token; the next call carries another."""
        self.login.user.invalidate(token)

    async def _send(
        self,
        client: HttpClient,
        method: str,
        path: str,
        *,
        kind: str,
        budget: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
        keyed: bool = False,
        signed: bool = False,
    ) -> Answer:
        # What is signed are the very bytes that are sent.
        content = exact.dumps(json) if json is not None else None
        given = {"content-type": "application/json"} if content is not None else {}
        try:
            return await client.request(
                method,
                path,
                # eBay wants [ ] { } | of its filters escaped.
                raw_query=encoded(params or {}) or None,
                content=content,
                headers={**given, **(headers or {})},
                fresh_headers=self._signing(method, path, content) if signed else None,
                kind=kind,
                budget=budget,
                write=write,
                keyed=keyed,
            )
        except RateLimited as error:
            if error.code in DAY_LIMIT_CODES and error.retry_after_s is None:
                # The day's calls are spent until midnight Pacific. Some limits are shorter and the
                # answer does not say which this is, so eBay is asked again every quarter of an hour.
                wait_s = min(errors.until_midnight_s(self._ctx.clock.now()), QUOTA_WAIT_S)
                self.budgets.hold(budget, wait_s)
                message = f"{error.message}; a daily limit starts again at midnight Pacific"
                raise RateLimited(
                    message,
                    retry_after_s=wait_s,
                    code=error.code,
                    status=error.status,
                    correlation_id=error.correlation_id,
                ) from error
            raise

    def _signing(self, method: str, path: str, body: bytes | None) -> Callable[[], Mapping[str, str]] | None:
        """Makes the signature of each try; None where the account has no key to sign with."""
        signer, clock = self._settings.signer, self._ctx.clock
        if signer is None:
            return None
        url = f"{self._settings.base_url}{path}"
        return lambda: signer.headers(method, url, body, int(clock.now().timestamp()))

    def _client(self, authorize: TokenHeader) -> HttpClient:
        return HttpClient(
            self._ctx,
            base_url=self._settings.base_url,
            budgets=self.budgets,
            classify=errors.classify,
            authorize=authorize,
            headers={"x-ebay-c-marketplace-id": self._settings.marketplace},
            correlation_headers=CORRELATION_HEADERS,
        )
