"""Shipments and fulfillments out of ShipStation's lists: by a webhook's URL, and by date.

A list is read from a mark on in the order things were made there, so that what comes meanwhile is at the end.
At rest a cursor is `{"mark"}`, under way `{"from", "began", "page"}`, instants in UTC; ShipStation is asked and
answers in Pacific time without an offset.

Source: ShipStation API v1, shipments and fulfillments (docs.shipstation.com, 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, UnknownTopic
from connectors.sdk.instants import read_instant
from connectors.sdk.paging import PageGuard
from connectors.shipstation.api import Api, rows_of
from connectors.shipstation.manifest import FULFILLMENT, HINTS, MANIFEST, PAGE_MAX, SHIPMENT
from connectors.shipstation.settings import Settings

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
BACKFILL_DAYS: Final = 14
"""Where a new account starts: what was shipped before is no news to any channel."""
PAGES_MAX: Final = 40
"""Of one webhook: twenty thousand labels of one batch."""

_TOPICS: Final = {"shipments": (SHIPMENT, "shipmentId"), "fulfillments": (FULFILLMENT, "fulfillmentId")}


@dataclass(frozen=True, slots=True)
class Listed:
    """How a stream is asked for: its path, and the parameter that bounds it from below."""

    path: str
    since: str
    extra: Mapping[str, str]


STREAMS: Final[Mapping[str, Listed]] = {
    "shipments": Listed("/shipments", "createDateStart", {"includeShipmentItems": "true", "sortBy": "CreateDate"}),
    "voided": Listed("/shipments", "voidDateStart", {"includeShipmentItems": "true", "sortBy": "CreateDate"}),
    "fulfillments": Listed("/fulfillments", "createDateStart", {"sortBy": "CreateDate"}),
}


class Reader:
    """One account's lists. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page of a stream."""
        listed = STREAMS[stream]
        start, began, page = self._place(stream, cursor, since)
        size = max(1, min(limit, PAGE_MAX))
        params: dict[str, str | int] = {listed.since: pacific(start), **listed.extra, "sortDir": "ASC"}
        if self._settings.store_id is not None and listed.path == "/shipments":
            params["storeId"] = self._settings.store_id
        answer = await self._api.list(listed.path, {**params, "page": page, "pageSize": size}, kind=f"{stream}.read")
        name, rows, pages = rows_of(answer)
        envelopes = self._wanted(name, rows)
        if page < pages and rows:
            return Page(envelopes, {"from": _text(start), "began": _text(began), "page": page + 1}, more=True)
        return Page(envelopes, {"mark": _text(began)}, more=False, watermark=began)

    async def resolve(self, envelope: Envelope) -> list[Envelope]:
        """Everything behind a webhook, its items included whatever the URL says.

        Raises:
            UnknownTopic: No webhook that names shipments.
            Rejected: It names nothing, or something elsewhere.
        """
        if envelope.topic not in HINTS:
            raise UnknownTopic(f"{envelope.topic!r} names no shipments; known are {', '.join(HINTS)}")
        resource = resource_of(envelope.payload)
        guard = PageGuard("shipments.resolve", pages_max=PAGES_MAX)
        found: list[Envelope] = []
        page, pages = 1, 1
        while page <= pages:
            guard.enter(page)
            extra: dict[str, str | int] = {"page": page, "pageSize": PAGE_MAX}
            if envelope.topic != "FULFILLMENT_SHIPPED":
                extra["includeShipmentItems"] = "true"
            name, rows, pages = rows_of(await self._api.named(resource, extra))
            found += self._wanted(name, rows)
            page += 1
        return found

    def _place(self, stream: str, cursor: Cursor | None, since: datetime | None) -> tuple[datetime, datetime, int]:
        """From when, begun when, which page."""
        now = self._ctx.clock.now()
        if cursor and "page" in cursor:
            return _instant(cursor["from"], now), _instant(cursor["began"], now), int(cursor["page"])
        if cursor and "mark" in cursor:
            overlap = timedelta(seconds=MANIFEST.stream(stream).overlap_s)
            return _instant(cursor["mark"], now) - overlap, now, 1
        return since or now - timedelta(days=BACKFILL_DAYS), now, 1

    def _wanted(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Envelope]:
        return [envelope_of(name, row) for row in rows if self._is_of_store(row)]

    def _is_of_store(self, row: Mapping[str, Any]) -> bool:
        """A webhook's list may hold other stores' shipments; one that names no store is kept."""
        options = row.get("advancedOptions")
        store = options.get("storeId") if isinstance(options, Mapping) else None
        return self._settings.store_id is None or store is None or str(store) == str(self._settings.store_id)


def envelope_of(name: str, row: Mapping[str, Any]) -> Envelope:
    """One shipment, known by its id and by what it says of itself."""
    topic, key = _TOPICS[name]
    mark = hashlib.sha256(exact.canonical(row)).hexdigest()[:32]
    order = row.get("orderNumber")
    lane = f"order:{order}" if isinstance(order, str) and order else f"{topic}:{row.get(key)}"
    at = _local(row.get("voidDate")) or _local(row.get("createDate"))
    return Envelope(topic, f"{topic}:{row.get(key)}:{mark}", lane, exact.dumps(row), at)


def resource_of(payload: bytes) -> object:
    """The URL a webhook names.

    Raises:
        Rejected: There is none.
    """
    try:
        body = exact.loads(payload)
    except exact.NotJson:
        body = None
    resource = body.get("resource_url") if isinstance(body, Mapping) else None
    if not isinstance(resource, str):
        raise Rejected("the push names no resource_url", code="unexpected_body")
    return resource


def pacific(at: datetime) -> str:
    """As ShipStation wants a time: Pacific, no offset."""
    return f"{at.astimezone(PACIFIC):%Y-%m-%d %H:%M:%S}"


def _local(value: object) -> datetime | None:
    at = read_instant(value)
    return None if at is None else at.replace(tzinfo=PACIFIC).astimezone(UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _instant(text: object, now: datetime) -> datetime:
    return read_instant(text) or now
