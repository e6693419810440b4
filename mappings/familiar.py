"""What JSONata means where a payload has its usual shape; `Unsure` wherever it has not.

Generated code (`mappings.translation`) calls these. They agree with the evaluator for whatever they
give, and give nothing they might disagree on: then the evaluator itself decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final


class Unsure(Exception):
    """The payload is not of a usual shape here: the evaluator must decide."""


class _Missing:
    """JSONata's "nothing", which is not null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()
_SAFE: Final = 2**53 - 1
_ADDABLE: Final = 2**40
"""Integers up to here can be added by the thousand and stay exact in a double."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_SPACES: Final = re.compile(r"[ \t\n\r]+")
_SCALARS: Final = (str, int, bool, type(None))


def listed(value: Any) -> Iterable[Any]:
    """The contexts a value stands for."""
    if value.__class__ is list:
        return value
    return () if value is MISSING else (value,)


def member(context: Any, name: str) -> Any:
    """A member of one context that is no object."""
    if context.__class__ is dict:
        return context.get(name, MISSING)
    if context.__class__ is list:
        raise Unsure
    return MISSING


def mapped(contexts: Any, name: str) -> Any:
    """A member of every context, one result bare. For anything that is no object."""
    if contexts.__class__ is not list:
        return MISSING
    found: list[Any] = []
    for context in contexts:
        value = member(context, name)
        if value is not MISSING:
            found.append(value)
    return as_path(found)


def mapped_or_none(contexts: Any, name: str) -> Any:
    """As `mapped`, null for nothing."""
    value = mapped(contexts, name)
    return None if value is MISSING else value


def bare(found: list[Any]) -> Any:
    """A sequence as a value: nothing, the one item, or the list."""
    if not found:
        return MISSING
    return found[0] if len(found) == 1 else found


def as_path(found: list[Any]) -> Any:
    """What the last step gave for each context as the path's value; a lone list stays a list."""
    if len(found) < 2:
        return found[0] if found else MISSING
    items: list[Any] = []
    for value in found:
        flat(items, value)
    return bare(items)


def flat(found: list[Any], value: Any) -> None:
    """Adds a value's items to a sequence."""
    if value.__class__ is list:
        found.extend(value)
    elif value is not MISSING:
        found.append(value)


def at(value: Any, index: int) -> Any:
    """The item at an index, from the end where it is negative."""
    if value.__class__ is list:
        return value[index] if -len(value) <= index < len(value) else MISSING
    return value if index in (0, -1) else MISSING


def members(context: Any) -> list[Any]:
    """Every member's value, lists by their items."""
    if context.__class__ is not dict:
        if context is MISSING or context is None:
            return []
        raise Unsure
    found: list[Any] = []
    for value in context.values():
        if value.__class__ is list:
            for item in value:
                if item.__class__ is list:
                    raise Unsure
            found.extend(value)
        else:
            found.append(value)
    return found


def holds(value: Any) -> bool:
    """A list as a condition."""
    for item in value:
        if item.__class__ is list:
            raise Unsure
    return any(item for item in value)


def selects(value: Any) -> bool:
    """A filter's result as a condition; a number would be an index."""
    if value.__class__ is int or value.__class__ is list:
        raise Unsure
    return value is not MISSING and bool(value)


def equal(left: Any, right: Any) -> bool:
    """`=`; false where either is missing."""
    if left is MISSING or right is MISSING:
        return False
    if left.__class__ not in _SCALARS or right.__class__ not in _SCALARS:
        raise Unsure
    return left.__class__ is right.__class__ and left == right


def differs(left: Any, right: Any) -> bool:
    """`!=`; false where either is missing, too."""
    return left is not MISSING and right is not MISSING and not equal(left, right)


