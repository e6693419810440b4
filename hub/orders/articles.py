"""By which names an article of a line may be found, beside the one the channel calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SELLERS: Final = ("VN", "VP", "VC", "VA", "SA", "SK")
"""Qualifiers of the seller's own number, ours. Source: X12 element 235, EDIFACT 7143; a retailer that means its own
number by SK has it in the place of its name already."""


def other_names(named: str, ids: Any, gtin: str | None) -> tuple[str, ...]:
    """Our own number of the article as the partner states it, then its GTIN; nothing that is `named` already.

    Args:
        ids: the ids of an EDI line by qualifier (`properties.ids`).
    """
    stated: Mapping[str, Any] = ids if isinstance(ids, Mapping) else {}
    names = [stated.get(qualifier) for qualifier in _SELLERS] if stated else []
    found = dict.fromkeys(str(name) for name in (*names, gtin if stated else None) if name and name != named)
    return tuple(found)
