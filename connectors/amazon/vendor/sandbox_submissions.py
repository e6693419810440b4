"""What is submitted and what becomes of it: each submission opens a transaction that ends a little later.

Source: vendorOrders, vendorShipments and vendorDirectFulfillment* models (2026-08); developer-docs "submit an
acknowledgement" (read 2026-11): a direct order is acknowledged whole or not at all; of a purchase order the lines
left out count as refused; `isFullUpdate` makes items that are not listed unavailable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.amazon.fake.replies import invalid
from connectors.amazon.vendor.sandbox_orderbook import Order, OrderBook
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

TAKES_S: Final = 1.0
"""How long a transaction is Processing."""

Issue = dict[str, str]


@dataclass
class Transaction:
    id: str
    direct: bool
    ends_at: datetime
    issues: tuple[Issue, ...]

    def shown(self, now: datetime) -> dict[str, Any]:
        if now < self.ends_at:
            return {"transactionId": self.id, "status": "Processing"}
        if not self.issues:
            return {"transactionId": self.id, "status": "Success"}
        errors: Any = [dict(issue) for issue in self.issues]
        # The newer interface wraps its error list once more.
        return {
            "transactionId": self.id,
            "status": "Failure",
            "errors": {"errors": errors} if self.direct else errors,
        }


class Submissions:
    """Applies submissions to the order book and the numbers."""

    def __init__(self, book: OrderBook, numbers: dict[str, int], clock: Clock, faults: Faults) -> None:
        self.book = book
        self.numbers = numbers
        self.clock = clock
        self.faults = faults
        self.transactions: dict[str, Transaction] = {}
        self.shipments: dict[str, Mapping[str, Any]] = {}
        self.updates: list[Mapping[str, Any]] = []

    def retail_acknowledgement(self, body: Mapping[str, Any]) -> Transaction:
        issues: list[Issue] = []
        for row in rows(body, "acknowledgements"):
            require(row, "purchaseOrderNumber", "sellingParty", "acknowledgementDate", "items")
            order = self.book.get(str(row["purchaseOrderNumber"]), direct=False)
            issues += self._acknowledge(order, row) if order else [issue("Unknown purchase order", row)]
        return self._open(issues, direct=False)

    def direct_acknowledgement(self, body: Mapping[str, Any]) -> Transaction:
        issues: list[Issue] = []
        for row in rows(body, "orderAcknowledgements"):
            require(
                row,
                "purchaseOrderNumber",
                "vendorOrderNumber",
                "acknowledgementDate",
                "acknowledgementStatus",
                "sellingParty",
                "shipFromParty",
                "itemAcknowledgements",
            )
            order = self.book.get(str(row["purchaseOrderNumber"]), direct=True)
            issues += self._acknowledge_direct(order, row) if order else [issue("Unknown purchase order", row)]
        return self._open(issues, direct=True)

    def retail_confirmation(self, body: Mapping[str, Any]) -> Transaction:
        issues: list[Issue] = []
        for row in rows(body, "shipmentConfirmations"):
            require(
                row,
                "shipmentIdentifier",
                "shipmentConfirmationType",
                "shipmentConfirmationDate",
                "sellingParty",
                "shipFromParty",
                "shipToParty",
                "shippedItems",
            )
            name = str(row["shipmentIdentifier"])
            if name in self.shipments and row["shipmentConfirmationType"] == "Original":
                issues.append(issue("The shipment identifier was used before", row, name))
                continue
            self.shipments[name] = row
        return self._open(issues, direct=False)

    def direct_confirmation(self, body: Mapping[str, Any]) -> Transaction:
        issues: list[Issue] = []
        for row in rows(body, "shipmentConfirmations"):
            require(row, "purchaseOrderNumber", "shipmentDetails", "sellingParty", "shipFromParty", "items")
            for container in row.get("containers") or ():
                require(container, "containerType", "containerIdentifier", "weight", "packedItems")
            order = self.book.get(str(row["purchaseOrderNumber"]), direct=True)
            if order is None or order.state != "ACCEPTED":
                issues.append(issue(f"The order is {order.state if order else 'unknown'}, not ACCEPTED", row))
                continue
            order.move("SHIPPED", self.clock.now())
        return self._open(issues, direct=True)

    def inventory(self, warehouse: str, body: Mapping[str, Any]) -> Transaction:
        update = body.get("inventory")
        if not isinstance(update, Mapping):
            raise invalid("inventory is required")
        require(update, "isFullUpdate", "items", "sellingParty")
        self.updates.append({"warehouse": warehouse, **update})
        wanted: dict[str, int] = {}
        issues: list[Issue] = []
        for item in update["items"]:
            require(item, "availableQuantity")
            quantity = item["availableQuantity"]
            if not isinstance(quantity.get("amount"), int) or not quantity.get("unitOfMeasure"):
                raise invalid("availableQuantity needs amount and unitOfMeasure")
            name = str(item.get("vendorProductIdentifier") or item.get("buyerProductIdentifier") or "")
            if name not in self.numbers or self.faults.hit("partial_failure"):
                issues.append(issue("The item cannot be updated", item, name))
            wanted[name] = quantity["amount"]
        if not issues and not self.faults.hit("feed_noop"):
            if update["isFullUpdate"]:
                self.numbers.update(dict.fromkeys(self.numbers, 0))
            self.numbers.update(wanted)
        return self._open(issues, direct=True)

    def _acknowledge(self, order: Order, row: Mapping[str, Any]) -> list[Issue]:
        by_number = {str(item.get("itemSequenceNumber")): item for item in row["items"]}
        said: list[list[tuple[str, int]]] = []
        for line in order.lines:
            parts = (by_number.get(str(line.number)) or {}).get("itemAcknowledgements") or ()
            found = [(str(part["acknowledgementCode"]), int(part["acknowledgedQuantity"]["amount"])) for part in parts]
            if sum(amount for _, amount in found) > line.amount:
                return [issue("More is acknowledged than was ordered", row, line.sku)]
            said.append(found or [("Rejected", line.amount)])
        for line, found in zip(order.lines, said, strict=True):
            line.said = found
        order.move("Acknowledged", self.clock.now())
        return []

    def _acknowledge_direct(self, order: Order, row: Mapping[str, Any]) -> list[Issue]:
        given = {
            str(item.get("itemSequenceNumber")): item["acknowledgedQuantity"].get("amount")
            for item in row["itemAcknowledgements"]
        }
        accepted = row["acknowledgementStatus"].get("code") == "00"
        if given != {str(line.number): line.amount if accepted else 0 for line in order.lines}:
            return [issue("The acknowledgement must cover the whole order", row, order.number)]
        order.move("ACCEPTED" if accepted else "CANCELLED", self.clock.now())
        return []

    def _open(self, issues: Sequence[Issue], *, direct: bool) -> Transaction:
        now = self.clock.now()
        name = f"{now:%Y%m%d%H%M%S}-{len(self.transactions) + 1:08d}-sandbox"
        late = TAKES_S * (4 if self.faults.hit("late_read") else 1)
        made = Transaction(name, direct, now + timedelta(seconds=late), tuple(issues))
        self.transactions[name] = made
        return made


def rows(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(row, Mapping) for row in found):
        raise invalid(f"{name} is required")
    return found


def require(row: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if row.get(name) in (None, "", []):
            raise invalid(f"{name} is required")


def issue(message: str, row: Mapping[str, Any], details: str = "") -> Issue:
    return {
        "code": "InvalidInput",
        "message": message,
        "details": details or str(row.get("purchaseOrderNumber") or ""),
    }
