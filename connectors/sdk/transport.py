"""httpx's API over aiohttp's connections: a seventh of the CPU of httpx's own pool as it grows.

Differs from ready-made bridges in three ways that matter here: the URL goes out byte for byte
(vendors' page cursors and escaped item numbers are opaque), a connection that breaks after the
request left is never reported as one that was never made, and cookies are not kept.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import aiohttp
import httpx
import yarl

PINNED: Final = "pinned_address"
"""Request extension: connect to this address, keeping the URL's host name for TLS and `Host`."""
CHUNK_BYTES: Final = 16 * 1024


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Certificates are loaded once per process; it costs tens of milliseconds."""
    return httpx.create_ssl_context()


class AiohttpTransport(httpx.AsyncBaseTransport):
    """One pool of connections; made on first use, inside the running loop."""

    def __init__(self, *, connections_max: int = 16, idle_s: float = 30.0) -> None:
        self._connections_max = connections_max
        self._idle_s = idle_s
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        url, host = _address(request)
        with _as_httpx(request):
            response = await self._open().request(
                request.method,
                url,
                headers=[(key.decode("ascii"), value.decode("latin-1")) for key, value in request.headers.raw],
                data=body or None,
                allow_redirects=False,
                timeout=_timeout(request),
                server_hostname=host,
            )
        return httpx.Response(
            status_code=response.status,
            headers=list(response.raw_headers),
            stream=_Body(response, request),
            request=request,
        )

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections_max, ssl=tls_context(), keepalive_timeout=self._idle_s
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
            # aiohttp would silently send an idempotent method again when a kept connection turns
            # out dead. Repeats are ours to decide: each one is counted, budgeted and recorded.
            self._session._retry_connection = False
        return self._session


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            async for chunk in self._response.content.iter_chunked(CHUNK_BYTES):
                yield chunk

    async def aclose(self) -> None:
        # A body read to its end has already given its connection back; any other loses it.
        self._response.close()


def _address(request: httpx.Request) -> tuple[yarl.URL, str | None]:
    """The exact URL to connect to and, for a pinned address, the name TLS must prove."""
    pinned = request.extensions.get(PINNED)
    if pinned is None:
        return yarl.URL(str(request.url), encoded=True), None
    return yarl.URL(str(request.url.copy_with(host=pinned)), encoded=True), request.url.host


def _timeout(request: httpx.Request) -> aiohttp.ClientTimeout:
    phases = request.extensions.get("timeout", {})
    return aiohttp.ClientTimeout(
        total=None, connect=phases.get("pool"), sock_connect=phases.get("connect"), sock_read=phases.get("read")
    )


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Most telling class first: only the first two say that nothing was sent."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error), request=request) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error), request=request) from error
    except (TimeoutError, aiohttp.ServerTimeoutError) as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise httpx.UnsupportedProtocol(str(error), request=request) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise httpx.ReadError(str(error), request=request) from error
    except aiohttp.ClientError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    except ValueError as error:
        # aiohttp refuses header values with line breaks before anything is sent.
        raise httpx.LocalProtocolError(str(error), request=request) from error