def compared(left: Any, right: Any) -> int | None:
    """Below, at or above zero; None where either is missing."""
    if left is MISSING or right is MISSING:
        if left.__class__ in (int, str, _Missing) and right.__class__ in (int, str, _Missing):
            return None
        raise Unsure
    if left.__class__ is not right.__class__ or left.__class__ not in (int, str):
        raise Unsure
    if left.__class__ is str and not (left.isascii() and right.isascii()):
        raise Unsure
    return int(left > right) - int(left < right)


def within(value: Any, choices: Any) -> bool:
    """`in`."""
    if value is MISSING or choices is MISSING:
        return False
    if value.__class__ not in _SCALARS:
        raise Unsure
    return any(equal(value, choice) for choice in listed(choices))


def _no_number(*values: Any) -> Any:
    if any(value.__class__ not in (int, _Missing) for value in values):
        raise Unsure
    return MISSING


def _safe(value: int) -> int:
    if not -_SAFE <= value <= _SAFE:
        raise Unsure
    return value


def plus(left: Any, right: Any) -> Any:
    """`+`."""
    if left.__class__ is int and right.__class__ is int:
        return _safe(left + right)
    return _no_number(left, right)


def minus(left: Any, right: Any) -> Any:
    """`-`."""
    if left.__class__ is int and right.__class__ is int:
        return _safe(left - right)
    return _no_number(left, right)


def times(left: Any, right: Any) -> Any:
    """`*`."""
    if left.__class__ is int and right.__class__ is int:
        return _safe(left * right)
    return _no_number(left, right)


def joined_text(left: Any, right: Any) -> str:
    """`&`."""
    return ("" if left is MISSING else string(left)) + ("" if right is MISSING else string(right))


def string(value: Any = MISSING) -> Any:
    """`$string`."""
    if value.__class__ is str or value is MISSING:
        return value
    if value.__class__ is int:
        return str(value)
    if value is None:
        return "null"
    if value.__class__ is bool:
        return "true" if value else "false"
    raise Unsure


def _texts(value: Any, *, ascii_only: bool = False) -> bool:
    """True for text, false for nothing."""
    if value is MISSING:
        return False
    if value.__class__ is not str or (ascii_only and not value.isascii()):
        raise Unsure
    return True


def substring(value: Any, start: Any, length: Any) -> Any:
    """`$substring` from a place that is not counted from the end."""
    if start.__class__ is not int or length.__class__ is not int or start < 0 or length < 0:
        raise Unsure
    return value[start : start + length] if _texts(value) else MISSING


def split(value: Any, separator: Any) -> Any:
    """`$split` by a text."""
    if separator.__class__ is not str or not separator:
        raise Unsure
    return value.split(separator) if _texts(value) else MISSING


def trim(value: Any) -> Any:
    """`$trim`: runs of white space become one blank, and none is left at the ends."""
    if not _texts(value):
        return MISSING
    if not value.isprintable() or (not value.isascii() and any(char.isspace() and char != " " for char in value)):
        raise Unsure
    return _SPACES.sub(" ", value).strip(" ") if "  " in value else value.strip(" ")


def join(values: Any, separator: Any = "") -> Any:
    """`$join`."""
    if separator.__class__ is not str:
        raise Unsure
    if values is MISSING:
        return MISSING
    if any(value.__class__ is not str for value in listed(values)):
        raise Unsure
    return separator.join(listed(values))


def to_millis(value: Any) -> Any:
    """`$toMillis` of an instant written out in full."""
    if not _texts(value):
        return MISSING
    if _INSTANT.fullmatch(value) is None:
        raise Unsure
    try:
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Unsure from None


def kind(value: Any) -> Any:
    """`$type`."""
    return MISSING if value is MISSING else _KINDS[value.__class__]


_KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {str: "string", int: "number", bool: "boolean", list: "array", dict: "object", type(None): "null"}
)


def lookup(value: Any, key: Any) -> Any:
    """`$lookup` in one object."""
    if not _texts(key) or value is MISSING:
        return MISSING
    if value.__class__ is not dict:
        raise Unsure
    return value.get(key, MISSING)


