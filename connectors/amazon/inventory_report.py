"""The catalogue by report, where it is too large to be paged through: a report per marketplace, in items' shape.

A page of searchListingsItems has 20 items and ends at 1,000; one report has them all for three calls. A row of
Amazon's own stock has no number: it says that the listing is Amazon's, nothing more.

Source: GET_MERCHANT_LISTINGS_ALL_DATA, attributes of inventory reports (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from connectors.amazon.api import Api
from connectors.amazon.reports import LOST_MAX, Job, Reports, Stage
from connectors.amazon.settings import Settings
from connectors.amazon.tables import Row
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import TargetMissing

log = structlog.get_logger(__name__)

REPORT_TYPE: Final = "GET_MERCHANT_LISTINGS_ALL_DATA"
REQUIRED: Final = ("seller-sku",)
_AMOUNT: Final = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the sweep. `following` is where it goes on, None at its end; `ready`: at once, or at the next poll."""

    items: Sequence[Mapping[str, Any]]
    following: dict[str, Any] | None
    ready: bool = True


class InventoryReport:
    """The sweep of one stream. Everything that must survive stands in `state`."""

    def __init__(self, ctx: AccountContext, settings: Settings, api: Api) -> None:
        self._ctx = ctx
        self._settings = settings
        self._reports = Reports(ctx, api)

    async def read(self, state: Mapping[str, Any], limit: int) -> Part:
        """The next part: `state` {} begins with the first marketplace; `{"market", "report", "lost"}` is under way.

        A report that failed is asked for again at the next poll, a few times; one without data is the end of its
        marketplace.
        """
        place = int(state.get("market", 0))
        if place >= len(self._settings.marketplace_ids):
            return Part((), None)
        marketplace = self._settings.marketplace_ids[place]
        job = Job(REPORT_TYPE, (marketplace,), required=REQUIRED)
        report, stage = await self._reports.advance(job, state.get("report") or {})
        if stage is Stage.EMPTY:
            return self._after(place, ())
        if stage is Stage.LOST:
            return self._lost(place, state)
        if stage is not Stage.READY or "document" not in (state.get("report") or {}):
            return Part((), {**state, "market": place, "report": report}, ready=stage in (Stage.ASKED, Stage.READY))
        try:
            table = await self._reports.table(str(report["document"]), REQUIRED)
        except TargetMissing:
            return self._lost(place, state)
        start = int(report.get("row", 0))
        stop = start + max(1, limit)
        items = [item_of(row, marketplace) for row in table.rows[start:stop]]
        if stop < len(table.rows):
            return Part(items, {**state, "market": place, "report": {**report, "row": stop}})
        self._reports.done_with(report["document"])
        return self._after(place, items)

    def _lost(self, place: int, state: Mapping[str, Any]) -> Part:
        """Asked for again at the next poll, and after some times left to the next sweep: other marketplaces wait."""
        lost = int(state.get("lost") or 0) + 1
        if lost < LOST_MAX:
            return Part((), {"market": place, "report": {}, "lost": lost}, ready=False)
        log.error("amazon.report_given_up", account=self._ctx.account, report_type=REPORT_TYPE, times=lost)
        return self._after(place, ())

    def _after(self, place: int, items: Sequence[Mapping[str, Any]]) -> Part:
        last = place + 1 >= len(self._settings.marketplace_ids)
        return Part(items, None if last else {"market": place + 1, "report": {}})


def item_of(row: Row, marketplace: str) -> dict[str, Any]:
    """A row in the shape of a listings item, with what the report knows."""
    channel = row.get("fulfillment-channel") or "DEFAULT"
    level: dict[str, Any] = {"fulfillmentChannelCode": channel}
    quantity = row.get("quantity", "")
    if channel == "DEFAULT" and quantity.isdigit():
        level["quantity"] = int(quantity)
    summary: dict[str, Any] = {"marketplaceId": marketplace}
    for name, column in (("asin", "asin1"), ("itemName", "item-name")):
        if row.get(column):
            summary[name] = row[column]
    summary["status"] = ["BUYABLE"] if row.get("status", "").casefold() == "active" else []
    item = {"sku": row["seller-sku"], "summaries": [summary], "fulfillmentAvailability": [level]}
    if _AMOUNT.fullmatch(row.get("price", "")):
        # The report names no currency.
        item["offers"] = [{"marketplaceId": marketplace, "offerType": "B2C", "price": {"amount": row["price"]}}]
    return item
