"""The ShipStation sandbox: a fake of API v1 with the seller's hands in its pages.

An order is imported from a shop (`sell`), its label bought (`ship`) or voided (`cancel`); an order may also be
marked as shipped with a number from elsewhere (`mark_shipped`).

Source: ShipStation API v1, requirements, shipments, fulfillments, stores and webhooks (docs.shipstation.com, 2026-11).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from connectors.sdk import address_token
from connectors.sdk.carrier_sandbox import fitting
from connectors.sdk.emitter import Delivery, RetryRule
from connectors.sdk.faults import Faults
from connectors.sdk.ports import Clock, Secret
from connectors.sdk.sandbox import Sandbox
from connectors.shipstation.fake import answers
from connectors.shipstation.fake.answers import Label
from connectors.shipstation.reading import PACIFIC

API_KEY: Final = "sandbox-shipstation-key"
API_SECRET: Final = "sandbox-shipstation-secret"  # noqa: S105  # of the sandbox alone
WEBHOOK_TOKEN: Final = "sandbox-shipstation-address-token"  # noqa: S105  # of the sandbox alone
EVENTS: Final = (
    "ORDER_NOTIFY", "ITEM_ORDER_NOTIFY", "SHIP_NOTIFY", "ITEM_SHIP_NOTIFY", "FULFILLMENT_SHIPPED",
    "FULFILLMENT_REJECTED",
)  # fmt: skip
PAGING: Final = frozenset({"page", "pageSize", "sortBy", "sortDir"})
FILTERS: Final = PAGING | {"createDateStart", "voidDateStart", "batchId", "storeId", "includeShipmentItems"}
PAGE_MAX: Final = 500


class ShipstationSandbox(Sandbox):
    """One account with one store. A label's batch is the label alone."""

    name: ClassVar[str] = "shipstation"
    has_scopes: ClassVar[bool] = False
    webhook_query: ClassVar[str] = address_token.query(Secret(WEBHOOK_TOKEN))
    webhook_rule: ClassVar[RetryRule] = RetryRule(
        waits_s=(60.0, 300.0), source="ShipStation documents no retries of v1 (2026-11); two are assumed"
    )

    def __init__(self, *, seed: int = 0, faults: Faults | None = None, clock: Clock | None = None) -> None:
        super().__init__(seed=seed, faults=faults, clock=clock)
        self.labels: dict[int, Label] = {}
        self._stock: dict[str, int] = {}
        self._orders: dict[str, dict[str, Any]] = {}
        self._webhooks: dict[int, dict[str, Any]] = {}

    def account_section(self) -> dict[str, Any]:
        return {
            "connector": "shipstation",
            "base_url": self.base_url,
            "credentials": {"api_key": API_KEY, "api_secret": API_SECRET, "webhook_token": WEBHOOK_TOKEN},
            "locations": {"34369": "main"},
        }

    # The seller's hands.

    def stock(self, sku: str, quantity: int, *, title: str = "") -> None:  # noqa: ARG002 - named by the kit
        self._stock[sku] = quantity

    def shown(self, sku: str) -> int:
        return self._stock[sku]

    def skus(self) -> Sequence[str]:
        return list(self._stock)

    async def sell(self, lines: Sequence[tuple[str, int]]) -> str | None:
        """A shop's order is imported; gives the number both know it by."""
        if any(self._stock.get(sku, 0) < quantity for sku, quantity in lines):
            return None
        for sku, quantity in lines:
            self._stock[sku] -= quantity
        return self.take_in(f"SS-{len(self._orders) + 1001}", lines)

    def take_in(self, order_number: str, lines: Sequence[tuple[str, int]]) -> str:
        """An order of a shop under the shop's own number."""
        self._orders[order_number] = {"id": order_number, "lines": list(lines), "state": "awaiting_shipment"}
        self.record("order.imported", order=order_number)
        self._tell("ORDER_NOTIFY", f"/orders?batchId={order_number}")
        return order_number

    async def ship(self, order_id: str) -> None:
        """The label for everything in the order is bought."""
        self._shipped(order_id, self._orders[order_id]["lines"], is_external=False)

    def ship_part(self, order_id: str, lines: Sequence[tuple[str, int]]) -> Label:
        """A label for some of it."""
        return self._shipped(order_id, lines, is_external=False)

    def mark_shipped(self, order_id: str) -> Label:
        """Shipped elsewhere, and noted here."""
        return self._shipped(order_id, self._orders[order_id]["lines"], is_external=True)

    async def cancel(self, order_id: str) -> None:
        """Its labels are voided. ShipStation tells nobody."""
        self._orders[order_id]["state"] = "cancelled"
        for label in self.labels.values():
            if label.order_number == order_id and label.voided is None:
                label.voided = self._now()
                self.record("label.voided", order=order_id, number=label.number)

    def subscriptions(self, event: str) -> Sequence[str]:
        """The addresses told of an event."""
        return [hook["Url"] for hook in self._webhooks.values() if hook["HookType"] == event and hook["Active"]]

    def orders(self) -> Sequence[Mapping[str, Any]]:
        return list(self._orders.values())

    # The wire.

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/shipments", self._shipments),
            web.get("/fulfillments", self._fulfillments),
            web.get("/stores", self._stores),
            web.get("/webhooks", self._list_webhooks),
            web.post("/webhooks/subscribe", self._subscribe),
            web.delete("/webhooks/{id}", self._unsubscribe),
        ]

    def rate_limited_response(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:  # noqa: ARG002
        headers = {} if retry_after is None else {"X-Rate-Limit-Reset": str(max(1, math.ceil(retry_after)))}
        return web.json_response({"message": "Too Many Requests"}, status=429, headers=headers)

    def server_error_response(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return web.json_response({"Message": "An error has occurred."}, status=500)

    def webhook_headers(
        self,
        topic: str,  # noqa: ARG002 - nothing of a push stands in its headers
        body: bytes,  # noqa: ARG002
        *,
        event_id: str,  # noqa: ARG002
        attempt: int = 1,  # noqa: ARG002
    ) -> Mapping[str, str]:
        return {"Content-Type": "application/json"}

    async def _shipments(self, request: web.Request) -> web.Response:
        with_items = request.query.get("includeShipmentItems", "false").lower() == "true"
        labels = [label for label in self.labels.values() if not label.is_external]
        return self._listed(request, "shipments", labels, lambda one: answers.shipment(one, with_items=with_items))

    async def _fulfillments(self, request: web.Request) -> web.Response:
        labels = [label for label in self.labels.values() if label.is_external]
        return self._listed(request, "fulfillments", labels, answers.fulfillment)

    def _listed(self, request: web.Request, name: str, labels: list[Label], written: Any) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        query = request.query
        size, page = query.get("pageSize", "100"), query.get("page", "1")
        if set(query) - FILTERS or not size.isdigit() or not 1 <= int(size) <= PAGE_MAX or not page.isdigit():
            return web.json_response({"Message": "The request is invalid."}, status=400)
        try:
            found = [label for label in labels if _fits(label, query)]
        except ValueError:
            return web.json_response({"Message": "The request is invalid."}, status=400)
        start = (int(page) - 1) * int(size)
        rows = [written(label) for label in found[start : start + int(size)]]
        pages = max(1, math.ceil(len(found) / int(size)))
        return web.json_response({name: rows, "total": len(found), "page": int(page), "pages": pages})

    async def _stores(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        return web.json_response([{"storeId": 26815, "storeName": "Example Store", "active": True}])

    async def _list_webhooks(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        return web.json_response({"webhooks": list(self._webhooks.values())})

    async def _subscribe(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        try:
            wanted = json.loads(await request.read())
            event, url = wanted["event"], wanted["target_url"]
        except (ValueError, KeyError, TypeError):
            return web.json_response({"Message": "The request is invalid."}, status=400)
        if event not in EVENTS or not str(url).startswith("http"):
            return web.json_response({"Message": "The request is invalid."}, status=400)
        number = len(self._webhooks) + 123
        self._webhooks[number] = {
            "IsLabelAPIHook": False,
            "WebHookID": number,
            "SellerID": 100000,
            "StoreID": wanted.get("store_id"),
            "HookType": event,
            "MessageFormat": "Json",
            "Url": url,
            "Name": wanted.get("friendly_name"),
            "Active": True,
        }
        return web.json_response({"id": number}, status=201)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        if not _is_known(request):
            return _unauthorized()
        number = request.match_info["id"]
        if not number.isdigit() or self._webhooks.pop(int(number), None) is None:
            return web.json_response({"Message": "No webhook has this id."}, status=404)
        return web.json_response({})

    def _shipped(self, order_id: str, lines: Sequence[tuple[str, int]], *, is_external: bool) -> Label:
        serial = len(self.labels) + 1
        tracking = fitting(f"1Z999AA1{serial:09d}", "ups")
        label = Label(33974000 + serial, order_id, 43945000 + serial, tracking, self._now(), list(lines), is_external)
        self.labels[label.number] = label
        self._orders[order_id]["state"] = "shipped"
        self.record("label.bought", order=order_id, number=label.number)
        if is_external:
            self._tell("FULFILLMENT_SHIPPED", f"/fulfillments?batchId={label.number}")
        else:
            self._tell("SHIP_NOTIFY", f"/shipments?batchId={label.number}&includeShipmentItems=False")
        return label

    def _tell(self, event: str, path: str) -> None:
        body = json.dumps({"resource_url": f"{self.base_url}{path}", "resource_type": event}).encode()
        for hook in self._webhooks.values():
            if hook["HookType"] == event:
                self.emit(hook["Url"], lambda _: Delivery(body, {"Content-Type": "application/json"}, label=event))

    def _now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)


def _fits(label: Label, query: Mapping[str, str]) -> bool:
    if query.get("batchId") not in (None, str(label.number)) or query.get("storeId") not in (None, "26815"):
        return False
    since, voided_since = query.get("createDateStart"), query.get("voidDateStart")
    if since is not None and label.created < _pacific(since):
        return False
    if voided_since is not None:
        return label.voided is not None and label.voided >= _pacific(voided_since)
    return True


def _pacific(text: str) -> datetime:
    """Raises: ValueError: It is no time."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=PACIFIC) if at.tzinfo is None else at + timedelta(0)


def _is_known(request: web.Request) -> bool:
    wanted = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
    return request.headers.get("Authorization") == f"Basic {wanted}"


def _unauthorized() -> web.Response:
    """An empty page, as ShipStation answers."""
    return web.Response(status=401)
