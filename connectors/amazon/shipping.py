"""Shipments: what Amazon is told of a package, and whether it knows the package already.

One package a call. The package reference is ours: naming it again edits that package, so a reference made of
our shipment and package is as good as a key.

Source: ordersV0, confirmShipment (2026-08): answers 204 without a body; the reference is the text of a positive
number (a JSON number is refused since 2026-01), a tracking number is a must; operators' reports on repeats of a
shipped order ("PackageToUpdateNotFound") and on items that are no list (2023 to 2026).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.amazon import moments
from connectors.amazon.carriers import carrier_of
from connectors.amazon.order_reading import (
    asked_to_cancel,
    line_for,
    line_id,
    lines_of,
    open_units,
    quantity_of,
    rows_in,
)
from connectors.sdk.errors import Rejected

PATH: Final = "/orders/v0/orders"
REFERENCE_MAX: Final = 2**31 - 1
_SEPARATORS: Final = re.compile(r"[\s-]")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One package as Amazon takes it: `lines` are (orderItemId, quantity).

    `rest`: the document names no lines, so the package holds what was open; once told, nothing is.
    """

    reference: str
    number: str
    carrier: Mapping[str, str]
    service: str | None
    lines: tuple[tuple[str, int], ...]
    rest: bool = False


def parcels(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> list[Parcel]:
    """The packages of a canonical shipment, addressed in this order.

    Raises:
        Rejected: There are none, a line is not of this order, or number or carrier is missing.
    """
    packages = rows_in(shipment, "packages")
    if not packages:
        raise Rejected("the shipment names no package", code="no_package")
    if len(packages) > 1 and any(not package.get("lines") for package in packages):
        raise Rejected("with several packages each has to name its lines", code="no_lines")
    made = [_parcel(order, shipment, package, place) for place, package in enumerate(packages)]
    if len({parcel.reference for parcel in made}) != len(made):
        raise Rejected("two packages of the shipment have one id or number", code="same_package_twice")
    return made


def body_of(parcel: Parcel, marketplace: str, shipped_at: datetime) -> dict[str, Any]:
    """The request for one package.

    Raises:
        Rejected: It was to hold what is open, and nothing is.
    """
    if not parcel.lines:
        raise Rejected("nothing of the order is left to ship", code="nothing_open")
    detail: dict[str, Any] = {
        "packageReferenceId": parcel.reference,
        **parcel.carrier,
        "trackingNumber": parcel.number,
        "shipDate": moments.text(shipped_at),
        "orderItems": [{"orderItemId": line, "quantity": quantity} for line, quantity in parcel.lines],
    }
    if parcel.service:
        detail["shippingMethod"] = parcel.service
    return {"marketplaceId": marketplace, "packageDetail": detail}


def missing(wanted: Sequence[Parcel], known: Iterable[Mapping[str, Any]]) -> list[Parcel]:
    """Packages Amazon does not have as they are now. One that somebody else confirmed counts by its number."""
    held = [row for row in known if _status(row) != "CANCELLED"]
    return [parcel for parcel in wanted if not any(_is(parcel, row) for row in held)]


def put_right(parcels: Iterable[Parcel], shipment: Mapping[str, Any]) -> list[Parcel]:
    """Packages told before under the very number they have now: carrier or service was wrong, which Amazon's own
    words of a package do not tell."""
    told = {_clean(number) for number in shipment.get("told_before") or ()}
    return [parcel for parcel in parcels if parcel.lines and _clean(parcel.number) in told]


def refuse_requested(order: Mapping[str, Any], wanted: Iterable[Parcel]) -> None:
    """Raises: Rejected: The buyer asks to cancel a line that is to be shipped; that is answered first."""
    asked = {line_id(line) for line in lines_of(order) if asked_to_cancel(line)}
    shipped = {line for parcel in wanted for line, _ in parcel.lines}
    if asked & shipped:
        lines = ", ".join(sorted(asked & shipped))
        raise Rejected(f"the buyer asks to cancel line {lines}; answer that first", code="cancellation_requested")


def _parcel(order: Mapping[str, Any], shipment: Mapping[str, Any], package: Mapping[str, Any], place: int) -> Parcel:
    number = str(package.get("tracking_number") or "").strip()
    if not number:
        message = "a package has no tracking number; Amazon takes no shipment without one, untracked mail included"
        raise Rejected(message, code="no_tracking")
    named = rows_in(package, "lines")
    totals: dict[str, int] = {}
    if named:
        for row in named:
            key = line_id(line_for(order, row))
            totals[key] = totals.get(key, 0) + quantity_of(row)
    else:
        totals = {line_id(line): open_units(line) for line in lines_of(order) if open_units(line)}
    return Parcel(
        reference=reference_of(shipment, package, place),
        number=number,
        carrier=carrier_of(package),
        service=_service(package),
        lines=tuple(totals.items()),
        rest=not named,
    )


def _service(package: Mapping[str, Any]) -> str | None:
    told = package.get("told")
    stated = told.get("service") if isinstance(told, Mapping) else package.get("service")
    return str(stated or "").strip() or None


def reference_of(shipment: Mapping[str, Any], package: Mapping[str, Any], place: int) -> str:
    """The same for the same package of ours, whatever else is corrected; digits of a number above zero.

    A shipment without an id of its own is known by its tracking numbers alone.
    """
    own = shipment.get("id") or shipment.get("number")
    inner = package.get("id") or package.get("sscc") or place
    parts = (shipment.get("order"), own, inner) if own else (shipment.get("order"), package.get("tracking_number"))
    text = "".join(f"{len(str(part))}:{part};" for part in parts)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return str(int.from_bytes(digest, "big") % REFERENCE_MAX + 1)


def _is(parcel: Parcel, row: Mapping[str, Any]) -> bool:
    same_number = _clean(row.get("trackingNumber")) == _clean(parcel.number)
    told = rows_in(row, "packageItems")
    held = {str(each.get("orderItemId")): each.get("quantity") for each in told}
    return same_number and (parcel.rest or not told or held == dict(parcel.lines))


def _clean(number: object) -> str:
    return _SEPARATORS.sub("", str(number or "")).upper()


def _status(row: Mapping[str, Any]) -> str:
    status = row.get("packageStatus")
    return str(status.get("status") or "") if isinstance(status, Mapping) else ""
