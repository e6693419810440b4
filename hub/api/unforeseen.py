"""What nobody foresaw becomes an answer all the same: a problem document, and a log line that finds it.

The answer says nothing of the inside; it carries the id under which the log has the place of the fault.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import structlog
from aiohttp import web

from hub.api.problem import Problem, unavailable
from hub.ports.store import StoreUnavailable

WEBHOOKS = "/webhooks/"
REQUEST_ID = "X-Request-Id"
_COME_AGAIN_S = 30

Refused = Callable[[str, str], None]
"""(account, reason): a webhook was not taken"""

_log = structlog.get_logger(__name__)


def begun(request: web.Request) -> bool:
    """Whether part of an answer is on its way already, so that no other can be given."""
    return getattr(request.writer, "output_size", 0) > 0


def answer(request: web.Request, error: Exception, refused: Refused) -> web.Response:
    """500 for a client, 503 with Retry-After for a webhook: its sender is to come again, nothing was stored."""
    if isinstance(error, StoreUnavailable):
        return unavailable(str(error)).response()
    name = told(request, error)
    if request.path.startswith(WEBHOOKS):
        refused(request.match_info.get("account", ""), "internal")
        problem = Problem(
            503, "The hub cannot store this now", _told(name), retry_after_s=_COME_AGAIN_S, request_id=name
        )
    else:
        problem = Problem(500, "The hub failed on this request", _told(name), request_id=name)
    response = problem.response()
    response.headers[REQUEST_ID] = name
    return response


def told(request: web.Request, error: Exception) -> str:
    """Log the fault; the reference it is found under. The path is the route's, not what was asked for."""
    name = secrets.token_hex(8)
    route = request.match_info.route.resource
    path = route.canonical if route is not None else ""
    _log.error("request.failed", path=path, kind=request.method, reference=name, exc_info=error)
    return name


def _told(name: str) -> str:
    return f"This is a fault of the hub; its log tells more under the reference {name}."
