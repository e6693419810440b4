"""Reading orders (2026-01-01) and confirming shipments (v0).

Source: orders_2026-01-01 and ordersV0 models (2026-08). The rules of page tokens, of the two-minute
edge and of `packageReferenceId` stand there; `PackageToUpdateNotFound` and the refusal of a number as
reference are operators' reports (2026-01 to 2026-03).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.orderbook import DATASETS, STATUSES, Order, OrderBook, Package
from connectors.amazon.fake.replies import (
    Refusal,
    answer,
    body_of,
    count_in,
    instant,
    instant_in,
    invalid,
    iso,
    listed,
    missing,
    only,
)
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock

EDGE: Final = timedelta(minutes=2)
TOKEN_LIFE: Final = timedelta(hours=24)
PAGE_MAX: Final = 100
FREE_BETWEEN_PAGES: Final = frozenset({"paginationToken", "maxResultsPerPage", "includedData"})
TIMES: Final = ("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore")
PARAMETERS: Final = frozenset({*TIMES, "fulfillmentStatuses", "marketplaceIds", "fulfilledBy", *FREE_BETWEEN_PAGES})
CONFIRMATION: Final = frozenset({"marketplaceId", "packageDetail", "codCollectionMethod"})
PACKAGE: Final = frozenset(
    {
        "packageReferenceId", "carrierCode", "carrierName", "shippingMethod", "trackingNumber", "shipDate",
        "shipFromSupplySourceId", "orderItems",
    }
)  # fmt: skip
PACKAGE_REQUIRED: Final = ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems")

Changed = Callable[[str, Order], None]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a token stands for: the rest of a walk, fixed when it began."""

    fingerprint: tuple[tuple[str, tuple[str, ...]], ...]
    rest: tuple[str, ...]
    until: datetime
    ends: datetime


class OrdersWire:
    """`personal` False takes the role for personal data away; `changed` hears of every shipped order."""

    def __init__(self, book: OrderBook, clock: Clock, faults: Faults, changed: Changed) -> None:
        self._book = book
        self._clock = clock
        self._faults = faults
        self._changed = changed
        self._tokens: dict[str, _Page] = {}
        self.personal = True

    async def search(self, request: web.Request) -> web.Response:
        """GET /orders/2026-01-01/orders, oldest change first."""
        only(request, PARAMETERS)
        included = listed(request, "includedData", allowed=DATASETS)
        size = count_in(request, "maxResultsPerPage", PAGE_MAX, PAGE_MAX)
        bound = "createdBefore" if "createdAfter" in request.query else "lastUpdatedBefore"
        token = request.query.get("paginationToken")
        page = self._first(request) if token is None else self._following(request, token)
        shown, rest = page.rest[:size], page.rest[size:]
        body: dict[str, Any] = {
            "orders": [self._shown(self._book.orders[number], included) for number in shown],
            bound: iso(page.until),
        }
        if rest:
            made = f"{len(self._tokens) + 1:08d}.{self._clock.now().timestamp():.3f}"
            self._tokens[made] = _Page(page.fingerprint, rest, page.until, self._clock.now() + TOKEN_LIFE)
            body["pagination"] = {"nextToken": made}
        return answer(body)

    async def read(self, request: web.Request) -> web.Response:
        """GET /orders/2026-01-01/orders/{orderId}."""
        only(request, {"includedData"})
        included = listed(request, "includedData", allowed=DATASETS)
        return answer({"order": self._shown(self._order(request), included)})

    async def confirm(self, request: web.Request) -> web.Response:
        """POST /orders/v0/orders/{orderId}/shipmentConfirmation."""
        order = self._order(request)
        body = await body_of(request)
        _shape(body, CONFIRMATION, ("marketplaceId", "packageDetail"), "body")
        if body["marketplaceId"] != order.market.id:
            raise invalid("The order is of another marketplace.")
        detail = body["packageDetail"]
        _shape(detail, PACKAGE, PACKAGE_REQUIRED, "packageDetail")
        package = self._package(detail)
        self._fits(order, package)
        self._book.pack(order, package, self._clock.now())
        self._changed("shipped", order)
        return web.Response(status=204)

    def _first(self, request: web.Request) -> _Page:
        after, before = _span(request, self._clock.now())
        markets = listed(request, "marketplaceIds", most=50)
        statuses = listed(request, "fulfillmentStatuses", allowed=STATUSES)
        by = listed(request, "fulfilledBy", allowed=("MERCHANT", "AMAZON"))
        created = "createdAfter" in request.query
        late = self._faults.hit("late_read")
        found = []
        for order in self._book.all():
            at = order.created if created else order.updated
            # The parameter says seconds, the order milliseconds: at or after is meant in whole.
            if not after <= at <= before or (late and order.is_fresh(self._clock.now())):
                continue
            if markets and order.market.id not in markets:
                continue
            if statuses and order.status not in statuses:
                continue
            if by and ("MERCHANT" if order.merchant else "AMAZON") not in by:
                continue
            found.append((at, order.number))
        return _Page(_fingerprint(request), tuple(number for _, number in sorted(found)), before, before)

    def _following(self, request: web.Request, token: str) -> _Page:
        page = self._tokens.get(token)
        if page is None or page.ends <= self._clock.now():
            raise invalid("The pagination token is invalid or has expired.")
        if page.fingerprint != _fingerprint(request):
            raise invalid("Every other parameter must be the same as in the request that made the token.")
        return page

    def _shown(self, order: Order, included: list[str]) -> dict[str, Any]:
        if order.before is not None and order.is_fresh(self._clock.now()) and self._faults.hit("late_read"):
            return _reduced(order.before, included)
        return order.to_json(included, role=self.personal)

    def _order(self, request: web.Request) -> Order:
        number = request.match_info["order"]
        if number not in self._book.orders:
            raise missing(f"No order {number}.")
        return self._book.orders[number]

    def _package(self, detail: Mapping[str, Any]) -> Package:
        reference = detail["packageReferenceId"]
        # A JSON number is refused since 2026-01, a text of one is meant.
        if not isinstance(reference, str) or not reference.isdecimal() or int(reference) < 1:
            raise invalid("packageReferenceId must be a string of a positive number.")
        for name in ("carrierCode", "trackingNumber"):
            if not isinstance(detail[name], str) or not detail[name].strip():
                raise invalid(f"{name} is required.")
        if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
            raise invalid("carrierName is required when carrierCode is Other.")
        rows = detail["orderItems"]
        if not isinstance(rows, list) or not rows:
            raise invalid("OrderItemId is invalid.")
        lines: dict[str, int] = {}
        for row in rows:
            _shape(row, {"orderItemId", "quantity", "transparencyCodes"}, ("orderItemId", "quantity"), "orderItems")
            if not isinstance(row["quantity"], int) or row["quantity"] < 1:
                raise invalid("quantity must be a positive whole number.")
            lines[str(row["orderItemId"])] = lines.get(str(row["orderItemId"]), 0) + row["quantity"]
        carrier = detail.get("carrierName") if detail["carrierCode"] == "Other" else detail["carrierCode"]
        shipped = instant(detail["shipDate"], "shipDate")
        service = str(detail.get("shippingMethod") or "Standard")
        return Package(reference, str(carrier), service, detail["trackingNumber"], shipped, self._clock.now(), lines)

    @staticmethod
    def _fits(order: Order, package: Package) -> None:
        """An order that may be shipped, and units of it that are still here."""
        if not order.merchant:
            raise invalid("The order is fulfilled by Amazon.")
        if order.status in ("PENDING", "CANCELLED"):
            raise invalid(f"The order is {order.status}.")
        replaced = order.packages.get(package.reference)
        if order.status == "SHIPPED" and replaced is None:
            text = f"Failed to create package {package.reference}: PackageToUpdateNotFound"
            raise Refusal(400, "InvalidInput", text)
        for number, units in package.lines.items():
            line = order.line(number)
            if line is None:
                raise invalid("OrderItemId is invalid.")
            if units > line.open + (replaced.lines.get(number, 0) if replaced else 0):
                raise invalid(f"Only {line.open} units of {number} are unshipped.")


