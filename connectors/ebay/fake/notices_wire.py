"""The Notification API: alert address, destinations with their challenge, subscriptions, signed deliveries.

Source: commerce/notification v1.6.2 OpenAPI document and release notes to 1.6.7 (2025-12); the pages
on the challenge (2026-11): a destination is only taken once it answered sha256(code + token + endpoint).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
from aiohttp import web

from connectors.ebay.fake.keys import HEADER, SigningKey
from connectors.ebay.fake.orderbook import SELLER, SELLER_ID, Order
from connectors.ebay.fake.replies import NOTIFICATION, Refusal, answer, body_of, count_in, empty, iso
from connectors.sdk import exact
from connectors.sdk.emitter import Delivery, MakeDelivery
from connectors.sdk.ports import Clock

TOPICS: Final[Mapping[str, str]] = {
    "ORDER_CONFIRMATION": "USER",
    "AUTHORIZATION_REVOCATION": "APPLICATION",
    "MARKETPLACE_ACCOUNT_DELETION": "APPLICATION",
    "ITEM_AVAILABILITY": "APPLICATION",
    "ITEM_PRICE_REVISION": "APPLICATION",
}
"""Topic → who subscribes."""

CHALLENGE_WITHIN_S: Final = 3.0
TOKEN_LENGTH: Final = (32, 80)

Emit = Callable[[str, MakeDelivery], None]


class NoticesWire:
    """One application's destinations and subscriptions. `challenge_code` makes the codes."""

    def __init__(self, clock: Clock, key: SigningKey, emit: Emit, challenge_code: Callable[[], str]) -> None:
        self._clock = clock
        self._key = key
        self._emit = emit
        self._challenge_code = challenge_code
        self.alert_email: str | None = None
        self.destinations: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self._events = 0
        self._made = 0

    async def config(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's handler shape
        if self.alert_email is None:
            raise Refusal(404, 195026, "Configuration Not Found.", domain=NOTIFICATION, category="APPLICATION")
        return answer({"alertEmail": self.alert_email})

    async def set_config(self, request: web.Request) -> web.Response:
        email = (await body_of(request, NOTIFICATION, 195025)).get("alertEmail")
        if not isinstance(email, str) or "@" not in email:
            raise _refusal(195025, "Invalid or missing email.")
        self.alert_email = email
        return empty()

    async def topics(self, request: web.Request) -> web.Response:
        _limit(request)
        rows = [_topic(name, scope) for name, scope in TOPICS.items()]
        return answer({"total": len(rows), "limit": len(rows), "topics": rows})

    async def topic(self, request: web.Request) -> web.Response:
        name = request.match_info["topic"]
        if name not in TOPICS:
            raise Refusal(404, 195002, "The specified topic id does not exist.", domain=NOTIFICATION)
        return answer(_topic(name, TOPICS[name]))

    async def list_destinations(self, request: web.Request) -> web.Response:
        return answer(_paged(request, "destinations", list(self.destinations.values())))

    async def create_destination(self, request: web.Request) -> web.Response:
        wanted = await self._destination(request)
        endpoint = wanted["deliveryConfig"]["endpoint"]
        if any(row["deliveryConfig"]["endpoint"] == endpoint for row in self.destinations.values()):
            raise Refusal(409, 195021, "Destination exists for this endpoint", domain=NOTIFICATION)
        number = self._number()
        self.destinations[number] = wanted | {"destinationId": number}
        return empty(201, {"Location": f"{request.path}/{number}"})

    async def mend_destination(self, request: web.Request) -> web.Response:
        held = self._held(self.destinations, request, 195022, "The specified destination id does not exist.")
        held |= await self._destination(request)
        return empty()

    async def list_subscriptions(self, request: web.Request, *, user: bool) -> web.Response:
        scope = "USER" if user else "APPLICATION"
        rows = [row for row in self.subscriptions.values() if TOPICS[row["topicId"]] == scope]
        return answer(_paged(request, "subscriptions", rows))

    async def create_subscription(self, request: web.Request, *, user: bool) -> web.Response:
        body = await body_of(request, NOTIFICATION, 195006)
        if self.alert_email is None:
            raise _unconfigured()
        topic, payload = body.get("topicId"), body.get("payload")
        if topic not in TOPICS:
            raise _refusal(195002, "Invalid or missing topic id.")
        if (TOPICS[str(topic)] == "USER") != user:
            raise Refusal(403, 195011, "Not authorized for this topic.", domain=NOTIFICATION)
        if body.get("destinationId") not in self.destinations:
            raise _refusal(195007, "Invalid or missing destination id.")
        if body.get("status") not in ("ENABLED", "DISABLED"):
            raise _refusal(195006, "Invalid or missing subscription status.")
        form = payload if isinstance(payload, Mapping) else {}
        if form.get("schemaVersion") != "1.0" or form.get("deliveryProtocol") != "HTTPS":
            raise _refusal(195008, "Invalid or missing schema version.")
        if form.get("format") != "JSON":
            raise _refusal(195009, "Specified format is not supported for the topic.")
        if any(row["topicId"] == topic for row in self.subscriptions.values()):
            raise Refusal(409, 195012, "Subscription already exists", domain=NOTIFICATION)
        number = self._number()
        self.subscriptions[number] = {**body, "subscriptionId": number, "creationDate": iso(self._clock.now())}
        return empty(201, {"Location": f"{request.path}/{number}"})

    async def enable(self, request: web.Request) -> web.Response:
        self._subscription(request)["status"] = "ENABLED"
        return empty()

    async def disable(self, request: web.Request) -> web.Response:
        self._subscription(request)["status"] = "DISABLED"
        return empty()

    async def test(self, request: web.Request) -> web.Response:
        """The test payload names no user."""
        held = self._subscription(request)
        self._send(held, {"order": {"orderId": "123-123-4435", "orderLineItems": []}})
        return empty(202)

    def announce_order(self, order: Order) -> None:
        """ORDER_CONFIRMATION: one for the order, with every line; ids only."""
        rows = [
            {"orderLineItemId": line.number, "listingId": line.listing_id, "quantity": line.units}
            for line in order.lines
        ]
        data = {
            "user": {"userId": SELLER_ID, "username": SELLER},
            "order": {"orderId": order.number, "orderLineItems": rows},
        }
        self.announce("ORDER_CONFIRMATION", data)

    def announce(self, topic: str, data: Mapping[str, Any]) -> None:
        """Notify every enabled subscription of the topic."""
        for held in self.subscriptions.values():
            if held["topicId"] == topic and held["status"] == "ENABLED":
                self._send(held, data)

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers eBay sends with a notification."""
        return {"Content-Type": "application/json", HEADER: self._key.header(body)}

    def _send(self, held: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self._events += 1
        number = f"{UUID(int=self._events)}_{UUID(int=self._made)}"
        topic, at = str(held["topicId"]), self._clock.now()
        url = self.destinations[held["destinationId"]]["deliveryConfig"]["endpoint"]

        def make(attempt: int) -> Delivery:
            """The attempt is counted in the body, so each is signed afresh."""
            notification = {
                "notificationId": number,
                "eventDate": iso(at),
                "publishDate": iso(self._clock.now()),
                "publishAttemptCount": attempt,
                "data": data,
            }
            metadata = {"topic": topic, "schemaVersion": "1.0", "deprecated": False}
            content = {"metadata": metadata, "notification": notification}
            body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
            return Delivery(body, self.headers(body), label=f"{topic} {number}")

        self._emit(url, make)

    async def _destination(self, request: web.Request) -> dict[str, Any]:
        """A destination as asked for, once its endpoint has answered the challenge."""
        if self.alert_email is None:
            raise _unconfigured()
        body = await body_of(request, NOTIFICATION, 195017)
        name, delivery = body.get("name"), body.get("deliveryConfig")
        config = delivery if isinstance(delivery, Mapping) else {}
        token, endpoint = str(config.get("verificationToken") or ""), config.get("endpoint")
        if not isinstance(name, str) or not 0 < len(name) <= 64:
            raise _refusal(195016, "Invalid name.")
        if not isinstance(endpoint, str) or not endpoint.startswith("http"):
            raise _refusal(195017, "Invalid or missing endpoint.")
        if body.get("status") not in ("ENABLED", "DISABLED"):
            raise _refusal(195018, "Invalid or missing destination status.")
        if not TOKEN_LENGTH[0] <= len(token) <= TOKEN_LENGTH[1]:
            raise _refusal(195019, "Invalid or missing verification token for this endpoint.")
        if not await self._answers(endpoint, token):
            raise Refusal(409, 195020, "Challenge verification failed for requested endpoint", domain=NOTIFICATION)
        return {"name": name, "status": body["status"], "deliveryConfig": dict(config)}

    async def _answers(self, endpoint: str, token: str) -> bool:
        code = self._challenge_code()
        expected = hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()
        joint = "&" if "?" in endpoint else "?"
        url = f"{endpoint}{joint}{urlencode({'challenge_code': code})}"
        timeout = aiohttp.ClientTimeout(total=CHALLENGE_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, allow_redirects=False) as reply,
            ):
                content = await reply.content.read(4_096)
                if reply.status != 200 or reply.content_type != "application/json":
                    return False
        except (aiohttp.ClientError, TimeoutError):
            return False
        try:
            body = exact.loads(content)
        except exact.NotJson:
            return False
        return isinstance(body, Mapping) and body.get("challengeResponse") == expected

    def _subscription(self, request: web.Request) -> dict[str, Any]:
        return self._held(self.subscriptions, request, 195013, "The subscription id does not exist.")

    def _held(self, rows: dict[str, dict[str, Any]], request: web.Request, error_id: int, text: str) -> dict[str, Any]:
        held = rows.get(request.match_info["number"])
        if held is None:
            raise Refusal(404, error_id, text, domain=NOTIFICATION)
        return held

    def _number(self) -> str:
        self._made += 1
        return str(UUID(int=0xEBA7 << 64 | self._made))


def _topic(name: str, scope: str) -> dict[str, Any]:
    return {
        "topicId": name,
        "description": name.capitalize().replace("_", " "),
        "status": "ENABLED",
        "context": "seller",
        "scope": scope,
        "filterable": False,
        "supportedPayloads": [
            {"format": ["JSON"], "schemaVersion": "1.0", "deliveryProtocol": "HTTPS", "deprecated": False}
        ],
    }


def _paged(request: web.Request, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """By continuation token; ours is the place of the next row."""
    limit = _limit(request)
    token = request.query.get("continuation_token", "0")
    if not token.isdigit():
        raise _refusal(195005, "Invalid continuation token.")
    place = int(token)
    body: dict[str, Any] = {"total": len(rows), "limit": limit, "href": request.path, name: rows[place : place + limit]}
    if place + limit < len(rows):
        body["next"] = f"{request.path}?limit={limit}&continuation_token={place + limit}"
    return body


def _limit(request: web.Request) -> int:
    return count_in(request, "limit", 20, 10, 100, _refusal(195004, "Invalid limit. Supported ranges 10 - 100."))


def _unconfigured() -> Refusal:
    text = "Please provide configurations required for notifications. Refer to /config"
    return Refusal(409, 195003, text, domain=NOTIFICATION)


def _refusal(error_id: int, message: str) -> Refusal:
    return Refusal(400, error_id, message, domain=NOTIFICATION)
