"""Whatever stands where a segment should, a set becomes documents or a mapping error, never a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import MappingError
from mappings import SHIPPED, MapContext, MappingSet

FIXTURES = sorted((SHIPPED / "edi" / "fixtures").glob("*.json"))
ODD = st.sampled_from(
    [None, "", " ", "x", "-1", "0.5", "99999999", [], {}, ["a", "b"], {"01": "a"}, {"01": {"02": "b"}}, [{"01": "a"}]]
)
CONTEXT = MapContext("a", "edi", datetime(2026, 11, 21, tzinfo=UTC), time_zone="UTC")


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def spoilt(value: Any, draw: Any, budget: list[int]) -> Any:
    """A few places replaced by something odd, or given twice."""
    if budget[0] > 0 and draw(st.integers(0, 11)) == 0:
        budget[0] -= 1
        return [value, value] if draw(st.booleans()) else draw(ODD)
    if isinstance(value, dict):
        return {name: spoilt(each, draw, budget) for name, each in value.items()}
    return [spoilt(each, draw, budget) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@settings(max_examples=30, deadline=None)
@given(choices=st.data())
def test_any_shape(path: Any, mapping: MappingSet, choices: st.DataObject) -> None:
    """Segments in place of elements, lists in place of segments, nothing, and too much."""
    content = json.loads(path.read_bytes())
    kept = {name: content.pop(name) for name in ("_envelope", "_partner") if name in content}
    found = {**spoilt_members(content, choices), **kept}
    with suppress(MappingError):
        assert all(each.source.id for each in mapping.map(path.stem.split("_")[0], json.dumps(found).encode(), CONTEXT))


def spoilt_members(content: dict[str, Any], choices: st.DataObject) -> dict[str, Any]:
    budget = [3]
    return {name: spoilt(value, choices.draw, budget) for name, value in content.items()}
