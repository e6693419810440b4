"""The gateway: consent, tokens, scopes and the calls a day.

Source: developer.ebay.com OAuth pages and oauth-rate-limits page (2026-11); api_call_limits page
(2026-11): limits are per application and API and start again at midnight Pacific.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from connectors.ebay.fake.replies import ACCESS, OAUTH, Refusal, answer, iso
from connectors.sdk.faults import ExpiredTokens, Faults
from connectors.sdk.ports import Clock

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
ACCESS_LIFE_S: Final = 7_200
REFRESH_LIFE_S: Final = 47_304_000
SCOPE: Final = "https://api.ebay.com/oauth/api_scope"
FULFILLMENT_SCOPE: Final = f"{SCOPE}/sell.fulfillment"
INVENTORY_SCOPE: Final = f"{SCOPE}/sell.inventory"
ACCOUNT_SCOPE: Final = f"{SCOPE}/sell.account"
USER_SCOPES: Final = (SCOPE, FULFILLMENT_SCOPE, INVENTORY_SCOPE, ACCOUNT_SCOPE)
TOKEN_HEADER: Final = "X-EBAY-API-IAF-TOKEN"  # noqa: S105  # a header's name

DAILY: Final[Mapping[str, int]] = {
    "token.refresh_token": 50_000,
    "token.client_credentials": 1_000,
    "token.authorization_code": 10_000,
    "fulfillment": 2_500_000,
    "inventory": 2_000_000,
    "trading": 1_500_000,
    "post_order": 200_000,
    "notification": 10_000,
    "account": 25_000,
}
"""Calls a day. The rows of orders, inventory, Trading and Post-Order are not verified; they are bounds of ours."""


@dataclass
class Token:
    ends: datetime
    scopes: frozenset[str]
    user: bool


@dataclass
class Gate:
    """What every request passes. `consent` is the refresh token's scopes; empty it to take permissions away."""

    client_id: str
    client_secret: str
    ru_name: str
    clock: Clock
    faults: Faults
    consents: dict[str, frozenset[str]] = field(default_factory=dict)
    codes: dict[str, datetime] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=lambda: dict(DAILY))
    _day: date | None = None
    _spent: Counter[str] = field(default_factory=Counter)
    _issued: int = 0
    _expired: ExpiredTokens = field(init=False)

    def __post_init__(self) -> None:
        self._expired = ExpiredTokens(self.faults)

    async def token(self, request: web.Request) -> web.Response:
        """POST /identity/v1/oauth2/token."""
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _oauth_error(401, "invalid_client", "client authentication failed")
        if "x-www-form-urlencoded" not in request.headers.get("Content-Type", ""):
            return _oauth_error(400, "invalid_request", "request is missing a required parameter or malformed")
        form = {name: str(value) for name, value in (await request.post()).items()}
        grant = form.get("grant_type", "")
        if f"token.{grant}" not in DAILY:
            return _oauth_error(400, "unsupported_grant_type", "grant type in request is not supported")
        self.spend(f"token.{grant}")
        if grant == "client_credentials":
            if form.get("scope") != SCOPE:
                return _oauth_error(400, "invalid_scope", "The requested scope is invalid or exceeds what is granted")
            return answer(self._issue(frozenset({SCOPE}), user=False))
        if grant == "authorization_code":
            return self._exchange(form)
        scopes = self.consents.get(form.get("refresh_token", ""))
        if scopes is None:
            text = "the provided authorization refresh token is invalid or was issued to another client"
            return _oauth_error(400, "invalid_grant", text)
        return answer(self._issue(scopes, user=True))

    async def allowances(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's handler shape
        """GET /developer/analytics/v1_beta/rate_limit: what is left of the day."""
        self._turn()
        reset = iso(self.midnight())
        resources = [
            {
                "apiContext": "sell",
                "apiName": name,
                "apiVersion": "v1",
                "resources": [
                    {
                        "name": f"sell.{name}",
                        "rates": [
                            {
                                "count": self._spent[name],
                                "limit": limit,
                                "remaining": max(0, limit - self._spent[name]),
                                "reset": reset,
                                "timeWindow": 86_400,
                            }
                        ],
                    }
                ],
            }
            for name, limit in self.limits.items()
            if not name.startswith("token.")
        ]
        return answer({"rateLimits": resources})

    def admit(self, request: web.Request, api: str, scope: str | None, *, user: bool = True) -> None:
        """Token, scope and allowance of a call; `scope` None takes any token.

        Raises:
            Refusal: eBay's own words for what is wrong.
        """
        value = _token_of(request, api)
        if not value:
            raise Refusal(401, 1002, "Missing access token", domain=OAUTH)
        token = self.tokens.get(value)
        if token is None or token.ends <= self.clock.now() or self._expired.refuses(value):
            raise Refusal(401, 1001, "Invalid access token", domain=OAUTH)
        if (user and not token.user) or (scope is not None and scope not in token.scopes):
            text = "Insufficient permissions to fulfill the request."
            raise Refusal(403, 1100, "Access denied", domain=ACCESS, long_message=text)
        self.spend(api)

    def spend(self, name: str) -> None:
        """Take one call of the day.

        Raises:
            Refusal: None is left until midnight Pacific.
        """
        self._turn()
        if self._spent[name] >= self.limits[name]:
            text = "The request limit has been reached for the resource."
            raise Refusal(429, 2001, "Too many requests.", domain=ACCESS, long_message=text)
        self._spent[name] += 1

    def revoke(self) -> None:
        """The seller withdraws the consent: tokens made from it are worth nothing."""
        self.consents.clear()
        self.tokens = {value: token for value, token in self.tokens.items() if not token.user}

    def midnight(self) -> datetime:
        """The next one in California."""
        now = self.clock.now()
        tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), PACIFIC).astimezone(now.tzinfo)

    def _exchange(self, form: Mapping[str, str]) -> web.Response:
        ends = self.codes.pop(form.get("code", ""), None)
        if ends is None or ends <= self.clock.now():
            return _oauth_error(
                400, "invalid_grant", "the provided authorization grant code is invalid or was issued to another client"
            )
        if form.get("redirect_uri") != self.ru_name:
            return _oauth_error(400, "invalid_request", "redirect_uri does not match the code's")
        refresh = f"v^1.1#r^1#{len(self.consents) + 1}"
        self.consents[refresh] = frozenset(USER_SCOPES)
        granted = {"refresh_token": refresh, "refresh_token_expires_in": REFRESH_LIFE_S}
        return answer(self._issue(frozenset(USER_SCOPES), user=True) | granted)

    def _issue(self, scopes: frozenset[str], *, user: bool) -> dict[str, Any]:
        self._issued += 1
        value = f"v^1.1#i^1#{'I' if user else 'A'}{self._issued}#{int(self.clock.now().timestamp())}"
        self.tokens[value] = Token(self.clock.now() + timedelta(seconds=ACCESS_LIFE_S), scopes, user)
        self._expired.issued(value)
        kind = "User Access Token" if user else "Application Access Token"
        return {"access_token": value, "expires_in": ACCESS_LIFE_S, "token_type": kind}

    def _turn(self) -> None:
        today = self.clock.now().astimezone(PACIFIC).date()
        if today != self._day:
            self._day = today
            self._spent.clear()


def _token_of(request: web.Request, api: str) -> str:
    if api == "trading":
        return request.headers.get(TOKEN_HEADER, "")
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    allowed = ("IAF", "TOKEN", "Bearer") if api == "post_order" else ("Bearer",)
    return value if scheme in allowed else ""


def _oauth_error(status: int, code: str, description: str) -> web.Response:
    body = json.dumps({"error": code, "error_description": description})
    return web.Response(status=status, text=body, content_type="application/json")
