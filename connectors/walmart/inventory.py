"""Numbers at Walmart: set one, set several nodes of one SKU, read them back.

What is sent is the input quantity: stock including units of open Walmart orders, which Walmart
subtracts itself (`availToSellQty = inputQty - reservedQty`). Values are absolute, so sending one
again is harmless and every write here counts as keyed.

Source: Walmart inventory OpenAPI document (2026-06): PUT /v3/inventory, PUT and GET
/v3/inventories/{sku}; several nodes are answered one by one inside a 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connectors.sdk.contract import AccountContext, ListingRef, PushItem, PushResult, PushState, ShownLevel
from connectors.sdk.errors import ConnectorError, Rejected, TargetMissing, Transient
from connectors.sdk.http import Answer
from connectors.sdk.queries import escaped
from connectors.sdk.whole import whole
from connectors.walmart.api import Api
from connectors.walmart.catalogue import PAGE_MAX, read_page
from connectors.walmart.wire import many

SINGLE_PATH: Final = "/v3/inventory"
NODES_PATH: Final = "/v3/inventories"
EACH: Final = "EACH"
SET_TIMEOUT_S: Final = 8.0
"""One number takes well under a second; a silent call is repeated instead of waited for, as it is harmless."""
SWEEP_PAGES_MAX: Final = 40
"""Beyond two thousand SKUs a sweep for one batch is never cheaper than its 50 single reads."""


class Inventory:
    """One account's numbers. For one event loop; remembers only how large the catalogue was."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._ctx = ctx
        self._api = api
        self._catalogue_rows: int | None = None

    async def put(self, items: Sequence[PushItem]) -> list[PushResult]:
        """Set one SKU at one or several nodes; `items` share the SKU and differ in location."""
        if len(items) == 1:
            return [await self._put_one(items[0])]
        return await self._put_nodes(items)

    async def _put_one(self, item: PushItem) -> PushResult:
        sku, node = item.ref.channel_sku, item.ref.location
        params = {"sku": sku} | ({"shipNode": node} if node else {})
        body = {"sku": sku, "quantity": _quantity(item.quantity)}
        answer = await self._api.send(
            "PUT",
            SINGLE_PATH,
            kind="inventory.set",
            budget="inventory_write",
            params=params,
            json=body,
            keyed=True,
            timeout_s=SET_TIMEOUT_S,
        )
        return PushResult(item, PushState.ACCEPTED, correlation_id=answer.correlation_id)

    async def _put_nodes(self, items: Sequence[PushItem]) -> list[PushResult]:
        nodes = [{"shipNode": item.ref.location, "inputQty": _quantity(item.quantity)} for item in items]
        path = f"{NODES_PATH}/{escaped(items[0].ref.channel_sku)}"
        answer = await self._api.send(
            "PUT",
            path,
            kind="inventory.set_nodes",
            budget="inventories_write",
            json={"inventories": {"nodes": nodes}},
            keyed=True,
            timeout_s=SET_TIMEOUT_S,
        )
        rows = _by_node(answer)
        return [_node_result(item, rows.get(item.ref.location or ""), answer) for item in items]

    async def read_back(self, refs: Sequence[ListingRef]) -> list[ShownLevel]:
        """What Walmart holds for each listing, in order; page by page where that costs fewer calls."""
        skus = list(dict.fromkeys(ref.channel_sku for ref in refs))
        found = await self._sweep(skus) if self._sweep_is_cheaper(len(skus)) else await self._singles(skus)
        at = self._ctx.clock.now()
        return [await self._level(ref, found.get(ref.channel_sku), at) for ref in refs]

    async def read_sku(self, sku: str) -> Answer:
        """Raises: TargetMissing: Walmart knows no such SKU."""
        path = f"{NODES_PATH}/{escaped(sku)}"
        return await self._api.get(path, kind="inventories.read", budget="inventories_read")

    def _sweep_is_cheaper(self, skus: int) -> bool:
        if self._catalogue_rows is None:
            return False
        pages = -(-self._catalogue_rows // PAGE_MAX)
        return pages < skus and pages <= SWEEP_PAGES_MAX

    async def _singles(self, skus: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        found = {}
        for sku in skus:
            try:
                answer = await self.read_sku(sku)
            except TargetMissing:
                continue
            found[sku] = _nodes(answer.json())
        if len(skus) > 1 and self._catalogue_rows is None:
            await self._measure()
        return found

    async def _sweep(self, skus: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Pages until all are found. A SKU on no page is asked for alone: a page may lag behind."""
        wanted, found, following = set(skus), {}, None
        for _ in range(SWEEP_PAGES_MAX):
            rows, token = await self._page(following)
            found.update({str(row.get("sku")): _nodes(row) for row in rows if row.get("sku") in wanted})
            if not token or token == following or len(found) == len(wanted):
                break
            following = token
        missing = [sku for sku in skus if sku not in found]
        return found | await self._singles(missing) if missing else found

    async def _measure(self) -> None:
        """Learn the catalogue's size from its first page, to choose better next time."""
        await self._page(None)

    async def _page(self, following: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        try:
            body = (await read_page(self._api, following, PAGE_MAX)).json()
        except TargetMissing:
            self._catalogue_rows = 0
            return [], None
        meta = body.get("meta") or {}
        self._catalogue_rows = whole(meta.get("totalCount"))
        return many((body.get("elements") or {}).get("inventories")), meta.get("nextCursor") or None

    async def _level(self, ref: ListingRef, nodes: Sequence[Mapping[str, Any]] | None, at: datetime) -> ShownLevel:
        if nodes is None:
            return ShownLevel(ref, None, read_at=at, missing=True)
        if ref.location:
            row = next((node for node in nodes if str(node.get("shipNode")) == ref.location), None)
        elif len(nodes) == 1:
            row = nodes[0]
        else:
            return await self._default_node(ref, at)
        if row is None:
            return ShownLevel(ref, None, read_at=at, missing=True)
        return ShownLevel(ref, _amount(row.get("inputQty")), _amount(row.get("availToSellQty")), at)

    async def _default_node(self, ref: ListingRef, at: datetime) -> ShownLevel:
        """The virtual default node does not say which of several it is, so it is asked for itself."""
        try:
            answer = await self._api.get(
                SINGLE_PATH, kind="inventory.read", budget="inventory_read", params={"sku": ref.channel_sku}
            )
        except TargetMissing:
            return ShownLevel(ref, None, read_at=at, missing=True)
        body = answer.json()
        return ShownLevel(ref, _amount(body.get("quantity") if isinstance(body, Mapping) else None), None, at)


def _quantity(amount: int) -> dict[str, Any]:
    return {"unit": EACH, "amount": amount}


def _amount(holder: object) -> int | None:
    """A quantity's amount; null where it says none."""
    return whole(holder.get("amount")) if isinstance(holder, Mapping) else None


def _nodes(body: Any) -> list[Mapping[str, Any]]:
    rows = body.get("nodes") if isinstance(body, Mapping) else None
    return [row for row in many(rows) if isinstance(row, Mapping)]


def _by_node(answer: Answer) -> dict[str, Mapping[str, Any]]:
    return {str(row.get("shipNode")): row for row in _nodes(answer.json())}


def _node_result(item: PushItem, row: Mapping[str, Any] | None, answer: Answer) -> PushResult:
    if row is not None and str(row.get("status", "")).lower() == "success":
        return PushResult(item, PushState.ACCEPTED, correlation_id=answer.correlation_id)
    return PushResult(
        item, PushState.FAILED, error=_node_error(item, row, answer), correlation_id=answer.correlation_id
    )


def _node_error(item: PushItem, row: Mapping[str, Any] | None, answer: Answer) -> ConnectorError:
    node = item.ref.location
    if row is None:
        message = f"Walmart's answer does not mention node {node}"
        return Transient(message, code="node_missing", status=answer.status, correlation_id=answer.correlation_id)
    first = next((error for error in many(row.get("errors")) if isinstance(error, Mapping)), {})
    code = str(first.get("code") or row.get("status") or "node_refused")
    text = first.get("description") or first.get("info") or "no reason given"
    kind = Transient if first.get("category") == "SYSTEM" else Rejected
    return kind(
        f"node {node} refused the number: {text}",
        code=code,
        status=answer.status,
        correlation_id=answer.correlation_id,
    )
