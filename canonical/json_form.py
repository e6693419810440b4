"""Documents as JSON, in and out, and the schema of that JSON."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter

from canonical.documents import Document, DocumentBase

_ONE: Final[TypeAdapter[Document]] = TypeAdapter(Document)
_MANY: Final[TypeAdapter[list[Document]]] = TypeAdapter(list[Document], config=ConfigDict(hide_input_in_errors=True))


def parse_documents(json: bytes | str) -> list[Document]:
    """Documents of a JSON array, or of one JSON object.

    Raises:
        pydantic.ValidationError: Not JSON, an unknown type or field, or a value out of its rules.
            Its text holds no input; use `errors(include_input=False)` to keep it so.
    """
    head = json[:64].lstrip()
    if head[:1] in ("{", b"{"):
        return [_ONE.validate_json(json)]
    return _MANY.validate_json(json)


def parse_document(json: bytes | str) -> Document:
    """The document of one JSON object. Raises like `parse_documents`."""
    return _ONE.validate_json(json)


def dump(doc: DocumentBase) -> str:
    """The public form: every field present, absent ones null, no white space."""
    return doc.model_dump_json()


@cache
def _schema() -> dict[str, Any]:
    schema = _ONE.json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trunkline canonical document",
        **schema,
    }


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of any document; `$defs` has one entry per document and value type."""
    return dict(_schema())
