"""XML feeds are well formed whatever they carry, and reports are read without believing them more than needed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from connectors.amazon import cancelling, refunding, xmlfeeds
from connectors.amazon.xmlfeeds import NotAReport, read_report
from connectors.sdk.errors import Rejected
from tests.support.amazon_seller import ORDER, xml_report
from tests.support.amazon_wire import order

LINES = [{"orderItemId": "101"}, {"orderItemId": "102"}]


def test_a_cancellation_names_order_and_lines() -> None:
    """Golden document: status Failure, a reason per item, elements in the schema's order."""
    written = cancelling.document(ORDER, "A3SELLEREXMPL", LINES, "NoInventory")
    assert written.decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">'
        "<Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>A3SELLEREXMPL</MerchantIdentifier></Header>"
        "<MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID><OrderAcknowledgement>"
        f"<AmazonOrderID>{ORDER}</AmazonOrderID><StatusCode>Failure</StatusCode>"
        "<Item><AmazonOrderItemCode>101</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item>"
        "<Item><AmazonOrderItemCode>102</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item>"
        "</OrderAcknowledgement></Message></AmazonEnvelope>"
    )


def test_a_refund_names_amounts_to_the_digit() -> None:
    """Golden document: components with currency, digits as given, units that never left cancelled with them."""
    refund = {
        "lines": [
            {
                "line_id": "101",
                "quantity": 1,
                "amount": {"amount": "10.50", "currency": "USD"},
                "tax": {"amount": "0.84", "currency": "USD"},
            }
        ],
        "amounts": {"shipping": {"amount": "3", "currency": "USD"}, "total": {"amount": "14.34", "currency": "USD"}},
        "reason": "defective",
    }
    made = refunding.plan(order(ORDER), refund)
    root = ET.fromstring(refunding.document(ORDER, "A3SELLEREXMPL", made, "key-1"))
    item = root.find("Message/OrderAdjustment/AdjustedItem")
    assert item is not None
    assert [child.tag for child in item] == [
        "AmazonOrderItemCode",
        "MerchantAdjustmentItemID",
        "AdjustmentReason",
        "ItemPriceAdjustments",
        "QuantityCancelled",
    ]
    assert item.findtext("AdjustmentReason") == "CustomerReturn"
    assert item.findtext("QuantityCancelled") == "1"
    told = [(row.findtext("Type"), row.findtext("Amount")) for row in item.iter("Component")]
    assert told == [("Principal", "10.50"), ("Tax", "0.84"), ("Shipping", "3")]
    assert {row.get("currency") for row in item.iter("Amount")} == {"USD"}


def test_text_is_escaped_and_control_characters_are_refused() -> None:
    """Markup in a value stays text; what no XML may hold is named before Amazon sees it."""
    written = cancelling.document("1<2&3>\"'ü", "S&S", LINES[:1], "NoInventory")
    root = ET.fromstring(written)
    assert root.findtext("Message/OrderAcknowledgement/AmazonOrderID") == "1<2&3>\"'ü"
    assert root.findtext("Header/MerchantIdentifier") == "S&S"
    with pytest.raises(Rejected):
        cancelling.document("1\x00", "S", LINES, "NoInventory")


def test_a_report_tells_errors_and_counts() -> None:
    """Errors with code, text and order; warnings are no errors; the count of successful messages."""
    report = read_report(xml_report(("18021", "Too many units\n   were asked for."), successful=0))
    (problem,) = report.problems
    assert (problem.code, problem.text, problem.order) == ("18021", "Too many units were asked for.", ORDER)
    assert report.successful == 0
    warned = xml_report(("1", "careful")).replace(b"<ResultCode>Error", b"<ResultCode>Warning")
    assert read_report(warned).problems == []


def test_a_problem_is_told_of_its_own_order() -> None:
    """Another order's error is not ours; one that names no order is everybody's."""
    report = read_report(xml_report(("1", "no"), order_id="701-9999999-9999999"))
    assert report.problem_with(ORDER) is None
    unnamed = read_report(xml_report(("5000", "XML Parsing Error at Line 1")).replace(ORDER.encode(), b""))
    assert unnamed.problem_with(ORDER) is not None
    in_words = read_report(xml_report(("18021", f"order id ({ORDER}) was shipped"), order_id=""))
    assert in_words.problem_with(ORDER) is not None


def test_reports_of_other_forms_are_read_by_their_names() -> None:
    """The root differs between feed types; a byte-order mark and a name space hinder nothing."""
    other = b"\xef\xbb\xbf<EasyReport xmlns='urn:x'><MessagesSuccessful>1</MessagesSuccessful></EasyReport>"
    assert read_report(other) == xmlfeeds.XmlReport([], 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<a/>",
        b"<a><b></a>",
        b"\xff\xfe<\x00a\x00",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a><StatusCode>Complete</StatusCode>&b;</a>',
        b"<a>" + b"x" * (xmlfeeds.REPORT_BYTES_MAX + 1) + b"</a>",
    ],
)
def test_what_is_no_report_or_not_safe_is_refused(content: bytes) -> None:
    """Entities are bombs, an empty document proves nothing."""
    with pytest.raises(NotAReport):
        read_report(content)
