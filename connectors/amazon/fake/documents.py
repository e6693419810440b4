"""Documents behind presigned addresses, on the sandbox's own host.

Source: feeds_2021-06-30 and reports_2021-06-30 models (2026-08): addresses live for five minutes, the
upload states the content type the document was made with, a download may be GZIP-compressed and says
so. No header of ours opens them, and one that claims to is refused by the storage behind.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.replies import storage_error
from connectors.sdk.ports import Clock

LIFE: Final = timedelta(minutes=5)
PREFIX: Final = "/documents"


@dataclass
class Document:
    """One file. `content` is None until it was uploaded."""

    number: str
    content_type: str
    content: bytes | None = None
    zipped: bool = False


class Documents:
    """All files of one seller. `base` is where the sandbox listens."""

    def __init__(self, clock: Clock) -> None:
        self.base = ""
        self.held: dict[str, Document] = {}
        self._clock = clock
        self._addresses: dict[str, tuple[str, datetime]] = {}

    def make(self, content_type: str, content: bytes | None = None, *, zipped: bool = False) -> Document:
        digest = hashlib.sha256(f"{len(self.held)}:{content_type}".encode()).hexdigest()[:32]
        number = f"amzn1.tortuga.4.na.{digest}"
        document = Document(number, content_type, content, zipped)
        self.held[number] = document
        return document

    def address(self, document: Document) -> str:
        """A new address for a file, good for five minutes."""
        key = hashlib.sha256(f"{len(self._addresses)}:{document.number}".encode()).hexdigest()
        self._addresses[key] = (document.number, self._clock.now() + LIFE)
        return f"{self.base}{PREFIX}/{key}?X-Amz-Expires={int(LIFE.total_seconds())}"

    def described(self, document: Document, name: str) -> dict[str, Any]:
        """The answer that leads to a download; `name` is how the API calls the id."""
        compressed = {"compressionAlgorithm": "GZIP"} if document.zipped else {}
        return {name: document.number, "url": self.address(document)} | compressed

    async def upload(self, request: web.Request) -> web.Response:
        found = self._opened(request)
        if isinstance(found, web.Response):
            return found
        if request.headers.get("Content-Type") != found.content_type:
            return storage_error(403, "SignatureDoesNotMatch", "The content type is not the signed one.")
        found.content = await request.read()
        return web.Response(status=200)

    async def download(self, request: web.Request) -> web.Response:
        found = self._opened(request)
        if isinstance(found, web.Response):
            return found
        if found.content is None:
            return storage_error(404, "NoSuchKey", "The specified key does not exist.")
        body = gzip.compress(found.content, mtime=0) if found.zipped else found.content
        return web.Response(body=body, headers={"Content-Type": found.content_type})

    def _opened(self, request: web.Request) -> Document | web.Response:
        for name in ("Authorization", "x-amz-access-token"):
            if name in request.headers:
                return storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        number, ends = self._addresses.get(request.match_info["key"], ("", self._clock.now()))
        if number not in self.held:
            return storage_error(403, "AccessDenied", "Access Denied")
        if ends <= self._clock.now():
            return storage_error(403, "AccessDenied", "Request has expired")
        return self.held[number]
