"""Webhook subscriptions: created where missing, mended where wrong, and nobody else's touched.

Shopify removes a subscription whose receiver failed eight times in a row, so this is looked at again
and again. Ours are known by their name; those of other deployments of the app stay as they are.
Source: shopify.dev/docs/apps/build/webhooks/subscribe and mutation webhookSubscriptionCreate of the
2026-10 schema, read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.sdk.errors import Rejected
from connectors.sdk.paging import PageGuard
from connectors.shopify.errors import raise_user_errors
from connectors.shopify.graphql import GraphQL
from connectors.shopify.topics import SUBSCRIBED, enum_name

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_MAX: Final = 50


class Subscriptions:
    """Keeps the subscriptions of one account."""

    def __init__(self, graphql: GraphQL, account: str) -> None:
        self._graphql = graphql
        self._name = f"trunkline-{_UNFIT.sub('-', account)}"[:_NAME_MAX]

    async def ensure(self, callback_url: str) -> Sequence[str]:
        """Make every topic arrive at `callback_url` once; one line per change made.

        A topic the app may not subscribe to is one line too, and the others go on.
        """
        existing = await self._list()
        changes: list[str] = []
        for topic in SUBSCRIBED:
            name = enum_name(topic)
            same = [each for each in existing if each.get("topic") == name and self._is_ours(each, callback_url)]
            try:
                changes += await self._one(topic, name, same, callback_url)
            except Rejected as error:
                changes.append(f"{topic}: not subscribed, {error.message}")
        return changes

    async def _one(self, topic: str, name: str, same: list[Mapping[str, Any]], url: str) -> list[str]:
        if not same:
            await self._create(name, url)
            return [f"{topic}: subscribed"]
        # One that is right already is kept, so that nothing is changed for nothing.
        keep = next((each for each in same if _is_right(each, url)), same[0])
        changes = []
        if not _is_right(keep, url):
            await self._update(str(keep["id"]), url)
            changes.append(f"{topic}: mended")
        for double in same:
            if double is not keep:
                await self._delete(str(double["id"]))
                changes.append(f"{topic}: removed a second subscription")
        return changes

    def _is_ours(self, each: Mapping[str, Any], url: str) -> bool:
        return each.get("name") == self._name or each.get("uri") == url

    async def _list(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        guard = PageGuard("subscriptions")
        after: str | None = None
        while True:
            guard.enter(after)
            reply = await self._graphql.run("subscriptions", {"first": 100, "after": after}, kind="subscriptions.read")
            connection = reply.data["webhookSubscriptions"]
            found += connection["nodes"]
            if not connection["pageInfo"]["hasNextPage"]:
                return found
            after = connection["pageInfo"]["endCursor"]

    async def _create(self, topic: str, url: str) -> None:
        # Keyed in effect: a second one with this name and topic is refused or removed by the next look.
        reply = await self._graphql.run(
            "subscription_create",
            {"topic": topic, "subscription": self._input(url)},
            kind="subscriptions.create",
            write=True,
            keyed=True,
        )
        raise_user_errors(reply.data.get("webhookSubscriptionCreate"), "subscriptions.create", reply.correlation_id)

    async def _update(self, subscription: str, url: str) -> None:
        variables = {"id": subscription, "subscription": self._input(url)}
        reply = await self._graphql.run(
            "subscription_update", variables, kind="subscriptions.update", write=True, keyed=True
        )
        raise_user_errors(reply.data.get("webhookSubscriptionUpdate"), "subscriptions.update", reply.correlation_id)

    async def _delete(self, subscription: str) -> None:
        reply = await self._graphql.run(
            "subscription_delete", {"id": subscription}, kind="subscriptions.delete", write=True, keyed=True
        )
        raise_user_errors(reply.data.get("webhookSubscriptionDelete"), "subscriptions.delete", reply.correlation_id)

    def _input(self, url: str) -> dict[str, Any]:
        return {"uri": url, "format": "JSON", "name": self._name, "filter": "", "includeFields": []}


def _is_right(each: Mapping[str, Any], url: str) -> bool:
    """The whole body, as JSON, to the right place. A filter or a choice of fields would hide facts."""
    return (
        each.get("uri") == url
        and each.get("format") == "JSON"
        and not each.get("filter")
        and not each.get("includeFields")
    )
