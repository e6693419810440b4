"""The bodies of shipping and cancelling, built from canonical documents and the order as it stands.

Source: Walmart orders OpenAPI document, POST /v3/orders/{id}/shipping and /cancel (2026-06).
The carrier must be spelled exactly as in Walmart's list; any other goes as `otherCarrier` with a
tracking URL. `methodCode` is the order's own: another is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.sdk.errors import Rejected
from connectors.walmart.orders import lines_of, quantity_of, statuses_of, units

CARRIERS: Final = (
    "UPS", "USPS", "FedEx", "Airborne", "OnTrac", "DHL Ecommerce - US", "DHL", "LS", "UDS", "UPSMI", "FDX", "PILOT",
    "ESTES", "SAIA", "FDS Express", "Seko Worldwide", "HIT Delivery", "FEDEXSP", "RL Carriers",
    "Metropolitan Warehouse & Delivery", "China Post", "YunExpress", "Yellow Freight Sys", "AIT Worldwide Logistics",
    "Chukou1", "Sendle", "Landmark Global", "Sunyou", "Yanwen", "4PX", "GLS", "OSM Worldwide", "FIRST MILE",
    "AM Trucking", "CEVA", "India Post", "SF Express", "CNE", "TForce Freight", "AxleHire", "LSO", "Royal Mail",
    "ABF Freight System", "WanB", "Roadrunner Freight", "Meyer Distribution", "AAA Cooper", "Canada Post",
    "Southeastern Freight Lines", "Japan Post", "Correos de Mexico", "XPO Logistics", "JD Logistics", "YDH", "JCEX",
    "Flyt", "Deutsche Post", "Better Trucks", "Asendia", "SFC", "UBI", "ePost Global", "YF Logistics", "RXO",
    "Estes Express", "Shypmax", "WIN.IT America", "PITT OHIO", "PostNord Sweden", "Equick", "Whistl", "Tusou",
    "Shiprocket", "DTDC", "PTS",
)  # fmt: skip
"""Source: enum of trackingInfo.carrierName.carrier, orders OpenAPI document (2026-06)."""

CANONICAL_CARRIERS: Final[Mapping[str, str]] = {
    "dhl_ecommerce": "DHL Ecommerce - US",
    "dhl_express": "DHL",
    "lasership": "LS",
    "united_delivery_service": "UDS",
    "ups_mail_innovations": "UPSMI",
    "fedex_smartpost": "FEDEXSP",
    "estes": "ESTES",
    "osm": "OSM Worldwide",
}
"""Canonical carrier codes that are spelled unlike Walmart's."""

METHOD_CODES: Final = ("Standard", "Express", "OneDay", "Freight", "WhiteGlove", "Value")
SELLER_ORDER_ID_MAX: Final = 30

CANCEL_REASONS: Final[Mapping[str, str]] = {
    "customer": "CUSTOMER_REQUESTED_SELLER_TO_CANCEL",
    "price": "SELLER_CANCEL_PRICING_ERROR",
    "inventory": "SELLER_CANCEL_OUT_OF_STOCK",
    "fraud": "SELLER_CANCEL_FRAUD_STOP_SHIPMENT",
    "address": "SELLER_CANCEL_ADDRESS_NOT_SERVICEABLE",
}
"""Canonical reason → `cancellationReason`, the whole of Walmart's list."""

_BY_FOLDED_NAME: Final = {name.casefold(): name for name in CARRIERS}


@dataclass(frozen=True, slots=True)
class Piece:
    """Units of one line in one package; `line` is the line as Walmart gave it."""

    line: Mapping[str, Any]
    quantity: int
    package: Mapping[str, Any]

    @property
    def tracking_number(self) -> str:
        return str(self.package["tracking_number"])

    @property
    def shipped(self) -> int:
        """Units Walmart already holds as shipped under this tracking number."""
        return sum(
            quantity_of(row.get("statusQuantity"))
            for row in statuses_of(self.line)
            if row.get("status") in {"Shipped", "Delivered"} and _number_of(row) == self.tracking_number
        )


