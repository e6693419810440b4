"""An id names one thing for ever: equal keys give equal ids, different keys different ones, and ids sort by time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from canonical import DOCUMENT_TYPES, PREFIXES, document_id
from canonical.scalars import DocumentId

keys = st.lists(st.none() | st.text(max_size=6), min_size=1, max_size=4).map(tuple)
times = st.integers(0, 2**48 - 1)


def test_an_id_is_pinned() -> None:
    """The form is stored in databases and must not change."""
    assert document_id("order", 1763659380000, "shop-us", "order", "5550001") == "ord_01KAH4MX90ZTTE0PTC3GK39QVF"


@given(time=times, one=keys, other=keys)
def test_keys_decide(time: int, one: tuple[str | None, ...], other: tuple[str | None, ...]) -> None:
    """Same key same id; any difference, also in where the parts are cut, another id."""
    assert document_id("order", time, *one) == document_id("order", time, *one)
    assert (document_id("order", time, *one) == document_id("order", time, *other)) == (one == other)


@given(one=times, other=times)
def test_ids_sort_by_time(one: int, other: int) -> None:
    """Text order is time order."""
    first, second = (document_id("refund", at, "a", str(at)) for at in (one, other))
    assert (first < second) == (one < other)


@pytest.mark.parametrize("name", DOCUMENT_TYPES)
def test_every_type_has_its_own_prefix(name: str) -> None:
    """Prefixes are unique, and the id is one the models accept."""
    assert list(PREFIXES.values()).count(PREFIXES[name]) == 1
    assert TypeAdapter(DocumentId).validate_python(document_id(name, 1, "x")).startswith(PREFIXES[name] + "_")
    assert document_id(name, 1, "x").partition("_")[2] != document_id("order", 1, "x", "").partition("_")[2]


@pytest.mark.parametrize(
    ("type_", "at_ms", "key"),
    [("orders", 1, ("x",)), ("order", -1, ("x",)), ("order", 2**48, ("x",)), ("order", 1, ())],
)
def test_bad_input_is_refused(type_: str, at_ms: int, key: tuple[str, ...]) -> None:
    """An unknown type, a time out of range or no key is an error."""
    with pytest.raises(ValueError, match=r"type|at_ms|key"):
        document_id(type_, at_ms, *key)
