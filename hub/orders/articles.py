"""By which names an article of a line may be found, beside the one the channel calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SELLERS: Final = ("VN", "VP", "VC", "VA", "SA", "SK")
"""Qualifiers of the seller's own number, ours. Source: X12 element 235, EDIFACT 7143; a retailer that means its own
number by SK has it in the place of its name already."""
_GTIN: Final = "gtin:"
EVERYBODY: Final = ""
"""The account of names that mean the same at every channel."""


def gtin_name(gtin: str | None) -> str:
    """An article number as a name of the article, whatever its width; "" where there is none."""
    bare = (gtin or "").lstrip("0")
    return _GTIN + bare if bare else ""


def key_of(account: str, name: str) -> tuple[str, str]:
    """What a name is looked up by (`ReadSet.skus`): article numbers are nobody's own."""
    return (EVERYBODY if name.startswith(_GTIN) else account, name)


def other_names(named: str, ids: Any, gtin: str | None) -> tuple[str, ...]:
    """Our own number of the article as the partner states it, then its GTIN; nothing that is `named` already.

    Only for lines with ids by qualifier: other channels call an article by their SKU and by nothing else.

    Args:
        ids: the ids of an EDI line by qualifier (`properties.ids`).
    """
    if not isinstance(ids, Mapping) or not ids:
        return ()
    names = (*(ids.get(qualifier) for qualifier in _SELLERS), gtin_name(gtin))
    return tuple(dict.fromkeys(str(name) for name in names if name and name != named))
