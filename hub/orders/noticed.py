"""A ship notice read as what it tells of customers' orders: a shipment per order, its packages without the pallets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def shipments_noticed(notice: Json) -> Iterator[Json]:
    """One shipment per order that the notice names, in the shipper's terms; none for goods on their way to us.

    A package stands for itself; where it has no SSCC or number of its own, it has that of what it stands in.
    """
    if notice.get("kind") == "inbound":
        return
    orders = notice.get("orders") or []
    for order in orders:
        bought = order["purchase_order_number"]
        packages = [
            package
            for package in notice.get("packages") or []
            if package.get("lines")
            and package.get("purchase_order_number") in (bought, None if len(orders) == 1 else bought)
        ]
        if packages:
            yield _shipment(notice, order.get("order") or bought, bought, packages)


def _shipment(notice: Json, order: str, bought: str, packages: list[Json]) -> Json:
    within = {package["id"]: package for package in notice.get("packages") or []}
    return {
        "type": "shipment",
        "id": notice["id"],
        "source": {**notice["source"], "kind": "shipment", "id": f"{notice['source']['id']}/{order}"},
        "attributes": {"purchase_order_number": bought, "ship_notice": notice["id"]},
        "order": order,
        "number": notice["number"],
        "state": notice["state"],
        "state_raw": notice.get("state_raw"),
        "ship_from": notice.get("from_location"),
        "shipped_at": notice.get("shipped_at"),
        "packages": [_package(notice, package, within) for package in packages],
    }


def _package(notice: Json, package: Json, within: dict[str, Json]) -> Json:
    return {
        "id": package["id"],
        "sscc": _own_or_outer("sscc", package, within),
        "tracking_number": _own_or_outer("tracking_number", package, within),
        "carrier": notice.get("carrier"),
        "carrier_raw": notice.get("carrier_raw"),
        "weight": package.get("weight"),
        "lines": [
            {
                "line_id": line.get("id"),
                "sku": line.get("sku"),
                "channel_sku": line.get("channel_sku"),
                "gtin": line.get("gtin"),
                "quantity": line["quantity"],
                "uom": line.get("uom"),
                "lot": line.get("lot"),
                "properties": line.get("properties") or {},
            }
            for line in package["lines"]
        ],
    }


def _own_or_outer(name: str, package: Json, within: dict[str, Json]) -> str | None:
    seen: set[str] = set()
    current: Json | None = package
    while current is not None and current["id"] not in seen:
        if current.get(name):
            return str(current[name])
        seen.add(current["id"])
        current = within.get(current.get("parent") or "")
    return None
