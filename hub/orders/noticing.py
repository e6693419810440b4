"""What a partner is told of a shipment of its order: the ship notice and the invoice, as canonical fields. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub.orders.answering import eaches_per_unit, echoed

Json = dict[str, Any]

_CENT: Final = Decimal("0.01")
_SCAC: Final[Mapping[str, str]] = {
    "ups": "UPSN", "fedex": "FDEG", "usps": "USPS", "dhl": "DHLC", "ontrac": "ONTR", "lasership": "LSRS",
}  # fmt: skip
"""Standard carrier alpha codes, where neither the order nor the partner's table names another. Source: NMFTA."""
_ECHOED: Final = ("DP", "IA", "MR", "VR", "CO")
"""References of the order that its invoice repeats: department, vendor numbers, merchandise type, customer's order."""


def packages_told(shipment: Mapping[str, Any], order: Mapping[str, Any], numbers: Mapping[str, str]) -> list[Json]:
    """Packages with goods in them, lines as the partner ordered them.

    Args:
        numbers: SSCC by package id, of packages that came without one.
    """
    ordered = {line["id"]: line for line in order["lines"]}
    return [
        {
            "id": package["id"],
            "level": "pack",
            "sscc": package.get("sscc") or numbers.get(package["id"]),
            "tracking_number": package.get("tracking_number"),
            "purchase_order_number": order.get("purchase_order_number"),
            "weight": package.get("weight"),
            "lines": [_packed(line, ordered) for line in package["lines"]],
        }
        for package in shipment["packages"]
        if package.get("lines")
    ]


def _packed(line: Mapping[str, Any], ordered: Mapping[str, Json]) -> Json:
    stated = ordered.get(line["line_id"]) or dict(line)
    return {
        "id": line["line_id"],
        "sku": stated.get("sku") or line.get("sku"),
        "channel_sku": stated.get("channel_sku"),
        "gtin": stated.get("gtin"),
        "quantity": line["quantity"],
        "uom": "EA",
        "lot": line.get("lot"),
        "properties": _in_unit(stated, line["quantity"]),
    }


def _in_unit(ordered: Mapping[str, Any], quantity: int) -> Json:
    """What is echoed of the ordered line; a quantity that breaks its unit is stated in eaches, never rounded."""
    found = echoed(ordered)
    if quantity % eaches_per_unit(ordered):
        found.pop("eaches_per_unit", None)
        found["uom_stated"] = "EA"
    return found


def notice_fields(
    shipment: Mapping[str, Any], order: Mapping[str, Any], packages: list[Json], carriers: Mapping[str, str]
) -> Json:
    """The ship notice but for its number, purpose and addresses.

    Args:
        carriers: the partner's own codes of carriers.
    """
    first: Json = next(iter(shipment["packages"]), {})
    requested = order.get("requested") or {}
    carrier = first.get("carrier")
    raw = first.get("carrier_raw")
    same = carrier is not None and carrier == requested.get("carrier")
    code = carriers.get(carrier or "") or (requested.get("carrier_raw") if same else None) or _SCAC.get(carrier or "")
    bill = (shipment.get("attributes") or {}).get("references", {}).get("BM")
    return {
        "kind": "customer",
        "bill_of_lading": bill,
        "carrier": carrier,
        "carrier_raw": raw,
        "scac": code or (raw if raw and raw.isalpha() and raw.isupper() and 2 <= len(raw) <= 4 else None),
        "shipped_at": shipment.get("shipped_at"),
        "expected_at": shipment.get("estimated_delivery"),
        "from_location": shipment.get("ship_from"),
        "orders": [{"purchase_order_number": order.get("purchase_order_number") or order["number"]}],
        "packages": packages,
    }


