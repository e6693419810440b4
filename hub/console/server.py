"""The console's routes and its manners: strict headers, a session cookie, no script at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files

from aiohttp import web

from hub.console.status import Overview, login, page

COOKIE = "trunkline_session"
_SESSION_S = 8 * 3600
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Console:
    """`open_to_all` is set where the hub listens to this machine only; else a token is asked for.

    `admits` says whether a token may read; `secure` marks the cookie for HTTPS only.
    """

    overview: Callable[[], Awaitable[Overview]]
    admits: Callable[[str, str], Awaitable[bool]]
    open_to_all: bool
    secure: bool

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.show),
            web.post("/login", self.sign_in),
            web.get("/console.css", self.style),
        ]

    async def show(self, request: web.Request) -> web.Response:
        if not self.open_to_all and not await self.admits(request.cookies.get(COOKIE, ""), request.remote or ""):
            return _html(login(), 401)
        return _html(page(await self.overview()))

    async def sign_in(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token", "")).strip()
        if not await self.admits(token, request.remote or ""):
            return _html(login("This token is not valid."), 401)
        response = web.Response(status=303, headers={"Location": "/", **HEADERS})
        response.set_cookie(
            COOKIE, token, max_age=_SESSION_S, httponly=True, samesite="Strict", secure=self.secure, path="/"
        )
        return response

    async def style(self, _request: web.Request) -> web.Response:
        css = (files("hub.console") / "console.css").read_bytes()
        headers = {**HEADERS, "Cache-Control": "max-age=300"}
        return web.Response(body=css, content_type="text/css", headers=headers)


def _html(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body, content_type="text/html", charset="utf-8", headers=HEADERS)