def append(left: Any, right: Any) -> Any:
    """`$append`."""
    if left is MISSING:
        return right
    return left if right is MISSING else [*listed(left), *listed(right)]


def distinct(value: Any) -> Any:
    """`$distinct` of texts."""
    if value.__class__ is not list:
        return value
    if any(item.__class__ is not str for item in value):
        raise Unsure
    return list(dict.fromkeys(value))


def reverse(value: Any) -> Any:
    """`$reverse` of a list."""
    if value is MISSING:
        return MISSING
    if value.__class__ is not list:
        raise Unsure
    return value[::-1]


def sort(value: Any) -> Any:
    """`$sort` of plain texts."""
    if value is MISSING:
        return MISSING
    found = list(listed(value))
    if any(item.__class__ is not str or not item.isascii() for item in found):
        raise Unsure
    return sorted(found)


def count(value: Any) -> int:
    """`$count`."""
    if value is MISSING:
        return 0
    return len(value) if value.__class__ is list else 1


def _numbers(value: Any) -> list[int]:
    found = value if value.__class__ is list else list(listed(value))
    for item in found:
        if item.__class__ is not int or not -_ADDABLE < item < _ADDABLE:
            raise Unsure
    return found


def total(value: Any) -> Any:
    """`$sum`."""
    return MISSING if value is MISSING else sum(_numbers(value))


def maximum(value: Any) -> Any:
    """`$max`."""
    found = _numbers(value)
    return max(found) if found else MISSING


def minimum(value: Any) -> Any:
    """`$min`."""
    found = _numbers(value)
    return min(found) if found else MISSING


def refuse(_: Any) -> Any:
    """`$error`: the evaluator says it, and where."""
    raise Unsure


def substring_after(value: Any, mark: Any) -> Any:
    """`$substringAfter`; the whole text where the mark is not in it."""
    if mark.__class__ is not str or not mark:
        raise Unsure
    if not _texts(value):
        return MISSING
    return value.partition(mark)[2] if mark in value else value


def substring_before(value: Any, mark: Any) -> Any:
    """`$substringBefore`; the whole text where the mark is not in it."""
    if mark.__class__ is not str or not mark:
        raise Unsure
    return value.partition(mark)[0] if _texts(value) else MISSING


def contains(value: Any, part: Any) -> Any:
    """`$contains` of a text."""
    if part.__class__ is not str:
        raise Unsure
    return part in value if _texts(value) else MISSING


def uppercase(value: Any) -> Any:
    """`$uppercase`."""
    return value.upper() if _texts(value, ascii_only=True) else MISSING


def lowercase(value: Any) -> Any:
    """`$lowercase`."""
    return value.lower() if _texts(value, ascii_only=True) else MISSING


CALLS: Final[Mapping[str, tuple[Callable[..., Any], int]]] = MappingProxyType(
    {
        "string": (string, 1),
        "substring": (substring, 3),
        "substringAfter": (substring_after, 2),
        "substringBefore": (substring_before, 2),
        "error": (refuse, 1),
        "split": (split, 2),
        "trim": (trim, 1),
        "join": (join, 2),
        "toMillis": (to_millis, 1),
        "type": (kind, 1),
        "lookup": (lookup, 2),
        "append": (append, 2),
        "distinct": (distinct, 1),
        "sort": (sort, 1),
        "reverse": (reverse, 1),
        "count": (count, 1),
        "sum": (total, 1),
        "max": (maximum, 1),
        "min": (minimum, 1),
        "contains": (contains, 2),
        "uppercase": (uppercase, 1),
        "lowercase": (lowercase, 1),
    }
)
"""JSONata's functions by name, and with how many arguments they are familiar."""

WRITTEN: Final = (
    "MISSING", "Unsure", "as_path", "at", "bare", "compared", "differs", "equal", "holds", "joined_text", "mapped",
    "mapped_or_none", "members", "minus", "plus", "selects", "times", "within",
)  # fmt: skip
"""What generated statements name."""
