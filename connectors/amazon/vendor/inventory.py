"""Numbers out: one update per warehouse, always of the items it names and never of the whole warehouse.

A full update makes every item it does not list unavailable, so `isFullUpdate` is false and nothing can set it.
The answer opens a transaction; a transaction that fails refuses some items or all of them. Items it names are
refused for good, the others are submitted again, in halves where none is named, until each has its own answer.

Source: vendorDirectFulfillmentInventoryV1 model, InventoryUpdate (2026-08).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.amazon.api import Api, escaped
from connectors.amazon.vendor import transactions
from connectors.amazon.vendor.settings import VendorSettings
from connectors.amazon.vendor.transactions import State, Transaction
from connectors.sdk.contract import PushItem, PushResult, PushState
from connectors.sdk.errors import InDoubt, Rejected, Transient

PATH: Final = "/vendor/directFulfillment/inventory/v1/warehouses/{warehouse}/items"
UNIT: Final = "Each"


class Inventory:
    """One account's numbers. Keeps nothing between calls: a receipt is the transaction's id."""

    def __init__(self, api: Api, settings: VendorSettings) -> None:
        self._api = api
        self._settings = settings

    async def publish(self, items: Sequence[PushItem]) -> list[PushResult]:
        """Submit each warehouse's items; one result per item, in order."""
        results: dict[int, PushResult] = {}
        by_warehouse: dict[str, list[int]] = {}
        for index, item in enumerate(items):
            warehouse = warehouse_of(item)
            if warehouse not in self._settings.warehouses:
                error = Rejected(f"{warehouse!r} is not one of options.warehouses", code="unknown_warehouse")
                results[index] = PushResult(item, PushState.FAILED, error=error)
            else:
                by_warehouse.setdefault(warehouse, []).append(index)
        for warehouse, indexes in by_warehouse.items():
            answers = await self._submit(warehouse, [items[index] for index in indexes])
            results.update(zip(indexes, answers, strict=True))
        return [results[index] for index in range(len(items))]

    async def poll(self, receipt: str, items: Sequence[PushItem]) -> list[PushResult]:
        """What became of a transaction's items."""
        transaction = await transactions.look(self._api, Transaction(receipt, direct=True))
        if transaction.state is State.PROCESSING:
            return [PushResult(item, PushState.PENDING, receipt=receipt) for item in items]
        if transaction.state is State.SUCCESS:
            return [PushResult(item, PushState.ACCEPTED, receipt=receipt) for item in items]
        return await self._sort_out(transaction, items)

    async def _sort_out(self, transaction: Transaction, items: Sequence[PushItem]) -> list[PushResult]:
        """A failed transaction does not say whether the rest was taken: the rest is submitted again."""
        named = {
            index
            for index, item in enumerate(items)
            if any(issue.names(item.ref.channel_sku) for issue in transaction.issues)
        }
        if len(items) == 1:
            named = {0}
        results = {
            index: PushResult(items[index], PushState.FAILED, receipt=transaction.id, error=transaction.refusal())
            for index in named
        }
        rest = [index for index in range(len(items)) if index not in named]
        middle = len(rest) if named else (len(rest) + 1) // 2
        for part in (rest[:middle], rest[middle:]):
            by_warehouse: dict[str, list[int]] = {}
            for index in part:
                by_warehouse.setdefault(warehouse_of(items[index]), []).append(index)
            for warehouse, indexes in by_warehouse.items():
                answers = await self._submit(warehouse, [items[index] for index in indexes])
                results.update(zip(indexes, answers, strict=True))
        return [results[index] for index in range(len(items))]

    async def _submit(self, warehouse: str, items: Sequence[PushItem]) -> list[PushResult]:
        inventory = {
            "sellingParty": {"partyId": self._settings.vendor_code},
            "isFullUpdate": False,
            "items": [
                {
                    "vendorProductIdentifier": item.ref.channel_sku,
                    "availableQuantity": {"amount": item.quantity, "unitOfMeasure": UNIT},
                }
                for item in items
            ],
        }
        try:
            # The numbers are absolute: the same update twice is the same as once.
            answer = await self._api.request(
                "POST",
                PATH.format(warehouse=escaped(warehouse)),
                operation="direct.submitInventoryUpdate",
                json={"inventory": inventory},
                write=True,
                keyed=True,
            )
            receipt = transactions.opened(answer, direct=True).id
        except Rejected as error:
            return [PushResult(item, PushState.FAILED, error=error) for item in items]
        except InDoubt as doubt:
            # Taken in without an id: nothing can be asked, and the same numbers again do no harm.
            again = Transient(doubt.message, code=doubt.code, correlation_id=doubt.correlation_id)
            return [PushResult(item, PushState.FAILED, error=again) for item in items]
        return [
            PushResult(item, PushState.PENDING, receipt=receipt, correlation_id=answer.correlation_id) for item in items
        ]


def warehouse_of(item: PushItem) -> str:
    """The warehouse a number is for: the location, else the first part of the listing's address."""
    return item.ref.location or item.ref.listing_id.partition("|")[0]
