"""Answers in Amazon's words: JSON bodies, `errors` lists, exact money and millisecond instants.

Source: selling-partner-api-models (2026-08): every API answers errors as
`{"errors": [{"code", "message", "details"}]}`; older APIs wrap good answers in `payload`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

from aiohttp import web

from connectors.sdk import exact

DENIED: Final = "Access to requested resource is denied."
QUOTA: Final = "You exceeded your quota for the requested resource."
LIMIT_HEADER: Final = "x-amzn-RateLimit-Limit"


class Refusal(Exception):
    """A request the contract does not allow."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: str = "",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{message} {details}".strip())
        self.status = status
        self.headers = dict(headers or {})
        self.row = {"code": code, "message": message, "details": details}

    def response(self) -> web.Response:
        return web.Response(
            status=self.status,
            text=json.dumps({"errors": [self.row]}),
            content_type="application/json",
            headers=self.headers,
        )


def invalid(details: str) -> Refusal:
    return Refusal(400, "InvalidInput", "Invalid Input", details)


def missing(details: str) -> Refusal:
    return Refusal(404, "NotFound", "Resource not found.", details)


def denied(details: str = "") -> Refusal:
    return Refusal(403, "Unauthorized", DENIED, details)


def over_quota(rate: str | None = None) -> Refusal:
    """Amazon promises no Retry-After; the rate stands in a header, and on many errors not even that."""
    return Refusal(429, "QuotaExceeded", QUOTA, headers={LIMIT_HEADER: rate} if rate else None)


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=exact.dumps(body), content_type="application/json")


def storage_error(status: int, code: str, message: str) -> web.Response:
    """What the storage behind presigned addresses says, in XML."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return web.Response(status=status, text=text, content_type="application/xml")


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        Refusal: Another content type, or no JSON object.
    """
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, "UnsupportedMediaType", "The media type is not supported.")
    try:
        body = exact.loads(await request.read())
    except exact.NotJson:
        raise invalid("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise invalid("The body is no JSON object.")
    return body


def only(request: web.Request, known: Collection[str]) -> None:
    """Refuse parameters the operation does not have: a misspelt one would pass unnoticed otherwise."""
    unknown = sorted(set(request.query) - set(known))
    if unknown:
        raise invalid(f"Unknown query parameter: {', '.join(unknown)}")


def listed(request: web.Request, name: str, *, allowed: Collection[str] = (), most: int | None = None) -> list[str]:
    """A list parameter, its values split by commas or repeated."""
    values = [part for value in request.query.getall(name, []) for part in value.split(",") if part]
    strange = sorted(set(values) - set(allowed)) if allowed else []
    if strange:
        raise invalid(f"{name}: {', '.join(strange)} is not one of {', '.join(allowed)}")
    if most is not None and len(values) > most:
        raise invalid(f"{name}: at most {most} values")
    return values


def count_in(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 on; outside of its range it is refused, never clamped."""
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"{name} must be between 1 and {most}")
    return int(text)


def instant_in(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    return None if text is None else instant(text, name)


def instant(text: object, name: str) -> datetime:
    """An ISO 8601 instant with an offset.

    Raises:
        Refusal: Anything else.
    """
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid(f"{name}: {text} is not an ISO 8601 date-time") from None
    if at.tzinfo is None:
        raise invalid(f"{name}: {text} has no offset")
    return at.astimezone(UTC)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """Amounts are texts. Yen have no decimals."""
    return {"amount": str(amount), "currencyCode": currency}
