"""What Amazon holds of ours in its own warehouses: read only, one page of numbers an envelope.

A page token lives 30 seconds, so a sweep that was interrupted begins again.

Source: fbaInventory model, getInventorySummaries (2026-08): one marketplace a call, at most 50 SKUs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.amazon import moments, topics
from connectors.amazon.api import Api
from connectors.amazon.settings import Settings
from connectors.sdk import exact
from connectors.sdk.contract import AccountContext, Cursor, Envelope, Page
from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.http import Answer

PATH: Final = "/fba/inventory/v1/summaries"
TOKEN_LIFE: Final = timedelta(seconds=25)
RESTARTS_MAX: Final = 5
PAGES_MAX: Final = 20_000


class FbaStock:
    """The FBA stock stream and single SKUs. Keeps nothing between calls."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings

    async def fetch(self, cursor: Cursor | None) -> Page:
        """The next page. Under way the cursor is `{"sweep", "place", "page", "token", "token_at", "restarts"}`.

        Raises:
            Transient: The tokens end faster than the pages are read.
        """
        now = self._ctx.clock.now()
        state = dict(cursor) if cursor and "sweep" in cursor else self._begin(now)
        token = state.get("token")
        taken_at = moments.read(state.get("token_at"))
        if token and (taken_at is None or now - taken_at > TOKEN_LIFE):
            return self._again(state)
        marketplace = self._settings.marketplace_ids[min(state["place"], len(self._settings.marketplace_ids) - 1)]
        try:
            answer = await self._read(marketplace, {"nextToken": str(token)} if token else {})
        except Rejected as error:
            if not token or error.status != 400:
                raise
            return self._again(state)
        envelopes = [self._envelope(state, marketplace, answer)] if _summaries(answer) else []
        following = _token(answer)
        if following and following == token:
            raise Transient("fba_stock: Amazon gave the same page token twice", code="cursor_repeated")
        if state["page"] >= PAGES_MAX:
            raise Transient("fba_stock: more pages than an inventory can have", code="pages_exceeded")
        if following:
            moved = {"page": state["page"] + 1, "token": following, "token_at": moments.text(now)}
            return Page(envelopes, state | moved, more=True)
        if state["place"] + 1 < len(self._settings.marketplace_ids):
            moved = {"place": state["place"] + 1, "page": 0, "token": None, "token_at": None}
            return Page(envelopes, state | moved, more=True)
        return Page(envelopes, {"swept": state["sweep"]}, more=False, watermark=moments.read(state["sweep"]))

    async def current(self, sku: str) -> list[Envelope]:
        """The present numbers of one SKU in every marketplace of the account; none where Amazon holds none."""
        found = []
        for marketplace in self._settings.marketplace_ids:
            answer = await self._read(marketplace, {"sellerSkus": (sku,)})
            if _summaries(answer):
                found.append(
                    self._envelope({"sweep": moments.text(self._ctx.clock.now()), "page": sku}, marketplace, answer)
                )
        return found

    async def _read(self, marketplace: str, more: Mapping[str, str | Sequence[str]]) -> Answer:
        params: dict[str, str | int | Sequence[str]] = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": marketplace,
            "marketplaceIds": (marketplace,),
            **more,
        }
        # A seller without stock at Amazon need not have the role.
        return await self._api.request("GET", PATH, operation="getInventorySummaries", params=params, optional=True)

    def _begin(self, now: datetime) -> dict[str, Any]:
        return {"sweep": moments.text(now), "place": 0, "page": 0, "token": None, "token_at": None, "restarts": 0}

    def _again(self, state: Mapping[str, Any]) -> Page:
        """The same sweep from the first page of this marketplace: what is read twice has the same key."""
        if state["restarts"] >= RESTARTS_MAX:
            raise Transient("fba_stock: page tokens end faster than the pages are read", code="token_ended")
        moved = {"page": 0, "token": None, "token_at": None, "restarts": state["restarts"] + 1}
        return Page((), {**state, **moved}, more=True)

    def _envelope(self, state: Mapping[str, Any], marketplace: str, answer: Answer) -> Envelope:
        body = answer.json()
        read_at = self._ctx.clock.now()
        payload = {"payload": body.get("payload"), "read_at": moments.text(read_at)}
        return Envelope(
            topic=topics.FBA_STOCK,
            dedupe_key=f"fba:{marketplace}:{state['page']}:{state['sweep']}",
            ordering_key=f"fba:{marketplace}",
            payload=exact.dumps(payload),
            occurred_at=read_at,
        )


def _summaries(answer: Answer) -> Sequence[Any]:
    body = answer.json()
    payload = body.get("payload") if isinstance(body, Mapping) else None
    rows = payload.get("inventorySummaries") if isinstance(payload, Mapping) else None
    if not isinstance(rows, list):
        raise Transient("getInventorySummaries: the answer is no page of inventory", **answer.facts("unexpected_body"))
    return rows


def _token(answer: Answer) -> str | None:
    pagination = answer.json().get("pagination")
    found = pagination.get("nextToken") if isinstance(pagination, Mapping) else None
    return str(found) if found else None
