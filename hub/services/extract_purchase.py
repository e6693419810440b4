"""What documents say of purchase orders of ours, as facts: answers, ship notices, invoices, receipts.

Runs beside the mapping like `hub.services.extract`. A document that may be about somebody else's order gives facts too;
whether the order is ours is known where they are applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from canonical import (
    Invoice,
    Money,
    OrderAcknowledgement,
    PurchaseOrderLine,
    ShipNotice,
    WarehouseReceipt,
    instant_of,
    instant_text,
)
from canonical.documents import DocumentBase
from hub.purchasing.told import ANSWER, INVOICE, NOTICE, RECEIPT, Part, PurchaseFacts, Told, ToldLine
from hub.services.moments import happened, micros


def purchase_facts_of(document: DocumentBase, account: str, received_at: int) -> PurchaseFacts | None:
    """None for a document that is about no purchase order of ours, and for a test document."""
    if document.source.test:
        return None
    if isinstance(document, OrderAcknowledgement):
        orders = _one(document.purchase_order_number, _answer(document, account, received_at))
    elif isinstance(document, ShipNotice) and document.kind == "inbound":
        orders = tuple(_notices(document, account, received_at))
    elif isinstance(document, Invoice):
        orders = _one(document.purchase_order_number, _invoice(document, account, received_at))
    elif isinstance(document, WarehouseReceipt):
        number = document.purchase_order_number or document.reference
        orders = _one(number, receipt(document, account, received_at))
    else:
        return None
    return PurchaseFacts(document.type, account, orders, isinstance(document, WarehouseReceipt)) if orders else None


def _one(number: str | None, told: Told) -> tuple[tuple[str, Told], ...]:
    return ((number, told),) if number else ()


def _told(kind: str, document: DocumentBase, account: str, received_at: int, at: date | None, **more: Any) -> Told:
    source = document.source
    taken_in = happened(at, received_at) if kind == RECEIPT else _at(at)
    occurred = taken_in or _at(source.occurred_at) or received_at
    return Told(kind, account, source.id, source.version or "", occurred, **more)


def _answer(document: OrderAcknowledgement, account: str, received_at: int) -> Told:
    revision = document.attributes.get("revision")
    return _told(
        ANSWER,
        document,
        account,
        received_at,
        document.at,
        state=document.state,
        revision=revision if isinstance(revision, str) else None,
        lines=tuple(_answered(line) for line in document.lines),
    )


def _answered(line: PurchaseOrderLine) -> ToldLine:
    parts = tuple(
        Part(
            part.status,
            _number(part.quantity),
            part.uom,
            _day(part.expected_at),
            _amount(part.unit_price) or (_amount(line.unit_cost) if part.status == "price_changed" else None),
            part.channel_sku,
        )
        for part in line.acknowledged
    )
    return ToldLine(
        line.number,
        _items(line.properties, line.channel_sku, line.sku, line.supplier_sku),
        line.gtin,
        _number(line.quantity),
        None,
        line.uom,
        _amount(line.unit_cost),
        line.price_uom,
        parts,
    )


def _notices(notice: ShipNotice, account: str, received_at: int) -> Iterable[tuple[str, Told]]:
    """One per order in the shipment; lines of a package that names none are of the only order there is."""
    alone = notice.orders[0].purchase_order_number if len(notice.orders) == 1 else None
    lines: dict[str, list[ToldLine]] = {order.purchase_order_number: [] for order in notice.orders}
    for package in notice.packages:
        number = package.purchase_order_number or alone
        for line in package.lines if number is not None else ():
            said = ToldLine(
                line.id,
                _items(line.properties, line.channel_sku, line.sku),
                line.gtin,
                _number(line.quantity),
                None,
                line.uom,
            )
            lines.setdefault(number or "", []).append(said)
    for number, said_of in lines.items():
        yield (
            number,
            _told(
                NOTICE,
                notice,
                account,
                received_at,
                notice.shipped_at,
                state="cancelled" if notice.state == "cancelled" else "shipped",
                expected_at=_day(notice.expected_at),
                lines=tuple(said_of),
            ),
        )


def _invoice(invoice: Invoice, account: str, received_at: int) -> Told:
    lines = tuple(
        ToldLine(
            line.number,
            _items(line.properties, line.channel_sku, line.sku),
            line.gtin,
            _number(line.quantity),
            None,
            line.uom,
            _amount(line.unit_price),
            line.price_uom,
        )
        for line in invoice.lines
    )
    return _told(
        INVOICE,
        invoice,
        account,
        received_at,
        invoice.invoiced_on,
        state=invoice.kind,
        currency=invoice.currency,
        lines=lines,
    )


def receipt(document: WarehouseReceipt, account: str, received_at: int) -> Told:
    lines = tuple(
        ToldLine(
            line.line_id,
            _items(line.properties, line.channel_sku, line.sku),
            line.gtin,
            _number(line.quantity),
            _number(line.damaged_quantity) if line.damaged_quantity else None,
            line.uom,
        )
        for line in document.lines
    )
    return _told(RECEIPT, document, account, received_at, document.received_on, place=document.location, lines=lines)


def _items(properties: Mapping[str, Any], *names: str | None) -> tuple[str, ...]:
    """Every id a line goes by, what the mapping chose first."""
    ids = properties.get("ids")
    others = [value for value in ids.values() if isinstance(value, str)] if isinstance(ids, dict) else []
    return tuple(dict.fromkeys([name for name in names if name] + others))


def _number(quantity: int | Decimal | None) -> str | None:
    return None if quantity is None else str(quantity)


def _amount(money: Money | None) -> str | None:
    return None if money is None else str(money.amount)


def _day(value: date | None) -> str | None:
    if value is None:
        return None
    return instant_text(value) if isinstance(value, datetime) else value.isoformat()


def _at(value: date | None) -> int | None:
    if value is None:
        return None
    return micros(value if isinstance(value, datetime) else instant_of(value))
