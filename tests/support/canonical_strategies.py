"""Hypothesis strategies for canonical documents, read off the models themselves.

A field of a new type without a strategy is an error here, so no field escapes the round trip.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import BaseModel

from canonical import Address
from canonical import scalars as s
from canonical.values import PostalAddress

_PRINTABLE = st.characters(exclude_categories=("Cs",))
_DECIMALS = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,12})?", fullmatch=True).filter(str.isascii)
_INSTANTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
_DATES = st.dates(min_value=date(1970, 1, 1), max_value=date(2999, 12, 31))
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(_PRINTABLE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(_PRINTABLE, max_size=5), inner, max_size=3),
    max_leaves=5,
)
_SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (
        s.Text,
        st.text(_PRINTABLE, min_size=1, max_size=12).filter(lambda text: bool(text.strip()) and not text.isspace()),
    ),
    (s.FreeText, st.text(_PRINTABLE, max_size=12)),
    (s.Currency, st.from_regex(r"[A-Z]{3}", fullmatch=True)),
    (s.Country, st.from_regex(r"[A-Z]{2}", fullmatch=True)),
    (s.Code, st.from_regex(r"[a-z0-9][a-z0-9_]{0,8}", fullmatch=True)),
    (s.DocumentId, st.from_regex(r"[a-z]{2,4}_[0-9A-Z]{26}", fullmatch=True)),
    (s.LocalTime, st.sampled_from(["2026-06-19", "2026-06-19T08:15", "2026-06-19T08:15:30"])),
    (s.UtcOffset, st.sampled_from(["+00:00", "-05:00", "+05:30"])),
    (s.Flag, st.booleans()),
    (s.Quantity, st.integers(0, s.QUANTITY_MAX)),
    (s.SignedQuantity, st.integers(-s.QUANTITY_MAX, s.QUANTITY_MAX)),
    (s.DecimalText, _DECIMALS),
    (s.Instant, _INSTANTS),
    (s.Date, _DATES),
    (s.DateOrInstant, _INSTANTS | _DATES),
    (s.Measured, st.integers(0, s.QUANTITY_MAX) | _DECIMALS),
    (s.SignedMeasured, st.integers(-s.QUANTITY_MAX, s.QUANTITY_MAX) | _DECIMALS),
    (s.Attributes, st.dictionaries(st.text(_PRINTABLE, min_size=1, max_size=8), _JSON, max_size=2)),
]


def strategy_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Inputs that an annotation of a canonical model accepts."""
    if annotation == PostalAddress:
        return st.none() | fields_of(Address)
    for known, strategy in _SCALARS:
        if annotation == known:
            return strategy
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return strategy_of(arguments[0])
    if origin in (Union, UnionType):
        return st.one_of(*(st.none() if part is NoneType else strategy_of(part) for part in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(strategy_of(arguments[0]), max_size=2).map(tuple)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return fields_of(annotation)
    raise AssertionError(f"no strategy for {annotation!r}")


@cache
def fields_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Keyword arguments of a model; a measured line always states its unit."""
    hints = get_type_hints(model, include_extras=True)
    parts = {name: strategy_of(hints[name]) for name in model.model_fields}
    if "uom" in parts:
        parts["uom"] = strategy_of(s.Text)
    return st.fixed_dictionaries(parts)
