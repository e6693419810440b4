"""Tests beside mappings pass when the payload gives what they expect, and else say what differs."""

from __future__ import annotations

import json
from pathlib import Path

from mappings import MappingSet, Recorded, diff, lint, run_tests
from tests.support.mapping_folders import FIXTURES, context, load, order_mapping, payload, write_folder


def problems(root: Path, trial: str, **members: object) -> tuple[str, ...]:
    write_folder(root / "shop", order=(order_mapping("note: memo") + f"tests:\n  - {trial}\n").lstrip("\n"))
    (root / "shop" / "a.json").write_bytes(payload(**members))
    (result,) = run_tests("shop", root=root)
    assert result.passed is not bool(result.problems)
    return result.problems


def test_the_fixture_mapping_passes_its_own_test() -> None:
    """A test as it ships with a mapping passes."""
    assert [result.problems for result in run_tests("shop", root=FIXTURES)] == [()]
    assert lint("shop", root=FIXTURES) == []


def test_expectations(tmp_path: Path) -> None:
    """Paths with indexes, contained objects, null, counts and errors can be expected."""
    assert (
        problems(tmp_path, '{payload: a.json, expect: {number: "#1", "lines[0]": {id: "11", quantity: 2}, note: null}}')
        == ()
    )
    assert problems(tmp_path, "{payload: a.json, count: 1, topic: orders/create}") == ()
    assert problems(tmp_path, "{payload: a.json, error: {target: number, code: missing}}", name=None) == ()
    assert problems(tmp_path, "{payload: a.json, expect: {source: {account: me}}, context: {account: me}}") == ()


def test_differences_are_told(tmp_path: Path) -> None:
    """Each difference is one line with path, expectation and what came."""
    trial = '{payload: a.json, expect: {number: "#2", "lines[0].quantity": true, "lines[3].id": "x", nowhere: 1}}'
    assert problems(tmp_path, trial) == (
        'number: expected "#2", got "#1"',
        "lines[0].quantity: expected true, got 2",
        'lines[3].id: expected "x", got nothing',
        "nowhere: expected 1, got nothing",
    )
    assert problems(tmp_path, "{payload: a.json, count: 2}") == ("expected 2 of order, got 1",)
    assert problems(tmp_path, "{payload: a.json, expect: {}, index: 1}") == (
        "expected a order at index 1, got 1 of them",
    )
    assert "cannot be mapped" in problems(tmp_path, "{payload: a.json, count: 1}", name=None)[0]
    assert problems(tmp_path, "{payload: a.json, error: {code: missing}}") == ("was mapped, and an error was expected",)
    assert 'error.code: expected "x", got "missing"' in problems(
        tmp_path, "{payload: a.json, error: {code: x}}", name=None
    )
    assert "cannot be read" in problems(tmp_path, "{payload: b.json, count: 1}")[0]
    assert "context is wrong" in problems(tmp_path, "{payload: a.json, count: 1, context: {received_at: soon}}")[0]
    assert any("payload b.json is missing" in str(fault) for fault in _lint_missing(tmp_path))


def _lint_missing(root: Path) -> list[object]:
    problems(root, "{payload: b.json, count: 1}")
    return list(lint("shop", root=root))


def test_diff_tells_what_would_change(tmp_path: Path) -> None:
    """Fields, documents and errors that differ between two sets are listed; equal ones are not."""
    old = load(tmp_path / "old", order=order_mapping("note: memo"))
    new = load(tmp_path / "new", order=order_mapping("note: remark\ntags: labels", when="name != '#9'"))
    bodies = [
        payload(memo="a", remark="b", labels=["x"]),
        payload(id=2, memo="a", remark="a"),
        payload(id=3, name=None),
        payload(id=4, name="#9"),
        payload(id=5, labels=[1.5]),
    ]
    recorded = [Recorded(f"in-{number}", "orders/create", body, context()) for number, body in enumerate(bodies)]
    found = [
        (change.reference, change.document, change.path, change.old, change.new) for change in diff(old, new, recorded)
    ]
    assert ("in-0", "order 1", "note", "a", "b") in found
    assert ("in-0", "order 1", "tags[0]", None, "x") in found
    assert [entry for entry in found if entry[0] in ("in-1", "in-2")] == []
    assert [entry[:3] for entry in found if entry[0] == "in-3"] == [("in-3", "order 4", "")]
    assert list(diff(old, old, recorded)) == []


def test_diff_is_lazy() -> None:
    """Changes come as the payloads are read, so that a long history needs no memory."""
    ms = MappingSet.load("shop", root=FIXTURES)
    changes = diff(ms, ms, (Recorded("x", "orders/create", json.dumps({}).encode(), context()) for _ in iter(int, 1)))
    assert iter(changes) is changes
