"""The catalogue and its numbers, an envelope per item: `listings` gives what it is, `stock` the number alone.

A level seen in a later sweep is a new fact, so the minute the sweep began is part of its key. A listing that has not
changed is the same fact all day; the day in its key lets a change that was undone be seen again. Amazon
pages through 1,000 items and no more: a larger catalogue is read from a report (`connectors.amazon.inventory_report`).

Source: listingsItems_2021-08-01, searchListingsItems (2026-08): at most 20 a page, 1,000 in all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from connectors.amazon import moments, topics
from connectors.amazon.api import Api, escaped
from connectors.amazon.inventory_report import InventoryReport
from connectors.amazon.manifest import LISTINGS_PAGE_MAX
from connectors.amazon.settings import Settings
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import TargetMissing, Transient

log = structlog.get_logger(__name__)

ROOT: Final = "/listings/2021-08-01/items"
INCLUDED: Final = ("summaries", "attributes", "offers", "fulfillmentAvailability", "issues")
PAGED_MAX: Final = 1_000
PAGES_MAX: Final = PAGED_MAX + 1


class Catalogue:
    """One of the two streams, and single items. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings, report: InventoryReport, topic: str) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings
        self._report = report
        self._topic = topic

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:
        """The next page; `cursor` None or at rest begins a sweep.

        Under way it is `{"sweep", "page", "token", "size"}`, or with `"report"` that of the report's sweep.
        """
        state = dict(cursor) if cursor and "sweep" in cursor else self._begin(limit)
        if "report" in state:
            return await self._reported(state, limit)
        if state["page"] >= PAGES_MAX:
            raise Transient(f"{self._topic}: more pages than Amazon gives", code="pages_exceeded")
        body = await self._page(state)
        total = body.get("numberOfResults")
        if state["page"] == 0 and isinstance(total, int) and total > min(self._settings.report_from, PAGED_MAX):
            log.info("amazon.catalogue_large", account=self._ctx.account, kind=self._topic, items=total)
            return Page((), {"sweep": state["sweep"], "report": {}}, more=True)
        items = [item for item in body["items"] if isinstance(item, Mapping) and item.get("sku")]
        pagination = body.get("pagination")
        following = pagination.get("nextToken") if isinstance(pagination, Mapping) else None
        if following and following == state["token"]:
            raise Transient(f"{self._topic}: Amazon gave the same page token twice", code="cursor_repeated")
        envelopes = self._envelopes(str(state["sweep"]), items)
        if following and items:
            return Page(envelopes, state | {"page": state["page"] + 1, "token": str(following)}, more=True)
        return self._done(str(state["sweep"]), envelopes)

    async def current(self, sku: str) -> list[Envelope]:
        """The present state of one item, under this stream's topic; none when the listing is gone."""
        path = f"{ROOT}/{escaped(self._settings.seller_id)}/{escaped(sku)}"
        params: dict[str, str | int | Sequence[str]] = {
            "marketplaceIds": self._settings.marketplace_ids,
            "issueLocale": self._settings.issue_locale,
            "includedData": INCLUDED,
        }
        try:
            answer = await self._api.request("GET", path, operation="getListingsItem", params=params)
        except TargetMissing:
            log.info("amazon.listing_gone", account=self._ctx.account, sku=sku)
            return []
        item = answer.json()
        if not isinstance(item, Mapping) or not item.get("sku"):
            raise Transient("getListingsItem: the answer holds no item", **answer.facts("unexpected_body"))
        return self._envelopes(moments.text(self._ctx.clock.now()), [item])

    async def _page(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        params: dict[str, str | int | Sequence[str]] = {
            "marketplaceIds": self._settings.marketplace_ids,
            "issueLocale": self._settings.issue_locale,
            "includedData": INCLUDED,
            # By SKU: an item that changes while the pages are read keeps its place.
            "sortBy": "sku",
            "sortOrder": "ASC",
            "pageSize": int(state["size"]),
        }
        if state["token"]:
            params["pageToken"] = str(state["token"])
        path = f"{ROOT}/{escaped(self._settings.seller_id)}"
        answer = await self._api.request("GET", path, operation="searchListingsItems", params=params)
        body = answer.json()
        if not isinstance(body, Mapping) or not isinstance(body.get("items"), list):
            raise Transient("searchListingsItems: the answer is no page of items", **answer.facts("unexpected_body"))
        return body

    async def _reported(self, state: Mapping[str, Any], limit: int) -> Page:
        """A part of the report's sweep: as many envelopes as asked for, of rows in the shape of items."""
        sweep = str(state["sweep"])
        part = await self._report.read(state["report"], limit)
        envelopes = self._envelopes(sweep, part.items)
        if part.following is not None:
            return Page(envelopes, {"sweep": sweep, "report": part.following}, more=part.ready)
        return self._done(sweep, envelopes)

    def _begin(self, limit: int) -> dict[str, Any]:
        size = max(1, min(limit, LISTINGS_PAGE_MAX))
        return {"sweep": moments.text(self._ctx.clock.now()), "page": 0, "token": None, "size": size}

    def _envelopes(self, sweep: str, items: Sequence[Mapping[str, Any]]) -> list[Envelope]:
        made = self._stock if self._topic == topics.STOCK else self._listing
        return [made(sweep, item) for item in items]

    def _stock(self, sweep: str, item: Mapping[str, Any]) -> Envelope:
        read_at = self._ctx.clock.now()
        # Numbers alone: what else an item holds has its own stream, and its own versions.
        row = {key: item[key] for key in ("sku", "summaries", "fulfillmentAvailability") if key in item}
        return Envelope(
            topic=topics.STOCK,
            dedupe_key=f"stock:{item['sku']}:{sweep[:16]}:{_digest(row)}",
            ordering_key=f"stock:{item['sku']}",
            payload=exact.dumps({"items": [row], "read_at": moments.text(read_at)}),
            occurred_at=read_at,
        )

    def _listing(self, sweep: str, item: Mapping[str, Any]) -> Envelope:
        return Envelope(
            topic=topics.LISTING,
            dedupe_key=f"listing:{item['sku']}:{sweep[:10]}:{_digest(item)}",
            ordering_key=f"listing:{item['sku']}",
            payload=exact.dumps(item),
            occurred_at=moments.read(sweep),
        )

    def _done(self, sweep: str, envelopes: Sequence[Envelope]) -> Page:
        return Page(envelopes, {"swept": sweep}, more=False, watermark=moments.read(sweep))


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(exact.canonical(value)).hexdigest()[:32]
