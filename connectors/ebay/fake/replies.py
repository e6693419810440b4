"""Answers in eBay's words: JSON bodies, money as text, and the error shapes of REST and Post-Order.

Source: error models of sell/fulfillment v1.20.7, sell/inventory 1.18.4 and commerce/notification
v1.6.2 OpenAPI documents (2025-11); captured error bodies (2021-10 to 2026-06).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from connectors.sdk import exact

FULFILLMENT: Final = "API_FULFILLMENT"
INVENTORY: Final = "API_INVENTORY"
NOTIFICATION: Final = "API_NOTIFICATION"
POST_ORDER: Final = "returnErrorDomain"
ACCESS: Final = "ACCESS"
OAUTH: Final = "OAuth"
CURRENCY: Final = "USD"


class Refusal(Exception):
    """A request the contract does not allow, with eBay's error id."""

    def __init__(
        self,
        status: int,
        error_id: int,
        message: str,
        *,
        domain: str = INVENTORY,
        category: str = "REQUEST",
        long_message: str = "",
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.domain = domain
        self.headers = dict(headers or {})
        self.row: dict[str, Any] = {
            "errorId": error_id,
            "domain": domain,
            "category": category,
            "message": message,
            "longMessage": long_message or message,
        }
        if parameters:
            self.row["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()]

    def response(self) -> web.Response:
        """Post-Order says `error` and `parameter`, the others `errors` and `parameters`."""
        if self.domain == POST_ORDER:
            row = {name: value for name, value in self.row.items() if name != "parameters"}
            body: Any = {"error": [row | {"parameter": self.row.get("parameters", []), "httpStatusCode": self.status}]}
        else:
            body = {"errors": [self.row]}
        return web.Response(
            status=self.status, text=json.dumps(body), content_type="application/json", headers=self.headers
        )


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=exact.dumps(body), content_type="application/json", headers=headers)


def empty(status: int = 204, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers=headers)


async def body_of(request: web.Request, domain: str, error_id: int) -> dict[str, Any]:
    """The JSON object of a request; `error_id` is the API's own for a body it cannot read.

    Raises:
        Refusal: Another content type, or no JSON object.
    """
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, error_id, "Content-Type must be application/json", domain=domain)
    try:
        body = exact.loads(await request.read())
    except exact.NotJson:
        raise Refusal(400, error_id, "Could not serialize the request", domain=domain) from None
    if not isinstance(body, dict):
        raise Refusal(400, error_id, "The request is no JSON object", domain=domain)
    return body


def count_in(request: web.Request, name: str, default: int, least: int, most: int, refusal: Refusal) -> int:
    """A whole number of the query; outside of its range it is refused, never clamped."""
    text = request.query.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= most:
        raise refusal
    return int(text)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def money(amount: Decimal) -> dict[str, str]:
    """Amounts are texts."""
    return {"value": f"{amount:.2f}", "currency": CURRENCY}
