"""The toy market's server: what a vendor's fake looks like, at its smallest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from connectors.sdk import signing
from connectors.sdk.sandbox import Delivery, RetryRule, Sandbox

TOKEN_LIFE_S = 600


class ToySandbox(Sandbox):
    name: ClassVar[str] = "toy"
    webhook_rule: ClassVar[RetryRule] = RetryRule(waits_s=(10, 60, 600), timeout_s=5, source="invented")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._listings: dict[str, dict[str, Any]] = {}
        self._orders: dict[str, dict[str, Any]] = {}
        self._hooks: list[dict[str, Any]] = []
        self._tokens: dict[str, datetime] = {}
        self._scopes = {"orders", "stock"}
        self._secret = f"toy-webhook-secret-{self.seed}"
        self._login = {"client_id": f"toy-client-{self.seed}", "client_secret": f"toy-secret-{self.seed}"}

    # The seller's and the shopper's hands.

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "toy",
            "base_url": self.base_url,
            "credentials": {**self._login, "webhook_secret": self._secret},
            "options": {"region": "eu"},
            "locations": {"here": "main"},
        }

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:
        listing = self._listings.setdefault(sku, {"id": f"L{len(self._listings) + 1}", "sku": sku, "title": title})
        listing |= {"quantity": quantity, "updated_at": self._now()}

    def shown(self, sku: str) -> int:
        return int(self._listings[sku]["quantity"])

    def skus(self) -> Sequence[str]:
        return list(self._listings)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        if any(self.shown(sku) < quantity for sku, quantity in lines):
            return None
        for sku, quantity in lines:
            self._listings[sku] |= {"quantity": self.shown(sku) - quantity, "updated_at": self._now()}
        order_id = str(len(self._orders) + 1001)
        self._orders[order_id] = {
            "id": order_id,
            "number": f"T-{order_id}",
            "status": "new",
            "payment": "paid",
            "placed_at": self._now(),
            "updated_at": self._now(),
            "currency": "USD",
            "total": "12.30",
            "tracking": None,
            "lines": [
                {
                    "id": str(index),
                    "listing": self._listings[sku]["id"],
                    "sku": sku,
                    "quantity": quantity,
                    "price": "12.30",
                }
                for index, (sku, quantity) in enumerate(lines, 1)
            ],
        }
        self._announce("order.placed", order_id)
        return order_id

    async def cancel(self, order_id: str) -> None:
        order = self._orders[order_id]
        if order["status"] == "new":
            for line in order["lines"]:
                self._listings[line["sku"]]["quantity"] += line["quantity"]
        self._change(order_id, status="cancelled")

    async def ship(self, order_id: str) -> None:
        self._change(order_id, status="shipped", tracking="HAND-1")

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": order["id"],
                "lines": [(line["sku"], line["quantity"]) for line in order["lines"]],
                "state": order["status"],
            }
            for order in self._orders.values()
        ]

    def drop_scope(self) -> None:
        self._scopes.discard("stock")

    # The wire.

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/login", self._post_login),
            web.get("/me", self._get_me),
            web.get("/orders", self._get_orders),
            web.get("/orders/{id}", self._get_order),
            web.post("/orders/{id}/shipment", self._post_shipment),
            web.get("/listings", self._get_listings),
            web.get("/stock", self._get_stock),
            web.put("/stock", self._put_stock),
            web.get("/hooks", self._get_hooks),
            web.put("/hooks", self._put_hooks),
        ]

    async def writes(self, request: web.Request) -> bool:
        return request.method != "GET" and request.path != "/login"

    def webhook_headers(self, topic: str, body: bytes, *, event_id: str, attempt: int = 1) -> Mapping[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Toy-Topic": topic,
            "X-Toy-Event": event_id,
            "X-Toy-Attempt": str(attempt),
            "X-Toy-Signature": signing.hmac_sha256_base64(self._secret.encode(), body),
        }

    async def _post_login(self, request: web.Request) -> web.Response:
        given = await request.post()
        if {key: given.get(key) for key in self._login} != self._login:
            return _error(401, "bad_login")
        token = f"token-{len(self._tokens) + 1}-{self.random.getrandbits(64):x}"
        self._tokens[token] = self.clock.now() + timedelta(seconds=TOKEN_LIFE_S)
        return web.json_response({"access_token": token, "expires_in": TOKEN_LIFE_S})

    async def _get_me(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.json_response({"seller": "Toy Seller", "scopes": sorted(self._scopes)})

    async def _get_orders(self, request: web.Request) -> web.Response:
        self._authorize(request, "orders")
        since = request.query.get("from", "")
        found = [order for order in self._orders.values() if order["updated_at"] >= since]
        return _page(sorted(found, key=lambda order: (order["updated_at"], order["id"])), request)

    async def _get_order(self, request: web.Request) -> web.Response:
        self._authorize(request, "orders")
        order = self._orders.get(request.match_info["id"])
        return web.json_response(order) if order else _error(404, "no_order")

    async def _get_listings(self, request: web.Request) -> web.Response:
        self._authorize(request, "stock")
        return _page(list(self._listings.values()), request)

    async def _post_shipment(self, request: web.Request) -> web.Response:
        self._authorize(request, "orders")
        order = self._orders.get(request.match_info["id"])
        if order is None:
            return _error(404, "no_order")
        if order["status"] != "new":
            return _error(409, "not_open")
        self._change(order["id"], status="shipped", tracking=(await request.json())["tracking"])
        return web.json_response({"id": f"S{order['id']}"})

    async def _get_stock(self, request: web.Request) -> web.Response:
        self._authorize(request, "stock")
        wanted = set(request.query.getall("listing", []))
        items = {entry["id"]: entry["quantity"] for entry in self._listings.values() if entry["id"] in wanted}
        return web.json_response({"items": items})

    async def _put_stock(self, request: web.Request) -> web.Response:
        self._authorize(request, "stock")
        by_id = {listing["id"]: listing for listing in self._listings.values()}
        outcomes = []
        for item in (await request.json())["items"]:
            listing = by_id.get(item["listing"])
            if listing is not None:
                listing |= {"quantity": item["quantity"], "updated_at": self._now()}
            outcomes.append({"ok": True} if listing else {"ok": False, "error": "no_listing"})
        return web.json_response({"items": outcomes})

    async def _get_hooks(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.json_response({"hooks": self._hooks})

    async def _put_hooks(self, request: web.Request) -> web.Response:
        self._authorize(request)
        self._hooks.append(await request.json())
        return web.json_response({})

    def _authorize(self, request: web.Request, scope: str | None = None) -> None:
        ends = self._tokens.get(request.headers.get("x-toy-token", ""))
        if ends is None or self.clock.now() >= ends or self.faults.hit("expired_token"):
            raise web.HTTPUnauthorized(text=json.dumps({"error": "token"}), content_type="application/json")
        if scope is not None and scope not in self._scopes:
            raise web.HTTPForbidden(text=json.dumps({"error": "scope"}), content_type="application/json")

    def _change(self, order_id: str, **changed: Any) -> None:
        self._orders[order_id] |= {**changed, "updated_at": self._now()}
        self._announce("order.changed", order_id)

    def _announce(self, topic: str, order_id: str) -> None:
        body = json.dumps(self._orders[order_id]).encode()
        event = f"{order_id}-{self._orders[order_id]['updated_at']}"
        for hook in self._hooks:
            if topic in hook["topics"]:
                self.emit(hook["url"], lambda attempt: self._delivery(topic, body, event, attempt))

    def _delivery(self, topic: str, body: bytes, event: str, attempt: int) -> Delivery:
        headers = self.webhook_headers(topic, body, event_id=event, attempt=attempt)
        return Delivery(body, headers, label=f"{topic} {event}")

    def _now(self) -> str:
        return self.clock.now().isoformat()


def _page(items: Sequence[Mapping[str, Any]], request: web.Request) -> web.Response:
    start = int(request.query.get("after", "0"))
    end = start + int(request.query.get("limit", "50"))
    return web.json_response({"items": items[start:end], "next": str(end) if end < len(items) else None})


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": code}, status=status)
