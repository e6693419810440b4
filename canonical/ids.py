"""Ids of documents: prefixed, sortable by time, and the same for the same thing."""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from types import MappingProxyType
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, and it sorts like the numbers it writes."""
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_TIME_MAX: Final = 2**48
_FORTY: Final = 2**40 - 1
_DIGEST: Final = Struct(">QH")

PREFIXES: Final = MappingProxyType(
    {
        "order": "ord", "order_cancellation": "can", "refund": "ref", "return": "ret", "shipment": "shp",
        "tracking_update": "trk", "stock_report": "rep", "stock_movement": "mov", "listing": "lst",
        "purchase_order": "po", "order_change": "chg", "order_acknowledgement": "ack", "ship_notice": "asn",
        "invoice": "inv", "warehouse_order": "who", "warehouse_receipt": "whr", "functional_acknowledgement": "fak",
        "application_advice": "adv", "remittance": "rem", "availability": "avl",
    }
)  # fmt: skip


def _eight(value: int) -> str:
    """40 bits in eight digits."""
    high, low = value >> 20, value & 1048575
    return _PAIRS[high >> 10] + _PAIRS[high & 1023] + _PAIRS[low >> 10] + _PAIRS[low & 1023]


def document_id(type: str, at_ms: int, *natural_key: str | None) -> str:
    """The id of the thing that `natural_key` names.

    Equal arguments give the equal id, on any machine and in any year; ids of one type sort by
    `at_ms`, which therefore must be a fact of the thing (when it occurred), not of its arrival.

    Args:
        type: The document's type; it chooses the prefix and is part of the key.
        at_ms: Milliseconds since 1970, UTC.
        natural_key: What makes the thing unique, usually account, kind and the vendor's id.

    Raises:
        ValueError: An unknown type, no natural key, or a time outside the years 1970 to 10889.
    """
    prefix = PREFIXES.get(type)
    if prefix is None:
        raise ValueError(f"there is no document type {type!r}")
    if not natural_key:
        raise ValueError("an id needs a natural key")
    if not 0 <= at_ms < _TIME_MAX:
        raise ValueError("at_ms must be milliseconds since 1970 and fit in 48 bits")
    # Lengths keep ("ab", "c") and ("a", "bc") apart; null is not the empty string.
    parts = "".join(["-;" if part is None else f"{len(part)}:{part};" for part in (type, *natural_key)])
    high, low = _DIGEST.unpack(blake2b(parts.encode(), digest_size=10).digest())
    digest = (high << 16) | low
    return f"{prefix}_{_PAIRS[at_ms >> 40]}{_eight(at_ms & _FORTY)}{_eight(digest >> 40)}{_eight(digest & _FORTY)}"
