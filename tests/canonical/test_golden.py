"""The public JSON form of every document is pinned: names, order of fields, nulls and the text of every value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from canonical import DOCUMENT_TYPES, dump, join_personal, json_schema, parse_documents, split_personal

GOLDEN = Path(__file__).parent / "golden"
every_type = pytest.mark.parametrize("name", DOCUMENT_TYPES)


def _text(name: str) -> str:
    return (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


def _leaf_paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of every object inside a document, the document itself included."""
    if isinstance(value, dict):
        free = path[-1:] in (("attributes",), ("properties",))
        inner = [found for key, item in value.items() for found in _leaf_paths(item, (*path, key))]
        return inner if free else [path, *inner]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in _leaf_paths(item, (*path, at))]
    return []


@every_type
def test_dump_is_the_golden_text(name: str) -> None:
    """Reading the golden file and dumping it gives the file again, but for white space."""
    [document] = parse_documents(_text(name))
    assert dump(document) == json.dumps(json.loads(_text(name)), separators=(",", ":"), ensure_ascii=False)
    assert document.type == name


@every_type
def test_personal_data_leaves_with_the_split(name: str) -> None:
    """No personal field of a golden document is readable after the split, and the join restores it."""
    [document] = parse_documents(_text(name))
    plain, personal = split_personal(document)
    for private in ("Ines", "Sample Street", "ines@example.com", "555 0100", "porch", "EXAMPLE", "Store 7"):
        assert private not in plain
    assert join_personal(plain, personal) == dump(document)


@every_type
def test_golden_satisfies_the_schema(name: str) -> None:
    """The exported JSON Schema accepts every golden document."""
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(_text(name)))


@every_type
def test_unknown_fields_are_refused_everywhere(name: str) -> None:
    """A field nobody knows is refused in the document and in every object inside it, by model and by schema."""
    schema = jsonschema.Draft202012Validator(json_schema())
    for path in _leaf_paths(json.loads(_text(name))):
        broken = json.loads(_text(name))
        target = broken
        for step in path:
            target = target[step]
        target["suprise"] = 1
        with pytest.raises(ValueError, match="suprise"):
            parse_documents(json.dumps(broken))
        assert not schema.is_valid(broken)


def test_schema_is_itself_valid() -> None:
    """The exported schema is a JSON Schema and names every document type."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["discriminator"]["mapping"]) == set(DOCUMENT_TYPES)
