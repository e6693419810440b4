"""The parts of a partner profile, each checked by itself. What is left out has the usual answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from mappings.edi.model import Separators

_SPAN: Final = re.compile(r"(\d{1,4})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_X12_UNFIT: Final = " -.+"
"""Characters that stand in numbers and names; a file separated by them cannot be read back."""


def _seconds(value: Any) -> Any:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a span of time such as 30m, 24h or 2d")
    return int(found[1]) * _SECONDS[found[2]]


Span = Annotated[int, BeforeValidator(_seconds), Field(gt=0)]
"""Written as `30m`, `24h`, `2d`; seconds."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,6}$")]
SetKind = Annotated[str, StringConstraints(pattern=r"^(\d{3}|[A-Z]{6})$")]
Eaches = Annotated[int, Field(gt=0, strict=True)]

IdKind = Literal["buyer", "seller", "gtin", "sku"]
Level = Literal["available", "on_hand", "incoming", "reserved", "damaged"]
_IDS_OUT: Final[Mapping[str, IdKind]] = {"IN": "buyer", "VN": "seller", "UP": "gtin"}
_QUALIFIERS: Final[Mapping[str, Level]] = {"33": "available", "17": "on_hand", "63": "incoming"}


class Part(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Identity(Part):
    """An address on the wire: ISA05 to 08 or UNB02 and 03, and the application id of GS02 and GS03.

    `application` null is the interchange id again.
    """

    qualifier: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")] = "ZZ"
    id: Annotated[str, StringConstraints(pattern=r"^[!-~](?:[ -~]{0,33}[!-~])?$")]
    application: Annotated[str, StringConstraints(min_length=2, max_length=15)] | None = None

    @property
    def group_id(self) -> str:
        """GS02 or GS03."""
        return self.application or self.id


class Identities(Part):
    """Who writes to whom. `also` are further addresses the partner sends from."""

    us: Identity
    them: Identity
    also: tuple[Identity, ...] = ()
    usage: Literal["P", "T"] = "P"


class Envelope(Part):
    """How we write to the partner.

    `version` is ISA12 (`00401`) or UNB01 (`UNOC:3`). A separator met in a value is written as
    `substitute`, or refused where there is none: X12 has no escape.
    """

    syntax: Literal["x12", "edifact"] = "x12"
    version: Annotated[str, StringConstraints(pattern=r"^(\d{5}|UNO[A-Z]:[1-4])$")] = "00401"
    element: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    component: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    segment: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    repetition: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    line_end: Literal["", "\n", "\r\n"] = ""
    request_ta1: bool = False
    uppercase: bool = False
    substitute: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None

    @property
    def separators(self) -> Separators:
        """The service characters; what the profile leaves out is the syntax's own."""
        if self.syntax == "edifact":
            return Separators(self.element or "+", self.component or ":", self.segment or "'", self.repetition, "?")
        repeats = (self.repetition or "^") if self.version >= "00402" else None
        return Separators(self.element or "*", self.component or ">", self.segment or "~", repeats)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.syntax == "edifact") != self.version.startswith("UNO"):
            raise ValueError(
                "version must be of the syntax: 00401 and the like for x12, UNOC:3 and the like for edifact"
            )
        if self.syntax == "x12" and self.repetition is not None and self.version < "00402":
            raise ValueError("repetition separates from version 00402 on only; leave it out")
        used = self.separators
        marks = [mark for mark in (used.element, used.component, used.segment, used.repetition, used.release) if mark]
        if len(set(marks)) != len(marks):
            raise ValueError("element, component, segment and repetition must be four different characters")
        if self.syntax == "x12" and any(mark.isalnum() or mark in _X12_UNFIT or ord(mark) > 126 for mark in marks):
            raise ValueError("letters, digits, blank and - . + cannot separate")
        if self.substitute is not None and self.substitute in marks:
            raise ValueError("substitute must not be a separator itself")
        return self


