"""The XML of the Trading API: requests written with escapes, answers read with limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connectors.sdk import xml
from connectors.sdk.xml import NotXml, local_name

__all__ = ["NotXml", "children", "parse", "request", "text"]

NAMESPACE: Final = "urn:ebay:apis:eBLBaseComponents"
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024

Content = str | Mapping[str, "Content"] | Sequence["Content"]


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
    return xml.parse(body, bytes_max=ANSWER_BYTES_MAX)


def children(node: ET.Element, *path: str) -> Iterator[ET.Element]:
    """Every element at a path of local names below `node`."""
    if not path:
        yield node
        return
    for child in node:
        if local_name(child) == path[0]:
            yield from children(child, *path[1:])


def text(node: ET.Element, *path: str) -> str:
    """The text at a path, "" when there is none."""
    found = next(children(node, *path), None)
    return (found.text or "").strip() if found is not None else ""
