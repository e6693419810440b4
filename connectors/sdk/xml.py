"""XML from outside, read with limits.

A document with a document type is not parsed: its entities can be bombs. The text is decoded before
it is looked at, so that another encoding cannot hide one.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET


class NotXml(ValueError):
    """The bytes are no XML document we read."""


def parse(body: bytes, *, bytes_max: int) -> ET.Element:
    """The root of a document.

    Raises:
        NotXml: No XML, too large, not UTF-8, or with a document type.
    """
    if len(body) > bytes_max:
        raise NotXml("the document is too large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotXml("the document is not UTF-8") from error
    # UTF-16 without its mark decodes too, a zero beside every letter, and the parser would recognise it.
    if "\0" in text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotXml("the document has a document type, or another encoding that may hide one")
    try:
        return ET.fromstring(text)  # noqa: S314  # bounded above, document types refused
    except (ET.ParseError, ValueError) as error:
        raise NotXml("the document does not parse") from error


def local_name(node: ET.Element) -> str:
    """The element's name without its namespace."""
    return node.tag.rpartition("}")[2]
