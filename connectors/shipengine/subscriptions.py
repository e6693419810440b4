"""The webhook for tracking: created where missing, mended where its secret is another; nobody else's is touched.

Source: ShipEngine OpenAPI document 1.1.202604070904, webhooks (2026-04).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.sdk.errors import Rejected, Transient
from connectors.sdk.signing import matches
from connectors.shipengine.api import Api
from connectors.shipengine.settings import Settings
from connectors.shipengine.webhooks import SECRET_HEADER

NAME: Final = "Trunkline"


class Subscriptions:
    """One account's webhook."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    async def ensure(self, callback_url: str) -> Sequence[str]:
        """Have tracking pushed to `callback_url` with our secret in a header; one line per change made.

        Raises:
            Rejected: There is no secret to put there, so nothing that came would be believed.
        """
        if not self._settings.webhook_secrets:
            raise Rejected("credentials.webhook_secret is not set: no push would be believed", code="no_secret")
        secret = self._settings.webhook_secrets[0].reveal()
        said = {"url": callback_url, "name": NAME, "headers": [{"key": SECRET_HEADER, "value": secret}]}
        event = self._settings.service.event
        own = [row for row in await self._list() if row.get("event") == event and row.get("url") == callback_url]
        if not own:
            await self._api.create_webhook({"event": event, **said})
            return [f"{event}: subscribed"]
        changes = []
        for row in own:
            if not _carries(row, secret):
                await self._api.change_webhook(str(row.get("webhook_id")), said)
                changes.append(f"{event}: mended")
        return changes

    async def _list(self) -> list[Mapping[str, Any]]:
        answer = await self._api.webhooks()
        rows = answer.json()
        if not isinstance(rows, list):
            raise Transient("subscriptions.read: the answer is no list", **answer.facts("unexpected_body"))
        return [row for row in rows if isinstance(row, Mapping)]


def _carries(row: Mapping[str, Any], secret: str) -> bool:
    headers = row.get("headers")
    rows = [each for each in headers if isinstance(each, Mapping)] if isinstance(headers, list) else []
    values = [str(each.get("value", "")) for each in rows if str(each.get("key", "")).lower() == SECRET_HEADER]
    return len(values) == 1 and matches(secret, values[0])
