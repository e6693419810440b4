"""Listings: the whole catalogue by bulk operation once a day, what changed in between by query.

A bulk result is a file of JSON lines behind a signed URL. It is read in pieces by byte range, so
that neither memory nor a restart depends on its size, and no line needs another one: variants carry
their product, levels their item.
Source: shopify.dev/docs/api/usage/bulk-operations/queries, read 2026-11-20.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from connectors.sdk import exact
from connectors.sdk.contract import Cursor, Envelope, Page
from connectors.sdk.errors import ConnectorError, RateLimited, Rejected, TargetMissing, Transient
from connectors.sdk.ports import Clock
from connectors.shopify import ids, moments
from connectors.shopify.errors import UserError, by_user_error, user_errors
from connectors.shopify.graphql import GraphQL, document, too_dear
from connectors.shopify.stock import level_envelope
from connectors.shopify.topics import LISTINGS
from connectors.shopify.walk import Walk

FULL_EVERY: Final = timedelta(days=1)
PIECE_BYTES_MIN: Final = 64 * 1024
LINE_BYTES_USUAL: Final = 1024
LINE_BYTES_MAX: Final = 8 * 1024 * 1024
WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between looks at a running operation within one fetch; then the engine comes back."""
BUSY_RETRY_S: Final = 60.0
RUNS_MAX: Final = timedelta(days=10)
"""An operation must be through by then. Source: as above."""

_log = structlog.get_logger(__name__)


