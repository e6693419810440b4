"""The USPS sandbox: a fake of Tracking and the login, with the Postal Service's small allowance.

Source: USPS Tracking 3.2.6 OpenAPI document (2026-08); the token's answer and the refusals of a login without
the scope as shown in USPS/api-examples issues 28, 56 and 107 (2024-03 to 2026-03).
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk.carrier_sandbox import CarrierSandbox, fitting
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox_tokens import BearerTokens
from connectors.usps.fake import answers
from connectors.usps.settings import CALLS_PER_HOUR

CLIENT_ID: Final = "sandbox-usps-consumer-key"
CLIENT_SECRET: Final = "sandbox-usps-consumer-secret"  # noqa: S105  # of the sandbox alone
TOKEN_LIFE_S: Final = 28_799
SCOPES: Final = ("domestic-prices", "addresses", "service-standards", "locations", "tracking")
HOUR: Final = timedelta(hours=1)


class UspsSandbox(CarrierSandbox):
    """One app. `calls_per_hour` are counted over logins and questions alike; faults are not counted."""

    name: ClassVar[str] = "usps"
    calls_per_hour: int = CALLS_PER_HOUR

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.tokens = BearerTokens("usps", self.clock, self.faults, life_s=TOKEN_LIFE_S)
        self.scopes = list(SCOPES)
        self._calls: deque[datetime] = deque()

    def number(self, index: int) -> str:
        return fitting(f"9400111899223{index:08d}", "usps")

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "usps",
            "base_url": self.base_url,
            "credentials": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            "options": {},
        }

    def drop_scope(self) -> None:
        """The app has the default products alone, Tracking not among them."""
        self.scopes = [scope for scope in self.scopes if scope != "tracking"]

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/oauth2/v3/token", self._token),
            web.get("/tracking/v3/tracking/{trackingNumber}", self._tracking),
        ]

    async def writes(self, request: web.Request) -> bool:  # noqa: ARG002 - asking is all one can do here
        return False

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        response = _refusal(429, "Too many requests have been received from client in a short amount of time.")
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _refusal(503, "Service Unavailable")

    async def _token(self, request: web.Request) -> web.Response:
        """POST /oauth2/v3/token: JSON; the answer says what the token is good for."""
        if (limited := self._spent()) is not None:
            return limited
        try:
            wanted = json.loads(await request.read())
        except ValueError:
            wanted = None
        if not isinstance(wanted, dict) or wanted.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type", "error_uri": ""}, status=400)
        if (wanted.get("client_id"), wanted.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            text = "The client application credentials provided in the request are missing, invalid or inactive."
            return web.json_response({"error": "invalid_client", "error_description": text}, status=401)
        return web.json_response(
            {
                "access_token": self.tokens.give(),
                "token_type": "Bearer",
                "issued_at": int(self.clock.now().timestamp() * 1000),
                "expires_in": TOKEN_LIFE_S,
                "status": "approved",
                "scope": " ".join(self.scopes),
                "api_products": "[Public Access I]",
            }
        )

    async def _tracking(self, request: web.Request) -> web.Response:
        if (limited := self._spent()) is not None:
            return limited
        if not self.tokens.admits(request):
            return _refusal(401, "The access token presented is invalid or has expired.")
        if "tracking" not in self.scopes:
            return _refusal(401, "The client application identifier is invalid.")
        if request.query.get("expand", "SUMMARY") not in ("SUMMARY", "DETAIL"):
            return _refusal(400, "OASValidation of request", "010001")
        number = request.match_info["trackingNumber"]
        if not re.fullmatch(r"[0-9A-Z]{10,34}", number):
            return _refusal(400, "The tracking number is not of a kind the Postal Service gives out.", "150002")
        parcel = self.parcels.get(number)
        scans = parcel.shown(self.clock.now()) if parcel else []
        if parcel is None or not scans:
            return web.json_response(answers.no_news(), status=400)
        return web.json_response(answers.details(parcel, scans))

    def _spent(self) -> web.Response | None:
        """The refusal once the hour's calls are used up, with the seconds until the oldest of them falls out."""
        now = self.clock.now()
        while self._calls and self._calls[0] <= now - HOUR:
            self._calls.popleft()
        if len(self._calls) < self.calls_per_hour:
            self._calls.append(now)
            return None
        wait_s = int((self._calls[0] + HOUR - now).total_seconds()) + 1
        self.record("quota.spent", wait_s=wait_s)
        response = _refusal(429, "Too many requests have been received from client in a short amount of time.")
        response.headers["Retry-After"] = str(wait_s)
        return response


def _refusal(status: int, message: str, code: str = "") -> web.Response:
    rows = [{"status": str(status), "code": code, "title": "", "detail": message}] if code else []
    body = {"apiVersion": "/tracking/v3", "error": {"code": str(status), "message": message, "errors": rows}}
    return web.json_response(body, status=status)
