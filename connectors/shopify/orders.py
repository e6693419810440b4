"""Orders: changed since a mark, or one by its id, each complete with all its lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.sdk import exact
from connectors.sdk.contract import Cursor, Envelope, Page
from connectors.sdk.errors import ConnectorError, TargetMissing
from connectors.sdk.paging import PageGuard
from connectors.sdk.ports import Clock
from connectors.shopify import ids, moments
from connectors.shopify.graphql import GraphQL, too_dear
from connectors.shopify.topics import ORDER
from connectors.shopify.walk import Walk

FIRST_WALK: Final = timedelta(days=1)
"""How far back the very first poll looks when nobody says since when."""
PAGE_FIRST: Final = 10
LIST_FIRST: Final = 10
"""How many refunds and fulfilments the order document asks for."""
COST_SHARE: Final = 0.25
"""The part of the shop's bucket one page may cost, so that publishing always finds points left."""
COST_MAX: Final = 900.0
"""A single query may cost 1,000 points. Source: shopify.dev/docs/api/usage/limits, read 2026-11-20."""


class Orders:
    """Reads orders for one account. `_page` is what a page may hold at the shop's prices."""

    def __init__(self, graphql: GraphQL, clock: Clock) -> None:
        self._graphql = graphql
        self._clock = clock
        self._page = PAGE_FIRST

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page of orders changed since the cursor's mark, one envelope each."""
        now = self._clock.now()
        walk = Walk.resume(cursor, now, since or now - FIRST_WALK)
        connection = await self._read(walk, limit)
        nodes = connection["nodes"]
        envelopes = [await self._envelope(node) for node in nodes]
        last = moments.read(nodes[-1].get("updatedAt")) if nodes else None
        walk, more = walk.step(connection["pageInfo"], len(nodes), last)
        if more:
            walk = walk.afresh(sorted_by_change=True) or walk
            return Page(envelopes, walk.cursor(), more=True)
        return Page(envelopes, walk.done(), more=False, watermark=walk.began)

    async def one(self, order_id: str) -> Envelope:
        """The current state of one order.

        Raises:
            TargetMissing: No such order, or one older than the app may see.
        """
        reply = await self._graphql.run("order", {"id": ids.gid("Order", order_id)}, kind="orders.read_one")
        node = reply.data.get("order")
        if not isinstance(node, dict):
            raise TargetMissing(f"order {order_id} is not there", code="NOT_FOUND", correlation_id=reply.correlation_id)
        return await self._envelope(node)

    async def _read(self, walk: Walk, limit: int) -> Mapping[str, Any]:
        """One page, made smaller at once when the shop finds it too dear."""
        while True:
            first = max(1, min(limit, self._page))
            variables = {"first": first, "after": walk.after, "query": walk.query() or ""}
            try:
                reply = await self._graphql.run("orders", variables, kind="orders.read")
            except ConnectorError as error:
                if not too_dear(error) or first == 1:
                    raise
                self._page = max(1, first // 2)
                continue
            self._learn(first, reply.cost.requested, reply.cost.maximum)
            connection: Mapping[str, Any] = reply.data["orders"]
            return connection

    def _learn(self, first: int, requested: float | None, maximum: float | None) -> None:
        """Fit the page to what this one would have been allowed to cost."""
        if not requested or requested <= 0:
            return
        allowed = min(COST_MAX, (maximum or COST_MAX / COST_SHARE) * COST_SHARE)
        self._page = max(1, min(250, int(first * allowed / requested)))

    async def _envelope(self, node: dict[str, Any]) -> Envelope:
        await self._complete(node)
        number = ids.number(node.get("id"))
        updated = str(node.get("updatedAt") or "")
        # Two changes within one second have one updatedAt, so the content itself is part of the key.
        digest = hashlib.sha256(exact.canonical(node)).hexdigest()[:32]
        return Envelope(
            topic=ORDER,
            dedupe_key=f"order:{number}:{updated}:{digest}",
            ordering_key=f"order:{number}",
            payload=exact.dumps(node),
            occurred_at=moments.read(updated),
        )

    async def _complete(self, node: dict[str, Any]) -> None:
        """Fetch what did not fit: an order that looks smaller than it is would release stock."""
        await self._many(node)
        if node.get("returnStatus") not in (None, "NO_RETURN"):
            # Returns are dear to read and rare, so they are read only where there are some.
            node["returns"] = {"nodes": await self._returns(node["id"])}
        for document, owner, name in _parts(node):
            connection = owner.get(name) or {"nodes": []}
            lines = list(connection["nodes"])
            page_info = connection.get("pageInfo") or {}
            guard = PageGuard(f"{document} of {owner.get('id')}")
            while page_info.get("hasNextPage"):
                guard.enter(page_info.get("endCursor"))
                variables = {"id": owner["id"], "after": page_info.get("endCursor")}
                reply = await self._graphql.run(document, variables, kind=f"orders.read_{document}")
                more = (reply.data.get("owner") or {}).get("items")
                if not isinstance(more, dict):
                    raise TargetMissing(f"{owner['id']} went away while it was read", code="NOT_FOUND")
                lines += more["nodes"]
                page_info = more["pageInfo"]
            owner[name] = {"nodes": lines}

    async def _many(self, node: dict[str, Any]) -> None:
        """These two are plain lists without pages: a full one is read again with the most it can hold."""
        if all(len(node.get(name) or ()) < LIST_FIRST for name in ("refunds", "fulfillments")):
            return
        reply = await self._graphql.run("order_aftermath", {"id": node["id"]}, kind="orders.read_aftermath")
        found = reply.data.get("order")
        if not isinstance(found, dict):
            raise TargetMissing(f"{node['id']} went away while it was read", code="NOT_FOUND")
        node["refunds"], node["fulfillments"] = found["refunds"], found["fulfillments"]

    async def _returns(self, order: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        guard = PageGuard(f"returns of {order}")
        after: str | None = None
        while True:
            guard.enter(after)
            reply = await self._graphql.run("order_returns", {"id": order, "after": after}, kind="orders.read_returns")
            owner = reply.data.get("order")
            if not isinstance(owner, dict):
                raise TargetMissing(f"{order} went away while it was read", code="NOT_FOUND")
            found += owner["returns"]["nodes"]
            if not owner["returns"]["pageInfo"]["hasNextPage"]:
                return found
            after = owner["returns"]["pageInfo"]["endCursor"]


def _parts(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(document for the rest, owner, connection) of everything in an order that may be longer than read."""
    yield "order_lines", node, "lineItems"
    for refund in node.get("refunds") or ():
        yield "refund_lines", refund, "refundLineItems"
    for fulfillment in node.get("fulfillments") or ():
        yield "fulfillment_lines", fulfillment, "fulfillmentLineItems"
    for each in (node.get("returns") or {}).get("nodes") or ():
        yield "return_lines", each, "returnLineItems"
