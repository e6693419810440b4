"""Bodies that confirm a shipment, of either programme, from the canonical shipment and the order as it stands.

Source: vendorShipments model, ShipmentConfirmation (shipment identifiers are unique for 365 days);
vendorDirectFulfillmentShipping_2021-12-28 model, ShipmentConfirmation (2026-08): containers need a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.amazon.vendor.acknowledging import identified, stated
from connectors.amazon.vendor.orders import Row, VendorOrder
from connectors.sdk.errors import Rejected

WEIGHT_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {
    "kg": ("KG", Decimal(1)),
    "g": ("KG", Decimal("0.001")),
    "lb": ("LB", Decimal(1)),
    "oz": ("LB", Decimal("0.0625")),
}


def identifier(order: VendorOrder, shipment: Mapping[str, Any]) -> str:
    """Our name of the shipment at Amazon: the same shipment has the same one every time."""
    source = shipment.get("source")
    own = shipment.get("number") or shipment.get("id") or (source.get("id") if isinstance(source, Mapping) else None)
    return str(own or f"{order.number}-1")


def retail(order: VendorOrder, shipment: Mapping[str, Any], warehouse: str, at: str) -> dict[str, Any]:
    """The body for a purchase order.

    Raises:
        Rejected: A line of the shipment is none of the order, or the order names no destination.
    """
    totals: dict[str, int] = {}
    cartons = []
    for position, package in enumerate(_packages(shipment), start=1):
        items = []
        for item, units in _contents(order, package):
            number = str(item.get("itemSequenceNumber"))
            totals[number] = totals.get(number, 0) + units
            items.append({"itemReference": number, "shippedQuantity": stated(item, units)})
        carton: dict[str, Any] = {"cartonSequenceNumber": f"{position:03d}", "items": items}
        if package.get("sscc"):
            carton["cartonIdentifiers"] = [
                {"containerIdentificationType": "SSCC", "containerIdentificationNumber": str(package["sscc"])}
            ]
        if package.get("tracking_number"):
            carton["trackingNumber"] = str(package["tracking_number"])
        cartons.append(carton)
    shipped = [item for item in order.items if str(item.get("itemSequenceNumber")) in totals]
    confirmation = {
        "shipmentIdentifier": identifier(order, shipment),
        "shipmentConfirmationType": "Original",
        "shipmentConfirmationDate": at,
        "shippedDate": str(shipment.get("shipped_at") or at),
        "sellingParty": _party(order, "sellingParty"),
        "shipFromParty": {"partyId": warehouse},
        "shipToParty": _party(order, "shipToParty"),
        "shippedItems": [
            {
                **{key: value for key, value in identified(item).items() if key != "buyerProductIdentifier"},
                "shippedQuantity": stated(item, totals[str(item.get("itemSequenceNumber"))]),
                "itemDetails": {"purchaseOrderNumber": order.number},
            }
            for item in shipped
        ],
        "cartons": cartons,
    }
    return {"shipmentConfirmations": [confirmation]}


def direct(order: VendorOrder, shipment: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The body for a direct order, which ships whole.

    Raises:
        Rejected: A line is missing or shipped in part, or a package has no weight.
    """
    totals: dict[str, int] = {}
    containers = []
    packages = _packages(shipment)
    details = order.details.get("shipmentDetails")
    method = details.get("shipMethod") if isinstance(details, Mapping) else None
    for position, package in enumerate(packages, start=1):
        packed = []
        for item, units in _contents(order, package):
            number = str(item.get("itemSequenceNumber"))
            totals[number] = totals.get(number, 0) + units
            packed.append({**_numbered(item), "packedQuantity": {"amount": units, "unitOfMeasure": "Each"}})
        container: dict[str, Any] = {
            "containerType": "Carton",
            "containerIdentifier": str(package.get("id") or package.get("tracking_number") or position),
            "weight": _weight(package.get("weight")),
            "packedItems": packed,
        }
        if package.get("tracking_number"):
            container["trackingNumber"] = str(package["tracking_number"])
        if package.get("service") or method:
            container["shipMethod"] = str(package.get("service") or method)
        if package.get("carrier_raw") or package.get("carrier"):
            container["carrier"] = str(package.get("carrier_raw") or package["carrier"])
        if len(packages) > 1:
            container["containerSequenceNumber"] = position
        containers.append(container)
    items = []
    for item in order.items:
        number = str(item.get("itemSequenceNumber"))
        ordered = (item.get("orderedQuantity") or {}).get("amount")
        if totals.get(number, 0) != ordered:
            raise Rejected(
                f"line {number} ships {totals.get(number, 0)} of {ordered}; a direct order ships whole",
                code="partial_shipment",
            )
        items.append({**_numbered(item), "shippedQuantity": {"amount": ordered, "unitOfMeasure": "Each"}})
    confirmation = {
        "purchaseOrderNumber": order.number,
        "shipmentDetails": {"shippedDate": str(shipment.get("shipped_at") or at), "shipmentStatus": "SHIPPED"},
        "sellingParty": _party(order, "sellingParty"),
        "shipFromParty": _party(order, "shipFromParty"),
        "items": items,
        "containers": containers,
    }
    return {"shipmentConfirmations": [confirmation]}


def _packages(shipment: Mapping[str, Any]) -> Sequence[Row]:
    packages = [each for each in shipment.get("packages") or () if isinstance(each, Mapping)]
    if not packages:
        raise Rejected("the shipment holds no package", code="no_package")
    return packages


def _contents(order: VendorOrder, package: Row) -> Iterator[tuple[Row, int]]:
    """Lines of a package with the order's own line; a package that names none holds nothing we may guess."""
    lines = package.get("lines") or ()
    if not lines:
        raise Rejected("a package names no lines", code="empty_package")
    by_number = {str(item.get("itemSequenceNumber")): item for item in order.items}
    for line in lines:
        item = by_number.get(str(line.get("line_id")))
        units = line.get("quantity")
        if item is None:
            raise Rejected(f"line {line.get('line_id')} is none of order {order.number}", code="unknown_line")
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise Rejected(f"line {line.get('line_id')}: {units!r} is no number of units", code="no_quantity")
        yield item, units


def _numbered(item: Row) -> dict[str, Any]:
    """As the shipping interface of direct fulfilment has it: the line's number is a number there."""
    number = str(item.get("itemSequenceNumber") or "")
    if not number.isascii() or not number.isdigit():
        raise Rejected(f"line {number!r} has no number Amazon takes", code="line_number")
    found: dict[str, Any] = {"itemSequenceNumber": int(number)}
    names = ("buyerProductIdentifier", "vendorProductIdentifier")
    return found | {name: str(item[name]) for name in names if item.get(name)}


def _weight(given: Any) -> dict[str, str]:
    unit = WEIGHT_UNITS.get(str(given.get("unit"))) if isinstance(given, Mapping) else None
    if unit is None or not isinstance(given, Mapping):
        raise Rejected("a package states no weight, which Amazon needs of direct shipments", code="no_weight")
    name, factor = unit
    value = Decimal(str(given.get("value"))) * factor
    return {"unitOfMeasure": name, "value": f"{value.normalize():f}"}


def _party(order: VendorOrder, name: str) -> Mapping[str, str]:
    party = order.party(name)
    if party is None:
        raise Rejected(f"order {order.number} names no {name}", code="no_party")
    return party
