"""Shapes Walmart is loose about: lists that collapse, raw slices of a page, times in a query."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from connectors.sdk.errors import Transient
from connectors.sdk.http import Answer
from connectors.sdk.instants import from_epoch
from connectors.sdk.whole import whole


def many(value: Any) -> list[Any]:
    """A list as a list, one object as a list of it, nothing as none.

    Arrays stand under singular keys and JSON made from XML collapses one element to the element.
    """
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def raw_many(raw: msgspec.Raw) -> list[bytes]:
    """As `many`, on bytes that are not decoded: the items exactly as Walmart wrote them."""
    text = bytes(raw).strip()
    if text in (b"", b"null"):
        return []
    if text.startswith(b"["):
        return [bytes(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
    return [text]


def decode(answer: Answer, shape: Any) -> Any:
    """The body as `shape`.

    Raises:
        Transient: Not JSON, or nothing like the contract; an XML page of a proxy is the usual case.
    """
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = "XML although JSON was asked for" if answer.content.lstrip().startswith(b"<") else "an unexpected body"
        raise Transient(
            f"{answer.call.kind}: Walmart answered {kind}",
            code="unexpected_body",
            status=answer.status,
            correlation_id=answer.correlation_id,
        ) from error


def query_time(at: datetime) -> str:
    """Seconds and "Z": queries take no fractions. Source: orders OpenAPI document, 2026-06."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def server_time(answer: Answer) -> datetime | None:
    """Walmart's own clock at the answer, when it says."""
    text = answer.header("date")
    if text is None:
        return None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def from_millis(value: Any) -> datetime | None:
    """Epoch milliseconds, number or text; None for anything else."""
    millis = whole(value)
    return from_epoch(millis / 1000) if millis is not None and millis >= 0 else None


def counted(value: object) -> int:
    """A total as Walmart states it, number or text; nothing readable is 0."""
    return whole(value) or 0
