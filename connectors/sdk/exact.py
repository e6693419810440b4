"""JSON without loss: integers of any size stay integers, decimals stay `Decimal`, nothing becomes a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class NotJson(ValueError):
    """The bytes are no JSON document."""


def loads(body: bytes | str) -> Any:
    """Decode; decimals keep their scale (`12.30` stays `Decimal("12.30")`).

    Raises:
        NotJson: Syntax, encoding, or nesting deeper than the decoder allows.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from error


def dumps(value: Any) -> bytes:
    """Encode; a `Decimal` is written as the number it is, digit for digit."""
    return _ENCODER.encode(value)


def canonical(value: Any) -> bytes:
    """As `dumps`, with keys sorted: equal values give equal bytes, fit for a digest."""
    return _SORTED.encode(value)