def _span(request: web.Request, now: datetime) -> tuple[datetime, datetime]:
    created, updated = instant_in(request, "createdAfter"), instant_in(request, "lastUpdatedAfter")
    if (created is None) == (updated is None):
        raise invalid("Exactly one of createdAfter and lastUpdatedAfter is required.")
    mine, other = ("created", "lastUpdated") if created else ("lastUpdated", "created")
    if f"{other}Before" in request.query:
        raise invalid(f"{other}Before cannot be used with {mine}After.")
    after = created or updated
    before = instant_in(request, f"{mine}Before")
    if after is None or after > now:
        raise invalid(f"{mine}After lies in the future.")
    if before is not None and (before < after or before > now - EDGE):
        raise invalid(f"{mine}Before must be after {mine}After and at least two minutes before the request.")
    return after, before or now


def _fingerprint(request: web.Request) -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = sorted(set(request.query) - FREE_BETWEEN_PAGES)
    return tuple((name, tuple(request.query.getall(name))) for name in names)


def _shape(value: Any, known: frozenset[str] | set[str], required: tuple[str, ...], what: str) -> None:
    if not isinstance(value, dict):
        raise invalid(f"{what} must be an object.")
    lacking = [name for name in required if value.get(name) is None]
    if lacking:
        raise invalid(f"{what} lacks {', '.join(lacking)}.")
    unknown = sorted(set(value) - known)
    if unknown:
        raise invalid(f"{what} has unknown fields: {', '.join(unknown)}.")


def _reduced(order: Mapping[str, Any], included: list[str]) -> dict[str, Any]:
    """An earlier state with the datasets asked for now."""
    order_parts = {"BUYER": "buyer", "RECIPIENT": "recipient", "PROCEEDS": "proceeds", "PAYMENT": "payment"}
    parts = order_parts | {
        "FULFILLMENT": "fulfillment", "PACKAGES": "packages", "TAX": "tax", "CANCELLATION": "cancellation",
    }  # fmt: skip
    dropped = {field for dataset, field in parts.items() if dataset not in included}
    kept = {name: value for name, value in order.items() if name not in dropped}
    items = [{name: value for name, value in item.items() if name not in dropped} for item in order["orderItems"]]
    return kept | {"orderItems": items}
