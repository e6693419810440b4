"""The bodies the operator API takes: their JSON Schemas, and a check that follows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from hub.api.backend import BadRequest
from hub.api.spec import Json
from hub.services.moments import stated
from hub.services.replay import FailureFilter

_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 200}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_LINES_MAX = 1000


def _lines_of(**properties: Json) -> Json:
    """A body of lines, each naming a SKU and a location of ours; the first property is required too."""
    item = {
        "type": "object",
        "required": ["sku", "location", next(iter(properties))],
        "additionalProperties": False,
        "properties": {"sku": _NAME, "location": _NAME, **properties},
    }
    return {
        "type": "object",
        "required": ["lines"],
        "additionalProperties": False,
        "properties": {"lines": {"type": "array", "minItems": 1, "maxItems": _LINES_MAX, "items": item}},
    }


ADJUSTMENT: Json = _lines_of(
    delta={"type": "integer"},
    bucket={"enum": ["on_hand", "incoming", "quarantine"]},
    reason={"type": "string"},
)
REPORT: Json = _lines_of(on_hand={"type": "integer"}, as_of=_INSTANT)
FILTER: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": _LINES_MAX},
        "account": {"type": "string"},
        "kind": {"enum": ["inbound", "availability", "effect", "exchange"]},
        "error": {"type": "string"},
        "older_than_s": {"type": "number", "minimum": 0, "maximum": 10_000_000_000},
        "dry_run": {"type": "boolean"},
    },
}
PULL: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"since": _INSTANT},
}
PREVIEW: Json = {
    "type": "object",
    "required": ["account", "topic", "payload"],
    "additionalProperties": False,
    "properties": {"account": {"type": "string"}, "topic": {"type": "string"}, "payload": {}},
}


def checked(body: Any, schema: Json) -> Json:
    """Refuse members the schema does not have, and values of another type."""
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    properties: Mapping[str, Json] = schema["properties"]
    for name in body:
        if name not in properties:
            raise BadRequest(f"`{name}` is not known here; known: {', '.join(properties)}.")
    for name in schema.get("required", ()):
        if name not in body:
            raise BadRequest(f"`{name}` is missing.")
    for name, value in body.items():
        _typed(name, value, properties[name])
    return body


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _typed(name: str, value: Any, schema: Json) -> None:
    kind = schema.get("type")
    if kind and not _TYPES[kind](value):
        raise BadRequest(f"`{name}` is not {kind}.")
    if kind == "number" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise BadRequest(f"`{name}` is between {schema.get('minimum')} and {schema.get('maximum')}.")
    if "enum" in schema and value not in schema["enum"]:
        raise BadRequest(f"`{name}` is one of {', '.join(schema['enum'])}.")
    if kind == "string" and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10_000):
        raise BadRequest(f"`{name}` has a length that is not allowed.")
    if "pattern" in schema and re.fullmatch(schema["pattern"], value) is None:
        raise BadRequest(f"`{name}` is not of the form {schema['pattern']}.")
    if schema.get("format") == "date" and not _is_day(value):
        raise BadRequest(f"`{name}` is not a day; write 2026-11-20.")
    if schema.get("format") == "date-time":
        try:
            stated(value)
        except ValueError:
            raise BadRequest(f"`{name}` is not an instant with an offset; write 2026-11-20T08:00:00Z.") from None
    if kind == "array" and not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", _LINES_MAX):
        raise BadRequest(f"`{name}` has {len(value)} entries; between {schema.get('minItems', 0)} and {_LINES_MAX}.")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def lines(body: Any, schema: Json) -> list[Json]:
    given = checked(body, schema)["lines"]
    item = schema["properties"]["lines"]["items"]
    return [checked(line, item) for line in given]


def failure_filter(body: Any) -> tuple[FailureFilter, bool]:
    given = dict(checked(body, FILTER))
    dry_run = bool(given.pop("dry_run", False))
    ids = given.pop("ids", ())
    if any(not _TYPES["integer"](value) for value in ids):
        raise BadRequest("`ids` are integers.")
    return FailureFilter(ids=tuple(ids), **given), dry_run
