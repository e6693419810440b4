"""Notification subscriptions: an alert address, a destination with our token, a subscription per topic.

eBay allows one subscription per application, topic and schema version: one that points elsewhere (a
second account of the same application, another system) is left alone and said.

Source: commerce/notification v1.6.2 OpenAPI document (2025-11): PUT /config before any destination;
topic.scope says whether the application or the seller subscribes; continuation_token pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import structlog

from connectors.ebay import topics
from connectors.ebay.api import NOTIFICATION, Api
from connectors.ebay.settings import Settings
from connectors.ebay.wire import rows_of
from connectors.sdk.contract import AccountContext
from connectors.sdk.errors import Rejected, TargetMissing
from connectors.sdk.http import Answer
from connectors.sdk.queries import escaped

log = structlog.get_logger(__name__)

DESTINATION_NAME: Final = "trunkline"
ENABLED: Final = "ENABLED"
PAGE_MAX: Final = 100
PAGES_MAX: Final = 50
USER_SCOPE: Final = "USER"

Json = Mapping[str, Any]


class Subscriptions:
    """One account's subscriptions. Run by one task at a time."""

    def __init__(self, ctx: AccountContext, api: Api, settings: Settings) -> None:
        self._ctx = ctx
        self._api = api
        self._settings = settings

    async def ensure(self, callback_url: str) -> list[str]:
        """Make what is missing, mend what is wrong; one line per change.

        Raises:
            Rejected: No verification token is configured, or eBay could not reach `callback_url`.
        """
        if self._settings.verification_token is None:
            raise Rejected("credentials.verification_token is needed to subscribe", code="no_secret")
        changes = await self._alerts()
        destination, made = await self._destination(callback_url)
        changes += made
        for topic in await self._offered():
            changes += await self._subscription(topic, destination)
        return changes

    async def _alerts(self) -> list[str]:
        """eBay refuses destinations until it knows whom to write to."""
        try:
            body = (await self._api.application("GET", "/config", kind="notifications.config")).json()
        except TargetMissing:
            body = {}
        held, wanted = (body.get("alertEmail") if isinstance(body, Mapping) else None), self._settings.alert_email
        if wanted is None:
            if not held:
                message = "options.alert_email is needed: eBay writes there when notifications cannot be delivered"
                raise Rejected(message, code="no_alert_email")
            return []
        if held == wanted:
            return []
        body = {"alertEmail": wanted}
        await self._api.application("PUT", "/config", kind="notifications.configure", json=body, keyed=True)
        return ["set the alert address"]

    async def _destination(self, callback_url: str) -> tuple[str, list[str]]:
        token = self._settings.verification_token
        config = {"endpoint": callback_url, "verificationToken": token.reveal() if token else ""}
        wanted = {"name": f"{DESTINATION_NAME}-{self._ctx.account}", "status": ENABLED, "deliveryConfig": config}
        for row in await self._all("/destination", "destinations"):
            held = row.get("deliveryConfig")
            if not isinstance(held, Mapping) or held.get("endpoint") != callback_url:
                continue
            number = str(row.get("destinationId"))
            # eBay marks a destination down after failures; updating it sends a challenge and lifts that.
            shown = held.get("verificationToken")
            masked = shown is None or "*" in str(shown)
            if row.get("status") == ENABLED and (masked or shown == config["verificationToken"]):
                return number, []
            path = f"/destination/{escaped(number)}"
            await self._api.application("PUT", path, kind="destinations.mend", json=wanted, keyed=True)
            return number, ["mended the destination"]
        answer = await self._api.application("POST", "/destination", kind="destinations.create", json=wanted)
        return await self._made(answer, callback_url), ["made the destination"]

    async def _made(self, answer: Answer, callback_url: str) -> str:
        """The new destination's id stands in the Location header alone."""
        location = answer.header("location") or ""
        number = urlsplit(location).path.rstrip("/").rpartition("/")[2]
        if number and number != "destination":
            return number
        for row in await self._all("/destination", "destinations"):
            held = row.get("deliveryConfig")
            if isinstance(held, Mapping) and held.get("endpoint") == callback_url:
                return str(row.get("destinationId"))
        raise Rejected("eBay made the destination but does not list it", code="no_destination")

    async def _offered(self) -> list[Json]:
        """Topics worth having that eBay offers; the list grows, so it is read."""
        rows = await self._all("/topic", "topics")
        return [row for row in rows if row.get("topicId") in topics.WANTED]

    async def _subscription(self, topic: Json, destination: str) -> list[str]:
        name, as_user = str(topic["topicId"]), str(topic.get("scope") or "").upper() == USER_SCOPE
        for row in await self._all("/subscription", "subscriptions", as_user=as_user):
            if row.get("topicId") != name:
                continue
            if str(row.get("destinationId")) != destination:
                log.info("ebay.subscription_elsewhere", account=self._ctx.account, topic=name)
                return []
            if row.get("status") == ENABLED:
                return []
            path = f"/subscription/{escaped(str(row.get('subscriptionId')))}/enable"
            await self._write("POST", path, "subscriptions.enable", None, as_user=as_user, keyed=True)
            return [f"enabled {name}"]
        body = subscription_body(topic, destination)
        await self._write("POST", "/subscription", "subscriptions.create", body, as_user=as_user)
        return [f"subscribed to {name}"]

    async def _all(self, path: str, name: str, *, as_user: bool = False) -> list[Json]:
        """Every row of a list, over its continuation tokens."""
        rows: list[Json] = []
        params: dict[str, str | int] = {"limit": PAGE_MAX}
        for _ in range(PAGES_MAX):
            kind = f"notifications.{name}"
            if as_user:
                answer = await self._api.get(f"{NOTIFICATION}{path}", kind=kind, budget="notification", params=params)
            else:
                answer = await self._api.application("GET", path, kind=kind, params=params)
            body = answer.json()
            rows += rows_of(body, name)
            token = _continuation(body)
            if token is None or token == params.get("continuation_token"):
                return rows
            params["continuation_token"] = token
        return rows

    async def _write(
        self, method: str, path: str, kind: str, body: Json | None, *, as_user: bool, keyed: bool = False
    ) -> None:
        if as_user:
            await self._api.send(
                method, f"{NOTIFICATION}{path}", kind=kind, budget="notification", json=body, keyed=keyed
            )
        else:
            await self._api.application(method, path, kind=kind, json=body, keyed=keyed)


def subscription_body(topic: Json, destination: str) -> dict[str, Any]:
    """The request for one topic, in the first form eBay offers as JSON over HTTPS."""
    forms: Sequence[Json] = rows_of(topic, "supportedPayloads")
    chosen = next((form for form in forms if "JSON" in str(form.get("format"))), None) or {}
    return {
        "topicId": str(topic["topicId"]),
        "destinationId": destination,
        "status": ENABLED,
        "payload": {
            "format": "JSON",
            "schemaVersion": str(chosen.get("schemaVersion") or "1.0"),
            "deliveryProtocol": str(chosen.get("deliveryProtocol") or "HTTPS"),
        },
    }


def _continuation(body: object) -> str | None:
    following = body.get("next") if isinstance(body, Mapping) else None
    if not isinstance(following, str) or not following:
        return None
    found = parse_qs(urlsplit(following).query).get("continuation_token")
    return found[0] if found else None
