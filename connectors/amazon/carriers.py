"""Carrier codes of Amazon's shipment confirmations.

Source: amzn-base.xsd, CarrierCode (as used by the shipment feeds and named by confirmShipment); a carrier
outside the list goes as `Other` with its name. Source of that rule: ordersV0, PackageDetail (2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk.errors import Rejected

OTHER: Final = "Other"
CODES: Final = (
    "Blue Package", "BlueDart", "Canada Post", "Chronopost", "City Link", "Delhivery", "Deutsche Post", "DHL",
    "DHL Global Mail", "DPD", "DTDC", "Fastway", "FedEx", "FedEx SmartPost", "First Flight", "GLS", "GO!",
    "Hermes Logistik Gruppe", "India Post", "La Poste", "Lasership", "Newgistics", "NipponExpress", "OnTrac", "OSM",
    "Overnite Express", "Parcelforce", "Parcelnet", "Poste Italiane", "Professional", "Royal Mail", "SagawaExpress",
    "SDA", "Streamlite", "Target", "TNT", "UPS", "UPS Mail Innovations", "USPS", "YamatoTransport",
)  # fmt: skip

CANONICAL: Final[Mapping[str, str]] = {
    "dhl_express": "DHL",
    "dhl_global_mail": "DHL Global Mail",
    "dhl_ecommerce": "DHL Global Mail",
    "fedex_smartpost": "FedEx SmartPost",
    "ups_mail_innovations": "UPS Mail Innovations",
    "hermes": "Hermes Logistik Gruppe",
    "yamato": "YamatoTransport",
    "sagawa": "SagawaExpress",
    "osm_worldwide": "OSM",
}
"""Canonical carriers that are spelled unlike Amazon's."""

_BY_FOLDED: Final = {code.casefold(): code for code in CODES}


def carrier_of(package: Mapping[str, Any]) -> dict[str, str]:
    """`carrierCode`, with `carrierName` where the code is Other.

    Raises:
        Rejected: The package names no carrier.
    """
    told = package.get("told")
    if isinstance(told, Mapping):
        return _as_told(told)
    code, raw = package.get("carrier"), str(package.get("carrier_raw") or "").strip()
    for name in (CANONICAL.get(str(code)), raw, code):
        known = _BY_FOLDED.get(str(name).replace("_", " ").casefold()) if name else None
        if known is not None:
            return {"carrierCode": known}
    other = raw or (str(code).replace("_", " ") if code and code != "unknown" else "")
    if not other:
        raise Rejected("the package names no carrier", code="no_carrier")
    return {"carrierCode": OTHER, "carrierName": other}


def _as_told(told: Mapping[str, Any]) -> dict[str, str]:
    """What the hub's table of carriers calls it here: the list varies by marketplace, and operators add to it."""
    if told.get("code") and not told.get("other"):
        return {"carrierCode": str(told["code"])}
    if not told.get("name"):
        raise Rejected("the package names no carrier", code="no_carrier")
    return {"carrierCode": OTHER, "carrierName": str(told["name"])}
