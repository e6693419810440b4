"""The eBay sandbox: a fake of eBay's server for one seller, built from its contract.

Beside what every sandbox offers it has the shopper's and seller's other hands: `check_out` and `pay`,
`offer_on` and `sell_on` another marketplace whose prices are in US dollars too, `ask_to_cancel`,
`open_return`, `list_by_hand` (Seller Hub), `revoke` (the consent), `delete_buyer`, and `exhaust` (the
day's calls of one API).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.ebay.fake.cases_wire import CasesWire
from connectors.ebay.fake.gate import INVENTORY_SCOPE, USER_SCOPES, Gate
from connectors.ebay.fake.guards import Guards
from connectors.ebay.fake.inventory_wire import InventoryWire
from connectors.ebay.fake.keys import SigningKey
from connectors.ebay.fake.notices_wire import NoticesWire
from connectors.ebay.fake.orderbook import SELLER, SELLER_ID, Fulfillment, Order, OrderBook
from connectors.ebay.fake.orders_wire import OrdersWire
from connectors.ebay.fake.replies import ACCESS, Refusal, answer
from connectors.ebay.fake.signed_calls import SignedCalls
from connectors.ebay.fake.stockroom import Stockroom
from connectors.ebay.fake.trading_wire import HubListing, TradingFault, TradingWire, facts_of
from connectors.sdk.emitter import RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Sandbox

LOCATION: Final = "warehouse-1"
MARKETPLACE: Final = "EBAY_US"
CLIENT_ID: Final = "sandbox-ebay-client"
CLIENT_SECRET: Final = "sandbox-ebay-client-secret"  # noqa: S105  # of the sandbox alone
REFRESH_TOKEN: Final = "v^1.1#r^1#sandbox-ebay-refresh"  # noqa: S105  # of the sandbox alone
VERIFICATION_TOKEN: Final = "sandbox-ebay-verification-token-0001"  # noqa: S105  # of the sandbox alone
RU_NAME: Final = "Example-Example-Sandbox-abcdef"
READ_BY_POST: Final = frozenset(
    {"/sell/inventory/v1/bulk_get_inventory_item", "/post-order/v2/cancellation/check_eligibility"}
)
READING_CALLS: Final = ("GetItem", "GetMyeBaySelling")


class EbaySandbox(Sandbox):
    """One seller with one location on one marketplace. See the base class for how it is used."""

    name: ClassVar[str] = "ebay"
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60.0, 300.0, 900.0),
        timeout_s=5.0,
        source="eBay says that deliveries are retried and counted, not how often: a modest rule of ours (2026-11)",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.gate = Gate(CLIENT_ID, CLIENT_SECRET, RU_NAME, self.clock, self.faults)
        self.gate.consents[REFRESH_TOKEN] = frozenset(USER_SCOPES)
        self.guards = Guards(self.gate, self.random, self.writes)
        self.key = SigningKey()
        self.signatures = SignedCalls(seed, self.clock)
        self.stockroom = Stockroom(self.clock, LOCATION, MARKETPLACE)
        self.book = OrderBook(seed)
        self.inventory = InventoryWire(self.stockroom, self.faults)
        self.order_wire = OrdersWire(self.book, self.clock, self.faults, self._order_changed)
        self.cases = CasesWire(self.book, self.clock, self._order_changed)
        self.notices = NoticesWire(self.clock, self.key, self.emit, self._challenge_code)
        self.trading = TradingWire(self.clock)

    async def started(self) -> None:
        self.order_wire.base = self.base_url

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/identity/v1/oauth2/token", self.guards.open(self.gate.token)),
            web.get("/developer/analytics/v1_beta/rate_limit", self.guards.notified(self.gate.allowances)),
            web.get("/sell/account/v1/privilege", self.guards.account(self._privilege)),
            *self._order_routes(),
            *self._stock_routes(),
            *self._case_routes(),
            *self._notice_routes(),
            web.post("/ws/api.dll", self._traded),
        ]

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": self.name,
            "base_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "refresh_token": REFRESH_TOKEN,
                "verification_token": VERIFICATION_TOKEN,
            },
            "options": {"marketplace": MARKETPLACE, "alert_email": "alerts@example.com", "trading": "on"},
            "locations": {LOCATION: "main"},
        }

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        self.stockroom.set(sku, quantity, title=title)
        self.record("stock.set", sku=sku, quantity=quantity)

    def offer_on(self, marketplace: str, sku: str, quantity: int) -> None:
        """An offer of the same item on another marketplace; the item's total is set to the same number."""
        self.stockroom.set(sku, quantity, marketplace=marketplace)

    def list_by_hand(self, title: str, variations: Sequence[tuple[str, int]], *, varied: bool = False) -> HubListing:
        """A listing made in Seller Hub, which the Inventory API does not see. One without a SKU has "" for it."""
        return self.trading.list(title, variations, varied=varied)

    def shown(self, sku: str) -> int:
        found = self.stockroom.main(sku)
        if found is not None:
            return found[0].available(found[1])
        for listing in self.trading.listings.values():
            if sku in (facts := facts_of(listing)):
                return facts[sku]
        raise LookupError(f"no listing {sku}")

    def skus(self) -> Sequence[str]:
        return [*self.stockroom.items, *(sku for each in self.trading.listings.values() for sku in facts_of(each))]

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """One paid checkout of Inventory API listings; None when the number shown does not reach."""
        return await self.sell_on(MARKETPLACE, lines)

    async def sell_on(self, marketplace: str, lines: Sequence[tuple[str, int]]) -> str | None:
        """The same on another marketplace the seller offers on: its own offers sink, and the total of them all."""
        number = self.check_out(lines, marketplace)
        if number is not None:
            await self.pay(number)
        return number

    def check_out(self, lines: Sequence[tuple[str, int]], marketplace: str = MARKETPLACE) -> str | None:
        """A checkout that is not paid yet: its units are gone from the shelf, and no list of orders shows it."""
        taken: list[tuple[str, int]] = []
        for sku, units in lines:
            if not self.stockroom.take(sku, units, marketplace):
                for held, count in taken:
                    self.stockroom.give_back(held, count, marketplace)
                return None
            taken.append((sku, units))
        made = []
        for sku, units in taken:
            found = self.stockroom.on(sku, marketplace)
            if found is not None:
                item, offer = found
                made.append((offer.listing_id or "", sku, item.title, offer.price, units))
        order = self.book.new(made, self.clock.now(), marketplace=marketplace, paid=False)
        self.record("order.created", order=order.number, lines=[[sku, units] for sku, units in lines])
        return order.number

    async def pay(self, order_id: str) -> None:
        """The shopper pays: from now on it is an order like any other."""
        order = self.book.orders[order_id]
        now = self.clock.now()
        if now > order.created:
            order.touch(now)
        order.paid = now
        self.notices.announce_order(order)

    async def cancel(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        pending = [each for each in self.cases.cancellations.values() if each.order is order and each.closed is None]
        made = pending[0] if pending else self.cases.request_cancel(order, "OUT_OF_STOCK_OR_CANNOT_FULFILL", "SELLER")
        self.cases.carry_out(made)

    async def ask_to_cancel(self, order_id: str) -> str:
        """The shopper asks; nothing is cancelled yet. Gives the cancellation's id."""
        return self.cases.request_cancel(self.book.orders[order_id]).number

    async def ship(self, order_id: str) -> None:
        order = self.book.orders[order_id]
        lines = [(line.number, line.units - line.shipped) for line in order.lines if line.units > line.shipped]
        if lines:
            number = f"1Z999AA1{order_id.replace('-', '')}"
            made = Fulfillment(number, lines, number, "UPS", self.clock.now())
            self.book.fulfil(order, made, self.clock.now())
            self._order_changed("shipped", order)

    async def open_return(self, order_id: str, units: int = 1) -> str:
        """The shopper sends units of the first line back; gives the return's id."""
        order = self.book.orders[order_id]
        return self.cases.open_return(order, order.lines[0], units).number

    async def delete_buyer(self, order_id: str) -> None:
        """The buyer of an order closes the eBay account: data about that person must go."""
        username = self.book.orders[order_id].username
        self.notices.announce("MARKETPLACE_ACCOUNT_DELETION", {"username": username, "userId": "", "eiasToken": ""})

    async def revoke(self) -> None:
        """The seller withdraws the consent."""
        self.gate.revoke()
        data = {"user": {"userId": SELLER_ID, "username": SELLER}, "revocationReason": "REVOKED_BY_USER"}
        self.notices.announce("AUTHORIZATION_REVOCATION", data)

    def exhaust(self, api: str) -> None:
        """No call of this API is left; midnight Pacific brings none back while this holds."""
        self.gate.limits[api] = 0

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": each.number,
                "lines": [(line.sku, line.units) for line in each.lines],
                "state": each.state,
                "parcels": [
                    {
                        "carrier": made.carrier,
                        "numbers": [made.tracking] if made.tracking else [],
                        "lines": [(skus[number], units) for number, units in made.lines],
                    }
                    for skus in ({line.number: line.sku for line in each.lines},)
                    for made in each.fulfillments
                ],
            }
            for each in self.book.all()
        ]

    def webhook_headers(self, topic: str, body: bytes, *, event_id: str, attempt: int = 1) -> Mapping[str, str]:  # noqa: ARG002  # eBay's topic, id and attempt stand in the body
        return self.notices.headers(body)

    def drop_scope(self) -> None:
        self.gate.consents[REFRESH_TOKEN] = frozenset(USER_SCOPES) - {INVENTORY_SCOPE}
        for token in self.gate.tokens.values():
            token.scopes -= {INVENTORY_SCOPE}

    async def writes(self, request: web.Request) -> bool:
        if request.path == "/ws/api.dll":
            return request.headers.get("X-EBAY-API-CALL-NAME") not in READING_CALLS
        reading = request.path in READ_BY_POST or request.path.startswith("/identity/")
        return request.method != "GET" and not reading

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002  # alike for every path
        return Refusal(500, 2003, "Internal error", domain=ACCESS, category="APPLICATION").response()

    def _order_routes(self) -> list[web.AbstractRouteDef]:
        base = "/sell/fulfillment/v1/order"
        one, shipments = f"{base}/{{order}}", f"{base}/{{order}}/shipping_fulfillment"
        wire = self.order_wire
        return [
            web.get(base, self.guards.fulfilled(wire.find)),
            web.get(one, self.guards.fulfilled(wire.read)),
            web.get(shipments, self.guards.fulfilled(wire.shipments)),
            web.post(shipments, self.guards.fulfilled(wire.ship)),
            web.get(f"{shipments}/{{fulfillment}}", self.guards.fulfilled(wire.shipment)),
            web.post(f"{one}/issue_refund", self.guards.fulfilled(self.signatures.signed(wire.refund))),
        ]

    def _stock_routes(self) -> list[web.AbstractRouteDef]:
        base, offer = "/sell/inventory/v1", "/sell/inventory/v1/offer/{offer}"
        wire = self.inventory
        return [
            web.get(f"{base}/inventory_item", self.guards.stocked(wire.items)),
            web.get(f"{base}/inventory_item/{{sku}}", self.guards.stocked(wire.item)),
            web.post(f"{base}/bulk_get_inventory_item", self.guards.stocked(wire.bulk_get)),
            web.post(f"{base}/bulk_update_price_quantity", self.guards.stocked(wire.bulk_update)),
            web.get(f"{base}/offer", self.guards.stocked(wire.offers)),
            web.get(offer, self.guards.stocked(wire.offer)),
            web.put(offer, self.guards.stocked(wire.update)),
            web.post(f"{offer}/withdraw", self.guards.stocked(wire.withdraw)),
            web.post(f"{offer}/publish", self.guards.stocked(wire.publish)),
        ]

    def _case_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/post-order/v2", self.cases
        one = f"{base}/cancellation/{{cancellation}}"
        return [
            web.post(f"{base}/cancellation", self.guards.cased(self.signatures.signed(wire.create))),
            web.post(f"{base}/cancellation/check_eligibility", self.guards.cased(wire.eligible)),
            web.get(f"{base}/cancellation/search", self.guards.cased(wire.search_cancellations)),
            web.get(one, self.guards.cased(wire.cancellation)),
            web.post(f"{one}/approve", self.guards.cased(self.signatures.signed(wire.approve))),
            web.post(f"{one}/reject", self.guards.cased(wire.refuse)),
            web.get(f"{base}/return/search", self.guards.cased(wire.search_returns)),
            web.get(f"{base}/return/{{return}}", self.guards.cased(wire.return_)),
        ]

    def _notice_routes(self) -> list[web.AbstractRouteDef]:
        base, wire = "/commerce/notification/v1", self.notices
        destinations, subscriptions = f"{base}/destination", f"{base}/subscription"
        return [
            web.get(f"{base}/public_key/{{kid}}", self.guards.notified(self.key.read)),
            web.get(f"{base}/config", self.guards.notified(wire.config)),
            web.put(f"{base}/config", self.guards.notified(wire.set_config)),
            web.get(f"{base}/topic", self.guards.notified(wire.topics)),
            web.get(f"{base}/topic/{{topic}}", self.guards.notified(wire.topic)),
            web.get(destinations, self.guards.notified(wire.list_destinations)),
            web.post(destinations, self.guards.notified(wire.create_destination)),
            web.put(f"{destinations}/{{number}}", self.guards.notified(wire.mend_destination)),
            web.get(subscriptions, self.guards.notified(self._list_subscriptions)),
            web.post(subscriptions, self.guards.notified(self._create_subscription)),
            web.post(f"{subscriptions}/{{number}}/enable", self.guards.notified(wire.enable)),
            web.post(f"{subscriptions}/{{number}}/disable", self.guards.notified(wire.disable)),
            web.post(f"{subscriptions}/{{number}}/test", self.guards.notified(wire.test)),
        ]

    async def _list_subscriptions(self, request: web.Request) -> web.Response:
        return await self.notices.list_subscriptions(request, user=self._by_user(request))

    async def _create_subscription(self, request: web.Request) -> web.Response:
        return await self.notices.create_subscription(request, user=self._by_user(request))

    def _by_user(self, request: web.Request) -> bool:
        token = self.gate.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return token is not None and token.user

    async def _privilege(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's handler shape
        limit = {"amount": {"value": "25000.0", "currency": "USD"}, "quantity": 1_000}
        return answer({"sellerRegistrationCompleted": True, "sellingLimit": limit})

    async def _traded(self, request: web.Request) -> web.Response:
        """Trading refuses in XML, with 200."""
        try:
            self.gate.admit(request, "trading", None)
        except Refusal as refusal:
            code = "518" if refusal.status == 429 else "21916984"
            fault = TradingFault(code, str(refusal))
            return self.trading.failure(request.headers.get("X-EBAY-API-CALL-NAME", ""), fault)
        return await self.trading.call(request)

    def _order_changed(self, what: str, order: Order) -> None:
        self.record(f"order.{what}", order=order.number)

    def _challenge_code(self) -> str:
        return f"{self.random.getrandbits(128):032x}"
