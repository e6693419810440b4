"""Webhook subscriptions: what Walmart offers, what stands, what is missing or wrong.

Source: Walmart notifications OpenAPI document, /v3/webhooks/* (2026-06). The list of event types
grows and older copies lack the return events, so it is read, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.sdk.errors import Rejected, TargetMissing
from connectors.sdk.queries import escaped
from connectors.walmart import topics
from connectors.walmart.api import Api
from connectors.walmart.settings import Settings
from connectors.walmart.wire import many

PATH: Final = "/v3/webhooks/subscriptions"
EVENT_TYPES_PATH: Final = "/v3/webhooks/eventTypes"
ACTIVE: Final = "ACTIVE"


class Subscriptions:
    """One account's subscriptions. Run by one task at a time."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    async def ensure(self, callback_url: str) -> list[str]:
        """Make one active subscription per wanted event to `callback_url`; one line per change.

        Subscriptions to other addresses are somebody else's and are left alone.

        Raises:
            Rejected: No webhook secret is configured, so nothing sent to us could be trusted.
        """
        if not self._settings.webhook_secrets:
            raise Rejected("credentials.webhook_secret is needed to subscribe", code="no_secret")
        standing = {
            str(row.get("eventType")): row for row in await self._standing() if row.get("eventUrl") == callback_url
        }
        changes: list[str] = []
        missing: list[dict[str, Any]] = []
        for offered in await self._offered():
            wanted = self._wanted(offered, callback_url)
            held = standing.get(wanted["eventType"])
            if held is None:
                missing.append(wanted)
            elif self._differs(held, wanted):
                await self._mend(str(held.get("subscriptionId")), wanted)
                changes.append(f"mended {wanted['eventType']}")
        if missing:
            await self._create(missing)
            changes += [f"subscribed to {event['eventType']}" for event in missing]
        return changes

    async def _offered(self) -> list[Mapping[str, Any]]:
        """Event types worth having. The list stands under `events` or, in the schema, `eventTypes`."""
        answer = await self._api.get(EVENT_TYPES_PATH, kind="webhooks.event_types", budget="event_types")
        body = answer.json()
        rows = many(body.get("events") or body.get("eventTypes")) if isinstance(body, Mapping) else []
        return [row for row in _rows(rows) if topics.wanted(str(row.get("eventType") or ""))]

    async def _standing(self) -> list[Mapping[str, Any]]:
        try:
            answer = await self._api.get(PATH, kind="webhooks.list", budget="subscriptions_read")
        except TargetMissing:
            return []
        body = answer.json()
        return list(_rows(body.get("events") if isinstance(body, Mapping) else None))

    async def _create(self, events: Sequence[Mapping[str, Any]]) -> None:
        # Creating the same subscription twice is avoided by reading first, on the next round too.
        await self._api.send(
            "POST",
            PATH,
            kind="webhooks.create",
            budget="subscriptions_create",
            json={"events": list(events)},
            keyed=False,
        )

    async def _mend(self, subscription_id: str, wanted: Mapping[str, Any]) -> None:
        path = f"{PATH}/{escaped(subscription_id)}"
        await self._api.send(
            "PATCH", path, kind="webhooks.mend", budget="subscriptions_update", json=dict(wanted), keyed=True
        )

    def _wanted(self, offered: Mapping[str, Any], callback_url: str) -> dict[str, Any]:
        return {
            "eventType": str(offered["eventType"]),
            "eventVersion": str(offered.get("eventVersion") or "V1"),
            "resourceName": str(offered.get("resourceName") or "ORDER"),
            "eventUrl": callback_url,
            "authDetails": self._auth_details(),
            "headers": {"content-type": "application/json"},
            "status": ACTIVE,
        }

    def _auth_details(self) -> dict[str, str]:
        secret = self._settings.webhook_secrets[0].reveal()
        if self._settings.webhook_auth == "basic":
            user = self._settings.webhook_user.reveal() if self._settings.webhook_user else ""
            details = {"authMethod": "BASIC_AUTH", "userName": user, "password": secret}
        else:
            details = {"authMethod": "HMAC", "clientSecret": secret}
        return details | {"authHeaderName": self._settings.webhook_header}

    def _differs(self, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Secrets may be masked in the list, so only a secret that is shown is compared."""
        if str(held.get("status", "")).upper() != ACTIVE or held.get("eventVersion") != wanted["eventVersion"]:
            return True
        auth, asked = held.get("authDetails") or {}, wanted["authDetails"]
        if str(auth.get("authMethod", "")).upper() != asked["authMethod"]:
            return True
        if str(auth.get("authHeaderName", "")).lower() != asked["authHeaderName"]:
            return True
        shown = auth.get("clientSecret") or auth.get("password")
        return bool(shown) and "*" not in str(shown) and shown != (asked.get("clientSecret") or asked.get("password"))


def _rows(value: object) -> Iterator[Mapping[str, Any]]:
    """The list is flat in Walmart's examples and nested under `event` in its schema."""
    for row in many(value):
        if isinstance(row, Mapping) and "event" in row:
            yield from _rows(row["event"])
        elif isinstance(row, Mapping):
            yield row
