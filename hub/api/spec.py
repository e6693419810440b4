"""The operator API as data: one row per operation, from which routes and OpenAPI 3.1 are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hub.api.auth import Caller, Role

Json = dict[str, Any]
BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Param:
    """A query parameter. `kind` is a JSON Schema type; `format` as OpenAPI knows it."""

    name: str
    kind: str = "string"
    about: str = ""
    format: str = ""
    enum: tuple[str, ...] = ()
    required: bool = False

    def schema(self) -> Json:
        schema: Json = {"type": self.kind}
        if self.format:
            schema["format"] = self.format
        if self.enum:
            schema["enum"] = list(self.enum)
        if self.name == "limit":
            schema |= {"minimum": 1, "maximum": 500, "default": 50}
        return schema


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request: typed query values, decoded body, who asks, and its idempotency key."""

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    raw: bytes
    key: str
    request: web.Request


Handler = Callable[[Call], Awaitable[Json | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `body` and `answer` are JSON Schemas; `answer` None means a stream."""

    id: str
    method: str
    path: str
    role: Role
    summary: str
    handler: Handler
    params: tuple[Param, ...] = ()
    body: Json | None = None
    answer: Json | None = None
    problems: tuple[int, ...] = ()
    changes: bool = True
    """of a POST: False when it only reads, so that its answer need not be kept for repeats"""
    shown_once: tuple[str, ...] = ()
    """members of the answer that are never stored; a repeat has null there"""


PAGE = (Param("limit", "integer", "at most this many"), Param("cursor", about="`next` of the page before"))


OBJECT: Json = {"type": "object"}


def page(items: Sequence[Json], following: str | None = None) -> Json:
    """One page of a list, `following` being the cursor of the next one."""
    return {"items": list(items), "next": following}


def page_of(schema: Json) -> Json:
    """The shape of every list: `{items, next}`."""
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {"items": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}},
    }


def openapi(operations: Sequence[Operation], *, version: str, components: Mapping[str, Any]) -> Json:
    """The OpenAPI 3.1 document of these operations."""
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trunkline operator API",
            "version": version,
            "description": "Bearer tokens from `trunkline token create`. Lists page with `cursor`. Every POST honours "
            "`Idempotency-Key`. Errors are RFC 9457 problem documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _PROBLEM, **components},
        },
    }


def _operation(operation: Operation) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _path_names(operation.path)
    ]
    parameters += [
        {
            "name": param.name,
            "in": "query",
            "required": param.required,
            "description": param.about,
            "schema": param.schema(),
        }
        for param in operation.params
    ]
    document: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"Role: {operation.role.name.lower()}.",
        "parameters": parameters,
        "responses": {"200": _answer(operation)} | {str(code): _problem() for code in _problems(operation)},
    }
    if operation.method == "POST":
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and body give the same answer, and nothing is done twice.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    return document


def _path_names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _problems(operation: Operation) -> list[int]:
    codes = {401, 403, 422, 429, 503, *operation.problems}
    if _path_names(operation.path):
        codes.add(404)
    if operation.method == "POST":
        codes |= {400, 409, 413, 415}
    return sorted(codes)


def _answer(operation: Operation) -> Json:
    if operation.answer is None:
        return {"description": "A stream of server-sent events", "content": {"text/event-stream": {"schema": {}}}}
    return {"description": "Done", "content": {"application/json": {"schema": operation.answer}}}


def _problem() -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "A problem document", "content": content}


_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