class Catalogue:
    """Reads listings for one account."""

    def __init__(self, graphql: GraphQL, clock: Clock) -> None:
        self._graphql = graphql
        self._clock = clock

    async def fetch(self, cursor: Cursor | None, limit: int, since: datetime | None) -> Page:
        """The next page: one envelope per variant (and, in a full read, per inventory level)."""
        now = self._clock.now()
        stored: Mapping[str, Any] = cursor or {}
        if "bulk" in stored:
            return await self._bulk(stored, limit)
        full_at = moments.read(stored.get("full_at"))
        resuming = "began" in stored
        if cursor is None and since is not None:
            return await self._changed(Walk(since, now), limit, now)
        if not resuming and (full_at is None or now - full_at >= FULL_EVERY):
            return await self._start(now)
        return await self._changed(Walk.resume(stored, now, now), limit, full_at or now)

    async def of_item(self, item_id: str) -> Sequence[Envelope]:
        """The variants that sell one inventory item.

        Raises:
            TargetMissing: No such item.
        """
        reply = await self._graphql.run(
            "item_variants", {"id": ids.gid("InventoryItem", item_id)}, kind="listings.read_item"
        )
        item = reply.data.get("inventoryItem")
        if not isinstance(item, dict):
            raise TargetMissing(f"inventory item {item_id} is not there", code="NOT_FOUND")
        nodes = (item.get("variants") or {}).get("nodes") or ()
        return [variant_envelope(node) for node in nodes]

    # --- what changed ------------------------------------------------------------------------

    async def _changed(self, walk: Walk, limit: int, full_at: datetime) -> Page:
        connection = await self._variants(walk, limit)
        envelopes = [variant_envelope(node) for node in connection["nodes"]]
        moved, more = walk.step(connection["pageInfo"], len(envelopes), None)
        kept = {"full_at": full_at.isoformat()}
        if more:
            return Page(envelopes, {**moved.cursor(), **kept}, more=True)
        return Page(envelopes, {**moved.done(), **kept}, more=False, watermark=moved.began)

    async def _variants(self, walk: Walk, limit: int) -> Mapping[str, Any]:
        first = max(1, min(limit, 250))
        while True:
            variables = {"first": first, "after": walk.after, "query": walk.query()}
            try:
                reply = await self._graphql.run("variants", variables, kind="listings.read")
            except ConnectorError as error:
                if not too_dear(error) or first == 1:
                    raise
                first = max(1, first // 2)
                continue
            connection: Mapping[str, Any] = reply.data["productVariants"]
            return connection

    # --- everything --------------------------------------------------------------------------

    async def _start(self, now: datetime) -> Page:
        """Begin a bulk operation; all slots of the shop taken is a matter of waiting."""
        query = document("bulk_catalogue")
        # A second operation costs the shop nothing but time, so a lost answer is simply asked again.
        reply = await self._graphql.run("bulk_start", {"query": query}, kind="bulk.start", write=True, keyed=True)
        payload = reply.data.get("bulkOperationRunQuery")
        for error in user_errors(payload):
            raise _not_started(error, reply.correlation_id)
        operation = payload["bulkOperation"] if isinstance(payload, dict) else None
        if not isinstance(operation, dict):
            raise Transient("bulk.start: no operation and no error", code="no_operation")
        return Page((), {"bulk": operation["id"], "began": now.isoformat(), "looks": 0}, more=True)

    async def _bulk(self, cursor: Mapping[str, Any], limit: int) -> Page:
        url = cursor.get("url")
        if not isinstance(url, str):
            return await self._await_result(cursor)
        try:
            return await self._piece(cursor, url, limit)
        except TargetMissing:
            # The URL ends after seven days. The next poll starts another operation: at once, a storage
            # that refuses every URL would have one started after the other without end.
            _log.warning("bulk.result_gone", operation=cursor["bulk"])
            return Page((), {}, more=False)

    async def _await_result(self, cursor: Mapping[str, Any]) -> Page:
        """Look until the operation is through, for half a minute at most."""
        began = moments.read(cursor.get("began")) or self._clock.now()
        for wait_s in (*WAITS_S, None):
            reply = await self._graphql.run("bulk_state", {"id": cursor["bulk"]}, kind="bulk.read")
            operation = reply.data.get("bulkOperation")
            status = operation.get("status") if isinstance(operation, dict) else "EXPIRED"
            if status == "COMPLETED" and isinstance(operation, dict):
                return _completed(cursor, operation, began)
            if status not in ("CREATED", "RUNNING") or self._clock.now() - began > RUNS_MAX:
                # Nothing can be had from it any more: the next poll starts another one.
                _log.warning("bulk.failed", operation=cursor["bulk"], status=status)
                return Page((), {}, more=False)
            if wait_s is not None:
                await self._clock.sleep(wait_s)
        return Page((), {**cursor, "looks": int(cursor.get("looks", 0)) + 1}, more=True)

    async def _piece(self, cursor: Mapping[str, Any], url: str, limit: int) -> Page:
        """The next lines of the result, as many as the page may hold."""
        offset, size = int(cursor.get("offset", 0)), max(PIECE_BYTES_MIN, limit * LINE_BYTES_USUAL)
        while True:
            content, last = await self._graphql.download(url, first_byte=offset, bytes_max=size, kind="bulk.download")
            lines, used = _whole_lines(content, limit, last=last)
            if lines or last:
                break
            if size > LINE_BYTES_MAX:
                raise Rejected(f"bulk.download: a line longer than {LINE_BYTES_MAX} bytes", code="line_too_long")
            size *= 4
        began = moments.read(cursor.get("began")) or self._clock.now()
        envelopes = [found for line in lines if (found := line_envelope(line, began)) is not None]
        if last and used >= len(content):
            return Page(envelopes, _full(began), more=False, watermark=began)
        return Page(envelopes, {**cursor, "offset": offset + used}, more=True)


def variant_envelope(node: Mapping[str, Any]) -> Envelope:
    """One listing as an input; its key changes with any of its facts."""
    item = ids.number((node.get("inventoryItem") or {}).get("id"))
    variant = ids.number(node.get("id"))
    digest = hashlib.sha256(exact.canonical(node)).hexdigest()[:32]
    return Envelope(
        topic=LISTINGS,
        dedupe_key=f"listing:{variant}:{digest}",
        ordering_key=f"item:{item or variant}",
        payload=exact.dumps(node),
        occurred_at=moments.read(node.get("updatedAt")),
    )


def line_envelope(line: bytes, read_at: datetime) -> Envelope | None:
    """One line of a bulk result; None for things nobody asked about.

    Children stand anywhere in the file and name their parent in `__parentId`.
    """
    node = exact.loads(line)
    if not isinstance(node, dict):
        return None
    node.pop("__parentId", None)
    kind = node.get("__typename")
    if kind == "ProductVariant":
        return variant_envelope(node)
    if kind == "InventoryLevel":
        node.pop("__typename")
        return level_envelope(node, read_at)
    return None


def _completed(cursor: Mapping[str, Any], operation: Mapping[str, Any], began: datetime) -> Page:
    url = operation.get("url")
    if not url:
        # No object at all gives no file.
        return Page((), _full(began), more=False, watermark=began)
    return Page((), {"bulk": cursor["bulk"], "began": cursor["began"], "url": url, "offset": 0}, more=True)


def _full(began: datetime) -> Cursor:
    return {"mark": began.isoformat(), "full_at": began.isoformat()}


def _not_started(error: UserError, correlation_id: str | None) -> ConnectorError:
    if error.code in ("OPERATION_IN_PROGRESS", "LIMIT_REACHED"):
        return RateLimited(f"bulk.start: {error.code.lower()}", retry_after_s=BUSY_RETRY_S, code=error.code, status=200)
    return by_user_error(error, "bulk.start", correlation_id)


def _whole_lines(content: bytes, limit: int, *, last: bool) -> tuple[list[bytes], int]:
    """Up to `limit` complete lines and the bytes they took; the last line may lack its newline."""
    lines: list[bytes] = []
    used = 0
    while len(lines) < limit and used < len(content):
        end = content.find(b"\n", used)
        if end < 0:
            if not last:
                break
            end = len(content)
        line = content[used:end].strip()
        if line:
            lines.append(line)
        used = min(end + 1, len(content))
    return lines, used
