"""Bulk operations: a query without pages becomes a file of JSON lines.

Every node of a connection is a line of its own; a nested one names its parent in `__parentId`. The
vendor promises no order, and escapes slashes, so the lines are shuffled and the slashes escaped.
Source: shopify.dev/docs/api/usage/bulk-operations/queries, read 2026-11-20.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.shopify.fake.state import Shop
from connectors.shopify.fake.views import View, gid, time_text

RUNNING_MAX: Final = 5
LOOKS_UNTIL_DONE: Final = 2
"""Looks at an operation before it is through, so that a client has to wait."""

Execute = Callable[[str], tuple[dict[str, Any] | None, list[str]]]
"""Runs a query without pages: (data, errors)."""


@dataclass(slots=True)
class Operation:
    id: int
    query: str
    created_at: datetime
    lines: list[bytes]
    looks: int = 0
    completed_at: datetime | None = None

    @property
    def running(self) -> bool:
        return self.completed_at is None

    @property
    def content(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)


class BulkOperations:
    """Those of one app and shop. `base_url` is where results are fetched."""

    def __init__(self, shop: Shop, chance: random.Random, base_url: Callable[[], str]) -> None:
        self._shop = shop
        self._chance = chance
        self._base_url = base_url
        self.by_id: dict[int, Operation] = {}

    def start(self, query: str, execute: Execute) -> View:
        running = [operation for operation in self.by_id.values() if operation.running]
        if len(running) >= RUNNING_MAX:
            names = ", ".join(gid("BulkOperation", operation.id) for operation in running)
            message = f"A bulk query operation for this app and shop is already in progress: {names}."
            return _refused(message, "OPERATION_IN_PROGRESS", None)
        data, errors = execute(query)
        if errors or data is None:
            return _refused(f"Invalid bulk query: {'; '.join(errors)}", "INVALID", ["query"])
        lines = [_encode(line) for connection in data.values() for line in _flatten(connection, None)]
        if not any(isinstance(found, dict) and "edges" in found for found in data.values()):
            return _refused("Bulk queries must contain at least one connection.", "INVALID", ["query"])
        self._chance.shuffle(lines)
        operation = Operation(self._shop.new_id(7_900_000_000_000), query, self._shop.now(), lines)
        self.by_id[operation.id] = operation
        return {"bulkOperation": self.view(operation), "userErrors": []}

    def look(self, number: int) -> View | None:
        operation = self.by_id.get(number)
        if operation is None:
            return None
        operation.looks += 1
        if operation.running and operation.looks >= LOOKS_UNTIL_DONE:
            operation.completed_at = self._shop.now()
        return self.view(operation)

    def view(self, operation: Operation) -> View:
        done = not operation.running
        status = "COMPLETED" if done else "RUNNING" if operation.looks else "CREATED"
        count = str(len(operation.lines)) if done else "0"
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", operation.id),
            "status": status,
            "errorCode": None,
            "createdAt": time_text(operation.created_at),
            "completedAt": time_text(operation.completed_at),
            "objectCount": count,
            "rootObjectCount": count,
            "fileSize": str(len(operation.content)) if done else None,
            # An operation that found nothing has no file.
            "url": f"{self._base_url()}/bulk/{operation.id}.jsonl" if done and operation.lines else None,
            "partialDataUrl": None,
            "query": operation.query,
        }


def _flatten(found: Any, parent: str | None) -> Iterator[dict[str, Any]]:
    """A connection's nodes as lines, their own connections after them."""
    if not isinstance(found, dict) or "edges" not in found:
        return
    for edge in found["edges"]:
        children: list[Any] = []
        line = _without_connections(edge["node"], children)
        if parent is not None:
            line["__parentId"] = parent
        yield line
        for child in children:
            yield from _flatten(child, line.get("id"))


def _without_connections(node: dict[str, Any], children: list[Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, dict) and "edges" in value:
            children.append(value)
        elif isinstance(value, dict):
            kept[name] = _without_connections(value, children)
        else:
            kept[name] = value
    return kept


def _encode(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).replace("/", "\\/").encode()


def _refused(message: str, code: str, field: list[str] | None) -> View:
    return {"bulkOperation": None, "userErrors": [{"field": field, "message": message, "code": code}]}
