"""ShipStation's pushes (API v1): a name and a URL, not signed.

The address ShipStation calls holds a secret of the account's; what is called is believed no further than to ask
ShipStation itself.

Source: ShipStation API v1, webhook model and subscribe (docs.shipstation.com, 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.sdk import address_token, exact
from connectors.sdk.contract import Envelope, WebhookRequest
from connectors.sdk.errors import Rejected, Transient, UnknownTopic
from connectors.shipstation.api import Api
from connectors.shipstation.manifest import MANIFEST, SUBSCRIBED
from connectors.shipstation.settings import Settings

NAME: Final = "Trunkline"
_SENT: Final = tuple(topic.name for topic in MANIFEST.topics if topic.name.isupper())


def verify(request: WebhookRequest, settings: Settings) -> None:
    """Pass only a call to the address ShipStation was given.

    Raises:
        SignatureInvalid: No token is configured, or the address holds none or another one.
    """
    address_token.verify(request, settings.webhook_tokens, named="webhook_token")


def envelopes(request: WebhookRequest) -> list[Envelope]:
    """One envelope per push, in a lane of its own: it is a hint, and what it leads to has its own order.

    Raises:
        UnknownTopic: The body names no event ShipStation documents.
    """
    try:
        body = exact.loads(request.body)
    except exact.NotJson:
        body = None
    topic = body.get("resource_type") if isinstance(body, Mapping) else None
    if topic not in _SENT:
        raise UnknownTopic(f"ShipStation sent {str(topic)[:60]!r}; known are: {', '.join(_SENT)}", code="unknown_topic")
    mark = hashlib.sha256(request.body).hexdigest()[:32]
    lane = str(body["resource_url"]).partition("?")[0][:200] if isinstance(body.get("resource_url"), str) else mark
    return [Envelope(topic, f"{topic}:{mark}", f"hint:{lane}", request.body)]


class Subscriptions:
    """What ShipStation tells this account of, made once and mended."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    async def ensure(self, callback_url: str) -> Sequence[str]:
        """Subscribe to what is missing, and end what calls this hub at an address no longer good.

        Raises:
            Rejected: There is no token to put into the address.
        """
        if not self._settings.webhook_tokens:
            raise Rejected("credentials.webhook_token is not set: no address can be given", code="no_secret")
        address = address_token.addressed(callback_url, self._settings.webhook_tokens[0])
        standing = [row for row in await self._standing() if str(row.get("Url", "")).partition("?")[0] == callback_url]
        good = {str(row.get("HookType")) for row in standing if row.get("Url") == address and row.get("Active", True)}
        changes = []
        for event in SUBSCRIBED:
            if event not in good:
                await self._api.subscribe(self._wanted(event, address))
                changes.append(f"subscribed to {event}")
        for row in standing:
            number = row.get("WebHookID")
            if row.get("Url") != address and isinstance(number, int):
                await self._api.unsubscribe(number)
                changes.append(f"ended {row.get('HookType')} at a former address")
        return changes

    async def _standing(self) -> list[Mapping[str, Any]]:
        answer = await self._api.webhooks()
        body = answer.json()
        rows = body.get("webhooks") if isinstance(body, Mapping) else None
        if not isinstance(rows, list):
            raise Transient("webhooks.read: the answer is no list", code="unexpected_body", status=answer.status)
        return [row for row in rows if isinstance(row, Mapping)]

    def _wanted(self, event: str, address: str) -> dict[str, Any]:
        return {
            "target_url": address,
            "event": event,
            "store_id": self._settings.store_id,
            "friendly_name": f"{NAME} {event}",
        }
