"""The evaluator behaves exactly as it did when the mappings were written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonatapy
import pytest

from mappings.expression import BadExpression, EvaluationFailed, Expression
from mappings.syntax import BUILT_INS, IMPURE

TABLE = json.loads((Path(__file__).parent / "jsonata_pinned.json").read_text(encoding="utf-8"))
ROWS = [pytest.param(source, expected, id=f"{topic}: {source}") for topic, source, expected in TABLE["rows"]]


@pytest.mark.parametrize(("source", "expected"), ROWS)
def test_every_row_of_the_table_holds(source: str, expected: dict[str, Any]) -> None:
    """An expression gives the pinned result, nothing at all, or the pinned error."""
    if "bad" in expected:
        with pytest.raises(BadExpression, match=f"^{expected['bad']}"):
            Expression(source, {})
        return
    expression = Expression(source, {})
    if "error" in expected:
        with pytest.raises(EvaluationFailed) as failure:
            expression.evaluate(TABLE["input"], {})
        assert failure.value.code == expected["error"]
        return
    found = expression.evaluate(TABLE["input"], {})
    if "number" in expected:
        assert isinstance(found, float)
        assert not math.isfinite(found)
    elif "nothing" in expected:
        text = jsonatapy.compile(source).evaluate_json_or_none(json.dumps(TABLE["input"]))
        assert text is None
    else:
        assert found == expected["result"]
        assert type(found) is type(expected["result"]) or isinstance(found, int | float)


def test_the_table_is_large_enough_to_mean_something() -> None:
    """More than 200 expressions over every topic stay in the table."""
    assert len(ROWS) > 200
    assert {"paths", "singletons and arrays", "sums and numbers", "dates", "errors"} <= {
        row[0] for row in TABLE["rows"]
    }


@pytest.mark.parametrize("name", sorted(BUILT_INS | IMPURE))
def test_every_function_named_as_built_in_exists(name: str) -> None:
    """A name that passes the check for unknown functions is known to the evaluator."""
    assert jsonatapy.evaluate(f"$type(${name}) = 'function' or $exists(${name})", None)
