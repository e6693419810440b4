"""Login with Amazon and what every call passes: token, role, usage plan.

Source: developer-docs.amazon.com/sp-api, "Connect to the Selling Partner API" (2026-11): form-encoded
token requests, tokens of an hour in `x-amz-access-token`, `client_credentials` with a scope for
grantless operations; a signature is ignored since 2023-10.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from connectors.amazon.fake.rates import Buckets
from connectors.amazon.fake.replies import answer, denied
from connectors.sdk.faults import ExpiredTokens, Faults
from connectors.sdk.ports import Clock

ACCESS_LIFE_S: Final = 3_600
GRANTLESS_SCOPE: Final = "sellingpartnerapi::notifications"
EXPIRED: Final = "The access token you provided has expired."
GRANTLESS: Final = frozenset(
    {"createDestination", "getDestinations", "getDestination", "deleteDestination", "deleteSubscriptionById"}
)
EITHER: Final = frozenset({"getSubscriptionById"})
WITHOUT_ROLE: Final = frozenset({"getMarketplaceParticipations"})
"""What still answers when the role for orders and listings is taken away."""


@dataclass
class Token:
    ends: datetime
    grantless: bool


@dataclass
class Gate:
    """One application and one selling partner. `roles` False means that the application lost its roles."""

    client_id: str
    client_secret: str
    refresh_token: str
    clock: Clock
    faults: Faults
    buckets: Buckets
    roles: bool = True
    revoked: bool = False
    tokens: dict[str, Token] = field(default_factory=dict)
    _issued: int = 0
    _expired: ExpiredTokens = field(init=False)

    def __post_init__(self) -> None:
        self._expired = ExpiredTokens(self.faults)

    async def token(self, request: web.Request) -> web.Response:
        """POST /auth/o2/token."""
        if "x-www-form-urlencoded" not in request.headers.get("Content-Type", ""):
            return _login_error(400, "invalid_request", "The content type must be application/x-www-form-urlencoded")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            return _login_error(401, "invalid_client", "Client authentication failed")
        grant = form.get("grant_type")
        if grant == "client_credentials":
            if form.get("scope") != GRANTLESS_SCOPE:
                return _login_error(400, "invalid_scope", "An unknown scope was requested")
            return self._issue(grantless=True)
        if grant != "refresh_token":
            return _login_error(400, "unsupported_grant_type", "The authorization grant type is not supported")
        if self.revoked or form.get("refresh_token") != self.refresh_token:
            return _login_error(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
        return self._issue(grantless=False)

    def admit(self, request: web.Request, operation: str) -> None:
        """Token, role and allowance of a call.

        Raises:
            Refusal: 403 for the token or the role, 429 for the usage plan.
        """
        value = request.headers.get("x-amz-access-token", "")
        token = self.tokens.get(value)
        if token is None:
            raise denied("The access token is missing or unknown.")
        if token.ends <= self.clock.now() or self._expired.refuses(value):
            raise denied(EXPIRED)
        if operation not in EITHER and token.grantless != (operation in GRANTLESS):
            raise denied("The token is of the wrong kind for this operation.")
        if not token.grantless and (self.revoked or not (self.roles or operation in WITHOUT_ROLE)):
            raise denied()
        self.buckets.take(operation)

    def revoke(self) -> None:
        """The seller withdraws the authorisation: no new tokens, and those issued are refused."""
        self.revoked = True

    def expire(self) -> None:
        """Every access token has come to its end."""
        for token in self.tokens.values():
            token.ends = self.clock.now()

    def _issue(self, *, grantless: bool) -> web.Response:
        self._issued += 1
        value = f"Atza|sandbox-{'app' if grantless else 'seller'}-{self._issued}"
        self.tokens[value] = Token(self.clock.now() + timedelta(seconds=ACCESS_LIFE_S), grantless)
        self._expired.issued(value)
        body = {"access_token": value, "token_type": "bearer", "expires_in": ACCESS_LIFE_S}
        if not grantless:
            body["refresh_token"] = self.refresh_token
        return answer(body)


def _login_error(status: int, code: str, description: str) -> web.Response:
    body = json.dumps({"error": code, "error_description": description})
    return web.Response(status=status, text=body, content_type="application/json")
