"""The aiohttp applications and their listening: TCP for everyone, a local socket for the commands."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from hub.api import unforeseen
from hub.api.problem import Problem
from hub.api.unforeseen import Refused

_HEADER_TIMEOUT_S = 75.0
# How much longer than the limit a body may be before the connection is closed instead of answered.
_DRAIN_S = 10.0


class AddressTaken(Exception):
    """The address cannot be listened on; the message says which and what to do."""


def application(
    routes: Iterable[web.RouteDef], *, max_bytes: int, refused: Refused = lambda _account, _reason: None
) -> web.Application:
    """An application over these routes; every problem and every fault becomes its document.

    `refused` is told of webhooks that a fault of ours kept from being stored.
    """
    app = web.Application(client_max_size=max_bytes, middlewares=[_problems(refused)])
    app.add_routes(routes)
    return app


def _problems(refused: Refused) -> Middleware:
    @web.middleware
    async def problems(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response()
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return Problem(error.status, error.reason).response()
        except web.RequestPayloadError:
            return Problem(400, "Body cannot be read", "It ends early, or is not packed as its headers say.").response()
        except ConnectionError:
            # The client has left: there is nobody to answer.
            raise
        except Exception as error:
            # The request boundary: one fault must not go unanswered.
            if unforeseen.begun(request):
                unforeseen.told(request, error)
                raise
            return unforeseen.answer(request, error, refused)

    return problems


@dataclass(slots=True)
class Listener:
    """One running application. `stop` lets requests in flight finish first."""

    runner: web.AppRunner
    address: str
    socket_path: Path | None = None
    _stopped: bool = field(default=False)

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        await self.runner.cleanup()
        if self.socket_path is not None:
            self.socket_path.unlink(missing_ok=True)


async def listen(app: web.Application, host: str, port: int) -> Listener:
    """Listen on TCP; port 0 takes a free one. `address` is the URL to reach it."""
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=_HEADER_TIMEOUT_S, shutdown_timeout=_DRAIN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as error:
        await runner.cleanup()
        raise AddressTaken(_why(error, f"{host}:{port}")) from None
    bound = runner.addresses[0]
    shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    return Listener(runner, f"http://{shown}:{bound[1]}")


async def listen_locally(app: web.Application, path: Path) -> Listener:
    """Listen on a socket file that only this user may open. A socket left by a dead hub is replaced."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_S)
    await runner.setup()
    try:
        # Beside a PostgreSQL database nobody has made the folder yet.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        await web.UnixSite(runner, str(path)).start()
    except OSError as error:
        await runner.cleanup()
        raise AddressTaken(_why(error, str(path))) from None
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    return Listener(runner, str(path), path)


def _why(error: OSError, where: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: in use; stop that program or choose another port (hub.listen; demo: --port)"
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: not allowed; set hub.listen to a port above 1023"
    return f"cannot listen on {where}: {error.strerror or error}"
