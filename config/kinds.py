"""Kinds of single values: each reads a node into a Python value, and describes itself for the JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.document import Node, Scalar
from config.faults import suggestion
from config.reading import BAD, Bad, Reading, or_reference, shown

_UNITS: Final = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_WHOLE_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_DURATION_SCHEMA: Final = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$", "examples": ["60s", "15m"]}


@dataclass(frozen=True, slots=True)
class Text:
    """Text; numbers are taken with the digits they are written with."""

    pattern: str | None = None
    form: str = ""
    """what the text is, completing "… is not"; `rule` says how to write one"""
    rule: str = ""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        if self.pattern is not None and not re.fullmatch(self.pattern, value.text):
            return reading.fault(value.line, key, f"{shown(value)} is not {self.form}", self.rule)
        return value.text

    def schema(self) -> dict[str, Any]:
        if self.pattern is None:
            return or_reference({"type": ["string", "number"]})
        return or_reference({"type": "string", "pattern": f"^{self.pattern}$"})


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[str, ...]

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad) or value.text in self.words:
            return BAD if isinstance(value, Bad) else value.text
        return reading.fault(value.line, key, f"{shown(value)} is no choice here", suggestion_or_all(value, self.words))

    def schema(self) -> dict[str, Any]:
        return or_reference({"enum": list(self.words)})


def suggestion_or_all(value: Scalar, words: tuple[str, ...]) -> str:
    """A hidden value is not compared with the choices, since the answer would tell about it."""
    return f"use one of {', '.join(words)}" if value.hidden else suggestion(value.text, words)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range."""

    low: int
    high: int

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        plain = re.fullmatch(r"-?[0-9]{1,18}", value.text)
        if plain is None or (value.kind == "str" and not value.hidden):
            return reading.fault(value.line, key, f"{shown(value)} is no whole number", "write digits without quotes")
        number = int(value.text)
        if not self.low <= number <= self.high:
            problem = f"{shown(value)} is out of range"
            return reading.fault(value.line, key, problem, f"use a number from {self.low} to {self.high}")
        return number

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "integer", "minimum": self.low, "maximum": self.high})


@dataclass(frozen=True, slots=True)
class Fraction:
    """An exact decimal from 0 to 1."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        try:
            number = Decimal(value.text)
        except InvalidOperation:
            number = Decimal(-1)
        if not number.is_finite() or not 0 <= number <= 1:
            return reading.fault(
                value.line, key, f"{shown(value)} is no share", "use a number from 0 to 1; 0.8 is 80 per cent"
            )
        return number

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "number", "minimum": 0, "maximum": 1})


@dataclass(frozen=True, slots=True)
class Flag:
    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        if value.text.lower() in ("true", "false") and (value.kind == "bool" or value.hidden):
            return value.text.lower() == "true"
        return reading.fault(value.line, key, f"{shown(value)} is neither true nor false", "write true or false")

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "boolean"})


@dataclass(frozen=True, slots=True)
class Duration:
    """A time such as 60s, 15m, 1h, 30d; read as seconds."""

    low_s: int = 1

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        found = _DURATION.fullmatch(value.text.strip())
        if found is None:
            return reading.fault(
                value.line, key, f"{shown(value)} is no duration", "write a number and a unit: 60s, 15m, 1h, 30d"
            )
        seconds = Decimal(found[1]) * _UNITS[found[2]]
        if not self.low_s <= seconds <= 36500 * 86400:
            problem = f"{shown(value)} is out of range"
            return reading.fault(value.line, key, problem, f"use at least {_written(self.low_s)} and at most 36500d")
        return float(seconds)

    def schema(self) -> dict[str, Any]:
        return or_reference(dict(_DURATION_SCHEMA))


def _written(seconds: int) -> str:
    """A duration in the largest unit that writes it whole."""
    return next(f"{seconds // size}{unit}" for unit, size in _WHOLE_UNITS if seconds % size == 0)


@dataclass(frozen=True, slots=True)
class Zone:
    """An IANA time zone."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        try:
            ZoneInfo(value.text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            problem = f"{shown(value)} is no known time zone"
            return reading.fault(value.line, key, problem, "use an IANA name such as America/New_York")
        return value.text

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "examples": ["America/New_York", "UTC"]})


_PAGE_NUMBER: Final = "{number}"


@dataclass(frozen=True, slots=True)
class Url:
    """An http(s) base URL; a trailing slash is dropped."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        problem = _url_problem(value.text)
        if problem:
            return reading.fault(value.line, key, problem, "write a base address such as https://hub.example.com")
        return value.text.rstrip("/")

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "pattern": "^https?://[^/?#@]+(/[^?#]*)?$"})


def _url_problem(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is no usable URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(map(str.isspace, text)):
        return "is no http or https URL"
    if "@" in parts.netloc:
        return "holds a user name or password, which would end up in logs"
    return "has a query or a fragment, which a base address cannot have" if parts.query or parts.fragment else None


@dataclass(frozen=True, slots=True)
class ParcelPage:
    """The http(s) address of a parcel's page; `{number}` in it stands for the parcel's number."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        problem = _page_problem(value.text)
        if problem:
            hint = "write the page's address such as https://bikes.example/{number}"
            return reading.fault(value.line, key, problem, hint)
        return value.text

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "pattern": r"^https?://.*\{number\}"})


def _page_problem(text: str) -> str | None:
    if _PAGE_NUMBER not in text:
        return f"does not say where the number stands: {_PAGE_NUMBER} is missing"
    # Many pages take the number in a query or a fragment, which a base address cannot have.
    plain = text.replace(_PAGE_NUMBER, "0")
    return _url_problem(plain.partition("?")[0].partition("#")[0]) or (
        "has a blank" if any(map(str.isspace, text)) else None
    )


@dataclass(frozen=True, slots=True)
class ExistingPath:
    """A file or folder that must be there."""

    folder: bool

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        word = "folder" if self.folder else "file"
        try:
            path = reading.path(value.text)
            there = path.is_dir() if self.folder else path.is_file()
        except (OSError, ValueError, RuntimeError):
            return reading.fault(value.line, key, f"{shown(value)} is no usable path", f"name a {word}")
        if not there:
            remedy = f"create it, or correct the path; it starts from {reading.root}"
            return reading.fault(value.line, key, f"there is no {word} {shown(value)}", remedy)
        return path

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string"})
