"""A fake Shopify: its Admin API, its login, its webhooks, for one shop on this machine.

Built from the published schema and pages, see `connectors.shopify.fake`; what the API would refuse is
refused here, in its words.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk import exact, signing
from connectors.sdk.faults import ExpiredTokens, Faults
from connectors.sdk.ports import Clock
from connectors.sdk.sandbox import Delivery, RetryRule, Sandbox
from connectors.shopify.fake import rest
from connectors.shopify.fake.bulk import BulkOperations
from connectors.shopify.fake.cost import Bucket
from connectors.shopify.fake.fulfilling import Fulfilling
from connectors.shopify.fake.hooks import Subscription, Subscriptions
from connectors.shopify.fake.inventory import Inventory
from connectors.shopify.fake.roots import Roots
from connectors.shopify.fake.server import THROTTLED, Server
from connectors.shopify.fake.state import Item, Level, Order, Parcel, Shop
from connectors.shopify.fake.views import Views
from connectors.shopify.manifest import SCOPES_REQUIRED
from connectors.shopify.settings import API_VERSION

DOMAIN: Final = "example.myshopify.com"
CLIENT_ID: Final = "sandbox-client-id"
CLIENT_SECRET: Final = "sandbox-client-secret"  # noqa: S105 - of a fake shop
TOKEN_LIFE_S: Final = 86_399
VERSIONS: Final = frozenset({"2026-04", "2026-07", "2026-10"})
RESTORE_RATE: Final = 1_000.0
"""Points a second; the bucket holds twenty times as many. A standard shop restores a tenth of it."""


class ShopifySandbox(Sandbox):
    """One shop with one app installed."""

    name = "shopify"
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60, 120, 300, 600, 1_200, 2_400, 3_600, 6_120),
        timeout_s=5.0,
        source="shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks: 8 retries over 4 hours, 2026-11-20",
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.shop = Shop(self.clock, self.random, DOMAIN)
        self.scopes = frozenset({*SCOPES_REQUIRED, "read_all_orders", "write_orders"})
        self.subscriptions = Subscriptions(self.shop)
        self.bulk = BulkOperations(self.shop, self.random, lambda: self.base_url)
        self._tokens: dict[str, datetime] = {}
        self._expired = ExpiredTokens(self.faults)
        self._webhook_secret = CLIENT_SECRET.encode()
        self.bucket = Bucket(self.clock, restore_rate=RESTORE_RATE, maximum=20 * RESTORE_RATE)
        inventory = Inventory(self.shop, self._views, self.faults, self._level_moved)
        fulfilling = Fulfilling(self.shop, self._views, self._parcel_left, self._parcel_changed)
        roots = Roots(
            self.shop,
            lambda: self.faults.hit("late_read"),
            lambda: self.scopes,
            inventory,
            fulfilling,
            self.subscriptions,
            self.bulk,
        )
        self._server = Server(roots, self.bucket, lambda: self.scopes)

    # --- the wire ----------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/admin/oauth/access_token", self._token),
            web.post("/admin/api/{version}/graphql.json", self._graphql),
            web.get("/bulk/{name}.jsonl", self._bulk_result),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        """The client credentials grant: form or JSON, 24 hours, no refresh token."""
        form = await _fields(request)
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, status=400)
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            text = "The client id or secret is wrong."
            return _json({"error": "invalid_client", "error_description": text}, status=401)
        token = f"shpat_{self.random.getrandbits(128):032x}"
        self._tokens[token] = self.clock.now() + timedelta(seconds=TOKEN_LIFE_S)
        self._expired.issued(token)
        return _json({"access_token": token, "scope": ",".join(sorted(self.scopes)), "expires_in": TOKEN_LIFE_S})

    async def _graphql(self, request: web.Request) -> web.Response:
        if request.match_info["version"] not in VERSIONS:
            return _json({"errors": "Not Found"}, status=404)
        token = request.headers.get("X-Shopify-Access-Token", "")
        until = self._tokens.get(token)
        if until is None or until <= self.clock.now() or self._expired.refuses(token):
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return _json({"errors": text}, status=401)
        try:
            body = exact.loads(await request.read())
        except exact.NotJson:
            return _json({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
        if not isinstance(body, dict):
            return _json({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
        answer = self._server.answer(body)
        headers = {"X-Request-Id": str(uuid.UUID(int=self.random.getrandbits(128), version=4))}
        return _json(answer, headers=headers)

    async def _bulk_result(self, request: web.Request) -> web.Response:
        """A result file, whole or a range of it, as storage services give it."""
        name = request.match_info["name"]
        operation = self.bulk.by_id.get(int(name)) if name.isdigit() else None
        if operation is None or operation.running:
            return web.Response(status=404, text="NoSuchKey")
        content = operation.content
        wanted = request.http_range
        if wanted.start is None:
            return web.Response(body=content, content_type="application/jsonl")
        start, stop = wanted.start, min(wanted.stop or len(content), len(content))
        if start >= len(content):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
        return web.Response(status=206, body=content[start:stop], headers=headers, content_type="application/jsonl")

    async def writes(self, request: web.Request) -> bool:
        if not request.path.endswith("/graphql.json"):
            return False
        try:
            body = exact.loads(await request.read())
        except exact.NotJson:
            return False
        return isinstance(body, dict) and str(body.get("query", "")).lstrip().startswith("mutation")

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        """With a wait a 429; without one, on the GraphQL endpoint, a throttled answer of status 200."""
        if retry_after is None and request.path.endswith("/graphql.json"):
            return _json({**THROTTLED, "extensions": self.bucket.extension(self.bucket.available + 50, None)})
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.1f}"}
        return _json({"errors": "Exceeded the allowed number of calls."}, status=429, headers=headers)

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same everywhere
        return web.Response(status=502, text="<html><body>Bad Gateway</body></html>", content_type="text/html")

    # --- webhooks ----------------------------------------------------------------------------

    def webhook_headers(self, topic: str, body: bytes, *, event_id: str, attempt: int = 1) -> Mapping[str, str]:  # noqa: ARG002 - a retry is sent unchanged
        delivery = uuid.uuid5(uuid.NAMESPACE_URL, f"{topic}:{event_id}")
        return self._headers(topic, body, event_id, str(delivery), None)

    def _headers(self, topic: str, body: bytes, event_id: str, delivery: str, name: str | None) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signing.hmac_sha256_base64(self._webhook_secret, body),
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": delivery,
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": self.clock.now().isoformat().replace("+00:00", "Z"),
        }
        return {**headers, "X-Shopify-Name": name} if name else headers

    def announce(self, topics: Sequence[str], body: Callable[[], Any]) -> None:
        """Tell every subscriber of these topics of one event; the body is what it is now, also on retries."""
        if not any(self.subscriptions.of(topic) for topic in topics):
            return
        event_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        content = exact.dumps(body())
        for topic in topics:
            for each in self.subscriptions.of(topic):
                self._deliver(topic, each, content, event_id)

    def _deliver(self, topic: str, each: Subscription, content: bytes, event_id: str) -> None:
        body = _chosen(content, each)
        delivery = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        headers = self._headers(topic, body, event_id, delivery, each.name)
        label = f"{topic} {each.id}"
        self.emit(each.uri, lambda _: Delivery(body=body, headers=headers, label=label))

    def record(self, kind: str, **facts: Any) -> None:
        """A subscription whose delivery was given up is removed, as Shopify does with those made by the API."""
        super().record(kind, **facts)
        if kind == "webhook.given_up":
            number = str(facts.get("label", "")).rpartition(" ")[2]
            if number.isdigit() and self.subscriptions.by_id.pop(int(number), None) is not None:
                super().record("subscription.removed", id=int(number))

    def _level_moved(self, item: Item, level: Level) -> None:
        self.record("level", sku=item.sku, location=level.location, available=level.available)
        self.announce(("inventory_levels/update",), lambda: rest.level_body(item, level))

    def _parcel_left(self, order: Order, parcel: Parcel) -> None:
        self.record("shipped", order=order.id, parcel=parcel.id)
        done = "orders/fulfilled" if order.state == "shipped" else "orders/partially_fulfilled"
        self.announce(("fulfillments/create",), lambda: rest.parcel_body(order, parcel))
        self.announce(("orders/updated", done), lambda: rest.order_body(self.shop, order))

    def _parcel_changed(self, order: Order, parcel: Parcel) -> None:
        self.record("parcel_changed", order=order.id, parcel=parcel.id, status=parcel.status)
        self.announce(("fulfillments/update",), lambda: rest.parcel_body(order, parcel))
        self.announce(("orders/updated",), lambda: rest.order_body(self.shop, order))

    # --- the seller's and the shopper's hands -------------------------------------------------

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "shopify",
            "base_url": self.base_url,
            "credentials": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_secret": self._webhook_secret.decode(),
            },
            "options": {"shop": DOMAIN},
            "locations": {f"gid://shopify/Location/{self.shop.main.id}": "main"},
        }

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        item = self.shop.by_sku.get(sku)
        made = item is None
        if item is None:
            item = self.shop.add_item(sku, title)
        elif title:
            item.title, item.updated_at = title, self.shop.now()
        level = item.levels[self.shop.main.id]
        level.set_available(quantity, self.shop.now())
        level.before = None
        if made or title:
            self._announce_later(
                ("products/create",) if made else ("products/update",), lambda: rest.product_body(item)
            )
        self._announce_later(("inventory_levels/update",), lambda: rest.level_body(item, level))

    def _announce_later(self, topics: Sequence[str], body: Callable[[], Any]) -> None:
        """Stock may be set up before the sandbox runs, when nobody can have subscribed."""
        if self.subscriptions.by_id:
            self.announce(topics, body)

    def shown(self, sku: str) -> int:
        return max(0, self.shop.by_sku[sku].sellable)

    def skus(self) -> Sequence[str]:
        return tuple(self.shop.by_sku)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        order = self.shop.place(lines)
        if order is None:
            return None
        self.record("sold", order=order.id, lines=[[sku, quantity] for sku, quantity in lines])
        self.announce(("orders/create", "orders/paid", "orders/updated"), lambda: rest.order_body(self.shop, order))
        for item, level in _touched(order):
            self._level_moved(item, level)
        return str(order.id)

    async def cancel(self, order_id: str) -> None:
        order = self.shop.orders[int(order_id)]
        refund = self.shop.cancel(order)
        if refund is None:
            return
        self.record("cancelled", order=order.id)
        self.announce(("orders/cancelled", "orders/updated"), lambda: rest.order_body(self.shop, order))
        self.announce(("refunds/create",), lambda: rest.refund_body(order, refund))
        for item, level in _touched(order):
            self._level_moved(item, level)

    async def ship(self, order_id: str) -> None:
        """One parcel per location, under a number of its own."""
        order = self.shop.orders[int(order_id)]
        if order.cancelled_at is not None:
            return
        for work in order.works:
            parts = [(each, each.remaining) for each in work.lines if each.remaining]
            if parts and work.status in ("OPEN", "IN_PROGRESS"):
                number = f"1Z{self.random.randrange(10**16):016d}"
                self._parcel_left(order, self.shop.ship(order, [(work, parts)], "UPS", [number]))

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": str(order.id),
                "lines": [(line.item.sku, line.quantity) for line in order.lines],
                "state": order.state,
                "parcels": [
                    {
                        "carrier": parcel.company,
                        "numbers": list(parcel.numbers),
                        "lines": [(line.item.sku, units) for _, line, units in parcel.lines],
                    }
                    for parcel in order.living()
                ],
            }
            for order in self.shop.orders.values()
        ]

    def drop_scope(self) -> None:
        self.scopes -= {"read_orders", "write_orders"}

    def _views(self) -> Views:
        return Views(self.shop)


def _touched(order: Order) -> list[tuple[Item, Level]]:
    found = {(each.line.item.id, work.location): each.line.item for work in order.works for each in work.lines}
    return [(item, item.levels[place]) for (_, place), item in found.items()]


def _chosen(content: bytes, each: Subscription) -> bytes:
    """A subscription may ask for some fields only."""
    if not each.include_fields:
        return content
    whole = exact.loads(content)
    return exact.dumps({name: whole[name] for name in each.include_fields if name in whole})


async def _fields(request: web.Request) -> Mapping[str, str]:
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read())
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}
    return {key: str(value) for key, value in (await request.post()).items()}


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=exact.dumps(body), status=status, headers=headers, content_type="application/json")