def units_of(packages: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Eaches by line over all packages."""
    found: dict[str, int] = {}
    for package in packages:
        for line in package["lines"]:
            found[line["id"]] = found.get(line["id"], 0) + line["quantity"]
    return found


def invoice_fields(order: Mapping[str, Any], units: Mapping[str, int], before: Mapping[str, int]) -> Json:
    """An invoice over some units of an order, its part of the order's discounts and charges included.

    Discounts and charges of the whole order are spread over its invoices by value: each states what is due in all
    by then less what was stated before, so that the last one leaves no cent.

    Args:
        units: eaches of each line invoiced now.
        before: eaches invoiced already.
    """
    currency = order.get("currency")
    lines = [line for line in order["lines"] if units.get(line["id"])]
    ordered = {line["id"]: _open(line) for line in order["lines"]}
    after = {name: before.get(name, 0) + units.get(name, 0) for name in ordered}
    spread = _Spread(_value(order, ordered), _value(order, dict(before)), _value(order, after))
    totals = order.get("totals") or {}
    attributes = order.get("attributes") or {}
    amounts = {
        "discount": spread.part(_discount(order, spread.whole)),
        "shipping": spread.part(_amount(totals.get("shipping"))),
        "fees": spread.part(_amount(totals.get("fees")) + Decimal(str(attributes.get("charges") or "0"))),
        "tax": spread.part(_amount(totals.get("tax"))),
    }
    references = {name: value for name, value in (attributes.get("references") or {}).items() if name in _ECHOED}
    return {
        "purchase_order_number": order.get("purchase_order_number") or order["number"],
        "currency": currency,
        "lines": [_billed(line, units[line["id"]]) for line in lines],
        "totals": {
            name: {"amount": format(value, "f"), "currency": currency} for name, value in amounts.items() if value
        }
        | ({"tax_included": True} if totals.get("tax_included") else {}),
        "attributes": {"order_date": order.get("placed_at"), "references": references},
    }


class _Spread:
    """Parts of an amount, in proportion to value: of all, up to now, and up to what was before."""

    def __init__(self, whole: Decimal, before: Decimal, after: Decimal) -> None:
        self.whole = whole
        self._before = before
        self._after = after

    def part(self, amount: Decimal) -> Decimal:
        return self._due(amount, self._after) - self._due(amount, self._before)

    def _due(self, amount: Decimal, value: Decimal) -> Decimal:
        if not self.whole:
            return Decimal()
        return (amount * min(value, self.whole) / self.whole).quantize(_CENT, ROUND_HALF_UP)


def _open(line: Mapping[str, Any]) -> int:
    return max(0, int(line["quantity"]) - int(line.get("cancelled_quantity", 0)))


def _value(order: Mapping[str, Any], units: Mapping[str, int]) -> Decimal:
    return sum((_extended(line, units.get(line["id"], 0)) for line in order["lines"]), Decimal())


def _extended(line: Mapping[str, Any], units: int) -> Decimal:
    return _amount(line.get("unit_price")) * units / eaches_per_unit(line)


def _discount(order: Mapping[str, Any], whole: Decimal) -> Decimal:
    """Discounts of the whole order: amounts, and rates of its value where no amount is stated."""
    total = Decimal()
    for discount in order.get("discounts") or ():
        if discount.get("amount") is not None:
            total += _amount(discount["amount"])
        elif discount.get("rate") is not None:
            total += (Decimal(str(discount["rate"])) * whole).quantize(_CENT, ROUND_HALF_UP)
    return total


def _amount(money: Mapping[str, Any] | None) -> Decimal:
    return Decimal(str(money["amount"])) if money and money.get("amount") is not None else Decimal()


def _billed(line: Mapping[str, Any], units: int) -> Json:
    properties = _in_unit(line, units)
    price = line.get("unit_price")
    broken = eaches_per_unit(line) > 1 and "eaches_per_unit" not in properties
    if broken and price is not None:
        # Exact, or the invoice is refused: a price per each that does not divide is nobody's price.
        price = {**price, "amount": format(_amount(price) / eaches_per_unit(line), "f")}
    return {
        "number": line["id"],
        "sku": line.get("sku"),
        "channel_sku": line.get("channel_sku"),
        "gtin": line.get("gtin"),
        "title": line.get("title"),
        "quantity": units,
        "uom": "EA",
        "unit_price": price,
        "price_uom": line.get("price_uom"),
        "properties": properties,
    }
