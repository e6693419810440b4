"""States that follow from an order's own lines and times."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.codes import FulfillmentState
from canonical.documents.order import Order, OrderLine
from canonical.quantities import open_quantity, remaining_quantity


def is_cancelled(order: Order) -> bool:
    """A cancellation time, or at least one line and none with anything left."""
    if order.cancelled_at is not None:
        return True
    return bool(order.lines) and all(remaining_quantity(line) == 0 for line in order.lines)


def fulfillment_of(lines: Iterable[OrderLine]) -> FulfillmentState:
    """The fold of lines that ship; lines without shipping, and cancelled units, ask for nothing."""
    wanted = [line for line in lines if line.requires_shipping and remaining_quantity(line)]
    if not wanted:
        return "not_required"
    if all(open_quantity(line) == 0 for line in wanted):
        return "fulfilled"
    return "partial" if any(line.fulfilled_quantity for line in wanted) else "unfulfilled"
