"""MIME entities as the exact bytes that get signed, hashed and cut apart; nothing is ever re-folded or re-encoded.

Source: RFC 2045 and RFC 2046 section 5.1 (1996-11); RFC 1847 for multipart/signed (1995-10).
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Final

Headers = Sequence[tuple[str, str]]
HEADER_BYTES_MAX: Final = 64 * 1024
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")


class MimeBroken(ValueError):
    """Bytes that are no MIME entity; says what is missing."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Headers and body, and both together as they were received or will be sent.

    `raw` is what a signature covers. For a message from HTTP there are no such bytes: its headers
    came with the request, so `raw` is then its body alone.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Entity:
        """Raises: MimeBroken: No end of the headers within 64 KB."""
        if raw[:2] == b"\r\n" or raw[:1] == b"\n":
            return cls((), raw[2:] if raw[:1] == b"\r" else raw[1:], raw)
        end = _HEADER_END.search(raw, 0, HEADER_BYTES_MAX)
        if end is None:
            raise MimeBroken("the headers of a MIME part have no end")
        return cls(tuple(_headers(raw[: end.start()])), raw[end.end() :], raw)

    @classmethod
    def build(cls, headers: Headers, body: bytes) -> Entity:
        lines = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in headers)
        return cls(tuple(headers), body, lines.encode("utf-8", "surrogateescape") + b"\r\n" + body)

    def get(self, name: str) -> str:
        """A header's value, empty when absent; of several the first."""
        lowered = name.lower()
        return next((value for key, value in self.headers if key.lower() == lowered), "")

    @property
    def content_type(self) -> str:
        """Lower case, without parameters. What has no header is plain text by RFC 2045."""
        return (self.get("content-type").partition(";")[0].strip() or "text/plain").lower()

    def parameter(self, name: str, header: str = "content-type") -> str:
        """A parameter of a header, quotes and RFC 2231 resolved; empty when absent."""
        message = Message()
        message[header] = _one_line(self.get(header))
        found = message.get_param(name, "", header)
        return collapse_rfc2231_value(found) if found else ""

    def file_name(self) -> str:
        """What the sender calls the file, its folders cut off; empty when it does not say."""
        named = self.parameter("filename", "content-disposition") or self.parameter("name")
        return re.split(r"[/\\]", named)[-1]

    def content(self) -> bytes:
        """The body with its transfer encoding undone.

        Raises:
            MimeBroken: An unknown encoding, or bytes that are not what it says.
        """
        encoding = self.get("content-transfer-encoding").strip().lower()
        if encoding in {"", "binary", "7bit", "8bit"}:
            return self.body
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        if encoding != "base64":
            raise MimeBroken(f"the transfer encoding {encoding!r} is unknown")
        try:
            return base64.b64decode(re.sub(rb"\s", b"", self.body), validate=True)
        except binascii.Error as error:
            raise MimeBroken("a part says base64 and is not") from error

    def parts(self) -> list[Entity]:
        """The parts of a multipart, each with its exact bytes: the line break before a boundary is the boundary's.

        Raises:
            MimeBroken: No boundary, or not one part between two of them.
        """
        boundary = self.parameter("boundary")
        if not boundary:
            raise MimeBroken("a multipart without a boundary")
        line = re.compile(
            rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("utf-8", "surrogateescape")) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
        )
        found = []
        start: int | None = None
        for match in line.finditer(self.body):
            if start is not None:
                found.append(Entity.parse(self.body[start : match.start()]))
            if match.group(1):
                break
            start = match.end() + (2 if self.body[match.end() : match.end() + 2] == b"\r\n" else 1)
        if not found:
            raise MimeBroken("a multipart without parts")
        return found


def multipart(subtype: str, parameters: Mapping[str, str], boundary: str, parts: Sequence[Entity]) -> Entity:
    """`boundary` must occur in no part: take one with enough chance in it."""
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + b"\r\n" + part.raw + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    text = "".join(f'; {name}="{value}"' for name, value in parameters.items())
    return Entity.build([("Content-Type", f'multipart/{subtype}{text}; boundary="{boundary}"')], body)


def base64_lines(content: bytes) -> bytes:
    """Lines of 76 signs, CRLF, none at the end: the boundary brings its own."""
    text = base64.b64encode(content)
    return b"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))


def canonical(raw: bytes) -> bytes:
    """Every line break as CRLF."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", raw)


def _headers(block: bytes) -> list[tuple[str, str]]:
    found = []
    for line in re.split(r"\r?\n", _FOLD.sub(" ", block.decode("utf-8", "surrogateescape"))):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise MimeBroken("a header line of a MIME part has no name")
        found.append((name.strip(), value.strip()))
    return found


def _one_line(value: str) -> str:
    return re.sub(r"[\r\n]+[ \t]*", " ", value)