class ProductIds(Part):
    """Qualifiers of product ids, the best first.

    `buyer` gives `channel_sku`, `seller` stands in for it and resolves to our SKU, `gtin` is the article
    number. `out` lists what we write and in what order; `buyer`, `seller` and `gtin` name the three kinds.
    """

    buyer: tuple[Code, ...] = ("IN", "BP", "SK", "CB")
    seller: tuple[Code, ...] = ("VN", "VP", "VC", "VA", "SA")
    gtin: tuple[Code, ...] = ("UK", "EN", "UP", "UA", "UI", "EO", "SRV")
    out: Mapping[Code, IdKind] = Field(default_factory=lambda: dict(_IDS_OUT))
    gtin_digits: Literal[12, 13, 14] | None = None
    """Width the partner wants; null keeps the article number's own."""


class AsnRules(Part):
    """How the ship notice is built.

    `structure` is BSN05 with the levels it stands for: S shipment, O order, T tare, P pack, I item. `ctt` is what
    CTT01 counts. `tracking` is where the carrier's number stands.
    """

    structure: Literal["0001", "0002", "0004", "ZZZZ"] | None = "0001"
    levels: Literal["SOPI", "SOTPI", "SOIP", "SOI", "SPI", "SIP", "SI"] = "SOPI"
    children: bool = False
    sscc: Literal["18", "20"] = "20"
    ctt: Literal["levels", "items", "none"] = "levels"
    one_order: bool = False
    tracking: tuple[Literal["MAN CP", "REF CN", "REF 2I", "TD3"], ...] = ("MAN CP",)
    within: Span | None = None
    """Seconds after departure by which the partner must have it."""
    sscc_prefix: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,12}$")] | None = None
    """GS1 company prefix cartons are numbered with; null gives no number to a carton that came without one."""
    sscc_extension: Annotated[str, StringConstraints(pattern=r"^[0-9]$")] = "0"

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        usual = {"0001": ("SOPI", "SOTPI"), "0002": ("SOIP",), "0004": ("SOI",)}.get(self.structure or "")
        if usual is not None and self.levels not in usual:
            raise ValueError(f"structure {self.structure} stands for {' or '.join(usual)}; ZZZZ is by agreement")
        return self


class SdqRules(Part):
    """A line for several stores: `sum` keeps one order with its allocations, `explode` gives one per store."""

    mode: Literal["sum", "explode"] = "sum"


class InventoryRules(Part):
    """846: which QTY01 means what, and whether a file names every item.

    `scope` full: items not named are zero. `out` is the qualifier we state the available quantity with.
    """

    qualifiers: Mapping[Code, Level] = Field(default_factory=lambda: dict(_QUALIFIERS))
    scope: Literal["full", "delta"] = "delta"
    out: Code = "33"
    out_scope: Literal["full", "delta"] = "full"
    every: Span | None = None
    location: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2}$")] = "WH"


class WarehouseRules(Part):
    """94x: what the warehouse's numbers mean.

    `damaged_included`: the received quantity of a 944 counts damaged units too. `sign` -1: a positive
    adjustment of a 947 takes units away.
    """

    damaged_included: bool = False
    sign: Literal[1, -1] = 1
    change: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]$")] | None = None
    """W0501 of an order to ship that replaces one sent before; null where the warehouse takes no changes"""
    cancel: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]$")] | None = None
    """W0501 of one that takes it back; null where that is a matter for the telephone"""


class Duplicates(Part):
    """What happens to a file, or to a document, that comes again; `replay` acknowledges it without effect."""

    interchange: Literal["replay", "reject", "drop"] = "replay"
    business: Literal["replay", "park"] = "replay"
    """The same business key with other content is always parked."""
    numbers_for: Span | None = None
    """Seconds a control number stands for what it came with; null for ever. Documents are known for ever."""


class Deadlines(Part):
    """By when an answer is due: ours to the partner by set, and the partner's acknowledgement of what we sent."""

    acknowledgement: Span | None = None
    sets: Mapping[SetKind, Span] = Field(default_factory=dict)
