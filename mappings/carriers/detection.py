"""Whose number it may be, by shape and check digit. Detection proposes; it never decides alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from mappings.carriers.checkdigits import check_character

_TABLE: Final = Path(__file__).resolve().parent / "formats.json"
_FILLER: Final = re.compile(r"[\s\-–—]+")
_LENGTH_MAX: Final = 60
_POSTS: Final[Mapping[str, str]] = {
    "US": "usps", "GB": "royal_mail", "CA": "canada_post", "DE": "deutsche_post", "AU": "australia_post",
    "NL": "postnl", "CN": "china_post",
}  # fmt: skip
"""Postal services that other tables know by a name of their own; any other is `post_<country>`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A format the number has. `is_checked` says that a check digit agrees, `is_marked` that it starts
    with letters or digits only this format starts with."""

    carrier: str
    format: str
    name: str
    is_checked: bool
    is_marked: bool


@dataclass(frozen=True, slots=True)
class _Format:
    carrier: str
    format: str
    name: str
    pattern: re.Pattern[str]
    checksum: Mapping[str, Any] | None
    prepend: tuple[re.Pattern[str], str] | None
    countries: frozenset[str]
    is_marked: bool

    def candidate(self, number: str) -> Candidate | None:
        match = self.pattern.fullmatch(number)
        if match is None:
            return None
        parts = match.groupdict()
        country = parts.get("country") or ""
        if self.countries and country not in self.countries:
            return None
        if self.checksum is not None and parts["check"] != check_character(self.checksum, self._serial(parts)):
            return None
        carrier = _POSTS.get(country, f"post_{country.lower()}") if self.carrier == "s10" else self.carrier
        return Candidate(carrier, self.format, self.name, self.checksum is not None, self.is_marked)

    def _serial(self, parts: Mapping[str, str]) -> str:
        serial = parts["serial"]
        return self.prepend[1] + serial if self.prepend and self.prepend[0].match(serial) else serial


def compact(number: str) -> str:
    """The number as formats describe it: without spaces and dashes, in capitals."""
    return _FILLER.sub("", number).upper()


def candidates(number: str) -> tuple[Candidate, ...]:
    """Every format the number fits, the most telling first; none for a number nobody knows.

    A format with a check digit that disagrees is no candidate.
    Source: formats of tracking_number_data 2.0.0 (2026-08-15).
    """
    text = compact(number)
    if not text or len(text) > _LENGTH_MAX or not text.isascii():
        return ()
    found = [candidate for known in _formats() if (candidate := known.candidate(text)) is not None]
    return tuple(sorted(found, key=lambda one: (not (one.is_checked and one.is_marked), not one.is_checked)))


@cache
def _formats() -> tuple[_Format, ...]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(_format(row) for row in table["formats"])


def _format(row: Mapping[str, Any]) -> _Format:
    prepend = row.get("prepend")
    return _Format(
        row["carrier"],
        row["format"],
        row["name"],
        re.compile(row["pattern"], re.ASCII),
        row.get("checksum"),
        (re.compile(prepend["when"]), str(prepend["text"])) if prepend else None,
        frozenset(row.get("countries", ())),
        bool(re.match(r"[A-Z\d]", row["pattern"])) or row["format"] in ("usps_impb_n", "usps_impb_c", "s10"),
    )
