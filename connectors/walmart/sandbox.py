"""The Walmart sandbox: a fake of Walmart's server for one seller, built from its contract.

Beside what every sandbox offers it has the shopper's and seller's other hands: `acknowledge`,
`ask_to_cancel`, `open_return`, WFS items (`stock_wfs`) and second nodes (`stock_node`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from email.utils import format_datetime
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk.emitter import RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import WEBHOOK_PATH, Sandbox
from connectors.walmart.fake.feeds_wire import FeedsWire
from connectors.walmart.fake.gate import Gate
from connectors.walmart.fake.inventory_wire import InventoryWire
from connectors.walmart.fake.order_list import OrderList
from connectors.walmart.fake.order_moves import OrderMoves, seller_tracking
from connectors.walmart.fake.orderbook import OPEN, Order, OrderBook, Part
from connectors.walmart.fake.replies import Refusal
from connectors.walmart.fake.returns_wire import ReturnsWire
from connectors.walmart.fake.stockroom import Stockroom
from connectors.walmart.fake.webhooks_wire import WebhooksWire
from connectors.walmart.settings import DEFAULT_WEBHOOK_HEADER

Handler = Callable[[web.Request], Awaitable[web.Response]]

MAIN_NODE: Final = "1000005050"
SECOND_NODE: Final = "79897837271126017"
WFS_NODE: Final = "10001234"
CLIENT_ID: Final = "sandbox-walmart-client"
CLIENT_SECRET: Final = "sandbox-walmart-client-secret"  # noqa: S105  # of the sandbox alone
WEBHOOK_SECRET: Final = "sandbox-walmart-webhook-secret"  # noqa: S105  # of the sandbox alone


class WalmartSandbox(Sandbox):
    """One seller with two nodes. See the base class for how it is used."""

    name: ClassVar[str] = "walmart"
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60.0, 300.0, 900.0),
        timeout_s=5.0,
        source="Walmart says that non-2xx answers are retried, not how often: a modest rule of ours (2026-11)",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.gate = Gate(CLIENT_ID, CLIENT_SECRET, self.clock, self.faults)
        self.stockroom = Stockroom(self.clock, (MAIN_NODE, SECOND_NODE), WFS_NODE)
        self.book = OrderBook(seed)
        self.hooks = WebhooksWire(self.clock, self.emit)
        self.order_list = OrderList(self.book, self.clock, self.faults)
        self.moves = OrderMoves(self.book, self.stockroom, self.clock, self.faults, self._order_changed)
        self.inventory = InventoryWire(self.stockroom, self.faults)
        self.feeds = FeedsWire(self.stockroom, self.clock, self.faults)
        self.returns = ReturnsWire(self.clock)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        orders, one = "/v3/orders", "/v3/orders/{number}"
        hooks, hook = "/v3/webhooks/subscriptions", "/v3/webhooks/subscriptions/{subscription}"
        return [
            web.post("/v3/token", self._open(self.gate.token)),
            web.get("/v3/token/detail", self._guarded(self.gate.detail, None)),
            web.get(orders, self._guarded(self.order_list.find, "orders")),
            web.get(f"{orders}/released", self._guarded(self.order_list.released, "orders")),
            web.get(one, self._guarded(self.moves.read, "orders")),
            web.post(f"{one}/acknowledge", self._guarded(self.moves.acknowledge, "orders")),
            web.post(f"{one}/shipping", self._guarded(self.moves.ship, "orders")),
            web.post(f"{one}/cancel", self._guarded(self.moves.cancel, "orders")),
            web.post(f"{one}/refund", self._guarded(self.moves.refund, "orders")),
            web.get("/v3/returns", self._guarded(self.returns.find, "returns")),
            web.get("/v3/inventory", self._guarded(self.inventory.get_one, "inventory")),
            web.put("/v3/inventory", self._guarded(self.inventory.put_one, "inventory")),
            web.get("/v3/inventories", self._guarded(self.inventory.catalogue, "inventory")),
            web.get("/v3/inventories/{sku}", self._guarded(self.inventory.get_nodes, "inventory")),
            web.put("/v3/inventories/{sku}", self._guarded(self.inventory.put_nodes, "inventory")),
            web.get("/v3/fulfillment/inventory", self._guarded(self.inventory.wfs, "inventory")),
            web.post("/v3/feeds", self._guarded(self.feeds.submit, "feeds")),
            web.get("/v3/feeds", self._guarded(self.feeds.find, "feeds")),
            web.get("/v3/feeds/{feed}", self._guarded(self.feeds.read, "feeds")),
            web.get("/v3/webhooks/eventTypes", self._guarded(self.hooks.event_types, None)),
            web.get(hooks, self._guarded(self.hooks.find, None)),
            web.post(hooks, self._guarded(self.hooks.create, None)),
            web.post("/v3/webhooks/test", self._guarded(self.hooks.test, None)),
            web.patch(hook, self._guarded(self.hooks.mend, None)),
            web.delete(hook, self._guarded(self.hooks.delete, None)),
        ]

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": self.name,
            "base_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_secret": WEBHOOK_SECRET,
            },
            "options": {"market": "us", "ship_nodes": [MAIN_NODE]},
            "locations": {MAIN_NODE: "main"},
        }

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        self.stockroom.set(sku, quantity, title=title)
        self.record("stock.set", sku=sku, quantity=quantity)

    def stock_wfs(self, sku: str, quantity: int, *, title: str = "") -> None:
        """An item that Walmart stocks and ships."""
        self.stockroom.set(sku, quantity, title=title, wfs=True)

    def stock_node(self, sku: str, node: str, quantity: int) -> None:
        """Stock of an item at one of the seller's nodes."""
        self.stockroom.set(sku, quantity, node=node)

    def shown(self, sku: str) -> int:
        self.feeds.work()
        if sku not in self.stockroom.items:
            raise LookupError(f"no listing {sku}")
        return self.stockroom.items[sku].available

    def skus(self) -> Sequence[str]:
        return list(self.stockroom.items)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """One purchase order, from WFS or from the seller's nodes; None when the stock shown does not reach.

        Raises:
            ValueError: Lines of both kinds: Walmart splits them into orders of their own.
        """
        self.feeds.work()
        kinds = {item.wfs for sku, _ in lines if (item := self.stockroom.items.get(sku)) is not None}
        if len(kinds) > 1:
            raise ValueError("WFS and the seller's items are orders of their own: sell them apart")
        reserved: list[tuple[str, str, int]] = []
        for sku, units in lines:
            node = self.stockroom.reserve(sku, units)
            if node is None:
                for held_sku, held_node, held in reserved:
                    self.stockroom.release(held_sku, held_node, held, shipped=False)
                return None
            reserved.append((sku, node, units))
        made = [(self.stockroom.items[sku], node, units) for sku, node, units in reserved]
        order = self.book.new(made, "WFSFulfilled" if kinds == {True} else "SellerFulfilled", self.clock.now())
        self.record("order.created", order=order.number, lines=[[sku, units] for sku, units in lines])
        self.hooks.announce_order("PO_CREATED", order)
        self._announce_emptied(made)
        return order.number

    async def acknowledge(self, order_id: str) -> None:
        """The seller acknowledges by hand."""
        self.moves.acknowledge_order(self.book.orders[order_id])

    async def cancel(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        reason = "SELLER_CANCEL_OUT_OF_STOCK"
        moves = [(line, line.count(*OPEN), reason) for line in order.lines if line.count(*OPEN)]
        self.moves.cancel_units(order, moves)
        self.hooks.announce_order("PO_LINE_AUTOCANCELLED", order, [line for line, _, _ in moves])

    async def ship(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        self.moves.acknowledge_order(order)
        at = self.clock.now()
        order.touch(at)
        for line in order.lines:
            units = line.count("Acknowledged")
            if units:
                tracking = seller_tracking(f"1Z999AA1{order.number[-8:]}{line.number}", at)
                line.move(units, ("Acknowledged",), Part("Shipped", units, tracking=tracking), at)
                self.stockroom.release(line.item.sku, line.node, units, shipped=True)
        self._order_changed("shipped", order)

    async def ask_to_cancel(self, order_id: str) -> None:
        """The shopper asks the seller to cancel; nothing is cancelled yet."""
        order = self.book.orders[order_id]
        order.touch(self.clock.now())
        for line in order.lines:
            line.intent_to_cancel = True
        payload = {"meta": {"subEventType": "INTENT_TO_CANCEL"}, "order": {"purchaseOrderId": order.number}}
        self.hooks.announce("ORDER_UPDATES", payload)

    async def open_return(self, order_id: str, units: int = 1) -> str:
        """The shopper sends units of the first line back; gives the return's id."""
        order = self.book.orders[order_id]
        made = self.returns.open(order, order.lines[0], units)
        self.hooks.announce("RETURN_CREATED", {"returnOrderId": made.number, "customerOrderId": order.customer_number})
        return made.number

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": order.number,
                "lines": [(line.item.sku, line.units) for line in order.lines],
                "state": order.state,
                "parcels": _parcels(order),
            }
            for order in self.book.all()
        ]

    def webhook_headers(self, topic: str, body: bytes, *, event_id: str, attempt: int = 1) -> Mapping[str, str]:  # noqa: ARG002  # Walmart's event id stands in the body
        auth = {
            "authMethod": "HMAC",
            "clientSecret": WEBHOOK_SECRET,
            "authHeaderName": DEFAULT_WEBHOOK_HEADER,
        }
        return self.hooks.headers({"authDetails": auth}, WEBHOOK_PATH, body)

    def drop_scope(self) -> None:
        self.gate.scopes["inventory"] = "no_access"

    async def writes(self, request: web.Request) -> bool:
        return request.method != "GET" and request.path != "/v3/token"

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        return self.gate.too_many(None, retry_after).response(request)

    def server_error_response(self, request: web.Request) -> web.StreamResponse:
        return Refusal(503, "SYSTEM_ERROR", "Internal system error", category="SYSTEM").response(request)

    def _order_changed(self, what: str, order: Order) -> None:
        self.record(f"order.{what}", order=order.number)

    def _announce_emptied(self, lines: Sequence[tuple[Any, str, int]]) -> None:
        for item, node, _ in lines:
            if item.available == 0:
                self.hooks.announce("INVENTORY_OOS", {"sku": item.sku, "shipNode": node})

    def _open(self, handler: Handler) -> Handler:
        """A path that needs no token yet."""

        async def handle(request: web.Request) -> web.Response:
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response(request)
            return self._stamped(request, response)

        return handle

    def _guarded(self, handler: Handler, scope: str | None) -> Handler:
        """A path behind token, scope and rate limit."""

        async def handle(request: web.Request) -> web.Response:
            headers: Mapping[str, str] = {}
            try:
                self.gate.admit(request, scope)
                headers = self.gate.spend(request)
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response(request)
            response.headers.update(headers)
            return self._stamped(request, response)

        return handle

    def _stamped(self, request: web.Request, response: web.Response) -> web.Response:
        """Walmart's own clock, and the caller's correlation id given back."""
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        correlation = request.headers.get("WM_QOS.CORRELATION_ID")
        if correlation:
            response.headers["WM_QOS.CORRELATION_ID"] = correlation
        return response


def _parcels(order: Order) -> list[dict[str, Any]]:
    """What the shopper sees has left, one entry per tracking number."""
    found: dict[str, dict[str, Any]] = {}
    for line in order.lines:
        for part in line.parts:
            if part.status in {"Shipped", "Delivered"} and part.tracking:
                number, name = part.tracking["trackingNumber"], part.tracking["carrierName"]
                carrier = name["carrier"] or name["otherCarrier"]
                parcel = found.setdefault(number, {"carrier": carrier, "numbers": [number], "lines": []})
                parcel["lines"].append((line.item.sku, part.units))
    return list(found.values())