def pieces(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> list[Piece]:
    """A shipment laid out over the order's lines.

    Raises:
        Rejected: Nothing to ship, no tracking number, or a line the order does not have.
    """
    found: dict[tuple[str, str], Piece] = {}
    for package in shipment.get("packages") or ():
        if not package.get("tracking_number"):
            raise Rejected(
                "a package has no tracking number; Walmart takes no shipment without one", code="no_tracking"
            )
        for wanted in package.get("lines") or ():
            line = _line(order, wanted)
            key = (str(line["lineNumber"]), str(package["tracking_number"]))
            held = found.get(key)
            quantity = int(str(wanted["quantity"])) + (held.quantity if held else 0)
            found[key] = Piece(line, quantity, package)
    if not found:
        raise Rejected("the shipment lists no packages with lines", code="empty_shipment")
    return list(found.values())


def shipping_body(
    order: Mapping[str, Any], wanted: Sequence[Piece], shipped_at: datetime, seller_order_id: str
) -> dict[str, Any]:
    """The request for pieces that are not shipped yet.

    Raises:
        Rejected: More units than are open, or a carrier that needs a tracking URL and has none.
    """
    method = (order.get("shippingInfo") or {}).get("methodCode")
    by_line: dict[str, list[Piece]] = {}
    for piece in wanted:
        by_line.setdefault(str(piece.line["lineNumber"]), []).append(piece)
    rows = [
        _shipping_line(number, members, str(method), shipped_at, seller_order_id) for number, members in by_line.items()
    ]
    return {"orderShipment": {"orderLines": {"orderLine": rows}}}


def _shipping_line(
    number: str, members: Sequence[Piece], method: str, shipped_at: datetime, seller_order_id: str
) -> dict[str, Any]:
    line = members[0].line
    missing = {piece.tracking_number: piece.quantity - piece.shipped for piece in members}
    open_units = units(line, "Created", "Acknowledged")
    if sum(missing.values()) > open_units:
        message = f"line {number}: {sum(missing.values())} units to ship but {open_units} open"
        raise Rejected(message, code="more_than_open")
    row: dict[str, Any] = {
        "lineNumber": number,
        "sellerOrderId": seller_order_id[:SELLER_ORDER_ID_MAX],
        "orderLineStatuses": {
            "orderLineStatus": [
                _shipped_status(piece, missing[piece.tracking_number], method, shipped_at)
                for piece in members
                if missing[piece.tracking_number] > 0
            ]
        },
    }
    if truthy(line.get("intentToCancel")):
        # The parcel has left: shipping wins over the buyer's wish, and Walmart wants that said.
        row["intentToCancelOverride"] = True
    return row


def _shipped_status(piece: Piece, quantity: int, method: str, shipped_at: datetime) -> dict[str, Any]:
    tracking: dict[str, Any] = {
        "shipDateTime": int(shipped_at.timestamp() * 1000),
        "carrierName": _carrier_name(piece.package),
        "methodCode": method,
        "trackingNumber": piece.tracking_number,
    }
    if url := _url(piece.package):
        tracking["trackingURL"] = url
    return {"status": "Shipped", "statusQuantity": _quantity(quantity), "trackingInfo": tracking}


def _carrier_name(package: Mapping[str, Any]) -> dict[str, str]:
    told = package.get("told")
    if isinstance(told, Mapping) and told.get("code") and not told.get("other"):
        return {"carrier": str(told["code"])}
    code, raw = package.get("carrier"), package.get("carrier_raw")
    if isinstance(told, Mapping):
        code, raw = None, told.get("name")
    for name in (raw, CANONICAL_CARRIERS.get(str(code)), code):
        known = _BY_FOLDED_NAME.get(str(name).replace("_", " ").casefold()) if name else None
        if known is not None:
            return {"carrier": known}
    other = str(raw or (code if code and code != "unknown" else ""))
    if not other:
        raise Rejected("the package names no carrier", code="no_carrier")
    if not _url(package):
        message = f"{other} is not on Walmart's list of carriers, so the package needs a tracking URL"
        raise Rejected(message, code="no_tracking_url")
    return {"otherCarrier": other}


def _url(package: Mapping[str, Any]) -> str | None:
    """As stated, or the carrier's page as the hub knows it."""
    told = package.get("told")
    url = package.get("tracking_url") or (told.get("url") if isinstance(told, Mapping) else None)
    return str(url) if url else None


def cancel_body(order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> dict[str, Any]:
    """The request to cancel; no lines named means everything still open.

    Raises:
        Rejected: The reason is none of Walmart's, or units are no longer open.
    """
    reason = cancel_reason(cancellation)
    rows = []
    for line, quantity in cancelled_units(order, cancellation):
        number, open_units = str(line["lineNumber"]), units(line, "Created", "Acknowledged")
        if quantity > open_units:
            raise Rejected(f"line {number}: {quantity} units to cancel but {open_units} open", code="not_open")
        status = {"status": "Cancelled", "cancellationReason": reason, "statusQuantity": _quantity(quantity)}
        rows.append({"lineNumber": number, "orderLineStatuses": {"orderLineStatus": [status]}})
    if not rows:
        raise Rejected("nothing of the order is open any more", code="not_open")
    return {"orderCancellation": {"orderLines": {"orderLine": rows}}}


def cancelled_units(order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], int]]:
    """Lines and units a cancellation speaks of."""
    wanted = cancellation.get("lines") or ()
    if wanted:
        return [(_line(order, row), int(str(row["quantity"]))) for row in wanted]
    pairs = ((line, units(line, "Created", "Acknowledged")) for line in lines_of(order))
    return [(line, quantity) for line, quantity in pairs if quantity > 0]


def cancel_reason(cancellation: Mapping[str, Any]) -> str:
    raw = str(cancellation.get("reason_raw") or "")
    if raw in CANCEL_REASONS.values():
        return raw
    found = CANCEL_REASONS.get(str(cancellation.get("reason") or ""))
    if found is None:
        known = ", ".join(CANCEL_REASONS)
        raise Rejected(f"Walmart needs a reason for a cancellation, one of: {known}", code="no_reason")
    return found


def truthy(value: object) -> bool:
    """`intentToCancel` is a text in the specification and a boolean in places."""
    return value is True or str(value or "").strip().lower() in {"true", "yes", "y", "1"}


def _line(order: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """By line number, which is a text and not contiguous; by SKU only where no number is given."""
    number, sku = wanted.get("line_id"), wanted.get("channel_sku") or wanted.get("sku")
    for line in lines_of(order):
        if number is not None and str(line.get("lineNumber")) == str(number):
            return line
        if number is None and sku is not None and (line.get("item") or {}).get("sku") == sku:
            return line
    raise Rejected(f"the order has no line {number or sku}", code="no_such_line")


def _number_of(status: Mapping[str, Any]) -> str | None:
    return (status.get("trackingInfo") or {}).get("trackingNumber")


def _quantity(amount: int) -> dict[str, str]:
    return {"unitOfMeasurement": "EACH", "amount": str(amount)}
