"""Orders of both programmes as Amazon holds them, and how they are shown.

Source: vendorOrders and vendorDirectFulfillmentOrders_2021-12-28 models (2026-08). A purchase order that was
never changed has no purchaseOrderChangedDate; a direct order states no time but the one it was made at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

CURRENCY: Final = "USD"
COST: Final = "12.50"
BUYER: Final = "AMZ1"
DESTINATION: Final = "FC01"


def second(at: datetime) -> str:
    """Vendor dates have whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Line:
    """`cases` is the case size where Amazon orders cases; `said` is what the vendor acknowledged, in stated units."""

    number: int
    sku: str
    amount: int
    cases: int | None = None
    said: list[tuple[str, int]] = field(default_factory=list)

    @property
    def units(self) -> int:
        return self.amount * (self.cases or 1)

    @property
    def quantity(self) -> dict[str, Any]:
        unit = "Cases" if self.cases else "Eaches"
        return {"amount": self.amount, "unitOfMeasure": unit, "unitSize": self.cases or 1}


@dataclass
class Order:
    """`direct` orders have a warehouse and a customer; purchase orders a warehouse of Amazon's."""

    number: str
    direct: bool
    vendor: str
    warehouse: str
    made_at: datetime
    lines: list[Line]
    state: str
    changed_at: datetime | None = None
    state_at: datetime | None = None

    def shown(self) -> dict[str, Any]:
        return self._direct() if self.direct else self._retail()

    def move(self, state: str, at: datetime) -> None:
        self.state, self.state_at = state, at

    def status(self) -> dict[str, Any]:
        """One row of getPurchaseOrdersStatus."""
        return {
            "purchaseOrderNumber": self.number,
            "purchaseOrderStatus": "CLOSED" if self.state == "Closed" else "OPEN",
            "purchaseOrderDate": second(self.made_at),
            "lastUpdatedDate": second(self.state_at or self.made_at),
            "sellingParty": {"partyId": self.vendor},
            "shipToParty": {"partyId": DESTINATION},
            "itemStatus": [_line_status(line) for line in self.lines],
        }

    def _retail(self) -> dict[str, Any]:
        details: dict[str, Any] = {
            "purchaseOrderDate": second(self.made_at),
            "purchaseOrderStateChangedDate": second(self.state_at or self.made_at),
            "purchaseOrderType": "RegularOrder",
            "paymentMethod": "Invoice",
            "buyingParty": {"partyId": BUYER},
            "sellingParty": {"partyId": self.vendor},
            "shipToParty": {"partyId": DESTINATION},
            "billToParty": {"partyId": BUYER},
            "shipWindow": f"{second(self.made_at)}--{second(self.made_at + timedelta(days=7))}",
            "items": [
                {
                    "itemSequenceNumber": str(line.number),
                    "amazonProductIdentifier": f"B{line.number:09d}",
                    "vendorProductIdentifier": line.sku,
                    "orderedQuantity": line.quantity,
                    "isBackOrderAllowed": True,
                    "netCost": {"amount": COST, "currencyCode": CURRENCY},
                }
                for line in self.lines
            ],
        }
        if self.changed_at is not None:
            details["purchaseOrderChangedDate"] = second(self.changed_at)
        return {"purchaseOrderNumber": self.number, "purchaseOrderState": self.state, "orderDetails": details}

    def _direct(self) -> dict[str, Any]:
        details = {
            "customerOrderNumber": f"C{self.number}",
            "orderDate": second(self.made_at),
            "orderStatus": self.state,
            "shipmentDetails": {
                "isPriorityShipment": False,
                "isPslipRequired": True,
                "shipMethod": "UPS_GR_RES",
                "shipmentDates": {"requiredShipDate": second(self.made_at + timedelta(days=2))},
                "messageToCustomer": "Thank you",
            },
            "sellingParty": {"partyId": self.vendor},
            "shipFromParty": {"partyId": self.warehouse},
            "shipToParty": {
                "name": "Ada Example",
                "addressLine1": "1 Example St",
                "city": "Springfield",
                "stateOrRegion": "IL",
                "postalCode": "62701",
                "countryCode": "US",
            },
            "billToParty": {"partyId": BUYER},
            "items": [
                {
                    "itemSequenceNumber": str(line.number),
                    "buyerProductIdentifier": f"B{line.number:09d}",
                    "vendorProductIdentifier": line.sku,
                    "title": f"Item {line.sku}",
                    "orderedQuantity": {"amount": line.amount, "unitOfMeasure": "Each"},
                    "netPrice": {"amount": COST, "currencyCode": CURRENCY},
                    "totalPrice": {"amount": COST, "currencyCode": CURRENCY},
                }
                for line in self.lines
            ],
        }
        return {"purchaseOrderNumber": self.number, "orderDetails": details}


class OrderBook:
    """All orders of one vendor, oldest first."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.orders: dict[str, Order] = {}

    def new(
        self, lines: Sequence[tuple[str, int]], at: datetime, warehouse: str, *, direct: bool, cases: int | None = None
    ) -> Order:
        number = f"{'D' if direct else '1'}{len(self.orders) + 1:07d}"
        made = [Line(position, sku, amount, cases) for position, (sku, amount) in enumerate(lines, start=1)]
        order = Order(number, direct, self.vendor, warehouse, at, made, "NEW" if direct else "New")
        self.orders[number] = order
        return order

    def get(self, number: str, *, direct: bool) -> Order | None:
        order = self.orders.get(number)
        return order if order is not None and order.direct == direct else None

    def of(self, *, direct: bool) -> list[Order]:
        return [order for order in self.orders.values() if order.direct == direct]

    def listed(self) -> list[Mapping[str, Any]]:
        return [
            {"id": order.number, "lines": [(line.sku, line.units) for line in order.lines], "state": order.state}
            for order in self.orders.values()
        ]


def _line_status(line: Line) -> dict[str, Any]:
    accepted = sum(amount for code, amount in line.said if code != "Rejected")
    refused = sum(amount for code, amount in line.said if code == "Rejected")
    status = "UNCONFIRMED" if not line.said else "REJECTED" if not accepted else "ACCEPTED"
    if accepted and refused:
        status = "PARTIALLY_ACCEPTED"
    return {
        "itemSequenceNumber": str(line.number),
        "vendorProductIdentifier": line.sku,
        "orderedQuantity": {"orderedQuantity": line.quantity},
        "acknowledgementStatus": {
            "confirmationStatus": status,
            "acceptedQuantity": {**line.quantity, "amount": accepted},
            "rejectedQuantity": {**line.quantity, "amount": refused},
        },
        "receivingStatus": {"receiveStatus": "NOT_RECEIVED", "receivedQuantity": {**line.quantity, "amount": 0}},
    }
