"""An eBay connector on a scripted network."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import respx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.ebay.connector import EbayConnector
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, ListingRef, PushItem, WebhookRequest
from connectors.sdk.ports import Secret

BASE = "http://127.0.0.1:1"
PUBLIC_URL = "https://hub.example.com"
VERIFICATION_TOKEN = "verification_token-0123456789-abcdef"
CREDENTIALS = {
    "client_id": "app-id",
    "client_secret": "cert-id",
    "refresh_token": "refresh-1",
    "verification_token": VERIFICATION_TOKEN,
}
KEY_ID = "9936261a-7d7b-4621-a0f1-96ccb428af49"
TOKEN_PATH = "/identity/v1/oauth2/token"
ORDER_PATH = "/sell/fulfillment/v1/order"
BULK_PATH = "/sell/inventory/v1/bulk_update_price_quantity"
OFFER_PATH = "/sell/inventory/v1/offer"
TRADING_PATH = "/ws/api.dll"


def context(
    *,
    clock: ManualClock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    base_url: str = BASE,
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    tokens: MemoryTokens | None = None,
) -> AccountContext:
    given = CREDENTIALS if credentials is None else credentials
    return AccountContext(
        account="ebay-us",
        base_url=base_url,
        auth_url=None,
        credentials={name: Secret(value) for name, value in given.items()},
        options=options or {},
        locations={},
        public_url=PUBLIC_URL,
        clock=clock or ManualClock(),
        ids=SeededIds(1),
        jitter=FixedJitter(0.5),
        tokens=tokens or MemoryTokens(),
        transport=transport,
    )


@dataclass
class Wire:
    """A connector whose calls go to `routes`; the token endpoint already answers."""

    connector: EbayConnector
    routes: respx.Router
    clock: ManualClock
    ctx: AccountContext

    def bodies(self, path: str) -> list[Any]:
        """JSON of every body sent to a path, in order."""
        calls = (call.request for call in self.routes.calls if call.request.url.path == path)
        return [json.loads(request.read()) for request in calls if request.method != "GET"]


@asynccontextmanager
async def scripted(**changes: Any) -> AsyncIterator[Wire]:
    clock = ManualClock()
    routes = respx.Router(base_url=BASE, assert_all_called=False)
    token = {"access_token": "access-1", "token_type": "User Access Token", "expires_in": 7200}
    routes.post(TOKEN_PATH, name="token").respond(json=token)
    ctx = context(clock=clock, transport=httpx.MockTransport(routes.async_handler), **changes)
    connector = EbayConnector(ctx)
    try:
        yield Wire(connector, routes, clock, ctx)
    finally:
        await connector.close()


def order(order_id: str = "12-15199-57289", **changes: Any) -> dict[str, Any]:
    """A paid order of two lines, invented."""
    return {
        "orderId": order_id,
        "legacyOrderId": order_id,
        "creationDate": "2026-01-05T10:00:00.000Z",
        "lastModifiedDate": "2026-01-05T10:00:05.000Z",
        "orderFulfillmentStatus": "NOT_STARTED",
        "orderPaymentStatus": "PAID",
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "paymentSummary": {"payments": [{"paymentDate": "2026-01-05T10:00:02.000Z", "paymentStatus": "PAID"}]},
        "fulfillmentStartInstructions": [{"fulfillmentInstructionsType": "SHIP_TO"}],
        "lineItems": [
            {"lineItemId": "101", "sku": "MUG", "quantity": 4, "legacyItemId": "1"},
            {"lineItemId": "102", "sku": "BOX", "quantity": 1, "legacyItemId": "2"},
        ],
        **changes,
    }


def page(*orders: Mapping[str, Any], total: int | None = None) -> dict[str, Any]:
    return {"total": len(orders) if total is None else total, "limit": 50, "offset": 0, "orders": list(orders)}


def fault(number: int, message: str = "no", category: str = "REQUEST") -> dict[str, Any]:
    return {"errors": [{"errorId": number, "domain": "API", "category": category, "message": message}]}


def item(
    sku: str, quantity: int, *, offer: str | None = "", listing: str = "", version: int = 1, **more: Any
) -> PushItem:
    """`offer` "" stands for one made of the SKU."""
    variant = f"offer-{sku}" if offer == "" else offer
    ref = ListingRef(listing or f"listing-{sku}", sku, None, variant)
    return PushItem(ref, quantity, version, f"{sku}-{version}", **more)


class Signer:
    """eBay's side of a signature."""

    def __init__(self, key_id: str = KEY_ID) -> None:
        self.key_id = key_id
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def answer(self) -> dict[str, str]:
        """What the public key endpoint says: PEM on one line."""
        public = self.private.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return {"key": pem.decode().replace("\n", ""), "algorithm": "ECDSA", "digest": "SHA1"}

    def header(self, body: bytes, **changes: Any) -> str:
        signature = base64.b64encode(self.private.sign(body, ec.ECDSA(hashes.SHA1()))).decode()
        content = {"alg": "ecdsa", "kid": self.key_id, "signature": signature, "digest": "SHA1", **changes}
        return base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()

    def request(self, body: bytes, at: Any, **changes: Any) -> WebhookRequest:
        return WebhookRequest("POST", "/webhooks/ebay-us", {"x-ebay-signature": self.header(body, **changes)}, body, at)


def notification(topic: str, data: Mapping[str, Any], number: str = "n-1") -> bytes:
    body = {
        "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
        "notification": {
            "notificationId": number,
            "eventDate": "2026-01-05T11:59:00.000Z",
            "publishDate": "2026-01-05T11:59:01.000Z",
            "publishAttemptCount": 1,
            "data": data,
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()
