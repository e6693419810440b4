"""Reading an answer with a limit on what arrives and on what it unpacks to."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from connectors.sdk.whole import whole

ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


class AnswerTooLarge(Exception):
    """The body, packed or unpacked, is over the limit."""


class AnswerGarbled(Exception):
    """The body does not unpack, or is packed in a way that was not asked for."""


async def read_capped(response: httpx.Response, bytes_max: int) -> bytes:
    """The unpacked body. Never holds more than the limit plus one chunk.

    Raises:
        AnswerTooLarge, AnswerGarbled: As their names say.
    """
    stated = whole(response.headers.get("content-length"))
    if stated is not None and stated > bytes_max:
        raise AnswerTooLarge
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return await _plain(response, bytes_max)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return await _unpacked(response, bytes_max)
    raise AnswerGarbled(f"content-encoding {encoding[:20]!r} was not asked for")


async def _plain(response: httpx.Response, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in _chunks(response):
        body += chunk
        if len(body) > bytes_max:
            raise AnswerTooLarge
    return bytes(body)


async def _unpacked(response: httpx.Response, bytes_max: int) -> bytes:
    body = bytearray()
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        async for chunk in _chunks(response):
            waiting = chunk
            while waiting:
                body += unpack.decompress(waiting, bytes_max + 1 - len(body))
                if len(body) > bytes_max:
                    raise AnswerTooLarge
                waiting = unpack.unconsumed_tail
                if unpack.eof and unpack.unused_data:
                    # gzip may be several members one after another.
                    waiting = unpack.unused_data
                    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    except zlib.error as error:
        raise AnswerGarbled("the body does not unpack") from error
    if body and not unpack.eof:
        raise AnswerGarbled("the packed body ends early")
    return bytes(body)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the transport is not an asynchronous one")
    async for chunk in stream:
        yield chunk
