"""An Amazon connector on a scripted network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import respx

from connectors.amazon import settings
from connectors.amazon.api import Api
from connectors.amazon.settings import Settings
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext
from connectors.sdk.ports import Secret

BASE = "http://127.0.0.1:1"
TOKEN_PATH = "/auth/o2/token"
ORDERS_PATH = "/orders/2026-01-01/orders"
ITEMS_PATH = "/listings/2021-08-01/items/A3SELLEREXMPL"
FBA_PATH = "/fba/inventory/v1/summaries"
US = "ATVPDKIKX0DER"
AWS_KEYS = {"aws_access_key_id": "AKIAEXAMPLEEXAMPLE00", "aws_secret_access_key": "example-queue-secret-key-0000000000"}
CREDENTIALS = {"client_id": "app-id", "client_secret": "app-secret", "refresh_token": "Atzr|refresh-1"}
OPTIONS: dict[str, Any] = {"seller_id": "A3SELLEREXMPL", "marketplace_ids": [US], "secret_issued_on": "2026-01-01"}


def context(
    *,
    clock: ManualClock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    base_url: str | None = BASE,
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    tokens: MemoryTokens | None = None,
    jitter: float = 0.0,
) -> AccountContext:
    """`options` are added to the usual ones; None takes one away."""
    given = {**OPTIONS, **(options or {})}
    return AccountContext(
        account="amazon-us",
        base_url=base_url,
        auth_url=None,
        credentials={name: Secret(value) for name, value in {**CREDENTIALS, **(credentials or {})}.items() if value},
        options={name: value for name, value in given.items() if value is not None},
        locations={},
        public_url="https://hub.example.com",
        clock=clock or ManualClock(),
        ids=SeededIds(1),
        jitter=FixedJitter(jitter),
        tokens=tokens or MemoryTokens(),
        transport=transport,
    )


@dataclass
class Wire:
    """A connector's wire whose calls go to `routes`; the token endpoint already answers."""

    ctx: AccountContext
    settings: Settings
    api: Api
    routes: respx.Router
    clock: ManualClock
    _opened: list[Any] = field(default_factory=list)

    @property
    def connector(self) -> Any:
        """The whole connector on the same network, opened when first asked for."""
        if not self._opened:
            from connectors.amazon.connector import AmazonConnector

            self._opened.append(AmazonConnector(self.ctx))
        return self._opened[0]

    def sent(self, path: str) -> list[httpx.Request]:
        """Requests to a path, in order."""
        return [call.request for call in self.routes.calls if call.request.url.path == path]

    def bodies(self, path: str) -> list[Any]:
        """JSON of every body sent to a path, in order."""
        return [json.loads(request.read()) for request in self.sent(path) if request.method != "GET"]

    async def close(self) -> None:
        await self.api.close()
        for connector in self._opened:
            await connector.close()


@asynccontextmanager
async def scripted(**changes: Any) -> AsyncIterator[Wire]:
    clock = ManualClock()
    routes = respx.Router(assert_all_called=False)
    token = {"access_token": "Atza|access-1", "token_type": "bearer", "expires_in": 3600}
    routes.post(f"{BASE}{TOKEN_PATH}", name="token").respond(json=token)
    ctx = context(clock=clock, transport=httpx.MockTransport(routes.async_handler), **changes)
    read = settings.read(ctx)
    wire = Wire(ctx, read, Api(ctx, read), routes, clock)
    try:
        yield wire
    finally:
        await wire.close()


def order(order_id: str = "701-0000001-0000001", **changes: Any) -> dict[str, Any]:
    """An unshipped order of one line, invented."""
    return {
        "orderId": order_id,
        "createdTime": "2026-01-05T10:00:00.000Z",
        "lastUpdatedTime": "2026-01-05T10:00:05.000Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": US, "marketplaceName": "Amazon.com"},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [
            {"orderItemId": "101", "quantityOrdered": 2, "product": {"asin": "B000000001", "sellerSku": "LAMP/1"}}
        ],
        **changes,
    }


def fault(code: str, message: str = "no", details: str = "") -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message, "details": details}]}


def notification(kind: str = "ORDER_CHANGE", number: str = "n-1", **payload: Any) -> dict[str, Any]:
    """An envelope as Amazon writes most of them."""
    return {
        "NotificationVersion": "1.0",
        "NotificationType": kind,
        "PayloadVersion": "1.0",
        "EventTime": "2026-01-05T11:00:00.000Z",
        "Payload": payload,
        "NotificationMetadata": {
            "ApplicationId": "app-1",
            "SubscriptionId": "sub-1",
            "PublishTime": "2026-01-05T11:00:01.000Z",
            "NotificationId": number,
        },
    }


def order_change(order_id: str = "701-0000001-0000001", number: str = "n-1", status: str = "Pending") -> dict[str, Any]:
    change = {
        "NotificationLevel": "OrderLevel",
        "SellerId": "A3SELLEREXMPL",
        "AmazonOrderId": order_id,
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": "2026-01-05T11:00:00.000Z", "ChangeReason": "Order status changed"},
        "Summary": {
            "MarketplaceId": US,
            "OrderStatus": status,
            "PurchaseDate": "2026-01-05T10:59:58.000Z",
            "FulfillmentType": "MFN",
            "OrderItems": [{"OrderItemId": "101", "SellerSKU": "LAMP/1", "OrderItemStatus": status, "Quantity": 2}],
        },
    }
    return notification("ORDER_CHANGE", number, OrderChangeNotification=change)
