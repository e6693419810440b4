"""Publishing availability: absolute numbers, compared before they are set, each item answered.

Shopify takes a call as one unit: one stale or unknown entry fails all. So what it names is answered
and the rest goes again without it; where it names nothing the batch is halved until the culprit
stands alone. One bad item never blocks its neighbours.
Source: mutation inventorySetQuantities of the 2026-10 schema and shopify.dev/docs/api/usage/
idempotent-requests, read 2026-11-20. Whether a failed call applied a part of it is not documented;
numbers are absolute and compared, so going again is harmless either way.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.sdk import exact
from connectors.sdk.contract import PushItem, PushResult, PushState
from connectors.sdk.errors import ConnectorError, Rejected, TargetMissing
from connectors.shopify import ids
from connectors.shopify.errors import UserError, by_user_error, raise_user_errors, user_errors
from connectors.shopify.graphql import GraphQL
from connectors.shopify.stock import Stock

KIND: Final = "stock.set"
SET_TIMEOUT_S: Final = 10.0
"""A silent call is repeated under its key instead of waited for: the shop's own sales go on meanwhile."""
ROUNDS_MAX: Final = 3
"""Calls without what was named as bad before the batch is halved instead."""
REASON: Final = "correction"
QUANTITY_MAX: Final = 1_000_000_000
_KEYS: Final = uuid.UUID("6f1c6c1e-2f0b-5b8e-9a52-9a8f3f0d7c11")
# What Shopify may answer for an item that is there and not stocked at the location; the enum has no
# code of its own for it (2026-10), so these are looked into.
_MAY_BE_UNSTOCKED: Final = frozenset({"", "INVALID_LOCATION", "INVALID_INVENTORY_ITEM"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item ready to be sent. `index` is its place in the batch handed in."""

    index: int
    item: PushItem
    inventory_item: str
    location: str

    def input(self) -> dict[str, Any]:
        return {
            "inventoryItemId": self.inventory_item,
            "locationId": self.location,
            "quantity": self.item.quantity,
            # Explicit null says that there is nothing to compare with yet.
            "changeFromQuantity": self.item.expected,
        }


class Publishing:
    """Sets quantities for one account."""

    def __init__(self, graphql: GraphQL, stock: Stock) -> None:
        self._graphql = graphql
        self._stock = stock

    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        """One result per item, in order.

        Raises:
            Transient, RateLimited, AuthFailed: Of the first call, before any item was answered.
        """
        results: dict[int, PushResult] = {}
        entries: list[_Entry] = []
        for index, item in enumerate(items):
            try:
                entries.append(self._entry(index, item))
            except Rejected as error:
                results[index] = PushResult(item, PushState.FAILED, error=error)
        for unit in _without_pairs_twice(entries):
            await self._set_or_fail(unit, results)
        return [results[index] for index in range(len(items))]

    def _entry(self, index: int, item: PushItem) -> _Entry:
        number = ids.number(item.ref.listing_id)
        if not number:
            raise TargetMissing(f"{item.ref.listing_id!r} is no Shopify inventory item", code="listing_unknown")
        if not -QUANTITY_MAX <= item.quantity <= QUANTITY_MAX:
            raise Rejected(f"{item.quantity} is beyond what Shopify takes", code="quantity_out_of_range")
        place = self._stock.place(item.ref)
        return _Entry(index, item, ids.gid("InventoryItem", number), ids.gid("Location", place))

    async def _set_or_fail(self, entries: list[_Entry], results: dict[int, PushResult]) -> None:
        """As `_set`; an error after some items are answered already is the answer of those that are not."""
        try:
            await self._set(entries, results, rounds=0)
        except ConnectorError as error:
            if not results:
                raise
            for entry in entries:
                results.setdefault(entry.index, PushResult(entry.item, PushState.FAILED, error=error))

    async def _set(self, entries: list[_Entry], results: dict[int, PushResult], rounds: int) -> None:
        if not entries:
            return
        refused, correlation_id = await self._call(entries)
        if not refused:
            for entry in entries:
                results[entry.index] = PushResult(entry.item, PushState.ACCEPTED, correlation_id=correlation_id)
            return
        if len(entries) == 1:
            results[entries[0].index] = await self._alone(entries[0], refused[0], correlation_id)
            return
        named = {error.index: error for error in refused if error.index is not None and error.index < len(entries)}
        if named and rounds < ROUNDS_MAX:
            for place, error in sorted(named.items()):
                entry = entries[place]
                results[entry.index] = await self._alone(entry, error, correlation_id)
            rest = [entry for place, entry in enumerate(entries) if place not in named]
            await self._set(rest, results, rounds + 1)
            return
        half = len(entries) // 2
        await self._set(entries[:half], results, rounds)
        await self._set(entries[half:], results, rounds)

    async def _call(self, entries: Sequence[_Entry]) -> tuple[list[UserError], str | None]:
        key = _key(entries)
        reply = await self._graphql.run(
            "set_quantities",
            {
                "input": {
                    "name": "available",
                    "reason": REASON,
                    "referenceDocumentUri": f"gid://trunkline/Push/{key}",
                    "quantities": [entry.input() for entry in entries],
                },
                "key": key,
            },
            kind=KIND,
            write=True,
            keyed=True,
            timeout_s=SET_TIMEOUT_S,
        )
        return user_errors(reply.data.get("inventorySetQuantities")), reply.correlation_id

    async def _alone(self, entry: _Entry, error: UserError, correlation_id: str | None) -> PushResult:
        """The answer for an item Shopify named: an unstocked one is stocked, the rest is what it is."""
        failure = by_user_error(error, KIND, correlation_id)
        if error.code in _MAY_BE_UNSTOCKED and await self._is_unstocked(entry):
            activated = await self._activate(entry)
            if activated.error is None or not error.code:
                return activated
            # Could not be stocked either: then the first answer was the true one.
        return PushResult(entry.item, PushState.FAILED, error=failure, correlation_id=correlation_id)

    async def _is_unstocked(self, entry: _Entry) -> bool:
        variables = {"ids": [entry.inventory_item], "location": entry.location}
        reply = await self._graphql.run("shown_levels", variables, kind="stock.read_back")
        node = next((node for node in reply.data["nodes"] if node and node.get("id")), None)
        if node is None or not node.get("tracked"):
            return False
        level = node.get("inventoryLevel")
        return not isinstance(level, dict) or not level.get("isActive")

    async def _activate(self, entry: _Entry) -> PushResult:
        variables = {
            "item": entry.inventory_item,
            "location": entry.location,
            "available": entry.item.quantity,
            "key": str(uuid.uuid5(_KEYS, f"activate:{entry.item.key}:{entry.item.quantity}")),
        }
        try:
            reply = await self._graphql.run("activate_item", variables, kind="stock.activate", write=True, keyed=True)
            raise_user_errors(reply.data.get("inventoryActivate"), "stock.activate", reply.correlation_id)
        except Rejected as error:
            return PushResult(entry.item, PushState.FAILED, error=error)
        return PushResult(entry.item, PushState.ACCEPTED, correlation_id=reply.correlation_id)


def _key(entries: Sequence[_Entry]) -> str:
    """Of these intents in this composition: a retry has the same key and the same variables, anything else another."""
    content = [[entry.item.key, *entry.input().values()] for entry in entries]
    return str(uuid.uuid5(_KEYS, exact.canonical(content).decode()))


def _without_pairs_twice(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Calls in which each (item, location) stands once, as Shopify wants it; a later number goes later."""
    units: list[list[_Entry]] = []
    taken: list[set[tuple[str, str]]] = []
    for entry in entries:
        pair = (entry.inventory_item, entry.location)
        for unit, pairs in zip(units, taken, strict=True):
            if pair not in pairs:
                unit.append(entry)
                pairs.add(pair)
                break
        else:
            units.append([entry])
            taken.append({pair})
    return units
