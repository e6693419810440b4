"""Bytes reach expressions exactly as they say, or are refused with a reason."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import MappingError
from mappings.payload import DEPTH_MAX, decode


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("820982911946154508", "820982911946154508"),
        ("-820982911946154508", "-820982911946154508"),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("18446744073709551616", "18446744073709551616"),
        ("1.10", "1.10"),
        ("12.300", "12.300"),
        ("0.1", "0.1"),
        ("1e5", "1e5"),
        ("1E400", "1E400"),
        ("-0.0", "-0.0"),
        ("0", 0),
        ("true", True),
        ("null", None),
        ('"9007199254740993"', "9007199254740993"),
    ],
)
def test_numbers_arrive_exactly(text: str, value: Any) -> None:
    """What a double would round arrives as its own text, at the top and inside."""
    for found in (decode(text.encode()), decode(f'{{"a":[{text}]}}'.encode())["a"][0]):
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"{} {}", "not JSON"),
        (b"NaN", "not JSON"),
        (b'{"a":Infinity}', "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b'"\x01"', "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b"<orders/>", "XML"),
        (b'{"a":1,"a":2}', "names 'a' twice"),
        (b'{"a":1,"b":{"c":[{"d":1,"e":2,"d":1}]}}', "names 'd' twice"),
        (b'{"a":1,"\\u0061":"x\\u003ay"}', "names 'a' twice"),
    ],
)
def test_what_is_not_plain_json_is_refused(payload: bytes, reason: str) -> None:
    """Each kind of broken payload is refused with words that say which it is."""
    with pytest.raises(MappingError, match=reason) as refused:
        decode(payload)
    assert refused.value.code == "bad_json"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_limited(opening: bytes) -> None:
    """64 levels pass, 65 and 100,000 are refused, also where brackets in texts confuse the count."""
    closing = b"]" if opening == b"[" else b"}"
    assert decode(opening * DEPTH_MAX + b"1" + closing * DEPTH_MAX) is not None
    for depth in (DEPTH_MAX + 1, 300, 900, 100_000):
        with pytest.raises(MappingError) as refused:
            decode(opening * depth + b"1" + closing * depth)
        assert refused.value.code == "too_deep"
    decoy = b'["]","[",'
    with pytest.raises(MappingError):
        decode(decoy * 300 + b"1" + b"]" * 300)
    for closed, opened in ((b'"]"', b'"["'), (b'"\\"]\\""', b'"\\"[\\""'), (b'"}"', b'"{"')):
        with pytest.raises(MappingError):
            decode((b"[" + closed + b",") * 200 + b"1" + (b"," + opened + b"]") * 200)
    assert decode(b"[" + b'"[]",' * 300 + b"[1]]")[-1] == [1]
    assert decode(b'{"a":"[[[","b":"}}","c":[{}]}') == {"a": "[[[", "b": "}}", "c": [{}]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_json_survives_exactly(value: Any) -> None:
    """Every JSON value comes back as it was, numbers by their text where a double would not do."""
    text = json.dumps(value)
    assert _comparable(decode(text.encode())) == _comparable(json.loads(text, parse_float=str, parse_int=_integer))


def _integer(text: str) -> int | str:
    return int(text) if abs(int(text)) <= 2**53 - 1 else text


def _comparable(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_mapping_error(payload: bytes) -> None:
    """No input raises anything but `MappingError`."""
    try:
        decode(payload)
    except MappingError:
        return


def test_the_reader_used_for_comparison_does_round() -> None:
    """The control: an ordinary reader loses what `decode` keeps."""
    assert float(820982911946154508) == 820982911946154496
    assert math.isclose(json.loads("1.10"), 1.1)
    assert str(json.loads("1.10")) != "1.10"
