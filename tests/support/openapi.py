"""Requests held against a vendor's OpenAPI documents while a sandbox answers them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from connectors.sdk.sandbox import Sandbox

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
METHODS = {"get", "post", "put", "delete", "patch"}


@dataclass(frozen=True)
class Operation:
    """One method of one path of a document."""

    document: str
    template: str
    method: str
    stated: Mapping[str, Any] = field(repr=False)
    parameters: Sequence[Mapping[str, Any]] = field(repr=False)

    def faults(self, query: Iterable[str], body: bytes) -> list[str]:
        """What the document has to say against a request."""
        queries = {each["name"]: each for each in self.parameters if each.get("in") == "query"}
        given = set(query)
        found = [f"unknown query parameter {name}" for name in sorted(given - queries.keys())]
        found += [f"query lacks {name}" for name, each in queries.items() if each.get("required") and name not in given]
        content = self.stated.get("requestBody", {}).get("content", {})
        schema = next((each.get("schema") for kind, each in content.items() if "json" in kind), None)
        if not body:
            return found
        if schema is None:
            return found if content else [*found, "a body where the document has none"]
        held = {**strict(schema), "components": strict(_loaded(self.document).get("components", {}))}
        errors = Draft202012Validator(held).iter_errors(json.loads(body))
        return found + sorted(f"{error.json_path}: {error.message}" for error in errors)


@dataclass(frozen=True)
class Documents:
    """A vendor's documents with the path each one's own paths stand under."""

    bases: Mapping[str, str]
    bare: frozenset[str] = frozenset()
    """Documents that state paths alone: no parameters, no bodies."""
    cursors: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Path → names in the links to a next page, which are followed word by word."""

    def missing(self) -> list[str]:
        return [name for name in self.bases if not (SPECS / name).is_file()]

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a path, or a path with `{names}`, belongs to; one without names in it before others."""
        found = [operation for operation in self._operations(method) if _fits(self.bases, operation, path)]
        return min(found, key=lambda operation: operation.template.count("{"), default=None)

    def _operations(self, method: str) -> Iterable[Operation]:
        for name in self.bases:
            yield from (each for each in _operations(name) if each.method == method.lower())


@dataclass
class Watch:
    """Every operation seen at a sandbox, and what is wrong with each request."""

    documents: Documents
    unlisted: frozenset[str]
    """Path beginnings that no document is about."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    async def see(self, request: web.Request) -> None:
        path = request.raw_path.partition("?")[0]
        if any(path.startswith(beginning) for beginning in self.unlisted):
            return
        operation = self.documents.find(request.method, path)
        if operation is None:
            self.faults.append(f"{request.method} {path} is in no document")
            return
        self.seen.add((operation.method, operation.template))
        if operation.document in self.documents.bare:
            return
        followed = self.documents.cursors.get(path, frozenset())
        query = () if followed & request.query.keys() else request.query
        # Reading a form would take it away from the handler.
        body = await request.read() if "json" in request.content_type else b""
        faults = operation.faults(query, body)
        self.faults += [f"{request.method} {operation.template}: {fault}" for fault in faults]


def eye_of(sandbox: Sandbox) -> Watch:
    """What has seen the requests of a watched sandbox; it has seen nothing where the documents are not at hand."""
    held: Any = sandbox
    eye: Watch = held.eye
    return eye


def watch(sandbox: Sandbox, documents: Documents, unlisted: Iterable[str]) -> Sandbox:
    """The sandbox, not started yet, with an eye on every request."""
    eye = Watch(documents, frozenset(unlisted))
    routes = sandbox.routes

    def watched() -> Iterable[web.AbstractRouteDef]:
        for route in routes():
            assert isinstance(route, web.RouteDef)
            yield web.RouteDef(route.method, route.path, _seen(eye, route.handler), route.kwargs)

    held: Any = sandbox
    if not documents.missing():
        held.routes = watched
    held.eye = eye
    return sandbox


def _seen(eye: Watch, handler: Any) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        await eye.see(request)
        answer: web.StreamResponse = await handler(request)
        return answer

    return handle


def strict(schema: Any) -> Any:
    """The same schema refusing names it does not list: a misspelt field would pass unnoticed otherwise."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    held = {name: strict(each) for name, each in schema.items()}
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return held | {"additionalProperties": False} if closed and "additionalProperties" not in schema else held


@cache
def _loaded(name: str) -> Any:
    text = (SPECS / name).read_text()
    if name.endswith(".json"):
        return json.loads(text)
    # Some are published with tabs and blanks at line ends, which YAML's own rules forbid.
    tidy = "\n".join(line.replace("\t", " ").rstrip() for line in text.splitlines())
    return YAML(typ="safe", pure=False).load(tidy)


@cache
def _operations(name: str) -> tuple[Operation, ...]:
    document = _loaded(name)
    return tuple(
        Operation(name, template, method, stated, _parameters(document, item, stated))
        for template, item in document["paths"].items()
        for method, stated in item.items()
        if method in METHODS
    )


def _parameters(document: Any, item: Any, stated: Any) -> tuple[Any, ...]:
    rows = [*item.get("parameters", []), *stated.get("parameters", [])]
    return tuple(
        document["components"]["parameters"][row["$ref"].rpartition("/")[2]] if "$ref" in row else row for row in rows
    )


def _fits(bases: Mapping[str, str], operation: Operation, path: str) -> bool:
    pattern = re.sub(r"{\w+}", "[^/]+", bases[operation.document] + operation.template)
    return re.fullmatch(pattern, path) is not None
