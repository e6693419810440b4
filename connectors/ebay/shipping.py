"""Shipments: what eBay is told of a package, and whether it knows the package already.

One call per package, no idempotency key, and no update. The fulfilment's id is the tracking number when
one is given, so a package is recognised by its cleaned number, or without one by its lines.

Source: sell/fulfillment v1.20.7, createShippingFulfillment and getShippingFulfillments (2025-11): carrier
and number are given together or not at all, numbers are alphanumeric; Trading API ShippingCarrierCodeType
(read 2026-11) for the codes; captured orders (2024 to 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.ebay import moments
from connectors.ebay.orders import lines_of
from connectors.sdk.errors import Rejected
from connectors.sdk.whole import whole

CARRIERS: Final[Mapping[str, str]] = {
    "ups": "UPS",
    "usps": "USPS",
    "fedex": "FedEx",
    "dhl": "DHL",
    "dhl_express": "DHL",
    "dhl_ecommerce": "DHLGlobalMail",
    "dhl_global_mail": "DHLGlobalMail",
    "ontrac": "ONTRAC",
    "lasership": "LASERSHIP",
    "dpd": "DPD",
    "gls": "GLS",
    "hermes": "Hermes",
    "evri": "Hermes",
    "royal_mail": "RoyalMail",
    "parcelforce": "ParcelForce",
    "yodel": "Yodel",
    "deutsche_post": "DeutschePost",
    "la_poste": "Colissimo",
    "colissimo": "Colissimo",
    "chronopost": "Chronopost",
    "poste_italiane": "PosteItaliane",
    "correos": "Correos",
    "canada_post": "CanadaPost",
    "purolator": "Purolator",
    "australia_post": "AustraliaPost",
    "toll": "TOLL",
    "tnt": "TNT",
    "china_post": "ChinaPost",
    "sf_express": "SFExpress",
    "yanwen": "YANWEN",
    "yunexpress": "YunExpress",
}
"""Canonical carrier → code. A carrier that is not listed is sent by its own name: free text is allowed."""

_NOT_CARRIER: Final = re.compile(r"[^A-Za-z0-9 -]")
_NOT_NUMBER: Final = re.compile(r"[^A-Za-z0-9]")
_SEPARATORS: Final = re.compile(r"[\s-]")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One package as eBay takes it: `lines` are (lineItemId, quantity), no number means no carrier."""

    lines: tuple[tuple[str, int], ...]
    number: str | None
    carrier: str | None


def parcels(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> list[Parcel]:
    """The packages of a canonical shipment, addressed in this order.

    Raises:
        Rejected: There are none, a line is not of this order, or a number or carrier cannot be sent.
    """
    packages = [each for each in shipment.get("packages") or () if isinstance(each, Mapping)]
    if not packages:
        raise Rejected("the shipment names no package", code="no_package")
    if len(packages) > 1 and any(not package.get("lines") for package in packages):
        raise Rejected("with several packages each has to name its lines", code="no_lines")
    return [_parcel(order, package) for package in packages]


def body_of(parcel: Parcel, shipped_at: datetime) -> dict[str, Any]:
    """The request for one package."""
    rows = [{"lineItemId": line, "quantity": quantity} for line, quantity in parcel.lines]
    body: dict[str, Any] = {"lineItems": rows, "shippedDate": moments.text(shipped_at)}
    if parcel.number is not None and parcel.carrier is not None:
        body |= {"shippingCarrierCode": parcel.carrier, "trackingNumber": parcel.number}
    return body


def missing(parcels: Sequence[Parcel], known: Iterable[Mapping[str, Any]]) -> list[Parcel]:
    """Packages eBay does not have yet. Each of its fulfilments stands in for one package at most."""
    left = list(known)
    rest = []
    for parcel in parcels:
        found = next((row for row in left if _is(parcel, row)), None)
        if found is None:
            rest.append(parcel)
        else:
            left.remove(found)
    return rest


def clean_number(number: str) -> str:
    """Spaces and hyphens are taken out, as eBay asks.

    Raises:
        Rejected: Something else than letters and digits is left.
    """
    cleaned = _SEPARATORS.sub("", number)
    if not cleaned or _NOT_NUMBER.search(cleaned):
        raise Rejected("eBay takes letters and digits alone in a tracking number", code="bad_tracking_number")
    return cleaned


def _parcel(order: Mapping[str, Any], package: Mapping[str, Any]) -> Parcel:
    raw = str(package.get("tracking_number") or "").strip()
    number = clean_number(raw) if raw else None
    carrier = _carrier(package)
    if number is not None and carrier is None:
        raise Rejected("eBay takes a tracking number together with its carrier only", code="no_carrier")
    wanted = [row for row in package.get("lines") or () if isinstance(row, Mapping)]
    rows = [(_line(order, row), whole(row.get("quantity"))) for row in wanted] if wanted else _open_lines(order)
    totals: dict[str, int] = {}
    for line, quantity in rows:
        if quantity is None or quantity < 1:
            raise Rejected(
                f"line {line}: the quantity shipped has to be a whole number above zero", code="bad_quantity"
            )
        # The same line twice in one call is refused (32210).
        totals[line] = totals.get(line, 0) + quantity
    if not totals:
        raise Rejected("nothing of the order is left to ship", code="nothing_open")
    return Parcel(tuple(totals.items()), number, carrier if number is not None else None)


def _open_lines(order: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """A package without lines holds the whole order."""
    return [(str(line.get("lineItemId")), whole(line.get("quantity"))) for line in lines_of(order)]


def _line(order: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """By line id; by SKU only where no id is given and one line alone has it."""
    number, sku = wanted.get("line_id"), wanted.get("channel_sku") or wanted.get("sku")
    if number is not None:
        if any(str(line.get("lineItemId")) == str(number) for line in lines_of(order)):
            return str(number)
        raise Rejected(f"the order has no line {number}", code="no_such_line")
    found = [str(line.get("lineItemId")) for line in lines_of(order) if sku is not None and line.get("sku") == sku]
    if len(found) != 1:
        raise Rejected(f"{len(found)} lines of the order have SKU {sku}; name the line", code="no_such_line")
    return found[0]


def _carrier(package: Mapping[str, Any]) -> str | None:
    told = package.get("told")
    if isinstance(told, Mapping):
        return str(told.get("code") or told.get("name") or "") or None
    code, raw = package.get("carrier"), str(package.get("carrier_raw") or "")
    known = CARRIERS.get(str(code)) if code else None
    if known is not None:
        return known
    other = raw or (str(code) if code and code != "unknown" else "")
    return _NOT_CARRIER.sub("", other.replace("_", " ")).strip() or None


def _is(parcel: Parcel, row: Mapping[str, Any]) -> bool:
    number = _SEPARATORS.sub("", str(row.get("shipmentTrackingNumber") or ""))
    if parcel.number is not None:
        return number.upper() == parcel.number.upper()
    lines = row.get("lineItems") or ()
    held = sorted((str(each.get("lineItemId")), whole(each.get("quantity")) or 1) for each in lines)
    return not number and held == sorted(parcel.lines)
