"""The operator API's edge: token, role, parameters, body, idempotency, problems.

Handlers (`hub.api.reading`, `acting`, `tokens`) see a checked `Call` and return plain JSON; everything HTTP is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from hub.api.auth import LOCAL, Caller, Gate
from hub.api.backend import BadRequest
from hub.api.problem import Problem, unavailable
from hub.api.spec import BASE, Call, Json, Operation, Param
from hub.ports.queries import CursorUnknown, Queries
from hub.ports.store import DuplicateKey, Micros, ReadSet, Store, StoredReply, StoreUnavailable, WriteSet
from hub.services.moments import stated

BODY_MAX = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """Serves the operations. `local` is True for the application behind the local socket."""

    operations: Sequence[Operation]
    document: Json
    gate: Gate
    store: Store | None
    queries: Queries
    now: Callable[[], Micros]
    local: bool = False

    def routes(self) -> list[web.RouteDef]:
        rows = [
            web.route(operation.method, BASE + operation.path, self._serve(operation)) for operation in self.operations
        ]
        return [web.get(f"{BASE}/openapi.json", self._openapi), *rows]

    async def _openapi(self, _request: web.Request) -> web.Response:
        return _json(self.document)

    def _serve(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await self._handle(operation, request)
            except BadRequest as error:
                title = {404: "Not found", 409: "Conflict"}.get(error.status, "Request not valid")
                return Problem(error.status, title, str(error)).response()
            except CursorUnknown as error:
                return Problem(422, "Parameter not valid", f"`cursor`: {error}.").response()
            except StoreUnavailable as error:
                return unavailable(str(error)).response()

        return handle

    async def _handle(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        caller = await self._caller(request)
        caller.require(operation.role)
        raw = await _body(request) if operation.method == "POST" else b""
        given_key = request.headers.get("Idempotency-Key", "")
        if len(given_key) > 200:
            raise Problem(400, "Idempotency-Key too long", "At most 200 characters.")
        scope = f"{caller.name} {request.path} {given_key}" if given_key and operation.changes else ""
        fingerprint = hashlib.sha256(raw).hexdigest()
        if scope and (stored := await self._stored(scope, fingerprint)) is not None:
            return stored
        path = dict(request.match_info)
        query = {param.name: _query(param, request) for param in operation.params}
        body = _decoded(raw) if operation.body is not None else None
        if _holds_nul([*path.values(), *query.values(), body if operation.changes else None]):
            raise Problem(422, "Text not valid", "A text holds the character U+0000, which no text here may have.")
        call = Call(
            caller=caller,
            path=path,
            query=query,
            body=body,
            raw=raw,
            key=hashlib.sha256(scope.encode()).hexdigest()[:32] if scope else "",
            request=request,
        )
        answer = await operation.handler(call)
        if isinstance(answer, web.StreamResponse):
            return answer
        if scope:
            kept = answer | dict.fromkeys(operation.shown_once)
            await self._keep(scope, fingerprint, orjson.dumps(kept).decode())
        return _json(answer)

    async def _caller(self, request: web.Request) -> Caller:
        if self.local:
            return LOCAL
        return await self.gate.caller(request.headers.get("Authorization"), request.remote or "")

    async def _stored(self, scope: str, fingerprint: str) -> web.Response | None:
        stored = await self.queries.reply(scope)
        if stored is None:
            return None
        if stored.fingerprint != fingerprint:
            raise Problem(409, "Idempotency-Key used for another request", "Use a new key for a new request.")
        return web.Response(status=stored.status, body=stored.body.encode(), content_type="application/json")

    async def _keep(self, scope: str, fingerprint: str, body: str) -> None:
        if self.store is None:
            return
        reply = StoredReply(scope, fingerprint, 200, body, self.now())
        try:
            await self.store.run(ReadSet(), lambda _state: WriteSet(replies=[reply]))
        except DuplicateKey:
            # The same request ran at the same time; acts are idempotent by key, so both answers hold.
            return


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_MAX:
        raise Problem(413, "Body over the size limit", f"The limit is {BODY_MAX} bytes.")
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Problem(413, "Body over the size limit", f"The limit is {BODY_MAX} bytes.") from None


def _decoded(raw: bytes) -> Any:
    try:
        return orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise Problem(400, "Body is not JSON", str(error)) from None


def _holds_nul(values: list[Any]) -> bool:
    """Not every database takes it in a text, so none is asked. Walks without recursion: bodies may be deep."""
    while values:
        value = values.pop()
        if isinstance(value, str):
            if "\0" in value:
                return True
        elif isinstance(value, dict):
            values += [*value, *value.values()]
        elif isinstance(value, list):
            values += value
    return False


def _query(param: Param, request: web.Request) -> Any:
    """The typed value of one parameter; None when it is absent."""
    value = request.query.get(param.name)
    if value is None:
        if param.required:
            raise Problem(422, "Parameter missing", f"`{param.name}` is required.")
        return 50 if param.name == "limit" else None
    if param.enum and value not in param.enum:
        raise Problem(422, "Parameter not valid", f"`{param.name}` is one of {', '.join(param.enum)}.")
    try:
        return _PARSERS.get(param.format or param.kind, str)(value)
    except ValueError:
        raise Problem(422, "Parameter not valid", f"`{param.name}` is not a {param.format or param.kind}.") from None


def _integer(value: str) -> int:
    number = int(value)
    if not 1 <= number <= 500:
        raise ValueError(value)
    return number


def _boolean(value: str) -> bool:
    return {"true": True, "false": False}[value] if value in {"true", "false"} else _refuse(value)


def _refuse(value: str) -> bool:
    raise ValueError(value)


def _seconds(value: str) -> float:
    seconds = float(value)
    if not 0 <= seconds < 1e10:
        raise ValueError(value)
    return seconds


_PARSERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _seconds,
    "boolean": _boolean,
    "date-time": stated,
}


def _json(document: object) -> web.Response:
    return web.Response(body=orjson.dumps(document), content_type="application/json")
