"""Errors as RFC 9457 problem documents.

Raised anywhere below a handler, rendered once at the edge. A problem says what was wrong and what
to do; it never carries a payload, a token or personal data.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error.

    Args:
        status: HTTP status.
        title: The kind of problem, the same words each time.
        detail: This occurrence, one sentence.
        retry_after_s: Sent as Retry-After where waiting helps.
        extra: Further members of the document (`errors`, `known`).
    """

    def __init__(
        self, status: int, title: str, detail: str = "", *, retry_after_s: int | None = None, **extra: Any
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra

    def body(self) -> dict[str, Any]:
        document: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            document["detail"] = self.detail
        return document | self.extra

    def response(self) -> web.Response:
        headers = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s is not None else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return web.Response(
            status=self.status, body=orjson.dumps(self.body()), content_type=CONTENT_TYPE, headers=headers
        )


def unavailable(detail: str) -> Problem:
    """The database cannot take writes now; the sender should come again."""
    return Problem(503, "The hub cannot store this now", detail, retry_after_s=5)
