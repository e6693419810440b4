"""A partial read joined to the order as known: it adds and corrects, and never shrinks what is known.

A document states every field, so a field at its default may only mean that the read does not say: it changes nothing.
Lines are joined by their id. Counts only grow: a read that does not tell of units that have left does not bring them
back. Rows without an identity (discounts, taxes, shipping) stay as they are once there are any; a whole read brings
the new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

Json = dict[str, Any]

_COUNTS: Final = frozenset({"quantity", "cancelled_quantity", "fulfilled_quantity", "returned_quantity"})
_UNSAID: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "kind": "retail",
        "payment_state": "unknown",
        "fulfillment_state": "unfulfilled",
        "fulfilled_by": "merchant",
        "requires_shipping": True,
    }
)
"""Defaults of an order and its lines: all that a field says of which the read knew nothing."""

_IDENTITY: Final[Mapping[str, str]] = MappingProxyType({"lines": "id", "holds": "name"})

_FREE: Final = frozenset({"attributes", "properties"})
"""An operator's or a vendor's own names: no rule of ours is about them."""


def joined(known: Json, partial: Json) -> Json:
    """What is known with what a partial read adds. Both stay as they are."""
    document = _over(known, partial)
    document["source"] = partial["source"]
    document["attributes"] = dict(document.get("attributes", {}))
    document["attributes"].pop("partial", None)
    if known.get("attributes", {}).get("partial"):
        document["attributes"]["partial"] = True
    if _cancelled_in_part(partial, document["lines"]):
        document["state"] = known["state"]
    return document


def _cancelled_in_part(partial: Json, lines: Iterable[Json]) -> bool:
    """All lines that the read shows are cancelled, and there are others."""
    if partial.get("state") != "cancelled" or partial.get("cancelled_at") or not partial.get("lines"):
        return False
    shown = {line["id"] for line in partial["lines"]}
    return any(line["quantity"] > line.get("cancelled_quantity", 0) for line in lines if line["id"] not in shown)


def _over(known: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    result = dict(known)
    for key, value in new.items():
        result[key] = _field(key, known[key], value) if key in known else value
    return result


def _field(key: str, old: Any, value: Any) -> Any:
    if value in (None, "", [], {}) or (old is not None and key in _UNSAID and value == _UNSAID[key]):
        return old
    if key in _COUNTS:
        return max(old or 0, value)
    if key in _FREE:
        return {**old, **{name: said for name, said in value.items() if said is not None}}
    if key == "tags":
        return list(dict.fromkeys([*old, *value]))
    if isinstance(old, dict) and isinstance(value, dict):
        return _over(old, value)
    if key in _IDENTITY and isinstance(old, list):
        return _rows(old, value, _IDENTITY[key])
    if isinstance(old, list) and isinstance(value, list):
        return old or value
    return value


def _rows(known: Sequence[Json], new: Sequence[Json], identity: str) -> list[Json]:
    """Rows by identity: known ones in their order, then those first seen now."""
    added = {row[identity]: row for row in new}
    rows = [_over(row, added.pop(row[identity])) if row[identity] in added else row for row in known]
    return rows + list(added.values())
