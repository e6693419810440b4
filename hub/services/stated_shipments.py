"""A shipment as an operator or a tool without a connector states it, made into a canonical document."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import canonical
from canonical import Document, instant_text
from hub.orders.references import folded
from hub.services.moments import micros, stated
from mappings.carriers import Crosswalk, identify

Json = dict[str, Any]

CONNECTOR: Final = "api"
"""what the source of a stated shipment is called, and who is said to have shipped"""
PACKAGES_MAX: Final = 500
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of ours the clock of whoever ships may run."""
_URLS: Final = ("http://", "https://")


class StatementRefused(ValueError):
    """The statement is refused whole; `faults` name the field."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def number_of(body: Mapping[str, Any], key: str) -> str:
    """By what it is known when it is stated again: its number, else its tracking numbers, else the request."""
    if body.get("number"):
        return str(body["number"])
    numbers = [str(one["tracking_number"]) for one in body.get("packages") or () if one.get("tracking_number")]
    return "+".join(numbers)[:150] or key


def shipment_of(
    body: Mapping[str, Any], *, key: str, locations: Collection[str], now: datetime, crosswalk: Crosswalk
) -> tuple[Document, list[str]]:
    """The document, and warnings about numbers that no carrier's pattern knows.

    Args:
        body: As the API takes it; types are checked already, meaning is not.
        key: Names the request; it names the shipment too where the body gives nothing better.
        locations: Names of ours, one of which `ship_from` has to be.

    Raises:
        StatementRefused: With every fault found.
    """
    faults = list(_blank("", body))
    warnings: list[str] = []
    state = body.get("state") or "shipped"
    if not folded(str(body["order"])):
        faults.append("order: names no order")
    if body.get("ship_from") and body["ship_from"] not in locations:
        faults.append(f"ship_from: {body['ship_from']!r} is not one of ours ({', '.join(sorted(locations))})")
    if not body.get("packages") and state != "cancelled":
        faults.append("packages: at least one; an empty one holds everything that is left to ship")
    packages = [
        _package(place, package, crosswalk, faults, warnings)
        for place, package in enumerate(body.get("packages") or ())
    ]
    shipped_at = stated(body["shipped_at"], UTC) if body.get("shipped_at") else now
    if shipped_at > now + CLOCK_SKEW:
        faults.append("shipped_at: lies in the future")
    if shipped_at < OLDEST:
        faults.append(f"shipped_at: is before {OLDEST:%Y}")
    shipped_at = min(shipped_at, now)
    if faults:
        raise StatementRefused(faults)
    attributes = {"purchase_order_number": body["purchase_order_number"]} if body.get("purchase_order_number") else {}
    number = number_of(body, key)
    account = body.get("account")
    document = {
        "type": "shipment",
        "id": canonical.document_id(
            "shipment", micros(shipped_at) // 1000, account, CONNECTOR, folded(str(body["order"])), number
        ),
        "source": {
            "connector": CONNECTOR,
            "account": account,
            "kind": "shipment",
            "id": number,
            "version": instant_text(now),
            "occurred_at": instant_text(shipped_at),
            "received_at": instant_text(now),
            "digest": blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).hexdigest(),
        },
        "order": str(body["order"]).strip(),
        "number": body.get("number"),
        "state": state,
        "ship_from": body.get("ship_from"),
        "shipped_at": instant_text(shipped_at) if state in ("shipped", "delivered") else None,
        "packages": packages,
        "attributes": attributes,
    }
    return canonical.parse_document(json.dumps(document)), warnings


def _blank(where: str, value: Any) -> Iterator[str]:
    """Texts that say nothing: what is not known is left out."""
    if isinstance(value, str) and not value.strip():
        yield f"{where}: is blank; leave it out"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _blank(f"{where}.{name}" if where else name, inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _blank(f"{where}[{place}]", inner)


def _package(
    place: int, package: Mapping[str, Any], crosswalk: Crosswalk, faults: list[str], warnings: list[str]
) -> Json:
    where = f"packages[{place}]"
    word, number, url = package.get("carrier"), package.get("tracking_number"), package.get("tracking_url")
    if url and not str(url).lower().startswith(_URLS):
        faults.append(f"{where}.tracking_url: is no http address")
    lines = [_line(f"{where}.lines[{at}]", line, faults) for at, line in enumerate(package.get("lines") or ())]
    carrier = crosswalk.read("", word) if word else None
    if number:
        known = identify(number, stated=carrier)
        carrier = carrier or (None if word else known.carrier)
        if known.warning and not (word and carrier is None):
            warnings.append(f"{where}: {known.warning}")
    return {
        "id": package.get("id"),
        "sscc": package.get("sscc"),
        "tracking_number": number,
        "tracking_url": url,
        "carrier": carrier or ("unknown" if word else None),
        "carrier_raw": word,
        "service": package.get("service"),
        "lines": lines,
    }


def _line(where: str, line: Mapping[str, Any], faults: list[str]) -> Json:
    if not (line.get("line_id") or line.get("sku") or line.get("gtin")):
        faults.append(f"{where}: names neither `line_id` nor `sku` nor `gtin`")
    if line["quantity"] < 1:
        faults.append(f"{where}.quantity: has to be 1 or more")
    named = {"line_id": line.get("line_id"), "sku": line.get("sku"), "gtin": line.get("gtin")}
    return {**named, "quantity": max(0, line["quantity"]), "lot": line.get("lot")}
