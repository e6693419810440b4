"""A mapping that cannot work is refused when it is loaded, with file, line, and what to do."""

# ruff: noqa: E501 - one row of a table per line
from __future__ import annotations

from pathlib import Path

import pytest

from mappings import MappingSet, MappingSetInvalid, lint
from tests.support.mapping_folders import order_mapping, write_folder

TOP = "document: order\ntopics: [orders/create]\n"


@pytest.mark.parametrize(
    ("text", "line", "target", "message"),
    [
        (order_mapping("totls.items: a"), 10, "totls.items", "did you mean `totals`?"),
        (order_mapping("lines[].qty: a"), 10, "lines[].qty", "there is no field `qty`"),
        (order_mapping("totals.item: a"), 10, "totals.item", "did you mean `items`?"),
        (order_mapping("lines.title: a"), 10, "lines.title", "written with []"),
        (order_mapping("number[]: a"), 10, "number[]", "is no list"),
        (order_mapping("number.x: a"), 10, "number.x", "has no fields"),
        (order_mapping("id: a"), 10, "id", "filled by the engine"),
        (order_mapping("source.digest: a"), 10, "source.digest", "filled by the engine"),
        (order_mapping("a b: c"), 10, "a b", "names joined by dots"),
        (order_mapping("shipping[].price: $money(a, b)"), 10, "shipping[].price", "no items"),
        (order_mapping("note: a b"), 10, "note", "bad expression: S0201"),
        (order_mapping("note: $foo(a)"), 10, "note", "no function or variable $foo"),
        (order_mapping("note: $now()"), 10, "note", "a mapping is pure"),
        (order_mapping("note: $match(a, /(?<=x)/)"), 10, "note", "look-around"),
        (order_mapping("note: $lookup_x(a)"), 10, "note", "no function or variable $lookup_x"),
        (order_mapping("note: $money(a, b, c)"), 10, "note", "cannot be called with 3 arguments"),
        (order_mapping("totals.tip: '$dadd(\"x\", \"1\")'"), 10, "totals.tip", "a decimal such as"),
        (order_mapping("note:"), 10, "note", "must be an expression"),
        (order_mapping("note: 1.5"), 10, "note", "decimal in quotes"),
        (order_mapping("note: [a]"), 10, "note", "must be an expression"),
        (order_mapping("lines: b"), 10, "lines", "given twice"),
        (order_mapping("note: a\nnote: b"), 11, "note", "is given twice"),
        (order_mapping().replace("  number: name\n", ""), 1, "number", "required and not mapped"),
        (order_mapping().replace("  source.id: id\n", ""), 1, "source.id", "required and not mapped"),
        (order_mapping().replace("  lines[].quantity: qty\n", ""), 1, "lines[].quantity", "required and not mapped"),
        (order_mapping().replace("document: order", "document: ordr"), 1, "document", "did you mean `order`?"),
        (order_mapping().replace("document: order", "document: [order]"), 1, "document", "there is no document \"['order']\"; did you"),
        (order_mapping().replace("document: order", "document: {order: 1}"), 1, "document", "there is no document"),
        (order_mapping().replace("document: order", "document:"), 1, "document", "there is no document 'None'; known"),
        (order_mapping().replace("document: order\n", ""), 1, "document", "is missing"),
        (order_mapping().replace("topics: [orders/create]\n", ""), 1, "topics", "is missing"),
        (order_mapping().replace("[orders/create]", "[]"), 2, "topics", "at least one"),
        (order_mapping(topic="x"), 3, "topic", "did you mean `topics`?"),
        (order_mapping(position="first"), 3, "position", "whole number"),
        (order_mapping(numbers="float"), 3, "numbers", "`exact` or `text`"),
        (TOP + "fields: [a]\n", 3, "fields", "mapping of keys"),
        (TOP, 1, "fields", "is missing"),
        ("- a\n", 1, "", "mapping of keys to values"),
        ("a: [\n", 2, "", "not YAML"),
        ("a: \t x: y\n", None, "", "not YAML"),
        (order_mapping() + "hold_when:\n  - {name: a}\n", 11, "hold_when[0]", "needs `name` and `when`"),
        (order_mapping() + "hold_when: {name: a}\n", 10, "hold_when", "must be a list"),
        (order_mapping() + "errors_when:\n  - {code: a}\n", 11, "errors_when[0]", "needs `when`"),
        (order_mapping() + "tests:\n  - {expect: {a: 1}}\n", 11, "tests[0]", "needs `payload`"),
        (order_mapping() + "tests:\n  - {payload: a.json}\n", 11, "tests[0]", "proves nothing"),
        (order_mapping() + "tests:\n  - {payload: a.json, count: x}\n", 11, "tests[0]", "whole number"),
        (order_mapping() + "tests:\n  - {payload: a.json, count: 1, context: {tz: x}}\n", 11, "tests[0]", "knows account"),
        (order_mapping() + "lookups:\n  a: {values: {x: y}}\n", 11, "lookups.a", "needs `default`"),
        (order_mapping() + "lookups:\n  a: {valus: {x: y}, default: null}\n", 11, "lookups.a.valus", "unknown key"),
        (order_mapping() + "lookups:\n  a: [x]\n", 11, "lookups.a", "must be"),
        (order_mapping() + "lookups:\n  a: {file: none.csv, key: a, value: b, default: null}\n", None, "", "cannot be read"),
        (order_mapping() + "lookups:\n  a: {values: {x: 1.5}, default: null}\n", 11, "lookups.a.x", "in quotes"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(tmp_path: Path, text: str, line: int | None, target: str, message: str) -> None:
    """The fault names the line an editor should open, the key, and what is wrong."""
    write_folder(tmp_path / "shop", order=text.lstrip("\n"))
    with pytest.raises(MappingSetInvalid) as invalid:
        MappingSet.load("shop", root=tmp_path)
    found = [fault for fault in invalid.value.faults if message in fault.message and fault.target == target]
    assert found, [str(fault) for fault in invalid.value.faults]
    assert line is None or found[0].line == line
    assert str(found[0]).startswith(found[0].file)
    assert set(invalid.value.faults) <= set(lint("shop", root=tmp_path))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """One run names every fault of every file, sorted."""
    write_folder(tmp_path / "shop", order=order_mapping("note: a b\ntotls: x"), refund="document: refnd\ntopics: [x]\n")
    with pytest.raises(MappingSetInvalid) as invalid:
        MappingSet.load("shop", root=tmp_path)
    assert [(fault.file, fault.line) for fault in invalid.value.faults] == [
        ("shop/order.yaml", 10), ("shop/order.yaml", 11), ("shop/refund.yaml", 1), ("shop/refund.yaml", 1),
    ]  # fmt: skip
    assert str(invalid.value).count("\n") == 3


def test_folders_and_topics(tmp_path: Path) -> None:
    """A missing or empty folder, a file that is not text, and contradictions between topics are faults."""
    assert "no such folder" in str(lint("nothing", root=tmp_path)[0])
    (tmp_path / "empty").mkdir()
    assert "holds no mapping" in str(lint("empty", root=tmp_path)[0])
    folder = write_folder(tmp_path / "shop", order=order_mapping())
    (folder / "binary.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in str(lint("shop", root=tmp_path)[0])
    (folder / "binary.yaml").unlink()
    write_folder(folder, topics="ignored: [orders/create]\naliases: {a: nowhere, orders/create: b}\nignore: []\n")
    found = [str(fault) for fault in lint("shop", root=tmp_path)]
    assert len(found) == 4
    assert found[0] == "shop/topics.yaml:1: orders/create: is ignored here and mapped elsewhere"


def test_lookups_of_one_name_must_agree(tmp_path: Path) -> None:
    """Two files may state one lookup alike, never differently; one that nobody uses is told by lint."""
    lookup = "lookups:\n  a: {values: {x: y}, default: null}\n"
    write_folder(tmp_path / "shop", order=order_mapping("note: $lookup_a(name)") + lookup, lookups=lookup)
    assert lint("shop", root=tmp_path) == []
    write_folder(tmp_path / "shop", lookups=lookup.replace("x: y", "x: z") + "  b: {values: {}, default: null}\n")
    found = [str(fault) for fault in lint("shop", root=tmp_path)]
    assert any("another one of this name" in fault for fault in found)
    assert any("lookups.b: is not used" in fault for fault in found)


def test_csv_tables(tmp_path: Path) -> None:
    """A table with wrong columns, short rows or two meanings of a code is refused with its line."""
    entry = "lookups:\n  a: {file: codes.csv, key: vendor, value: ours, default: null}\n"
    folder = write_folder(tmp_path / "shop", order=order_mapping("note: $lookup_a(name)") + entry)
    for text, message in [
        ("vendor,theirs\nA,b\n", "must name columns"),
        ("vendor,ours\nA\n", "fewer columns"),
        ("vendor,ours\nA,b\nA,c\n", "two meanings"),
    ]:
        (folder / "codes.csv").write_text(text, encoding="utf-8")
        assert any(message in str(fault) for fault in lint("shop", root=tmp_path)), message
    (folder / "codes.csv").write_text("vendor,ours\nA,b\nA,b\n", encoding="utf-8")
    assert lint("shop", root=tmp_path) == []
