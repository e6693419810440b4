"""The gateway: tokens, required headers, rate limits.

Source: Walmart authentication OpenAPI document (2026-06); rate limits table (2026-04-15, re-read
2026-08-05): a token bucket per seller and endpoint, its state in headers on every answer.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.sdk.faults import ExpiredTokens, Faults
from connectors.sdk.ports import Clock
from connectors.walmart.fake.replies import Refusal, answer, millis

TOKEN_LIFE_S: Final = 900
SCOPES: Final = (
    "reports", "item", "shipping", "price", "lagtime", "feeds", "returns", "orders", "rules", "inventory", "content",
)  # fmt: skip
_UUID: Final = re.compile(r"[0-9a-fA-F-]{32,36}")

LIMITS: Final[tuple[tuple[str, str, int, int], ...]] = (
    ("POST", r"/v3/token", 600, 60),
    ("GET", r"/v3/orders/released", 60, 60),
    ("GET", r"/v3/orders(/[^/]+)?", 5000, 60),
    ("POST", r"/v3/orders/[^/]+/acknowledge", 60, 60),
    ("POST", r"/v3/orders/[^/]+/shipping", 60, 60),
    ("POST", r"/v3/orders/[^/]+/cancel", 60, 60),
    ("POST", r"/v3/orders/[^/]+/refund", 60, 60),
    ("GET", r"/v3/returns", 50, 60),
    ("GET", r"/v3/inventory", 200, 60),
    ("PUT", r"/v3/inventory", 200, 60),
    ("GET", r"/v3/inventories", 200, 60),
    ("GET", r"/v3/inventories/[^/]+", 200, 60),
    ("PUT", r"/v3/inventories/[^/]+", 200, 60),
    ("GET", r"/v3/fulfillment/inventory", 100, 60),
    ("POST", r"/v3/feeds\?feedType=inventory", 10, 3600),
    ("POST", r"/v3/feeds\?feedType=MP_INVENTORY", 50, 3600),
    ("GET", r"/v3/feeds(/[^/]+)?", 5000, 60),
    ("GET", r"/v3/webhooks/subscriptions", 50, 60),
    ("POST", r"/v3/webhooks/subscriptions", 200, 60),
    ("PATCH", r"/v3/webhooks/subscriptions/[^/]+", 5, 60),
    ("DELETE", r"/v3/webhooks/subscriptions/[^/]+", 10, 60),
    ("GET", r"/v3/webhooks/eventTypes", 5, 60),
    ("POST", r"/v3/webhooks/test", 10, 60),
)
"""(method, path with the feed type where it counts, calls, seconds)"""


@dataclass
class _Bucket:
    size: int
    seconds: int
    tokens: float
    at: datetime

    def refill(self, now: datetime) -> None:
        elapsed_s = max(0.0, (now - self.at).total_seconds())
        self.tokens = min(self.size, self.tokens + elapsed_s * self.size / self.seconds)
        self.at = now

    def next_token_at(self, now: datetime) -> datetime:
        missing = max(0.0, 1 - self.tokens)
        return now + timedelta(seconds=missing * self.seconds / self.size)


@dataclass
class Gate:
    """What every request passes. `scopes` may be changed to take a permission away."""

    client_id: str
    client_secret: str
    clock: Clock
    faults: Faults
    scopes: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SCOPES, "full_access"))
    tokens: dict[str, datetime] = field(default_factory=dict)
    limited: bool = True
    _buckets: dict[int, _Bucket] = field(default_factory=dict)
    _issued: int = 0
    _expired: ExpiredTokens = field(init=False)

    def __post_init__(self) -> None:
        self._expired = ExpiredTokens(self.faults)

    async def token(self, request: web.Request) -> web.Response:
        """POST /v3/token."""
        self._common(request)
        if "x-www-form-urlencoded" not in request.headers.get("Content-Type", ""):
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/x-www-form-urlencoded")
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            raise Refusal(401, "INVALID_CREDENTIALS", "Client id or client secret is wrong", category="REQUEST")
        grant = (await request.post()).get("grant_type")
        if grant != "client_credentials":
            raise Refusal(
                400, "INVALID_REQUEST_PARAM", f"grant_type {grant!r} is not possible here", field="grant_type"
            )
        self._issued += 1
        value = f"eyJraWQi.{self._issued}.{millis(self.clock.now())}"
        self.tokens[value] = self.clock.now() + timedelta(seconds=TOKEN_LIFE_S)
        self._expired.issued(value)
        return answer({"access_token": value, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S})

    async def detail(self, request: web.Request) -> web.Response:
        """GET /v3/token/detail; times are texts."""
        ends = self.tokens[request.headers["WM_SEC.ACCESS_TOKEN"]]
        body: dict[str, Any] = {
            "expire_at": str(millis(ends)),
            "issued_at": str(millis(ends - timedelta(seconds=TOKEN_LIFE_S))),
            "is_valid": True,
            "is_channel_match": True,
            "scopes": dict(self.scopes),
        }
        return answer(body)

    def admit(self, request: web.Request, scope: str | None) -> None:
        """Headers, token and scope of a call.

        Raises:
            Refusal: Walmart's own words for what is wrong.
        """
        self._common(request)
        token = request.headers.get("WM_SEC.ACCESS_TOKEN")
        ends = self.tokens.get(token or "")
        if ends is None or ends <= self.clock.now() or self._expired.refuses(token or ""):
            raise Refusal(401, "UNAUTHORIZED", "Unauthorized", category="REQUEST", field="UNAUTHORIZED")
        level = self.scopes.get(scope, "full_access") if scope else "full_access"
        if level == "no_access" or (level == "view_only" and request.method != "GET"):
            raise Refusal(403, "FORBIDDEN", f"The key has {level} to {scope}", category="REQUEST")

    def spend(self, request: web.Request) -> dict[str, str]:
        """Take one call from its bucket; gives the headers that tell what is left.

        Raises:
            Refusal: 429, with the time of the next token.
        """
        bucket = self._bucket(request)
        if bucket is None or not self.limited:
            return {}
        now = self.clock.now()
        bucket.refill(now)
        if bucket.tokens < 1:
            raise self.too_many(bucket.next_token_at(now), None)
        bucket.tokens -= 1
        return self._headers(int(bucket.tokens), bucket.next_token_at(now))

    def too_many(self, at: datetime | None, retry_after_s: float | None) -> Refusal:
        """Walmart's 429."""
        headers = self._headers(0, at) if at is not None else {}
        if retry_after_s is not None:
            headers["Retry-After"] = f"{retry_after_s:g}"
        text = "Too many requests"
        return Refusal(429, "REQUEST_THRESHOLD_VIOLATED", text, category="REQUEST", headers=headers)

    def _common(self, request: web.Request) -> None:
        for name in ("WM_QOS.CORRELATION_ID", "WM_SVC.NAME"):
            if not request.headers.get(name):
                raise Refusal(400, "INVALID_REQUEST_HEADER", f"{name} is missing", field=name, category="REQUEST")
        if not _UUID.fullmatch(request.headers["WM_QOS.CORRELATION_ID"]):
            text = "WM_QOS.CORRELATION_ID is no GUID"
            raise Refusal(400, "INVALID_REQUEST_HEADER", text, field="WM_QOS.CORRELATION_ID", category="REQUEST")

    def _bucket(self, request: web.Request) -> _Bucket | None:
        path = request.path
        if request.method == "POST" and path == "/v3/feeds":
            path += f"?feedType={request.query.get('feedType', '')}"
        for index, (method, pattern, calls, seconds) in enumerate(LIMITS):
            if method == request.method and re.fullmatch(pattern, path):
                now = self.clock.now()
                return self._buckets.setdefault(index, _Bucket(calls, seconds, calls, now))
        return None

    @staticmethod
    def _headers(left: int, at: datetime | None) -> dict[str, str]:
        headers = {"x-current-token-count": str(left)}
        return headers | ({"X-Next-Replenishment-Time": str(millis(at))} if at else {})
