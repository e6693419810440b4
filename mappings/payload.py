"""Bytes to exact values.

What reaches an expression is what the bytes say: decimals arrive as their own text, integers that a
double cannot hold as text too, and anything that is not plain JSON is refused with its reason.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import orjson

from canonical.errors import MappingError

DEPTH_MAX: Final = 64
_SAFE: Final = 2**53 - 1
_STRUCTURE: Final = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'":[]{}')
_BOM: Final = b"\xef\xbb\xbf"

_decoder: Final = msgspec.json.Decoder(float_hook=str)


def decode(payload: bytes) -> Any:
    """The payload's value: decimals as text, integers beyond 2^53 - 1 as text, the rest as JSON has it.

    Raises:
        MappingError: With code `bad_json` (not UTF-8, not JSON, a byte order mark, a name twice in
            one object) or `too_deep` (more than 64 levels).
    """
    value = _parsed(payload)
    signs = payload.translate(_STRUCTURE, _NOT_STRUCTURE)
    quotes = signs.translate(None, b":")
    brackets = quotes.translate(None, b'"')
    # A text that may hold a bracket: its two quotes do not meet once all else is taken away.
    met = 2 * quotes.count(b'""') == len(quotes) - len(brackets)
    escapes = b"\\" in payload
    _check_depth(value, brackets, spoilt=not met or (escapes and b'\\"' in payload))
    value, again = _written_again(value)
    # A name given twice loses one value without a trace. A lost name takes its colon with it, so only
    # where colons are missing, or one may be written as an escape, the slow and exact look is taken.
    if again.count(b":") != len(signs) - len(quotes) or (escapes and b"\\u003" in payload):
        json.loads(payload, object_pairs_hook=_unique_names, parse_int=str, parse_float=str)
    return value


def _parsed(payload: bytes) -> Any:
    try:
        return _decoder.decode(payload)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise _bad("the payload is not UTF-8") from None
    except msgspec.MsgspecError as problem:
        if not payload.strip():
            raise _bad("the payload is empty") from None
        if payload.startswith(_BOM):
            raise _bad("the payload starts with a byte order mark; JSON has none") from None
        if payload.lstrip()[:1] == b"<":
            raise _bad("the payload is XML or HTML; JSON is read here") from None
        raise _bad(f"the payload is not JSON: {problem}") from None


def _check_depth(value: Any, brackets: bytes, *, spoilt: bool) -> None:
    """Peels one level of brackets at a time; where brackets inside texts spoil that, the value is walked.

    Once few brackets are left, what is left cannot be too deep. With brackets in texts that holds only before
    any was peeled: a text's bracket may have been taken for the other half of a real one.
    """
    for peels in range(DEPTH_MAX):
        if len(brackets) <= DEPTH_MAX - peels:
            if spoilt and peels:
                break
            return
        peeled = brackets.replace(b"[]", b"")
        if peeled == brackets:
            break
        brackets = peeled
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    if level:
        raise _too_deep()


def _with_large_integers_as_text(value: Any) -> Any:
    """Replaces in place; the depth has been checked before."""
    kind = value.__class__
    if kind is int:
        return value if -_SAFE <= value <= _SAFE else str(value)
    if kind is dict:
        for name, item in value.items():
            value[name] = _with_large_integers_as_text(item)
    elif kind is list:
        value[:] = [_with_large_integers_as_text(item) for item in value]
    return value


def _written_again(value: Any) -> tuple[Any, bytes]:
    """The value with exact integers only, and as JSON. Writing it is the cheapest way to find large ones."""
    try:
        return value, orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        value = _with_large_integers_as_text(value)
    try:
        return value, orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise _too_deep() from None


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _bad(f"an object names {twice[:60]!r} twice")
    return found


def _bad(message: str) -> MappingError:
    return MappingError(message, code="bad_json")


def _too_deep() -> MappingError:
    return MappingError(f"the payload is nested deeper than {DEPTH_MAX} levels", code="too_deep")
