"""Setting quantities: compared before set, one unit per call, recognised when repeated.

Source: mutations inventorySetQuantities and inventoryActivate of the 2026-10 schema,
shopify.dev/docs/api/usage/idempotent-requests; read 2026-11-20.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import GraphQLError

from connectors.sdk.faults import Faults
from connectors.shopify.fake.state import Item, Level, Shop
from connectors.shopify.fake.views import View, Views, gid, time_text

ENTRIES_MAX: Final = 250
QUANTITY_MAX: Final = 1_000_000_000
REASONS: Final = frozenset(
    {
        "correction",
        "cycle_count_available",
        "damaged",
        "movement_canceled",
        "movement_created",
        "movement_received",
        "movement_updated",
        "other",
        "promotion",
        "quality_control",
        "received",
        "reservation_created",
        "reservation_deleted",
        "reservation_updated",
        "restock",
        "safety_stock",
        "shrinkage",
    }
)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")
_GID: Final = re.compile(r"gid://[^/\s]+/[^/\s]+/[^/\s]+")

Touched = Callable[[Item, Level], None]


class Idempotency:
    """Remembers keyed calls: the same key and variables give the same answer, other variables an error."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[str, Any]] = {}

    def run(self, mutation: str, key: str, variables: Any, do: Callable[[], Any], mismatch: Callable[[], Any]) -> Any:
        mark = json.dumps(variables, sort_keys=True, default=str)
        known = self._seen.get((mutation, key))
        if known is not None:
            return known[1] if known[0] == mark else mismatch()
        answer = do()
        self._seen[(mutation, key)] = (mark, answer)
        return answer


class Inventory:
    """The two stock mutations on one shop. `touched` hears of every level whose available count moved."""

    def __init__(self, shop: Shop, views: Callable[[], Views], faults: Faults, touched: Touched) -> None:
        self._shop = shop
        self._views = views
        self._faults = faults
        self._touched = touched
        self._keys = Idempotency()

    def set_quantities(self, given: Mapping[str, Any], key: str) -> View:
        def mismatch() -> View:
            return _refused(
                _error(
                    None,
                    "The same idempotency key was used with other parameters.",
                    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                )
            )

        return self._keys.run("inventorySetQuantities", key, given, lambda: self._set(given), mismatch)  # type: ignore[no-any-return]

    def _set(self, given: Mapping[str, Any]) -> View:
        entries: Sequence[Mapping[str, Any]] = given["quantities"]
        if len(entries) > ENTRIES_MAX:
            raise GraphQLError(
                f"The input array size of {len(entries)} is greater than the maximum allowed of {ENTRIES_MAX}.",
                extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
            )
        for entry in entries:
            if "changeFromQuantity" not in entry:
                raise GraphQLError(
                    "InventoryQuantityInput must include the following argument: changeFromQuantity.",
                    extensions={"code": "INVALID_FIELD_ARGUMENTS"},
                )
        errors = [*_whole_call(given), *self._entries(given["name"], entries)]
        if not errors and self._faults.hit("partial_failure"):
            place = len(entries) // 2
            errors = [_stale(place)]
        if errors:
            return _refused(*errors)
        changes = [] if self._faults.hit("feed_noop") else self._apply(given["name"], entries)
        now = self._shop.now()
        return {
            "inventoryAdjustmentGroup": {
                "id": gid("InventoryAdjustmentGroup", self._shop.new_id(54_000_000_000_000)),
                "createdAt": time_text(now),
                "reason": given["reason"],
                "referenceDocumentUri": given.get("referenceDocumentUri"),
                "changes": lambda _, **__: changes,
            },
            "userErrors": [],
        }

    def _entries(self, name: str, entries: Sequence[Mapping[str, Any]]) -> list[View]:
        errors: list[View] = []
        seen: set[tuple[str, str]] = set()
        for at, entry in enumerate(entries):
            pair = (entry["inventoryItemId"], entry["locationId"])
            problem = self._entry(name, at, entry)
            if pair in seen:
                problem = _error(
                    ["input", "quantities", str(at)],
                    "The combination of inventoryItemId and locationId must be unique.",
                    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
                )
            seen.add(pair)
            if problem is not None:
                errors.append(problem)
        return errors

    def _entry(self, name: str, at: int, entry: Mapping[str, Any]) -> View | None:
        field = ["input", "quantities", str(at)]
        quantity = entry["quantity"]
        if quantity > QUANTITY_MAX:
            return _error([*field, "quantity"], "The quantity is too high.", "INVALID_QUANTITY_TOO_HIGH")
        if quantity < -QUANTITY_MAX:
            return _error([*field, "quantity"], "The quantity is too low.", "INVALID_QUANTITY_TOO_LOW")
        if name == "on_hand" and quantity < 0:
            return _error([*field, "quantity"], "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")
        item = self._shop.items.get(_number(entry["inventoryItemId"], "InventoryItem"))
        if item is None:
            return _error(
                [*field, "inventoryItemId"],
                "The specified inventory item could not be found.",
                "INVALID_INVENTORY_ITEM",
            )
        if item.components:
            return _error(
                [*field, "inventoryItemId"], "The inventory item is not mutable.", "NON_MUTABLE_INVENTORY_ITEM"
            )
        place = _number(entry["locationId"], "Location")
        if place not in self._shop.locations:
            return _error([*field, "locationId"], "The specified location could not be found.", "INVALID_LOCATION")
        level = item.levels.get(place)
        if level is None or not level.active:
            # The enum of 2026-10 has no code for this one.
            return _error([*field, "locationId"], "The specified inventory item is not stocked at the location.", None)
        expected = entry["changeFromQuantity"]
        held = level.available if name == "available" else level.on_hand
        return _stale(at) if expected is not None and expected != held else None

    def _apply(self, name: str, entries: Sequence[Mapping[str, Any]]) -> list[View]:
        now = self._shop.now()
        changes: list[View] = []
        for entry in entries:
            item = self._shop.items[_number(entry["inventoryItemId"], "InventoryItem")]
            level = item.levels[_number(entry["locationId"], "Location")]
            held = level.available if name == "available" else level.on_hand
            delta = entry["quantity"] - held
            if not delta:
                continue
            level.set_available(level.available + delta, now)
            self._touched(item, level)
            changes += [self._change(name, delta, item, level) for name in ("available", "on_hand")]
        return changes

    def _change(self, name: str, delta: int, item: Item, level: Level) -> View:
        return {
            "name": name,
            "delta": delta,
            "quantityAfterChange": None,
            "item": self._views().item(item),
            "location": self._views().location(self._shop.locations[level.location]),
        }

    def activate(self, item_id: str, location_id: str, available: int | None, key: str) -> View:
        def mismatch() -> View:
            error = {"field": None, "message": "The same idempotency key was used with other parameters."}
            return {"inventoryLevel": None, "userErrors": [error]}

        variables = [item_id, location_id, available]
        return self._keys.run(  # type: ignore[no-any-return]
            "inventoryActivate", key, variables, lambda: self._activate(item_id, location_id, available), mismatch
        )

    def _activate(self, item_id: str, location_id: str, available: int | None) -> View:
        item = self._shop.items.get(_number(item_id, "InventoryItem"))
        place = _number(location_id, "Location")
        if item is None:
            return _not_activated("inventoryItemId", "The product couldn't be stocked because it wasn't found.")
        if place not in self._shop.locations:
            return _not_activated("locationId", "The product couldn't be stocked because the location wasn't found.")
        now = self._shop.now()
        level = item.levels.get(place)
        if level is not None and level.active:
            if available is not None:
                return _not_activated(
                    "available", "Not allowed to set available quantity when the item is already active."
                )
        elif level is None:
            level = item.levels[place] = Level(place, available or 0, now, now)
        else:
            level.active = True
            level.set_available(available or 0, now)
        self._touched(item, level)
        return {"inventoryLevel": self._views().level(item, level), "userErrors": []}


