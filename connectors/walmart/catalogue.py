"""The catalogue with its stock: seller's nodes page by page, then WFS stock, read only.

`listings` and `stock` read the same pages under two topics, one envelope per page, always of full
size so that a page's key does not depend on who asks. A level seen again in a later sweep is a new
fact, so the sweep's time is part of a stock page's key. A listing page without a change of its SKUs
and nodes is the same fact all day; the day in its key lets a change that was undone be seen again.

Source: Walmart inventory OpenAPI document, GET /v3/inventories and GET /v3/fulfillment/inventory
(2026-06): at most 50 and 300 rows; a page may be short, only an empty cursor ends the list, an
empty shop answers 404.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import AuthFailed, AuthReason, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.walmart import topics
from connectors.walmart.api import Api
from connectors.walmart.wire import counted, decode, many, parse_time

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
    """One of the two streams. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, topic: str) -> None:
        self._ctx = ctx
        self._api = api
        self._topic = topic

    async def fetch(self, cursor: Cursor | None) -> Page:
        """The next page; `cursor` None or at rest begins a new sweep."""
        state = dict(cursor) if cursor and "sweep" in cursor else self._start()
        return await (self._own(state) if state["phase"] == "own" else self._wfs(state))

    def _start(self) -> dict[str, Any]:
        return {"sweep": self._ctx.clock.now().isoformat(), "phase": "own", "page": 0}

    async def _own(self, state: dict[str, Any]) -> Page:
        following = state.get("next")
        try:
            answer = await read_page(self._api, following, PAGE_MAX)
        except TargetMissing:
            return self._page((), {"sweep": state["sweep"], "phase": "wfs", "page": 0, "offset": 0})
        body: _Own = decode(answer, _Own)
        rows = many((body.elements or {}).get("inventories"))
        envelopes = self._envelopes(state, answer, rows)
        token = (body.meta or {}).get("nextCursor")
        if not token:
            return self._page(envelopes, {"sweep": state["sweep"], "phase": "wfs", "page": 0, "offset": 0})
        if token == following or state["page"] >= PAGES_MAX:
            raise Transient("inventories.list: Walmart gave the same page cursor twice", code="cursor_repeated")
        return self._page(envelopes, state | {"page": state["page"] + 1, "next": token})

    async def _wfs(self, state: dict[str, Any]) -> Page:
        query: dict[str, str | int] = {"limit": WFS_PAGE_MAX, "offset": state["offset"]}
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
        rows = many((body.payload or {}).get("inventory"))
        envelopes = self._envelopes(state, answer, rows)
        offset = state["offset"] + len(rows)
        if not rows or offset >= counted((body.headers or {}).get("totalCount")):
            return self._done(state, envelopes)
        return self._page(envelopes, state | {"page": state["page"] + 1, "offset": offset})

    def _envelopes(self, state: Mapping[str, Any], answer: Answer, rows: Sequence[Any]) -> tuple[Envelope, ...]:
        if not rows:
            return ()
        place = f"{state['phase']}:{state['page']}"
        sweep = str(state["sweep"])
        version = f"{sweep}:{place}" if self._topic == topics.INVENTORY else f"{sweep[:10]}:{_identity(rows)}"
        return (
            Envelope(
                topic=self._topic,
                dedupe_key=f"{self._topic}:{version}",
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


def _identity(rows: Sequence[Any]) -> str:
    """What makes a page of listings another one: its SKUs and their nodes, not their numbers."""
    listed = [
        [row.get("sku"), *(node.get("shipNode") or node.get("shipNodeType") for node in _nodes_of(row))]
        for row in rows
        if isinstance(row, Mapping)
    ]
    return hashlib.sha256(exact.canonical(listed)).hexdigest()[:32]


def _nodes_of(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in many(row.get("nodes") or row.get("shipNodes")) if isinstance(node, Mapping)]


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
