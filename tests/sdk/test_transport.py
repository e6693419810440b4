"""Over real sockets the transport tells "never sent" from "sent and lost", keeps URLs exact and keeps no cookies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from aiohttp import web

from connectors.sdk.transport import PINNED, AiohttpTransport

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport()
    yield made
    await made.aclose()
    await made.aclose()


def ask(url: str, *, method: str = "GET", read_s: float = 5.0, connect_s: float = 5.0) -> httpx.Request:
    timeout = {"connect": connect_s, "read": read_s, "write": None, "pool": None}
    return httpx.Request(method, url, extensions={"timeout": timeout})


async def test_the_url_reaches_the_wire_unchanged(serve: Serve, transport: AiohttpTransport) -> None:
    """No part of it is quoted anew on the way."""

    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.raw_path)

    base = await serve(echo)
    for path in ("/a%2Fb%41?c=%7E+x%20y&d=%2B", "/sku%40%25?cursor=a%3Db%26c", "/plain"):
        response = await transport.handle_async_request(ask(base + path))
        assert (await response.aread()).decode() == path
        await response.aclose()


async def test_a_dropped_connection_is_not_a_failed_connect(serve: Serve, transport: AiohttpTransport) -> None:
    """Cut after the request arrived is a read error: something may have been carried out."""

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    base = await serve(cut)
    for method in ("GET", "PUT", "POST"):
        with pytest.raises(httpx.ReadError):
            await transport.handle_async_request(ask(base, method=method))


async def test_a_body_cut_short_is_a_read_error(serve: Serve, transport: AiohttpTransport) -> None:
    """Half an answer is none."""

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    response = await transport.handle_async_request(ask(await serve(half)))
    with pytest.raises(httpx.ReadError):
        await response.aread()
    await response.aclose()


async def test_nobody_listening_is_a_failed_connect(serve: Serve, transport: AiohttpTransport) -> None:
    """A refused connection carried nothing."""
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(ask("http://127.0.0.1:9"))


async def test_a_silent_server_is_a_read_timeout(serve: Serve, transport: AiohttpTransport) -> None:
    """Connected and sent, but no answer in time."""

    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.Response()

    base = await serve(hang)
    with pytest.raises(httpx.ReadTimeout):
        await transport.handle_async_request(ask(base, read_s=0.05))


async def test_an_idempotent_method_is_not_secretly_repeated(serve: Serve, transport: AiohttpTransport) -> None:
    """A kept connection that dies under a PUT surfaces: repeats are the client's to count."""
    seen: list[str] = []

    async def second_dies(request: web.Request) -> web.StreamResponse:
        seen.append(request.method)
        if len(seen) == 2:
            assert request.transport is not None
            request.transport.abort()
        return web.Response()

    base = await serve(second_dies)
    first = await transport.handle_async_request(ask(base, method="PUT"))
    await first.aread()
    await first.aclose()
    with pytest.raises(httpx.ReadError):
        await transport.handle_async_request(ask(base, method="PUT"))
    assert seen == ["PUT", "PUT"]


async def test_cookies_are_not_kept(serve: Serve, transport: AiohttpTransport) -> None:
    """One call leaves nothing behind for the next."""
    cookies: list[str | None] = []

    async def bake(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1"})

    base = (await serve(bake)).replace("127.0.0.1", "localhost")
    for _ in range(2):
        response = await transport.handle_async_request(ask(base))
        await response.aread()
        await response.aclose()
    assert cookies == [None, None]


async def test_connections_are_reused(serve: Serve, transport: AiohttpTransport) -> None:
    """An answer read to its end gives its connection back."""
    ports: set[object] = set()

    async def note(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        return web.Response(text="x" * 100_000)

    base = await serve(note)
    for _ in range(5):
        response = await transport.handle_async_request(ask(base))
        await response.aread()
        await response.aclose()
    assert len(ports) == 1


async def test_a_pinned_address_is_the_one_connected_to(serve: Serve, transport: AiohttpTransport) -> None:
    """The name stays in `Host`, the connection goes to the address that was checked."""

    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.host)

    port = (await serve(echo)).rpartition(":")[2]
    request = ask(f"http://files.nowhere.invalid:{port}/report")
    request.extensions[PINNED] = "127.0.0.1"
    response = await transport.handle_async_request(request)
    assert (await response.aread()).decode() == f"files.nowhere.invalid:{port}"
    await response.aclose()


async def test_a_line_break_in_a_header_is_never_sent(serve: Serve, transport: AiohttpTransport) -> None:
    """A value that would split the header is our mistake; the server sees nothing of it."""
    seen: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response()

    request = httpx.Request("GET", await serve(note), headers={"X": "a\r\nY: b"})
    with pytest.raises(httpx.LocalProtocolError):
        await transport.handle_async_request(request)
    assert seen == []
