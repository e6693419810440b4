"""Returns: reading what changed.

Source: Walmart returns OpenAPI document, GET /v3/returns (2026-06). A range needs both its ends
(one alone is answered 400); `nextCursor` is a query string to be sent back untouched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.sdk import exact
from connectors.sdk.contract import Envelope
from connectors.sdk.errors import TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.instants import read_instant
from connectors.walmart import topics
from connectors.walmart.api import Api
from connectors.walmart.walk import Found, Walk
from connectors.walmart.wire import counted, decode, many, query_time, raw_many

PATH: Final = "/v3/returns"


class _ReturnsPage(msgspec.Struct):
    meta: dict[str, Any] | None = None
    returnOrders: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815  # Walmart's name


class ReturnsNoun:
    path = PATH
    budget = "returns"
    kind = "returns.list"

    def first_query(self, walk: Walk, limit: int) -> Mapping[str, str | int]:
        begin, end = walk.windows[0]
        return {
            "returnLastModifiedStartDate": query_time(begin),
            "returnLastModifiedEndDate": query_time(end),
            "replacementInfo": "true",
            "limit": limit,
        }

    def read(self, answer: Answer) -> Found:
        page: _ReturnsPage = decode(answer, _ReturnsPage)
        meta = page.meta or {}
        return Found(
            envelopes=[envelope(raw) for raw in raw_many(page.returnOrders)],
            next=meta.get("nextCursor") or None,
            total=counted(meta.get("totalCount")),
        )


def envelope(raw: bytes) -> Envelope:
    """One return order as received, wrapped as a page of one."""
    body = exact.loads(raw)
    digest = hashlib.sha256(exact.canonical(body)).hexdigest()[:32]
    number = body.get("returnOrderId") if isinstance(body, Mapping) else None
    key = str(number) if number else digest
    return Envelope(
        topic=topics.RETURNS,
        dedupe_key=f"return:{key}:{digest}",
        ordering_key=f"return:{key}",
        payload=b'{"returnOrders":[' + raw + b"]}",
        occurred_at=changed_at(body) if isinstance(body, Mapping) else None,
    )


def changed_at(body: Mapping[str, Any]) -> datetime | None:
    """The latest time anything on the return happened."""
    times = [read_instant(body.get("returnOrderDate"))]
    for line in many(body.get("returnOrderLines")):
        if not isinstance(line, Mapping):
            continue
        times.append(read_instant(line.get("statusTime")))
        times += [read_instant(row.get("eventTime")) for row in many(line.get("returnTrackingDetail")) if row]
        times += [read_instant(row.get("statusTime")) for row in many(line.get("currentTrackingStatuses")) if row]
    return max((at for at in times if at is not None), default=None)


async def current(api: Api, number: str) -> list[Envelope]:
    """The present state of a return. There is no read by id, so the list is asked for it.

    Raises:
        Transient: Not readable yet.
    """
    try:
        answer = await api.get(PATH, kind="returns.list", budget="returns", params={"returnOrderId": number})
    except TargetMissing as error:
        raise Transient(f"return {number} cannot be read yet", code=error.code, status=404) from error
    return list(ReturnsNoun().read(answer).envelopes)
