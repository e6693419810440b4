"""Documents as JSON, in and out, and the schema of that JSON."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

import orjson
from pydantic import ConfigDict, TypeAdapter

from canonical.documents import Document, DocumentBase
from canonical.scalars import instant_text

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
    """The public form: every field present, absent ones null, no white space.

    The text is `model_dump_json`'s own, in half its time: pydantic asks a serialiser of ours for every
    amount and instant, and hands it over through three layers.
    """
    try:
        return orjson.dumps(doc, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits in free JSON
        return doc.model_dump_json()


def _plain(value: Any) -> Any:
    """What JSON has no word for: decimals, times, and objects, whose fields are in their declared order."""
    kind = value.__class__
    if kind is Decimal:
        text = str(value)
        return text if "E" not in text else format(value, "f")
    if kind is datetime:
        return instant_text(value)
    return value.isoformat() if kind is date else value.__dict__


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
