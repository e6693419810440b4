"""What a patch does to a listing's attributes, and what is wrong with a bad one.

Source: listingsItems_2021-08-01 model and "merge a listing attribute" page (2026-08): only top-level
attributes have paths; `replace` puts the given value in place of all of it, so that a lead time left
out is gone; `merge` keeps what it does not name. Camel case gives 90000900 (operators' reports, 2025).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from connectors.amazon.fake.stockroom import AVAILABILITY

OPERATIONS: Final = ("add", "replace", "merge", "delete")
PREFIX: Final = "/attributes/"
ATTRIBUTES: Final = frozenset(
    {AVAILABILITY, "item_name", "purchasable_offer", "condition_type", "merchant_shipping_group"}
)
ENTRY_KEYS: Final = frozenset(
    {
        "fulfillment_channel_code", "quantity", "lead_time_to_ship_max_days", "restock_date", "marketplace_id",
        "is_inventory_available",
    }
)  # fmt: skip
SELECTORS: Final[Mapping[str, tuple[str, ...]]] = {AVAILABILITY: ("fulfillment_channel_code",)}
"""What tells two entries of an attribute apart; others are told apart by marketplace and language."""

Issue = dict[str, Any]


def issue(code: str, message: str, attribute: str = "", category: str = "INVALID_ATTRIBUTE") -> Issue:
    found: Issue = {"code": code, "message": message, "severity": "ERROR", "categories": [category]}
    return found | ({"attributeNames": [attribute]} if attribute else {})


def faults_in(patches: Any) -> list[Issue]:
    """What Amazon would object to; empty when the patches may be applied."""
    if not isinstance(patches, list) or not patches:
        return [issue("90000900", "The patches are missing.")]
    found: list[Issue] = []
    for patch in patches:
        found += _faults_of(patch)
    return found


def applied(attributes: Mapping[str, Any], patches: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes after the patches, in their order."""
    after = copy.deepcopy(dict(attributes))
    for patch in patches:
        name = str(patch["path"]).removeprefix(PREFIX)
        value = copy.deepcopy(patch.get("value") or [])
        if patch["op"] == "delete":
            after.pop(name, None)
        elif patch["op"] == "merge":
            after[name] = _merged(name, after.get(name, []), value)
        else:
            after[name] = value
    return after


def _merged(name: str, held: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    selectors = SELECTORS.get(name, ("marketplace_id", "language_tag", "audience"))
    merged = [dict(entry) for entry in held]
    for entry in given:
        key = [entry.get(each) for each in selectors]
        match = next((each for each in merged if [each.get(one) for one in selectors] == key), None)
        if match is None:
            merged.append(entry)
        else:
            match.update(entry)
    return merged


def _faults_of(patch: Any) -> list[Issue]:
    path = patch.get("path") if isinstance(patch, dict) else None
    if not isinstance(path, str) or patch.get("op") not in OPERATIONS:
        return [issue("90000900", "The patch operation is invalid.")]
    name = path.removeprefix(PREFIX)
    if not path.startswith(PREFIX) or name not in ATTRIBUTES:
        return [issue("90000900", "The attributes are invalid.", name.strip("/"))]
    value = patch.get("value")
    if patch["op"] == "delete":
        return []
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return [issue("90000900", "The value must be a list of objects.", name)]
    return [] if name != AVAILABILITY else [fault for entry in value for fault in _faults_of_entry(entry)]


def _faults_of_entry(entry: Mapping[str, Any]) -> list[Issue]:
    unknown = sorted(set(entry) - ENTRY_KEYS)
    if unknown:
        return [issue("90000900", f"The attributes are invalid: {', '.join(unknown)}.", AVAILABILITY)]
    if not isinstance(entry.get("fulfillment_channel_code"), str):
        text = "'fulfillment_channel_code' is required but not supplied."
        return [issue("90220", text, AVAILABILITY, "MISSING_ATTRIBUTE")]
    quantity = entry.get("quantity", 0)
    if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
        text = "The field 'quantity' must be a whole number from 0 up."
        return [issue("99022", text, f"{AVAILABILITY}.quantity")]
    return []
