"""What a subclass of the suite hands in: payloads, and where in them the telling fields are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PayloadPath = tuple[str | int, ...]
"""Keys and indexes into the payload, e.g. `("line_items", 0, "price")`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One payload of a mapped topic. Invented people only.

    The four tables go from a canonical field, `<document type>.<path>` as in
    `order.lines[0].quantity`, to the place in the payload it is read from:

    Attributes:
        required: Taking the payload field away must be a `MappingError` naming the canonical field.
        codes: A code nobody has heard of must become `unknown` with the raw code beside it.
        money: Any amount put there must come out digit for digit.
        quantities: Any whole number put there must come out.
    """

    topic: str
    payload: bytes
    required: Mapping[str, PayloadPath] = field(default_factory=dict)
    codes: Mapping[str, PayloadPath] = field(default_factory=dict)
    money: Mapping[str, PayloadPath] = field(default_factory=dict)
    quantities: Mapping[str, PayloadPath] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookSample:
    """One webhook as the vendor sends it; `newer` is a later state of the same thing."""

    topic: str
    body: bytes
    newer: bytes | None = None