def _whole_call(given: Mapping[str, Any]) -> list[View]:
    errors = []
    if given["name"] not in ("available", "on_hand"):
        errors.append(
            _error(["input", "name"], "The quantity name must be either 'available' or 'on_hand'.", "INVALID_NAME")
        )
    if given["reason"] not in REASONS:
        errors.append(_error(["input", "reason"], "The specified reason is invalid.", "INVALID_REASON"))
    uri = given.get("referenceDocumentUri")
    if uri is not None and not (_GID.fullmatch(uri) if uri.startswith("gid://") else _URI.fullmatch(uri)):
        errors.append(
            _error(
                ["input", "referenceDocumentUri"],
                "The specified reference document is invalid.",
                "INVALID_REFERENCE_DOCUMENT",
            )
        )
    return errors


def _stale(at: int) -> View:
    return _error(
        ["input", "quantities", str(at), "changeFromQuantity"],
        "The changeFromQuantity argument no longer matches the persisted quantity.",
        "CHANGE_FROM_QUANTITY_STALE",
    )


def _error(field: list[str] | None, message: str, code: str | None) -> View:
    return {"field": field, "message": message, "code": code}


def _refused(*errors: View) -> View:
    return {"inventoryAdjustmentGroup": None, "userErrors": list(errors)}


def _not_activated(field: str, message: str) -> View:
    return {"inventoryLevel": None, "userErrors": [{"field": [field], "message": message}]}


def _number(text: str, kind: str) -> int:
    prefix, _, tail = text.rpartition("/")
    return int(tail) if prefix == f"gid://shopify/{kind}" and tail.isdigit() else -1
