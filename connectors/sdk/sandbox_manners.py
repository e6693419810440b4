"""The faults that happen on the connection, before or after the vendor's own code ran."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from connectors.sdk.sandbox_control import CONTROL_PREFIX

if TYPE_CHECKING:
    from connectors.sdk.sandbox import Sandbox

RETRY_AFTER_S: Final = 1.0


def manners(sandbox: Sandbox) -> Middleware:
    """One middleware; per request at most one fault that replaces the answer."""

    @web.middleware
    async def behave(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PREFIX):
            return await handler(request)
        try:
            response = None if await sandbox.spared(request) else await _misbehave(sandbox, request, handler)
            if response is None:
                response = await _answer(sandbox, request, handler)
        except web.HTTPException as refused:
            sandbox.record("request", method=request.method, path=request.path, status=refused.status)
            raise
        sandbox.record("request", method=request.method, path=request.path, status=response.status)
        return response

    return behave


async def _misbehave(sandbox: Sandbox, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    """The faulty answer, or None when this request is to be answered properly."""
    hit = sandbox.faults.hit
    if hit("slow"):
        sandbox.record("fault", name="slow", path=request.path)
        await _pause(sandbox, sandbox.slow_s)
    if hit("rate_limit"):
        sandbox.record("fault", name="rate_limit", path=request.path)
        return sandbox.rate_limited_response(request, RETRY_AFTER_S)
    if hit("rate_limit_bare"):
        sandbox.record("fault", name="rate_limit_bare", path=request.path)
        return sandbox.rate_limited_response(request, None)
    if hit("server_error"):
        sandbox.record("fault", name="server_error", path=request.path)
        return sandbox.server_error_response(request)
    if hit("drop_connection"):
        sandbox.record("fault", name="drop_connection", path=request.path)
        return _cut(request)
    if hit("timeout_before"):
        sandbox.record("fault", name="timeout_before", path=request.path)
        await _pause(sandbox, sandbox.hang_s)
        return _cut(request)
    if hit("timeout_after_apply"):
        await _answer(sandbox, request, handler)
        sandbox.record("fault", name="timeout_after_apply", path=request.path)
        await _pause(sandbox, sandbox.hang_s)
        return _cut(request)
    return None


async def _answer(sandbox: Sandbox, request: web.Request, handler: Handler) -> web.StreamResponse:
    """The vendor's code. A failure of ours is kept apart from the faults that were asked for."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        sandbox.defects.append(f"{request.method} {request.path}: {''.join(traceback.format_exception(error))}")
        return web.Response(status=500, text="the sandbox failed; see its defects")


async def _pause(sandbox: Sandbox, seconds: float) -> None:
    """Wait in real time, but not past the sandbox's end."""
    try:
        async with asyncio.timeout(seconds):
            await sandbox.stopping.wait()
    except TimeoutError:
        return


def _cut(request: web.Request) -> web.StreamResponse:
    """Break the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
