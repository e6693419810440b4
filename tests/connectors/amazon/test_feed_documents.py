"""A feed's document keeps the published limits, and its report is read for what it says."""

from __future__ import annotations

import json

import pytest

from connectors.amazon import feed_documents
from connectors.amazon.feed_documents import MESSAGE_ID_MAX, NotAReport, Number, message_id, read_report
from tests.support.amazon_wire import US


def numbers(count: int, *, name: str = "SKU-{}") -> list[Number]:
    return [Number(name.format(at), at, ()) for at in range(count)]


def skus(content: bytes) -> list[str]:
    return [row["sku"] for row in json.loads(content)["messages"]]


def test_message_ids_are_positive_stable_and_small_enough() -> None:
    """1 to 2^31-1, the same on any day."""
    assert message_id("LAMP/1") == message_id("LAMP/1")
    assert message_id("LAMP/1") != message_id("LAMP/2")
    assert all(1 <= message_id(f"S{at}") <= MESSAGE_ID_MAX for at in range(2_000))


def test_a_hundred_thousand_numbers_are_four_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """25,000 messages are the most of one: no document more than that, apart from unlike ids' own."""
    monkeypatch.setattr(feed_documents, "MESSAGES_MAX", 250)
    made = feed_documents.files(numbers(1_000), (US,), "SELLER", "en_US")
    assert [len(file.numbers) for file in made] == [250] * 4
    assert sorted(sku for file in made for sku in skus(file.content)) == sorted(f"SKU-{at}" for at in range(1_000))


def test_a_document_is_cut_before_ten_mebibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long SKUs fill a document before the count does; one too long for any still goes alone."""
    monkeypatch.setattr(feed_documents, "BYTES_MAX", 5_000)
    made = feed_documents.files(numbers(100, name="X" * 200 + "{}"), (US,), "SELLER", "en_US")
    assert len(made) > 1
    assert all(len(file.content) <= 5_000 for file in made)
    (alone,) = feed_documents.files(numbers(1, name="Y" * 9_000), (US,), "SELLER", "en_US")
    assert skus(alone.content) == ["Y" * 9_000]


def test_two_skus_of_one_id_never_share_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report names messages by id alone."""
    monkeypatch.setattr(feed_documents, "message_id", lambda sku: 1 if sku in {"SKU-1", "SKU-2"} else len(sku) + 7)
    made = feed_documents.files(numbers(4)[1:3], (US,), "SELLER", "en_US")
    assert [skus(file.content) for file in made] == [["SKU-1"], ["SKU-2"]]


def test_a_sku_is_written_as_json() -> None:
    """Quotes, backslashes and other alphabets survive."""
    odd = 'a"b\\c ü 商品 %/,'
    (file,) = feed_documents.files([Number(odd, 1, ())], (US,), "SELLER", "en_US")
    assert skus(file.content) == [odd]


@pytest.mark.parametrize("content", [b"", b"<xml/>", b"[]", b'{"issues": 3}', b"\xff\xfe"])
def test_what_is_no_report_is_named(content: bytes) -> None:
    """Never read as "no issues"."""
    with pytest.raises(NotAReport):
        read_report(content)


def test_odd_rows_of_a_report_break_nothing() -> None:
    """Ids as text, a severity in another case or none, rows that are no objects."""
    rows = [
        None,
        {"messageId": "7", "code": "1", "severity": "Error"},
        {"messageId": 8},
        {"messageId": 9, "severity": "INFO"},
        {"messageId": True, "code": "general"},
    ]
    report = read_report(json.dumps({"issues": rows}).encode())
    assert sorted(report.by_message) == [7, 8]
    assert [issue.code for issue in report.general] == ["general"]
    assert report.accepted is None
