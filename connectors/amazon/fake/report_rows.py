"""The tab-separated reports: columns and rows as Amazon writes them.

Source: report type values pages (2026-11) for the types; the columns are those of Amazon's published
report descriptions. Reports are not always UTF-8: the listings report says ISO-8859-1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.amazon.fake.orderbook import Line, Order
from connectors.amazon.fake.stockroom import MERCHANT, Listing, Stockroom

FBM_RETURNS: Final = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"
FBA_RETURNS: Final = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
LISTINGS: Final = "GET_MERCHANT_LISTINGS_ALL_DATA"
FBM_COLUMNS: Final = (
    "Order ID", "Order date", "Return request date", "Return request status", "Amazon RMA ID", "Merchant RMA ID",
    "Label type", "Label cost", "Currency code", "Return carrier", "Tracking ID", "Label to be paid by",
    "A-to-Z Claim", "Is prime", "ASIN", "Merchant SKU", "Item Name", "Return quantity", "Return Reason", "In policy",
    "Return type", "Resolution", "Invoice number", "Return delivery date", "Order Amount", "Order quantity",
    "Refunded Amount",
)  # fmt: skip
FBA_COLUMNS: Final = (
    "return-date", "order-id", "sku", "asin", "fnsku", "product-name", "quantity", "fulfillment-center-id",
    "detailed-disposition", "reason", "status", "license-plate-number", "customer-comments",
)  # fmt: skip
LISTING_COLUMNS: Final = (
    "item-name", "item-description", "listing-id", "seller-sku", "price", "quantity", "open-date", "asin1",
    "product-id", "fulfillment-channel", "merchant-shipping-group", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Returned:
    """Units that come back; `merchant` False went to Amazon's warehouse."""

    number: str
    order: Order
    line: Line
    units: int
    at: datetime
    reason: str

    @property
    def merchant(self) -> bool:
        return self.order.merchant


def write(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Cells never hold a tab or a line break: Amazon replaces them."""
    lines = ["\t".join(columns)]
    for row in rows:
        cells = (row.get(name, "").replace("\t", " ").replace("\n", " ") for name in columns)
        lines.append("\t".join(cells))
    return "\r\n".join(lines) + "\r\n"


def fbm_row(made: Returned) -> dict[str, str]:
    order, line = made.order, made.line
    return {
        "Order ID": order.number,
        "Order date": order.created.strftime("%d-%b-%Y"),
        "Return request date": made.at.strftime("%d-%b-%Y"),
        "Return request status": "Approved",
        "Amazon RMA ID": made.number,
        "Label type": "AmazonUnPaidLabel",
        "Currency code": order.market.currency,
        "Label to be paid by": "Customer",
        "A-to-Z Claim": "N",
        "Is prime": "N",
        "ASIN": line.asin,
        "Merchant SKU": line.sku,
        "Item Name": line.title,
        "Return quantity": str(made.units),
        "Return Reason": made.reason,
        "In policy": "Y",
        "Return type": "C-Returns",
        "Resolution": "StandardRefund",
        "Order Amount": str(order.total),
        "Order quantity": str(line.units),
        "Refunded Amount": str(line.refunded),
    }


def fba_row(made: Returned) -> dict[str, str]:
    return {
        "return-date": made.at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "order-id": made.order.number,
        "sku": made.line.sku,
        "asin": made.line.asin,
        "fnsku": f"X{made.line.asin[1:]}",
        "product-name": made.line.title,
        "quantity": str(made.units),
        "fulfillment-center-id": "ABE2",
        "detailed-disposition": "SELLABLE",
        "reason": made.reason,
        "status": "Unit returned to inventory",
        "license-plate-number": f"LPN{made.number}",
    }


def listing_rows(listing: Listing) -> list[dict[str, str]]:
    """One row per fulfilment channel; Amazon's own has no quantity."""
    rows = []
    for channel in sorted(listing.channels):
        merchant = channel == MERCHANT
        rows.append(
            {
                "item-name": listing.title,
                "listing-id": f"0101{listing.asin[1:]}",
                "seller-sku": listing.sku,
                "price": str(listing.price),
                "quantity": str(listing.available or 0) if merchant else "",
                "open-date": listing.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
                "asin1": listing.asin,
                "product-id": listing.asin,
                "fulfillment-channel": channel,
                "status": "Active" if not merchant or listing.available else "Inactive",
            }
        )
    return rows


class ReportWriter:
    """Writes a report from what is true when it is worked off."""

    def __init__(self, stock: Stockroom) -> None:
        self._stock = stock
        self.returns: list[Returned] = []
        self.kinds: Mapping[str, Callable[[datetime | None, datetime | None], tuple[bytes, str]]] = {
            FBM_RETURNS: self._fbm,
            FBA_RETURNS: self._fba,
            LISTINGS: self._listings,
        }

    def _fbm(self, since: datetime | None, until: datetime | None) -> tuple[bytes, str]:
        rows = [fbm_row(each) for each in self._returned(since, until) if each.merchant]
        return write(FBM_COLUMNS, rows).encode("utf-8"), "text/tab-separated-values; charset=UTF-8"

    def _fba(self, since: datetime | None, until: datetime | None) -> tuple[bytes, str]:
        rows = [fba_row(each) for each in self._returned(since, until) if not each.merchant]
        return write(FBA_COLUMNS, rows).encode("utf-8"), "text/plain; charset=UTF-8"

    def _listings(self, since: datetime | None, until: datetime | None) -> tuple[bytes, str]:  # noqa: ARG002  # the report is of now, whatever span was named
        self._stock.work()
        rows = [row for listing in self._stock.listings.values() for row in listing_rows(listing)]
        return write(LISTING_COLUMNS, rows).encode("iso-8859-1", "replace"), "text/plain; charset=ISO-8859-1"

    def _returned(self, since: datetime | None, until: datetime | None) -> list[Returned]:
        return [
            each for each in self.returns if (since is None or each.at >= since) and (until is None or each.at <= until)
        ]
