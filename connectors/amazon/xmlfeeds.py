"""The XML of order feeds: envelopes written by the standard library, reports read with limits.

Source: amzn-envelope.xsd, OrderAcknowledgement.xsd, OrderAdjustment.xsd, ProcessingReport.xsd (release 1.9);
developer-docs.amazon.com/sp-api "feed type values" (read 2026-11): these two XML feeds are still taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from connectors.sdk import xml
from connectors.sdk.errors import Rejected

ACKNOWLEDGEMENT: Final = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADJUSTMENT: Final = "POST_PAYMENT_ADJUSTMENT_DATA"
CONTENT_TYPE: Final = "text/xml; charset=UTF-8"
REPORT_BYTES_MAX: Final = 8 * 1024 * 1024
_SCHEMA_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotAReport(ValueError):
    """The bytes are no processing report we read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused message. `order` is the Amazon order id where the report gives one."""

    message_id: str
    code: str
    text: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class XmlReport:
    """`successful` is None when the report gives no count."""

    problems: Sequence[Problem]
    successful: int | None

    def problem_with(self, order_id: str) -> Problem | None:
        """The refusal that concerns an order: one that names it, or names no order at all."""
        own = [each for each in self.problems if each.order == order_id or order_id in each.text]
        return next(iter(own), None) or next((each for each in self.problems if not each.order), None)


def envelope(message_type: str, seller_id: str, content: ET.Element) -> bytes:
    """A document of one message, number 1."""
    root = ET.Element("AmazonEnvelope", {_SCHEMA_LOCATION: "amzn-envelope.xsd"})
    header = ET.SubElement(root, "Header")
    leaf(header, "DocumentVersion", "1.01")
    leaf(header, "MerchantIdentifier", seller_id)
    leaf(root, "MessageType", message_type)
    message = ET.SubElement(root, "Message")
    leaf(message, "MessageID", "1")
    message.append(content)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def leaf(parent: ET.Element, name: str, text: str, **attributes: str) -> ET.Element:
    """An element with text, escaped when it is written.

    Raises:
        Rejected: The text holds a character no XML document may hold.
    """
    if _ILLEGAL.search(text):
        raise Rejected(f"{name} holds a character that XML does not allow", code="bad_text")
    made = ET.SubElement(parent, name, attributes)
    made.text = text
    return made


def read_report(content: bytes) -> XmlReport:
    """A processing report; warnings refuse nothing and are left out.

    Raises:
        NotAReport: No XML, too large, not UTF-8, with a document type, or without results and counts.
    """
    root = _parse(content)
    results = [_problem(node) for node in _named(root, "Result") if _text(node, "ResultCode").lower() == "error"]
    count = _text(root, "MessagesSuccessful")
    if not results and not count.isdigit() and not _text(root, "StatusCode"):
        raise NotAReport("the document has neither results nor counts")
    return XmlReport(results, int(count) if count.isdigit() else None)


def _problem(node: ET.Element) -> Problem:
    return Problem(
        message_id=_text(node, "MessageID"),
        code=_text(node, "ResultMessageCode"),
        text=" ".join(_text(node, "ResultDescription").split()),
        order=_text(node, "AmazonOrderID"),
    )


def _parse(content: bytes) -> ET.Element:
    try:
        return xml.parse(content, bytes_max=REPORT_BYTES_MAX)
    except xml.NotXml as error:
        raise NotAReport(str(error)) from error


def _named(node: ET.Element, name: str) -> Iterator[ET.Element]:
    return (each for each in node.iter() if isinstance(each.tag, str) and each.tag.rpartition("}")[2] == name)


def _text(node: ET.Element, name: str) -> str:
    """The text of the first element of that name at any depth, "" when there is none."""
    found = next(_named(node, name), None)
    return (found.text or "").strip() if found is not None else ""
