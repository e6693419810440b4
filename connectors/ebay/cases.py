"""Cancellations and returns: the Post-Order searches, read again over a look-back at every sweep.

Both searches filter by creation only, so a change to an older one is found by reading the look-back
again; what has not changed has the same dedupe key. A cancellation is a hint: its order is read.

Source: developer.ebay.com Post-Order "search cancellations", "search returns" (2.7.8 and 2.8.0, read
2026-11); Post-Order OpenAPI documents return and cancellation 0.1 (community, 2025). The searches
are not supported in eBay's sandbox.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.ebay import moments, topics
from connectors.ebay.api import Api
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Transient
from connectors.sdk.whole import whole

log = structlog.get_logger(__name__)

PAGE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the two. `rows` are the names the list of members may stand under."""

    name: str
    path: str
    topic: str
    rows: tuple[str, ...]
    id: str
    look_back_days: int
    created: tuple[str, ...]


CANCELLATIONS: Final = Kind(
    name="cancellations",
    path="/cancellation/search",
    topic=topics.CANCELLATION,
    rows=("cancellations", "members"),
    id="cancelId",
    # A seller may cancel up to 30 days after the sale; a request is settled in about two weeks.
    look_back_days=45,
    created=("cancelCloseDate", "cancelRequestDate"),
)
RETURNS: Final = Kind(
    name="returns",
    path="/return/search",
    topic=topics.RETURNS,
    rows=("members", "returns"),
    id="returnId",
    # The longest return window eBay lets a seller offer is 60 days, and the parcel has to travel.
    look_back_days=90,
    created=("closeInfo.closeDate", "creationInfo.creationDate"),
)


class Cases:
    """One of the two streams. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, kind: Kind) -> None:
        self._ctx = ctx
        self._api = api
        self._kind = kind

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page; cursor `{"from", "to", "offset"}` under way, `{"swept"}` at rest."""
        state = dict(cursor) if cursor and "offset" in cursor else self._start(since)
        size = max(1, min(limit, PAGE_MAX))
        params: dict[str, str | int] = {
            "creation_date_range_from": state["from"],
            "creation_date_range_to": state["to"],
            "role": "SELLER",
            "limit": size,
            "offset": state["offset"],
        }
        kind = f"{self._kind.name}.list"
        answer = await self._api.post_order("GET", self._kind.path, kind=kind, params=params)
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Transient(f"{kind}: the answer is no page", **answer.facts("unexpected_body"))
        found: list[Any] = next((body[name] for name in self._kind.rows if isinstance(body.get(name), list)), [])
        envelopes = [self._envelope(row) for row in found if isinstance(row, Mapping)]
        offset, total = state["offset"] + len(found), _total(body)
        if found and (offset < total if total is not None else len(found) >= size):
            return Page(envelopes, state | {"offset": offset}, more=True)
        if total is not None and offset < total:
            log.warning("ebay.page_short", account=self._ctx.account, stream=self._kind.name, read=offset, total=total)
        return Page(envelopes, {"swept": state["to"]}, more=False, watermark=moments.read(state["to"]))

    def _start(self, since: datetime | None) -> dict[str, Any]:
        now = self._ctx.clock.now()
        begin = now - timedelta(days=self._kind.look_back_days)
        return {"from": moments.text(min(begin, since or begin)), "to": moments.text(now), "offset": 0}

    def _envelope(self, row: Mapping[str, Any]) -> Envelope:
        digest = hashlib.sha256(exact.canonical(row)).hexdigest()[:32]
        number = str(row.get(self._kind.id) or digest)
        payload: Any = {"members": [row]} if self._kind is RETURNS else row
        instants = (moments.read(_at(row, path)) for path in self._kind.created)
        return Envelope(
            topic=self._kind.topic,
            dedupe_key=f"{self._kind.name}:{number}:{digest}",
            ordering_key=f"{self._kind.name}:{number}",
            payload=exact.dumps(payload),
            occurred_at=next((at for at in instants if at is not None), None),
        )


def order_of(payload: bytes) -> str | None:
    """The order a cancellation belongs to. Post-Order knows the legacy id, the same one for all but old orders."""
    try:
        body = exact.loads(payload)
    except exact.NotJson:
        return None
    found = (body.get("orderId") or body.get("legacyOrderId")) if isinstance(body, Mapping) else None
    return str(found) if found else None


def _at(row: Mapping[str, Any], path: str) -> object:
    value: object = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _total(body: Mapping[str, Any]) -> int | None:
    """Stands at the top, or in `paginationOutput` as totalEntries."""
    output = body.get("paginationOutput")
    value = body.get("total", output.get("totalEntries") if isinstance(output, Mapping) else None)
    return whole(value)
