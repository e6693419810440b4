"""Answers in Walmart's words: JSON, both error envelopes and their XML twin.

Source: error examples of the Walmart orders, inventory and feeds OpenAPI documents (2026-06).
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

from aiohttp import web

from connectors.sdk import exact

GATEWAY: Final = "GMP_GATEWAY_API"
ORDER_API: Final = "GMP_ORDER_API"
INVENTORY_API: Final = "GMP_INVENTORY_API"
FEEDS_API: Final = "GMP_ITEM_INGESTOR_API"
RETURNS_API: Final = "GMP_RETURNS_API"
WEBHOOKS_API: Final = "GMP_NOTIFICATIONS_API"
NESTED: Final = frozenset({ORDER_API})
"""APIs whose errors stand under `errors.error`; the others' stand directly under `errors`."""


class Refusal(Exception):
    """A request the contract does not allow."""

    def __init__(
        self,
        status: int,
        code: str,
        description: str,
        *,
        api: str = GATEWAY,
        field: str | None = None,
        category: str = "DATA",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.api = api
        self.headers = headers or {}
        self.row: dict[str, Any] = {
            "code": f"{code}.{api}",
            "field": field,
            "description": description,
            "info": "Request content is invalid." if status == 400 else description,
            "severity": "ERROR",
            "category": category,
            "causes": [],
            "errorIdentifiers": {},
        }

    def response(self, request: web.Request) -> web.Response:
        """XML where the client did not ask for JSON: the server picks by `Accept`."""
        if "json" in request.headers.get("Accept", ""):
            body: Any = {"errors": {"error": [self.row]}} if self.api in NESTED else {"errors": [self.row]}
            return web.Response(
                status=self.status, body=json.dumps(body), content_type="application/json", headers=self.headers
            )
        return web.Response(status=self.status, text=self._xml(), content_type="application/xml", headers=self.headers)

    def _xml(self) -> str:
        fields = "".join(
            f"<ns2:{name}>{escape(str(value))}</ns2:{name}>"
            for name, value in self.row.items()
            if isinstance(value, str)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            f'<ns2:errors xmlns:ns2="http://walmart.com/"><ns2:error>{fields}</ns2:error></ns2:errors>'
        )


def missing(what: str, api: str) -> Refusal:
    """Nothing found is an error here, also for a list."""
    return Refusal(404, "CONTENT_NOT_FOUND", what, api=api)


def invalid(description: str, api: str, field: str | None = None) -> Refusal:
    return Refusal(400, "INVALID_REQUEST_CONTENT", description, api=api, field=field)


def bad_parameter(name: str, description: str, api: str) -> Refusal:
    return Refusal(400, "INVALID_REQUEST_PARAM", description, api=api, field=name)


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=exact.dumps(body), content_type="application/json")


async def body_of(request: web.Request, api: str) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        Refusal: Another content type, or no JSON object.
    """
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json", api=api)
    try:
        body = exact.loads(await request.read())
    except exact.NotJson:
        raise invalid("the request body is not JSON", api) from None
    if not isinstance(body, dict):
        raise invalid("the request body is not an object", api)
    return body


def millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def money(amount: Decimal) -> dict[str, Any]:
    return {"currency": "USD", "amount": amount}


def quantity(amount: int) -> dict[str, str]:
    """Order quantities are texts."""
    return {"unitOfMeasurement": "EACH", "amount": str(amount)}
