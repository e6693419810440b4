"""Inventory levels: what changed at each mapped location, and what a listing shows now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.sdk import exact
from connectors.sdk.contract import Cursor, Envelope, ListingRef, Page, ShownLevel
from connectors.sdk.errors import ConnectorError, Rejected, TargetMissing
from connectors.sdk.ports import Clock
from connectors.shopify import ids
from connectors.shopify.graphql import GraphQL, too_dear
from connectors.shopify.settings import Settings
from connectors.shopify.topics import INVENTORY
from connectors.shopify.walk import Walk


class Stock:
    """Reads levels for one account."""

    def __init__(self, graphql: GraphQL, settings: Settings, clock: Clock) -> None:
        self._graphql = graphql
        self._settings = settings
        self._clock = clock

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page of levels, one envelope each; locations one after another, one mark for a finished round.

        Without a mark or `since` every level is read. A location with more levels than paging
        reaches is read as far as it goes; the listings stream's bulk result holds the rest.
        """
        stored = cursor or {}
        walk = Walk.resume(cursor, self._clock.now(), since)
        places = list(stored.get("places") or await self._places())
        if not places:
            return Page((), walk.done(), more=False, watermark=walk.began)
        read_at = self._clock.now()
        connection = await self._read(places[0], walk, limit)
        envelopes = [level_envelope(node, read_at) for node in connection["nodes"]]
        moved, more = walk.step(connection["pageInfo"], len(envelopes), None)
        if not more:
            places = places[1:]
        if places:
            return Page(envelopes, {**moved.cursor(), "places": places}, more=True)
        return Page(envelopes, moved.done(), more=False, watermark=moved.began)

    async def item(self, item_id: str) -> Sequence[Envelope]:
        """The levels of one inventory item everywhere.

        Raises:
            TargetMissing: No such item.
        """
        read_at = self._clock.now()
        reply = await self._graphql.run(
            "item_levels", {"id": ids.gid("InventoryItem", item_id)}, kind="stock.read_item"
        )
        item = reply.data.get("inventoryItem")
        if not isinstance(item, dict):
            raise TargetMissing(f"inventory item {item_id} is not there", code="NOT_FOUND")
        return [level_envelope(node, read_at) for node in item["inventoryLevels"]["nodes"]]

    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        """What shoppers may still buy, in the order asked for.

        An item that is not stocked at a location shows nothing there, so its quantity is 0; one
        whose quantity Shopify does not track has none.
        """
        groups: dict[str, list[ListingRef]] = {}
        shown: dict[ListingRef, ShownLevel] = {}
        for ref in refs:
            try:
                groups.setdefault(self.place(ref), []).append(ref)
            except Rejected:
                # Nowhere to look: unknown, and no reason to leave the others unread.
                shown[ref] = ShownLevel(ref, None)
        for place, group in groups.items():
            shown.update(await self._shown(place, group))
        return [shown[ref] for ref in refs]

    def place(self, ref: ListingRef) -> str:
        """The number of the location a listing's quantity is for.

        Raises:
            Rejected: None is given and the account has not exactly one.
        """
        if ref.location:
            found = ids.number(ref.location)
            if found:
                return found
            raise Rejected(f"{ref.location!r} is no Shopify location", code="location_unknown")
        if len(self._settings.locations) == 1:
            return self._settings.locations[0]
        raise Rejected(
            f"listing {ref.listing_id} names no location and the account maps {len(self._settings.locations)}",
            code="location_unknown",
        )

    async def _shown(self, place: str, refs: Sequence[ListingRef]) -> dict[ListingRef, ShownLevel]:
        wanted = {ref: ids.number(ref.listing_id) for ref in refs}
        items = sorted({number for number in wanted.values() if number})
        read_at = self._clock.now()
        found: dict[str, Mapping[str, Any]] = {}
        if items:
            variables = {
                "ids": [ids.gid("InventoryItem", item) for item in items],
                "location": ids.gid("Location", place),
            }
            reply = await self._graphql.run("shown_levels", variables, kind="stock.read_back")
            found = {ids.number(node["id"]): node for node in reply.data["nodes"] if node and node.get("id")}
        return {ref: _shown_level(ref, found.get(number), read_at) for ref, number in wanted.items()}

    async def _places(self) -> Sequence[str]:
        """The mapped locations; without a mapping all active ones."""
        if self._settings.locations:
            return self._settings.locations
        found: list[str] = []
        after: str | None = None
        while True:
            reply = await self._graphql.run("locations", {"first": 100, "after": after}, kind="locations.read")
            connection = reply.data["locations"]
            found += [ids.number(node["id"]) for node in connection["nodes"] if node["isActive"]]
            following = connection["pageInfo"]["endCursor"] if connection["pageInfo"]["hasNextPage"] else None
            if following is None or following == after:
                return found
            after = following

    async def _read(self, place: str, walk: Walk, limit: int) -> Mapping[str, Any]:
        first = max(1, min(limit, 250))
        while True:
            variables = {
                "id": ids.gid("Location", place),
                "first": first,
                "after": walk.after,
                "query": walk.query(),
            }
            try:
                reply = await self._graphql.run("location_levels", variables, kind="stock.read")
            except ConnectorError as error:
                if not too_dear(error) or first == 1:
                    raise
                first = max(1, first // 2)
                continue
            location = reply.data.get("location")
            if not isinstance(location, dict):
                raise TargetMissing(f"location {place} is not there; check the account's locations", code="NOT_FOUND")
            connection: Mapping[str, Any] = location["inventoryLevels"]
            return connection


def level_envelope(node: Mapping[str, Any], read_at: datetime) -> Envelope:
    """One level as an input. The same counts at the same instants are the same fact."""
    item = ids.number((node.get("item") or {}).get("id"))
    place = ids.number((node.get("location") or {}).get("id"))
    digest = hashlib.sha256(exact.canonical(node)).hexdigest()[:32]
    return Envelope(
        topic=INVENTORY,
        dedupe_key=f"inventory:{item}:{place}:{digest}",
        ordering_key=f"item:{item}",
        payload=exact.dumps(node),
        # The counts are true as of the reading, whenever they last changed.
        occurred_at=read_at,
    )


def _shown_level(ref: ListingRef, node: Mapping[str, Any] | None, read_at: datetime) -> ShownLevel:
    if node is None:
        return ShownLevel(ref, None, read_at=read_at, missing=True)
    if not node.get("tracked"):
        return ShownLevel(ref, None, read_at=read_at)
    level = node.get("inventoryLevel")
    if not isinstance(level, dict) or not level.get("isActive"):
        return ShownLevel(ref, 0, available=0, read_at=read_at)
    counts = {each["name"]: each["quantity"] for each in level["quantities"]}
    available = counts.get("available")
    return ShownLevel(ref, available, available=available, read_at=read_at)
