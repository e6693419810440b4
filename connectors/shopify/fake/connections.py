"""Cursor paging the way the vendor's connections do it.

A cursor holds the sort value and id of the last node, so that pages stay put while things change.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from graphql import GraphQLError

PAGE_MAX: Final = 250
WINDOW_MAX: Final = 25_000
"""Objects paging reaches. Source: shopify.dev/docs/api/usage/limits, read 2026-11-20."""

Key = tuple[Any, int]


class Connection:
    """Nodes of one connection: `rows` are (sort value, id, view)."""

    def __init__(self, rows: Iterable[tuple[Any, int, Callable[[], Any]]], *, everything: bool) -> None:
        self._rows = sorted(rows, key=lambda row: (row[0], row[1]))
        self._everything = everything

    def page(
        self,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        reverse: bool = False,
    ) -> dict[str, Any]:
        """One page. `everything` connections (bulk operations) have no pages."""
        rows = self._rows[::-1] if reverse else self._rows
        start, end = 0, len(rows)
        if not self._everything:
            _check(first, last)
            keys = [(row[0], row[1]) for row in rows]
            start = _past(keys, after, reverse) if after else 0
            end = _until(keys, before, reverse) if before else len(rows)
            if first is not None:
                end = min(end, start + first)
            elif last is not None:
                start = max(start, end - last)
            if end > WINDOW_MAX:
                raise GraphQLError(
                    "Cannot paginate beyond 25000 objects.", extensions={"code": "PAGINATION_LIMIT_EXCEEDED"}
                )
        part = rows[start:end]
        cursors = [_cursor((row[0], row[1])) for row in part]
        return {
            # Built when asked for: an answer has nodes or edges, hardly ever both.
            "nodes": lambda _: [row[2]() for row in part],
            "edges": lambda _: [{"cursor": mark, "node": row[2]()} for mark, row in zip(cursors, part, strict=True)],
            "pageInfo": {
                "hasNextPage": end < len(rows),
                "hasPreviousPage": start > 0,
                "startCursor": cursors[0] if cursors else None,
                "endCursor": cursors[-1] if cursors else None,
            },
        }


def _check(first: int | None, last: int | None) -> None:
    if first is None and last is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    wanted = first if first is not None else last
    if wanted is not None and not 0 <= wanted <= PAGE_MAX:
        raise GraphQLError(f"first/last must be between 0 and {PAGE_MAX}", extensions={"code": "BAD_REQUEST"})


def _cursor(key: Key) -> str:
    text = json.dumps({"last_value": key[0], "last_id": key[1]}, default=str)
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read(cursor: str) -> Key:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return found["last_value"], int(found["last_id"])
    except (ValueError, KeyError, TypeError):
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_REQUEST"}) from None


def _past(keys: Sequence[Key], cursor: str, reverse: bool) -> int:
    mark = _read(cursor)
    return next((at for at, key in enumerate(keys) if (key < mark if reverse else key > mark)), len(keys))


def _until(keys: Sequence[Key], cursor: str, reverse: bool) -> int:
    mark = _read(cursor)
    return next((at for at, key in enumerate(keys) if (key <= mark if reverse else key >= mark)), len(keys))
