"""The XML of the Trading API: requests written with escapes, answers read with limits.

An answer with a document type is not parsed: its entities can be bombs. The text is decoded before it
is looked at, so that another encoding cannot hide one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

NAMESPACE: Final = "urn:ebay:apis:eBLBaseComponents"
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024

Content = str | Mapping[str, "Content"] | Sequence["Content"]


class NotXml(ValueError):
    """The bytes are no XML document we read."""


def request(call: str, content: Mapping[str, Content]) -> bytes:
    """The body of one call: `<ReviseInventoryStatusRequest xmlns="…">…</…>`; a list repeats its element."""
    root = f"{call}Request"
    inner = "".join(_element(name, value) for name, value in content.items())
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>'.encode()


def _element(name: str, value: Content) -> str:
    if isinstance(value, str):
        return f"<{name}>{escape(value)}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(key, each) for key, each in value.items())}</{name}>"
    return "".join(_element(name, each) for each in value)


def parse(body: bytes) -> ET.Element:
    """The root of an answer.

    Raises:
        NotXml: No XML, too large, not UTF-8, or with a document type.
    """
    if len(body) > ANSWER_BYTES_MAX:
        raise NotXml("the document is too large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotXml("the document is not UTF-8") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotXml("the document has a document type")
    try:
        return ET.fromstring(text)  # noqa: S314  # bounded above, document types refused
    except (ET.ParseError, ValueError) as error:
        raise NotXml("the document does not parse") from error


def children(node: ET.Element, *path: str) -> Iterator[ET.Element]:
    """Every element at a path of local names below `node`."""
    if not path:
        yield node
        return
    for child in node:
        if child.tag.rpartition("}")[2] == path[0]:
            yield from children(child, *path[1:])


def text(node: ET.Element, *path: str) -> str:
    """The text at a path, "" when there is none."""
    found = next(children(node, *path), None)
    return (found.text or "").strip() if found is not None else ""
