"""What vendors write is read one way in every connector, and nonsense never breaks a reader."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sdk import xml
from connectors.sdk.addressing import order_of
from connectors.sdk.contract import Effect, JsonObject
from connectors.sdk.errors import Rejected
from connectors.sdk.instants import from_epoch, read_instant, write_millis
from connectors.sdk.ports import Secret
from connectors.sdk.queries import encoded
from connectors.sdk.sections import choice, refuse_unknown, required, text
from connectors.sdk.whole import whole

NOON = datetime(2026, 1, 5, 12, 0, 0, 511_999, tzinfo=UTC)
BOMB = '<!DOCTYPE e [<!ENTITY a "boom">]><e>&a;</e>'


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-01-05T12:00:00.511999Z", NOON),
        ("2026-01-05T14:00:00.511999+02:00", NOON),
        ("2026-01-05T12:00:00.511999", NOON),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("", None),
        ("soon", None),
        (1767614400, None),
        (None, None),
    ],
)
def test_an_instant_is_aware_or_none(value: object, at: datetime | None) -> None:
    """Also where the text names a moment that UTC cannot count."""
    assert read_instant(value) == at


@settings(deadline=None)
@given(st.floats() | st.integers())
def test_no_epoch_number_breaks_reading(seconds: float) -> None:
    """A number outside the years a date can have is no instant."""
    at = from_epoch(seconds)
    assert at is None or at.tzinfo is UTC


def test_milliseconds_are_rounded_down() -> None:
    """A later mark than the instant would pass over what happened in between."""
    assert write_millis(NOON) == "2026-01-05T12:00:00.511Z"


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (12, 12), ("12", 12), (" 12 ", 12), (Decimal("12.0"), 12), ("12.", 12), ("-3", -3), ("--3", None),
        ("1.5", None), ("\u00b2", None), ("\u0661", None), (True, None), (None, None), ({}, None), ("9" * 5_000, None),
    ],
)  # fmt: skip
def test_a_count_is_whole_or_none(value: object, count: int | None) -> None:
    """Digits of other scripts and raised ones are no digits, and a fraction is no count."""
    assert whole(value) == count


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_no_encoding_hides_a_document_type(encoding: str) -> None:
    """Entities are never expanded, whatever the bytes look like."""
    with pytest.raises(xml.NotXml):
        xml.parse(BOMB.encode(encoding), bytes_max=1_000)


@pytest.mark.parametrize("body", [b"", b"<e>", b"{}", b"\xff", b"<e>" + b" " * 1_000 + b"</e>"])
def test_what_is_no_small_xml_is_refused(body: bytes) -> None:
    """Cut off, another format, another encoding, or too large."""
    with pytest.raises(xml.NotXml):
        xml.parse(body, bytes_max=1_000)


def test_names_are_read_without_their_namespace() -> None:
    """Vendors change prefixes between hosts."""
    root = xml.parse(b'\xef\xbb\xbf<n:e xmlns:n="urn:x"><n:f/></n:e>', bytes_max=1_000)
    assert [xml.local_name(node) for node in root.iter()] == ["e", "f"]


def test_every_reserved_character_of_a_query_is_escaped() -> None:
    """A SKU may hold anything."""
    assert encoded({"sku": "a/b&c={d}@ %", "limit": 5}) == "sku=a%2Fb%26c%3D%7Bd%7D%40%20%25&limit=5"


@pytest.mark.parametrize(
    ("body", "references", "order"),
    [
        ({"order": "B"}, {"order": "R"}, "R"),
        ({"type": "shipment", "order": "B", "source": {"id": "S"}}, {}, "B"),
        ({"type": "order", "source": {"id": "S"}, "number": "N"}, {}, "S"),
        ({"type": "shipment", "source": {"id": "S"}, "number": "N"}, {}, "N"),
    ],
)
def test_an_effect_names_its_order(body: JsonObject, references: dict[str, str], order: str) -> None:
    """A reference first; the source id only of a document that is the order itself."""
    assert order_of(Effect("e", "k", "k", "i", body, references)) == order


def test_an_effect_without_an_order_is_refused() -> None:
    """Nothing is sent to an order nobody named."""
    with pytest.raises(Rejected, match="no order"):
        order_of(Effect("e", "k", "k", "i", {"type": "shipment", "source": {"id": "S"}}))


def test_a_wrong_section_names_its_key() -> None:
    """The operator reads which key to mend, never a credential."""
    with pytest.raises(ValueError, match=r"options\.colour: unknown; known are color"):
        refuse_unknown("options", {"colour": 1}, {"color": ""})
    with pytest.raises(ValueError, match=r"credentials\.id: missing; it is the key"):
        required({"id": Secret("")}, "id", "key")
    with pytest.raises(ValueError, match=r"options\.mode: 'x' is not one of on, off"):
        choice({"mode": "x"}, "mode", ("on", "off"), "off")
    with pytest.raises(ValueError, match=r"options\.mode"):
        text({"mode": "  "}, "mode")
    assert text({"mode": " a "}, "mode") == "a"
    assert text({}, "mode") is None
