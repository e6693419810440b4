"""Canonical documents reduced to facts: what `apply` needs, as plain tuples that cross processes.

Runs beside the mapping (in a mapper process where there are some), so that the process that writes
touches no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import cast

from canonical import (
    Listing,
    Order,
    OrderCancellation,
    OrderLine,
    Refund,
    Return,
    Shipment,
    StockMovement,
    StockMovementLine,
    StockReport,
    TrackingUpdate,
    WarehouseReceipt,
    WarehouseReceiptLine,
    instant_of,
    instant_text,
    split_personal,
)
from canonical.documents import DocumentBase
from canonical.documents.stock import StockLevel
from hub.orders.articles import gtin_name, other_names
from hub.orders.facts import (
    BY_SKU,
    CANCELLED,
    CANCELLED_WHOLE,
    REFUND_DAMAGED,
    REFUND_SELLABLE,
    RETURN_DAMAGED,
    RETURN_SELLABLE,
    SHIPPED,
    DocumentFacts,
    Facts,
    LevelFacts,
    LineFacts,
    ListingFacts,
    Move,
    OrderFacts,
    ReportFacts,
    StockFacts,
    StockLine,
)
from hub.services.moments import happened, micros
from hub.services.tracking_facts import packages_of, tracking_facts
from hub.tracking.parcels import normalized_number

_ARRIVED = frozenset({"received", "closed"})
_LEFT = frozenset({"shipped", "delivered"})
_UNFIT = frozenset({"damaged", "quality_hold", "quality_release"})
_REFUNDED = {"sellable": REFUND_SELLABLE, "damaged": REFUND_DAMAGED}
_RETURNED = {"sellable": RETURN_SELLABLE, "damaged": RETURN_DAMAGED}


def facts_of(document: DocumentBase, account: str, received_at: int) -> Facts | None:
    """The facts of one document; None for a test document, which is shown and never applied."""
    if document.source.test:
        return None
    if isinstance(document, Order):
        return order_facts(document, account, received_at)
    if isinstance(document, StockReport):
        return _report(document, account, received_at)
    if isinstance(document, Listing):
        return _listing(document, account)
    if isinstance(document, TrackingUpdate):
        return tracking_facts(document, account, received_at)
    facts = _document(document, account, received_at)
    if isinstance(document, Shipment | Return):
        return facts._replace(packages=packages_of(document))
    if isinstance(document, StockMovement):
        uncounted = _uncounted((line.delta, line) for line in document.lines)
        return StockFacts(facts, _movement_lines(document), uncounted)
    if isinstance(document, WarehouseReceipt):
        stated = ((number, line) for line in document.lines for number in (line.quantity, line.damaged_quantity))
        return StockFacts(facts, _receipt_lines(document), _uncounted(stated))
    return facts


def order_facts(order: Order, account: str, received_at: int) -> OrderFacts:
    source = order.source
    plain, personal = split_personal(order)
    updated = _at(order.updated_at)
    placed = _at(order.placed_at)
    occurred = _at(source.occurred_at) or updated or placed or received_at
    return OrderFacts(
        order.id,
        account,
        source.id,
        source.version or (_text(order.updated_at) if order.updated_at else ""),
        source.digest or "",
        order.number,
        order.state,
        placed,
        updated,
        occurred,
        order.attributes.get("partial") is True,
        tuple([_line(line) for line in order.lines]),
        tuple([hold.name for hold in order.holds]),
        plain,
        personal,
        (order.buyer.channel_id or "") if order.buyer else "",
    )


def _line(line: OrderLine) -> LineFacts:
    return LineFacts(
        line.id,
        line.sku or line.channel_sku or "",
        line.quantity,
        line.cancelled_quantity,
        line.fulfilled_quantity,
        line.returned_quantity,
        line.fulfilled_by == "merchant" and line.requires_shipping,
        line.ship_from or line.ship_from_raw,
        other_names(line.channel_sku or "", line.properties.get("ids"), line.gtin),
    )


def _document(document: DocumentBase, account: str, received_at: int) -> DocumentFacts:
    source = document.source
    plain, personal = split_personal(document)
    order, occurred, moves = _moves(document)
    return DocumentFacts(
        document.id,
        document.type,
        account,
        source.id,
        source.version or "",
        source.digest or "",
        order,
        happened(occurred, received_at) or happened(source.occurred_at, received_at) or received_at,
        moves,
        plain,
        personal,
        _numbers(document),
    )


def _numbers(document: DocumentBase) -> tuple[str, ...]:
    if not isinstance(document, Shipment):
        return ()
    stated = (package.tracking_number for package in document.packages)
    return tuple(dict.fromkeys(normalized_number(number) for number in stated if number))


def _moves(document: DocumentBase) -> tuple[str | None, date | None, tuple[Move, ...]]:
    """(the vendor's order id, when it happened, what it moves)"""
    if isinstance(document, Shipment):
        return document.order, document.shipped_at, _shipped(document)
    if isinstance(document, Refund):
        return document.order, document.at, _refunded(document)
    if isinstance(document, Return):
        return document.order, document.updated_at or document.requested_at, _returned(document)
    if isinstance(document, OrderCancellation):
        return document.order, document.at, _cancelled(document)
    return cast("str | None", getattr(document, "order", None)), cast("date | None", getattr(document, "at", None)), ()


def _shipped(shipment: Shipment) -> tuple[Move, ...]:
    """Units that left. A label alone ships nothing, and a quantity in another unit than eaches is no count."""
    if shipment.state not in _LEFT:
        return ()
    return tuple(
        Move(_address(line.line_id, line.sku, line.channel_sku), SHIPPED, shipment.ship_from or "", line.quantity)
        for package in shipment.packages
        for line in package.lines
        if isinstance(line.quantity, int) and line.quantity
    )


def _refunded(refund: Refund) -> tuple[Move, ...]:
    return tuple(
        Move(line.line_id, _REFUNDED[line.restock], line.location or "", line.quantity)
        for line in refund.lines
        if line.restock in _REFUNDED and line.quantity
    )


def _returned(document: Return) -> tuple[Move, ...]:
    """Only what arrived and was looked at; an expected return moves nothing."""
    if document.state not in _ARRIVED:
        return ()
    return tuple(
        Move(
            _address(line.line_id, line.sku, line.channel_sku),
            _RETURNED[line.disposition],
            line.location or "",
            line.quantity,
        )
        for line in document.lines
        if line.disposition in _RETURNED and line.quantity
    )


def _cancelled(document: OrderCancellation) -> tuple[Move, ...]:
    if not document.lines:
        return (Move("", CANCELLED_WHOLE, "", 0),)
    return tuple(Move(line.line_id, CANCELLED, "", line.quantity) for line in document.lines if line.quantity)


def _address(line_id: str | None, sku: str | None, channel_sku: str | None) -> str:
    return line_id or BY_SKU + (sku or channel_sku or "")


def _report(report: StockReport, account: str, received_at: int) -> ReportFacts:
    return ReportFacts(
        report.id,
        account,
        report.source.id,
        report.source.digest or "",
        report.location,
        report.location_raw,
        happened(report.as_of, received_at) or happened(report.source.occurred_at, received_at) or received_at,
        report.complete,
        tuple(
            LevelFacts(
                level.item_id or "",
                level.sku or level.channel_sku or gtin_name(level.gtin),
                _whole(level.on_hand),
                _whole(level.available),
                _whole(level.reserved),
                _whole(level.damaged),
            )
            for level in report.levels
        ),
        _uncounted(
            (level.available if level.on_hand is None else level.on_hand, level)
            for level in report.levels
            if _whole(level.on_hand) is None and _whole(level.available) is None
        ),
    )


def _listing(listing: Listing, account: str) -> ListingFacts:
    return ListingFacts(
        account,
        # Where the vendor counts stock per inventory item, the item is the address of the number.
        listing.item_id or listing.listing_id,
        listing.variant_id,
        listing.sku or listing.channel_sku or "",
        listing.title,
        listing.state,
        listing.fulfilled_by,
        listing.location,
        listing.location_raw,
    )


def _movement_lines(document: StockMovement) -> tuple[StockLine, ...]:
    """What a movement posts. Units that turn out unfit, or fit again, leave one bucket for the other."""
    place = document.location or document.location_raw or ""
    kept_apart = {line.sku or line.channel_sku for line in document.lines if line.bucket == "quarantine"}
    lines: list[StockLine] = []
    for line in document.lines:
        if not isinstance(line.delta, int) or not line.delta:
            continue
        sku = line.sku or line.channel_sku or gtin_name(line.gtin)
        lines.append(StockLine(sku, place, line.bucket, line.delta, line.reason))
        if line.bucket == "on_hand" and line.reason in _UNFIT and sku not in kept_apart:
            lines.append(StockLine(sku, place, "quarantine", -line.delta, line.reason))
    return tuple(lines)


def _uncounted(
    stated: Iterable[tuple[object, StockMovementLine | WarehouseReceiptLine | StockLevel]],
) -> tuple[str, ...]:
    found = ((number, line) for number, line in stated if not isinstance(number, int) and number is not None)
    return tuple(
        f"{number} {line.uom or 'units'} of {line.sku or line.channel_sku or line.gtin}" for number, line in found
    )


def _receipt_lines(document: WarehouseReceipt) -> tuple[StockLine, ...]:
    """Received goods: sound ones on hand, damaged ones in quarantine."""
    place = document.location or document.location_raw or ""
    lines: list[StockLine] = []
    for line in document.lines:
        sku = line.sku or line.channel_sku or gtin_name(line.gtin)
        received, damaged = _whole(line.quantity) or 0, _whole(line.damaged_quantity) or 0
        if received:
            lines.append(StockLine(sku, place, "on_hand", received, "received"))
        if damaged:
            lines.append(StockLine(sku, place, "quarantine", damaged, "received damaged"))
    return tuple(lines)


def _whole(quantity: object) -> int | None:
    """Eaches; a decimal in another unit is not a count of ours."""
    return quantity if isinstance(quantity, int) else None


def _at(value: date | None) -> int | None:
    if value is None:
        return None
    return micros(value if isinstance(value, datetime) else instant_of(value))


def _text(value: date) -> str:
    return instant_text(value) if isinstance(value, datetime) else value.isoformat()
