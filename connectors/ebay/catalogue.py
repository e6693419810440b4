"""The catalogue with its stock, one envelope per SKU: item and offers, then listings made by Trading.

`listings` and `stock` read the same under two topics. A level seen in a later sweep is a new fact, so
the sweep's time is part of its key. A listing whose offers have not changed is the same fact all day;
the day in its key lets a change that was undone be seen again.

Source: sell/inventory 1.18.4, getInventoryItems (2025-11): `offset` is the number of the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ebay import moments, topics
from connectors.ebay.offers import Offers
from connectors.ebay.settings import Settings
from connectors.ebay.together import together
from connectors.ebay.trading import Trading
from connectors.ebay.wire import rows_of
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.whole import whole

PAGE_MAX: Final = 100
PAGES_MAX: Final = 100_000


class Catalogue:
    """One of the two streams. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, settings: Settings, offers: Offers, trading: Trading, topic: str) -> None:
        self._ctx = ctx
        self._settings = settings
        self._offers = offers
        self._trading = trading
        self._topic = topic

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:
        """The next page; `cursor` None or at rest begins a sweep.

        Under way it is `{"sweep", "phase", "page", "size", "skip"}`: pages are counted in `size`, so that stays.
        """
        state = dict(cursor) if cursor and "sweep" in cursor else self._start(limit)
        if state["page"] >= PAGES_MAX:
            raise Transient(f"{self._topic}: more pages than a catalogue can have", code="pages_exceeded")
        return await (self._items(state) if state["phase"] == "items" else self._traded(state, limit))

    def _start(self, limit: int) -> dict[str, Any]:
        size = max(1, min(limit, PAGE_MAX))
        return {"sweep": moments.text(self._ctx.clock.now()), "phase": "items", "page": 0, "size": size, "skip": 0}

    async def _items(self, state: dict[str, Any]) -> Page:
        answer = await self._offers.page(state["page"], state["size"])
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Transient("items.list: the answer is no page of items", **answer.facts("unexpected_body"))
        items = [item for item in rows_of(body, "inventoryItems") if item.get("sku")]
        found = await self._with_offers(items)
        envelopes = [made for item, offers in found if (made := self._sku(state, item, offers)) is not None]
        read = state["page"] * state["size"] + len(items)
        total = whole(body.get("total"))
        if items and (bool(body.get("next")) or (total is not None and read < total)):
            return Page(envelopes, state | {"page": state["page"] + 1}, more=True)
        if self._settings.trading:
            return Page(envelopes, state | {"phase": "trading", "page": 1}, more=True)
        return self._done(state, envelopes)

    async def _with_offers(
        self, items: Sequence[Mapping[str, Any]]
    ) -> list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
        offers = await together((str(item["sku"]) for item in items), self._offers.of_sku)
        return list(zip(items, offers, strict=True))

    async def _traded(self, state: dict[str, Any], limit: int) -> Page:
        """Active listings whose SKU has no offer; a page of eBay's is given out in parts where it is too long."""
        rows, more = await self._trading.active(state["page"])
        part = rows[state["skip"] : state["skip"] + max(1, limit)]
        envelopes = [
            self._envelope(state, _place(row), {"tradingItems": [row]}) for row in part if await self._own(row)
        ]
        reached = state["skip"] + len(part)
        if reached < len(rows):
            return Page(envelopes, state | {"skip": reached}, more=True)
        if more and rows:
            return Page(envelopes, state | {"page": state["page"] + 1, "skip": 0}, more=True)
        return self._done(state, envelopes)

    async def _own(self, row: Mapping[str, Any]) -> bool:
        """Not one of those the Inventory API serves, which were read before."""
        sku = row["variationSku"] or row["sku"]
        if not sku or not row["itemId"]:
            return bool(row["itemId"])
        try:
            offers = await self._offers.of_sku(str(sku))
        except Rejected:
            # The Inventory API refuses some SKUs that Trading allows; it cannot serve them then.
            return True
        return not offers

    def _sku(
        self, state: Mapping[str, Any], item: Mapping[str, Any], offers: Sequence[Mapping[str, Any]]
    ) -> Envelope | None:
        if not offers and self._topic == topics.LISTINGS:
            return None
        payload = {"inventoryItems": [item], "offers": list(offers)}
        return self._envelope(state, str(item["sku"]), payload)

    def _envelope(self, state: Mapping[str, Any], name: str, payload: Mapping[str, Any]) -> Envelope:
        content = exact.dumps(payload)
        sweep = str(state["sweep"])
        version = sweep if self._topic == topics.INVENTORY else f"{sweep[:10]}:{_digest(payload)}"
        return Envelope(
            topic=self._topic,
            dedupe_key=f"{self._topic}:{name}:{version}",
            ordering_key=f"{self._topic}:{name}",
            payload=content,
            occurred_at=moments.read(sweep),
        )

    def _done(self, state: Mapping[str, Any], envelopes: Sequence[Envelope]) -> Page:
        return Page(envelopes, {"swept": state["sweep"]}, more=False, watermark=moments.read(state["sweep"]))


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['itemId']}:{row['variationSku'] or row['sku'] or row['itemId']}"


def _digest(payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(exact.canonical(payload)).hexdigest()[:32]
