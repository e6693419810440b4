"""The catalogue with its stock: seller's nodes page by page, then WFS stock, read only.

`listings` and `stock` read the same pages under two topics. A sweep has a time that is part of
every dedupe key, so the same level met in a later sweep is a new fact and is never swallowed.

Source: Walmart inventory OpenAPI document, GET /v3/inventories and GET /v3/fulfillment/inventory
(2026-06): at most 50 and 300 rows; a page may be short, only an empty cursor ends the list, an
empty shop answers 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import AuthFailed, AuthReason, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.walmart.api import Api
from connectors.walmart.wire import decode, parse_time

log = structlog.get_logger(__name__)

PATH: Final = "/v3/inventories"
WFS_PATH: Final = "/v3/fulfillment/inventory"
PAGE_MAX: Final = 50
WFS_PAGE_MAX: Final = 300
PAGES_MAX: Final = 100_000


class _Own(msgspec.Struct):
    meta: dict[str, Any] | None = None
    elements: dict[str, Any] | None = None


class _Wfs(msgspec.Struct):
    headers: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None


class Catalogue:
    """One of the two streams. Remembers the catalogue's size, which helps to choose how to read back."""

    def __init__(self, ctx: AccountContext, api: Api, topic: str) -> None:
        self._ctx = ctx
        self._api = api
        self._topic = topic

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:
        state = dict(cursor) if cursor and "sweep" in cursor else self._start()
        if state["phase"] == "own":
            return await self._own(state, limit)
        return await self._wfs(state, limit)

    def _start(self) -> dict[str, Any]:
        return {"sweep": self._ctx.clock.now().isoformat(), "phase": "own", "page": 0}

    async def _own(self, state: dict[str, Any], limit: int) -> Page:
        following = state.get("next")
        try:
            answer = await read_page(self._api, following, min(limit, PAGE_MAX))
        except TargetMissing:
            return self._page((), {"sweep": state["sweep"], "phase": "wfs", "page": 0, "offset": 0})
        body: _Own = decode(answer, _Own)
        rows = (body.elements or {}).get("inventories")
        envelopes = self._envelopes(state, answer) if rows else ()
        token = (body.meta or {}).get("nextCursor")
        if not token:
            return self._page(envelopes, {"sweep": state["sweep"], "phase": "wfs", "page": 0, "offset": 0})
        if token == following or state["page"] >= PAGES_MAX:
            raise Transient("inventories.list: Walmart gave the same page cursor twice", code="cursor_repeated")
        return self._page(envelopes, state | {"page": state["page"] + 1, "next": token})

    async def _wfs(self, state: dict[str, Any], limit: int) -> Page:
        size = min(limit, WFS_PAGE_MAX)
        query: dict[str, str | int] = {"limit": size, "offset": state["offset"]}
        try:
            answer = await self._api.get(WFS_PATH, kind="wfs.list", budget="wfs_inventory", params=query)
        except TargetMissing:
            return self._done(state, ())
        except (Rejected, AuthFailed) as error:
            if isinstance(error, AuthFailed) and error.reason is not AuthReason.SCOPE:
                raise
            # A seller without WFS is refused here; that must not hold the whole account.
            log.info("walmart.wfs_unavailable", account=self._ctx.account, code=error.code)
            return self._done(state, ())
        body: _Wfs = decode(answer, _Wfs)
        rows = (body.payload or {}).get("inventory") or []
        envelopes = self._envelopes(state, answer) if rows else ()
        offset = state["offset"] + len(rows)
        total = str((body.headers or {}).get("totalCount") or 0)
        if not rows or offset >= (int(total) if total.isdigit() else 0):
            return self._done(state, envelopes)
        return self._page(envelopes, state | {"page": state["page"] + 1, "offset": offset})

    def _envelopes(self, state: Mapping[str, Any], answer: Answer) -> tuple[Envelope, ...]:
        place = f"{state['phase']}:{state['page']}"
        return (
            Envelope(
                topic=self._topic,
                dedupe_key=f"{self._topic}:{state['sweep']}:{place}",
                ordering_key=f"{self._topic}:{place}",
                payload=answer.content,
                occurred_at=self._ctx.clock.now(),
            ),
        )

    def _page(self, envelopes: tuple[Envelope, ...], state: Mapping[str, Any]) -> Page:
        return Page(envelopes, state, more=True)

    def _done(self, state: Mapping[str, Any], envelopes: tuple[Envelope, ...]) -> Page:
        began = parse_time(str(state["sweep"]))
        return Page(envelopes, {"swept": began.isoformat()}, more=False, watermark=began)


async def read_page(api: Api, following: str | None, limit: int) -> Answer:
    """One page of GET /v3/inventories. The cursor is a value here, not a query string."""
    query: dict[str, str | int] = {"limit": limit}
    if following:
        query["nextCursor"] = following
    return await api.get(PATH, kind="inventories.list", budget="inventories_list", params=query)


def read_envelope(answer: Answer, at: datetime) -> Envelope:
    """The stock of one SKU as an input of its own, for a notification that pointed at it."""
    stamp = at.isoformat()
    return Envelope(
        "inventory", f"inventory:{answer.call.target}:{stamp}", f"inventory:{answer.call.target}", answer.content, at
    )
