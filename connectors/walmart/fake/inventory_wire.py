"""Inventory: one SKU, its nodes, the whole catalogue, WFS stock.

Source: Walmart inventory OpenAPI document (2026-06).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from connectors.sdk.faults import Faults
from connectors.walmart.fake.replies import INVENTORY_API, answer, bad_parameter, body_of, invalid, iso, missing
from connectors.walmart.fake.stockroom import Item, Shelf, Stockroom

PAGE_DEFAULT: Final = 10
PAGE_MAX: Final = 50
WFS_PAGE_MAX: Final = 300


class InventoryWire:
    """One seller's numbers."""

    def __init__(self, stock: Stockroom, faults: Faults) -> None:
        self._stock = stock
        self._faults = faults

    async def get_one(self, request: web.Request) -> web.Response:
        item, node = self._item(request.query.get("sku")), self._node(request)
        shelf = item.shelves.get(node)
        if shelf is None:
            raise missing(f"{item.sku} has no inventory at {node}", INVENTORY_API)
        return answer({"sku": item.sku, "quantity": _quantity(self._input(item, shelf))})

    async def put_one(self, request: web.Request) -> web.Response:
        item, node = self._own_item(request.query.get("sku")), self._node(request)
        body = await body_of(request, INVENTORY_API)
        if body.get("sku") != item.sku:
            raise invalid("sku of query and body differ", INVENTORY_API, "sku")
        amount = _amount(body.get("quantity"), "quantity")
        self._stock.set(item.sku, amount, node=node)
        return answer({"sku": item.sku, "quantity": _quantity(amount)})

    async def get_nodes(self, request: web.Request) -> web.Response:
        return answer(self._nodes_json(self._own_item(request.match_info["sku"])))

    async def put_nodes(self, request: web.Request) -> web.Response:
        """Every node is answered for itself, inside a 200."""
        item = self._own_item(request.match_info["sku"])
        body = await body_of(request, INVENTORY_API)
        nodes = (body.get("inventories") or {}).get("nodes")
        if not isinstance(nodes, list) or not nodes:
            raise invalid("inventories.nodes is missing", INVENTORY_API, "nodes")
        return answer({"sku": item.sku, "nodes": [self._put_node(item, row) for row in nodes]})

    async def catalogue(self, request: web.Request) -> web.Response:
        limit = _limit(request, PAGE_DEFAULT, PAGE_MAX)
        items = sorted(self._stock.own(), key=lambda item: item.sku)
        start = _place(request.query.get("nextCursor"))
        if not items:
            raise missing("No inventory found", INVENTORY_API)
        # A page may be short although more follows: only an empty cursor ends the list.
        shown = items[start : start + max(1, limit - (1 if start else 0))]
        end = start + len(shown)
        meta = {"totalCount": len(items), "nextCursor": _cursor(end) if end < len(items) else ""}
        return answer({"meta": meta, "elements": {"inventories": [self._nodes_json(item) for item in shown]}})

    async def wfs(self, request: web.Request) -> web.Response:
        limit = _limit(request, PAGE_DEFAULT, WFS_PAGE_MAX)
        offset = int(request.query.get("offset", "0"))
        items = [item for item in self._stock.items.values() if item.wfs]
        if "sku" in request.query:
            items = [item for item in items if item.sku == request.query["sku"]]
        rows = [
            {
                "sku": item.sku,
                "shipNodes": [
                    {
                        "modifiedDate": iso(item.modified),
                        "availToSellQty": item.available,
                        "onHandQty": sum(shelf.input for shelf in item.shelves.values()),
                        "shipNodeType": "WFSFulfilled",
                    }
                ],
            }
            for item in items[offset : offset + limit]
        ]
        headers = {"totalCount": len(items), "limit": limit, "offset": offset}
        return answer({"headers": headers, "payload": {"inventory": rows}})

    def _put_node(self, item: Item, row: Any) -> dict[str, Any]:
        node = row.get("shipNode") if isinstance(row, Mapping) else None
        if node not in self._stock.nodes:
            return _failed(node, "INVALID_SHIP_NODE", "The ship node does not belong to the seller", "DATA")
        amount = _amount(row.get("inputQty"), "inputQty")
        if self._faults.hit("partial_failure"):
            return _failed(node, "SYSTEM_ERROR", "The node could not be updated", "SYSTEM")
        self._stock.set(item.sku, amount, node=node)
        return {"shipNode": node, "status": "Success"}

    def _nodes_json(self, item: Item) -> dict[str, Any]:
        late = self._stock.is_fresh(item) and self._faults.hit("late_read")
        return {"sku": item.sku, "nodes": [_shelf_json(node, shelf, late) for node, shelf in item.shelves.items()]}

    def _input(self, item: Item, shelf: Shelf) -> int:
        if shelf.before is not None and self._stock.is_fresh(item) and self._faults.hit("late_read"):
            return shelf.before
        return shelf.input

    def _item(self, sku: str | None) -> Item:
        if not sku:
            raise bad_parameter("sku", "sku is missing", INVENTORY_API)
        item = self._stock.items.get(sku)
        if item is None:
            raise missing(f"Item {sku} not found", INVENTORY_API)
        return item

    def _own_item(self, sku: str | None) -> Item:
        item = self._item(sku)
        if item.wfs:
            raise invalid("The item is fulfilled by Walmart", INVENTORY_API, "sku")
        return item

    def _node(self, request: web.Request) -> str:
        node = request.query.get("shipNode", self._stock.default_node)
        if node not in self._stock.nodes:
            raise bad_parameter("shipNode", "The ship node does not belong to the seller", INVENTORY_API)
        return node


def _shelf_json(node: str, shelf: Shelf, late: bool) -> dict[str, Any]:
    entered = shelf.before if late and shelf.before is not None else shelf.input
    return {
        "shipNode": node,
        "inputQty": _quantity(entered),
        "availToSellQty": _quantity(max(0, entered - shelf.reserved)),
        "reservedQty": _quantity(shelf.reserved),
    }


def _failed(node: Any, code: str, text: str, category: str) -> dict[str, Any]:
    row = {
        "code": f"{code}.{INVENTORY_API}",
        "description": text,
        "severity": "ERROR",
        "category": category,
        "causes": [],
    }
    return {"shipNode": node, "status": "Failed", "errors": [row]}


def _quantity(amount: int) -> dict[str, Any]:
    return {"unit": "EACH", "amount": amount}


def _amount(holder: Any, field: str) -> int:
    """Inventory amounts are numbers, unlike those of orders."""
    amount = holder.get("amount") if isinstance(holder, Mapping) else None
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        raise invalid(f"{field}.amount must be a number from 0 up", INVENTORY_API, field)
    if holder.get("unit") != "EACH":
        raise invalid(f"{field}.unit must be EACH", INVENTORY_API, field)
    return amount


def _limit(request: web.Request, default: int, most: int) -> int:
    text = request.query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_parameter("limit", f"limit cannot be more than {most}", INVENTORY_API)
    return int(text)


def _cursor(place: int) -> str:
    """Opaque, and with characters that need escaping in a query."""
    return base64.b64encode(f"55ff219a-f4d3-40b0-8d8f-c1d7254feb+1/{place}".encode()).decode()


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().rpartition("/")[2])
    except ValueError:
        raise bad_parameter("nextCursor", "nextCursor is not valid", INVENTORY_API) from None
