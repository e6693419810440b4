"""What each channel calls a carrier, and what to send where it has no name for it.

Source: Admin GraphQL 2026-01, FulfillmentTrackingInfo.company (Shopify); Seller Central help 641 (Amazon,
2026-11); GeteBayDetails ShippingCarrierDetails (eBay, 2026-11); CarrierNameType of the orders API and the
supported carrier names page (Walmart, 2026-06); carrier lists of EasyPost and Shippo (2026-11). Codes of
ShipEngine and AfterShip, and SCACs, are from secondary sources: they read what comes in, and an EDI
partner's own SCAC is configuration.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

_HERE: Final = Path(__file__).resolve().parent
_ANY: Final = "*"
CHANNELS: Final = ("shopify", "amazon", "ebay", "walmart", "scac", "easypost", "shippo", "shipengine", "aftership")
"""Columns of the table; the first four are told of shipments."""
_OTHER: Final[Mapping[str, str]] = {"amazon": "Other", "ebay": "Other"}
"""The word for a carrier without one. Shopify takes any text, Walmart has a field of its own for it."""
_URL_REQUIRED: Final = frozenset({"walmart"})
"""Walmart refuses `otherCarrier` without `trackingURL`. Source: orders API, CarrierNameType (2026-06)."""
_FOLDED: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A row of the table. `names` is by channel; a channel that has no name for the carrier is not in it."""

    code: str
    name: str
    aliases: tuple[str, ...]
    names: Mapping[str, str] = field(hash=False)
    tracking_url: str | None

    def url_of(self, number: str) -> str | None:
        """The page that shows a parcel to anyone; null for carriers without one we know."""
        return self.tracking_url.replace("{number}", quote(number, safe="")) if self.tracking_url else None


@dataclass(frozen=True, slots=True)
class CarrierName:
    """What to tell a channel: `code` from its list, or, when `is_other`, its word for others beside `name`.

    `code` is null where the channel's form for other carriers has no code. `url` is where a shopper
    follows the parcel; a channel that insists on one and gets none refuses, which `lacks_url` foretells.
    """

    code: str | None
    name: str
    is_other: bool
    url: str | None
    lacks_url: bool


class Crosswalk:
    """The table, with an operator's rows over it. Immutable; safe to share.

    Args:
        overrides: By carrier code, names by channel (a name of "" takes the channel's name away), and
            under `name` and `tracking_url` those of the carrier; codes the table lacks are new carriers.

    Raises:
        ValueError: An override names something that is no column.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, str]] | None = None) -> None:
        rows = dict(_shipped())
        for code, stated in (overrides or {}).items():
            rows[code] = _overridden(code, rows.get(code), stated)
        self._rows = rows
        self._codes = _index((name, row.code) for row in rows.values() for name in (row.code, *row.aliases))
        self._words = {
            channel: _index(
                [(row.names[channel], row.code) for row in _plainest_first(rows.values()) if channel in row.names]
                + [(name, code) for (code, _, where), name in _services().items() if where == channel and code != _ANY]
            )
            for channel in CHANNELS
        }
        self._names = _index((row.name, row.code) for row in _plainest_first(rows.values()))

    @property
    def carriers(self) -> tuple[Carrier, ...]:
        return tuple(self._rows.values())

    def carrier(self, code: str) -> Carrier | None:
        """By code or by a name the carrier used to have."""
        found = self._codes.get(_fold(code))
        return self._rows[found] if found else None

    def read(self, channel: str, word: str | None) -> str | None:
        """The carrier a channel's word means, whatever its spelling; null for a word nobody knows.

        The channel's own list comes before other names of carriers, because sellers type both.
        """
        if not word:
            return None
        folded = _fold(word)
        return self._words.get(channel, {}).get(folded) or self._codes.get(folded) or self._names.get(folded)

    def told(self, channel: str, carrier: str | None, *, number: str, raw: str | None = None) -> CarrierName:
        """What to tell `channel` of a parcel.

        Args:
            carrier: Canonical code, or null or `unknown`.
            number: Tracking number, for the page that shows it.
            raw: What whoever shipped called the carrier; the name of one that no table knows.
        """
        code = carrier if carrier and carrier != "unknown" else None
        row = self.carrier(code or self.read(channel, raw) or "")
        if row is None:
            return _other(channel, raw or (code.replace("_", " ") if code else "Other"), None)
        code = row.names.get(channel)
        url = row.url_of(number)
        return CarrierName(code, row.name, False, url, False) if code else _other(channel, row.name, url)

    def service(self, channel: str, carrier: str | None, service: str | None) -> str | None:
        """What `channel` calls a service of a carrier; null where it has no word for it."""
        if not service:
            return None
        table = _services()
        folded = _fold_word(service)
        return table.get((carrier or _ANY, folded, channel)) or table.get((_ANY, folded, channel))


def _other(channel: str, name: str, url: str | None) -> CarrierName:
    return CarrierName(_OTHER.get(channel), name, True, url, channel in _URL_REQUIRED and url is None)


def _overridden(code: str, row: Carrier | None, stated: Mapping[str, str]) -> Carrier:
    unknown = sorted(set(stated) - {*CHANNELS, "name", "tracking_url"})
    if unknown:
        raise ValueError(f"carrier {code}: no such column: {', '.join(unknown)}; known are {', '.join(CHANNELS)}")
    base = row or Carrier(code, code.replace("_", " ").title(), (), {}, None)
    names = {**base.names, **{channel: stated[channel] for channel in CHANNELS if channel in stated}}
    return Carrier(
        code,
        stated.get("name", base.name),
        base.aliases,
        {channel: name for channel, name in names.items() if name},
        stated.get("tracking_url", base.tracking_url or "") or None,
    )


def _plainest_first(rows: Iterable[Carrier]) -> list[Carrier]:
    """The carrier itself before its services, which share its words."""
    return sorted(rows, key=lambda row: row.code.count("_"))


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By folded word; the first of several meanings counts."""
    found: dict[str, str] = {}
    for word, code in pairs:
        found.setdefault(_fold(word), code)
    return found


def _fold(word: str) -> str:
    return _FOLDED.sub("", word.lower())


def _fold_word(word: str) -> str:
    return _FOLDED.sub("_", word.lower()).strip("_")


@cache
def _shipped() -> Mapping[str, Carrier]:
    with (_HERE / "crosswalk.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["carrier"]: Carrier(
                row["carrier"],
                row["name"],
                tuple(row["aliases"].split()),
                {channel: row[channel] for channel in CHANNELS if row[channel]},
                row["tracking_url"] or None,
            )
            for row in csv.DictReader(file)
        }


@cache
def _services() -> Mapping[tuple[str, str, str], str]:
    with (_HERE / "services.csv").open(encoding="utf-8", newline="") as file:
        return {(row["carrier"], row["service"], row["channel"]): row["name"] for row in csv.DictReader(file)}
