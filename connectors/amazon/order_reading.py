"""An order as edge work needs it: what may be shipped or cancelled, and what has been.

Source: orders_2026-01-01, getOrder (2026-08): the status is told only with FULFILLMENT, packages and
cancellations only when asked for; items are always there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.amazon.api import Api, escaped
from connectors.sdk.errors import Rejected, Transient

PATH: Final = "/orders/2026-01-01/orders"
DATA: Final = ("FULFILLMENT", "CANCELLATION", "PACKAGES", "PROCEEDS")
UNPAID: Final = frozenset({"PENDING", "PENDING_AVAILABILITY"})
CANCELLED: Final = "CANCELLED"


async def read(api: Api, order_id: str) -> Mapping[str, Any]:
    """The order now.

    Raises:
        TargetMissing: Amazon knows no such order of this seller.
    """
    path = f"{PATH}/{escaped(order_id)}"
    answer = await api.request("GET", path, operation="getOrder", params={"includedData": list(DATA)})
    body = answer.json()
    order = body.get("order") if isinstance(body, Mapping) else None
    if not isinstance(order, Mapping):
        raise Transient("getOrder: the answer is no order", **answer.facts("unexpected_body"))
    return order


def lines_of(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = order.get("orderItems")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def packages_of(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = order.get("packages")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def status_of(order: Mapping[str, Any]) -> str:
    return str(_part(order, "fulfillment").get("fulfillmentStatus") or "")


def marketplace_of(order: Mapping[str, Any]) -> str | None:
    found = _part(order, "salesChannel").get("marketplaceId")
    return str(found) if found else None


def line_id(line: Mapping[str, Any]) -> str:
    return str(line.get("orderItemId") or "")


def ordered(line: Mapping[str, Any]) -> int:
    return _whole(line.get("quantityOrdered")) or 0


def open_units(line: Mapping[str, Any]) -> int:
    """Units neither shipped nor cancelled; all of them where Amazon does not say."""
    told = _whole(_part(line, "fulfillment").get("quantityUnfulfilled"))
    return ordered(line) if told is None else told


def cancelled(line: Mapping[str, Any]) -> bool:
    return bool(_part(_part(line, "cancellation"), "cancellationExecution"))


def asked_to_cancel(line: Mapping[str, Any]) -> bool:
    """A buyer's request that nobody has carried out."""
    return bool(_part(_part(line, "cancellation"), "cancellationRequest")) and not cancelled(line)


def line_for(order: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """The order's line a document speaks of: by id, or by SKU where one line alone has it.

    Raises:
        Rejected: There is none, or several.
    """
    number, sku = wanted.get("line_id"), wanted.get("channel_sku") or wanted.get("sku")
    if number is not None:
        found = [line for line in lines_of(order) if line_id(line) == str(number)]
    else:
        found = [line for line in lines_of(order) if sku and _part(line, "product").get("sellerSku") == sku]
    if len(found) != 1:
        what = f"id {number}" if number is not None else f"SKU {sku}"
        raise Rejected(f"{len(found)} lines of the order have {what}; name the line", code="no_such_line")
    return found[0]


def quantity_of(wanted: Mapping[str, Any]) -> int:
    """Raises: Rejected: No whole number above zero."""
    quantity = _whole(wanted.get("quantity"))
    if quantity is None or quantity < 1:
        raise Rejected(f"a quantity of {wanted.get('quantity')!r} is no whole number above zero", code="bad_quantity")
    return quantity


def refuse_amazons(order: Mapping[str, Any]) -> None:
    """Raises: Rejected: Amazon ships this order itself."""
    if str(_part(order, "fulfillment").get("fulfilledBy") or "").upper() == "AMAZON":
        raise Rejected("Amazon ships this order itself", code="fulfilled_by_amazon")


def rows_in(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    rows = document.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list | tuple) else []


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _whole(value: object) -> int | None:
    """A whole number given as number or text; a canonical `2.000` is 2."""
    if isinstance(value, bool) or value is None:
        return None
    head, _, tail = str(value).strip().partition(".")
    return int(head) if head.isdigit() and not tail.strip("0") else None
