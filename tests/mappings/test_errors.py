"""Every failure names mapping file and line, target field with its index, and the payload expression."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from canonical.errors import MappingError
from tests.support.mapping_folders import context, load, order_mapping, payload


def failure(root: Path, mapping: str, body: bytes) -> MappingError:
    with pytest.raises(MappingError) as failed:
        load(root, order=mapping).map("orders/create", body, context())
    return failed.value


def line_of(mapping: str, target: str) -> int:
    lines = mapping.lstrip("\n").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(f"{target}:"))


@pytest.mark.parametrize(
    ("body", "target", "path", "code"),
    [
        (payload(name=None), "number", "name", "missing"),
        (payload(name=" "), "number", "name", "missing"),
        (payload(id=None), "source.id", "id", "missing"),
        (payload(id={}), "source.id", "id", "missing"),
        (payload(items=[{"id": 1, "qty": 1}, {"qty": 2}]), "lines[1].id", "items[1].id", "missing"),
        (payload(items=[{"id": 1, "qty": "x"}]), "lines[0].quantity", "items[0].qty", "value"),
        (payload(items=[{"id": 1, "qty": -1}]), "lines[0].quantity", "items[0].qty", "value"),
        (payload(items=[{"id": 1, "qty": "1.5"}]), "lines[0].quantity", "items[0].qty", "value"),
        (payload(items=[{"id": 1, "qty": [1, 2]}]), "lines[0].quantity", "items[0].qty", "value"),
        (payload(name=["a", "b"]), "number", "name", "value"),
        (payload(name={"a": 1}), "number", "name", "value"),
    ],
)
def test_a_value_that_does_not_fit(tmp_path: Path, body: bytes, target: str, path: str, code: str) -> None:
    """A missing required field and a value out of its rules are told with their place."""
    failed = failure(tmp_path, order_mapping(), body)
    assert (failed.target, failed.path, failed.code, failed.file) == (target, path, code, "shop/order.yaml")
    key = target.replace("[0]", "[]").replace("[1]", "[]")
    assert failed.line == line_of(order_mapping(), key)
    assert "#1" not in str(failed)


@pytest.mark.parametrize(
    ("field", "body", "target", "path"),
    [
        ("note: 1 + name", payload(), "note", "1 + name"),
        (
            "lines[].title: qty - mark",
            payload(items=[{"id": 1, "qty": 1, "mark": 1}, {"id": 2, "qty": 1, "mark": "x"}]),
            "lines[1].title",
            "qty - mark in items[1]",
        ),
        ("tags: $split(id, ',')", payload(), "tags", "$split(id, ',')"),
        ('lines[].uom: $outer.name > 5 ? "EA"', payload(), "lines[0].uom", '$outer.name > 5 ? "EA" in items[0]'),
    ],
)  # fmt: skip
def test_an_expression_that_fails(tmp_path: Path, field: str, body: bytes, target: str, path: str) -> None:
    """The rule that fails is found among all that were evaluated together, and so is the item."""
    mapping = order_mapping(field)
    failed = failure(tmp_path, mapping, body)
    assert (failed.target, failed.path, failed.code) == (target, path, "expression")
    assert failed.line == line_of(mapping, field.split(":", 1)[0])


def test_failures_in_contexts(tmp_path: Path) -> None:
    """`each`, `when`, `id_at`, a hold and an error rule are named by their key."""
    assert failure(tmp_path / "a", order_mapping(each="id + name"), payload()).target == "each"
    assert failure(tmp_path / "b", order_mapping(when="id + name"), payload()).target == "when"
    assert failure(tmp_path / "c", order_mapping(id_at="id + name"), payload()).target == "id_at"
    hold = order_mapping() + "hold_when:\n  - {name: a, when: '$number(name) > 1'}\n"
    failed = failure(tmp_path / "d", hold, payload())
    assert (failed.target, failed.line) == ("hold_when[0].when", len(hold.lstrip().splitlines()))
    with pytest.raises(MappingError) as refused:
        load(tmp_path / "e", order=order_mapping(), errors="errors_when:\n  - {when: id + name}\n").map(
            "orders/create", payload(), context()
        )
    assert (refused.value.file, refused.value.line) == ("shop/errors.yaml", 2)


def test_a_rule_behind_a_condition_is_not_blamed_where_the_condition_is_false(tmp_path: Path) -> None:
    """Only items for which `when` holds are looked at when a failing rule is searched."""
    mapping = order_mapping("note: 1 + text", each="orders", when="go")
    orders = [{"id": 1, "go": False, "text": "x"}, {"id": 2, "name": "#2", "items": [], "go": True, "text": "y"}]
    failed = failure(tmp_path, mapping, json.dumps({"orders": orders}).encode())
    assert (failed.target, failed.path) == ("note", "1 + text in orders[1]")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1/0", "not finite"),
        ("0/0", "not finite"),
        ("qty * 1.1", "inexactly"),
        ('$number("820982911946154508")', "too large"),
    ],
)
def test_inexact_results_are_refused(tmp_path: Path, expression: str, reason: str) -> None:
    """A division by zero, a binary fraction and an integer beyond 2^53 never reach a document."""
    for field in (
        f"lines[].title: {expression}",
        f"lines[].properties.x: {expression}",
        f"lines[].properties: '{{\"a\": [{expression}]}}'",
    ):
        failed = failure(tmp_path, order_mapping(field), payload())
        assert reason in failed.message
        assert failed.target.startswith("lines[0].")


def test_functions_name_the_field_they_fail_for(tmp_path: Path) -> None:
    """A function spanning the field and one inside an expression are located alike."""
    for field in ("totals.tip: $money($dadd(name, 1), 'USD')", "totals.tip: true ? $money($dadd(name, 1), 'USD')"):
        failed = failure(tmp_path, order_mapping(field), payload())
        assert failed.target == "totals.tip"
        assert "a decimal such as" in failed.message
        assert "#1" not in failed.message


def test_a_limit_is_told_as_a_limit(tmp_path: Path) -> None:
    """An endless expression ends, and is named."""
    failed = failure(tmp_path, order_mapping("note: ($f := function($n){1 + $f($n)}; $f(1))"), payload())
    assert (failed.code, failed.target) == ("limit", "note")


def test_several_refusals_are_counted(tmp_path: Path) -> None:
    """The first refusal is told, and how many follow."""
    items: list[Any] = [{"id": 1}, {"id": 2}, {"id": 3}]
    failed = failure(tmp_path, order_mapping(), payload(items=items))
    assert (failed.target, failed.message.endswith("(and 2 more)")) == ("lines[0].quantity", True)
