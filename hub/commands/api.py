"""One way for commands to reach the hub: the operator API's operations, remote or in this process.

A command that changes something goes to the running hub, over the local socket beside the
database or over `--url`; when none runs, straight to the database, so that the hub stays the only
writer. Reading commands open the database read-only and work beside a running hub.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

import aiohttp
import orjson

from hub import bootstrap
from hub.api.auth import LOCAL
from hub.api.backend import BadRequest
from hub.api.problem import Problem
from hub.api.spec import BASE, Call, Operation
from hub.commands.common import CommandError, Json, config_path

_TIMEOUT = aiohttp.ClientTimeout(total=120, connect=5)


class Api(Protocol):
    async def get(self, path: str, **query: Any) -> Json: ...

    async def post(self, path: str, body: Json | None = None) -> Json: ...


@dataclass(frozen=True, slots=True)
class RemoteApi:
    """Another process's hub over HTTP."""

    session: aiohttp.ClientSession
    base: str

    async def get(self, path: str, **query: Any) -> Json:
        given = {name: _text(value) for name, value in query.items() if value is not None}
        return await self._answer(self.session.get(self.base + path, params=given))

    async def post(self, path: str, body: Json | None = None) -> Json:
        key = os.urandom(16).hex()
        request = self.session.post(
            self.base + path,
            data=orjson.dumps(body or {}),
            headers={"Content-Type": "application/json", "Idempotency-Key": key},
        )
        return await self._answer(request)

    async def _answer(self, pending: Any) -> Json:
        try:
            async with pending as response:
                raw = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CommandError(f"reaching the hub at {self.base}: {error or type(error).__name__}") from None
        try:
            document: Json = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise CommandError(f"the hub at {self.base} answered {response.status} without JSON") from None
        if response.status >= 400:
            raise CommandError(_problem(document))
        return document


def _problem(document: Json) -> str:
    title, detail = document.get("title", "the hub refused"), document.get("detail", "")
    return f"{title}: {detail}" if detail else str(title)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class LocalApi:
    """The same operations called in this process, as the local operator."""

    operations: Sequence[Operation]

    async def get(self, path: str, **query: Any) -> Json:
        return await self._call("GET", path, query, None)

    async def post(self, path: str, body: Json | None = None) -> Json:
        return await self._call("POST", path, {}, body or {})

    async def _call(self, method: str, path: str, query: Mapping[str, Any], body: Json | None) -> Json:
        operation, names = self._find(method, path)
        defaults: Json = {param.name: 50 if param.name == "limit" else None for param in operation.params}
        given: Json = {**defaults, **query}
        call = Call(
            LOCAL,
            names,
            given,
            body,
            orjson.dumps(body or {}),
            os.urandom(16).hex(),
            None,  # type: ignore[arg-type]
        )
        try:
            answer = await operation.handler(call)
        except BadRequest as error:
            raise CommandError(str(error)) from None
        except Problem as error:
            raise CommandError(str(error)) from None
        if not isinstance(answer, dict):
            raise CommandError("this operation streams and is only for a running hub")
        return answer

    def _find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        given = [unquote(part) for part in path.strip("/").split("/")]
        for operation in self.operations:
            template = operation.path.strip("/").split("/")
            if operation.method == method and len(template) == len(given):
                pairs = list(zip(template, given, strict=True))
                if all(part.startswith("{") or part == value for part, value in pairs):
                    return operation, {part[1:-1]: value for part, value in pairs if part.startswith("{")}
        raise CommandError(f"no operation {method} {path}")


def segment(value: str) -> str:
    """A value as one path segment of a remote call."""
    return quote(value, safe="")


@asynccontextmanager
async def reading(args: argparse.Namespace, *, prefer_hub: bool = False) -> AsyncIterator[Api]:
    """The API for a command that only reads."""
    async with _remote(args, prefer_hub) as api:
        if api is not None:
            yield api
            return
    async with bootstrap.opened(config_path(args), readonly=True) as hub:
        yield LocalApi(hub.operations())


@asynccontextmanager
async def acting(args: argparse.Namespace) -> AsyncIterator[Api]:
    """The API for a command that changes something: the running hub's, else the database's own."""
    async with _remote(args, True) as api:
        if api is not None:
            yield api
            return
    async with bootstrap.opened(config_path(args), readonly=False) as hub:
        yield LocalApi(hub.operations())


@asynccontextmanager
async def _remote(args: argparse.Namespace, use_socket: bool) -> AsyncIterator[RemoteApi | None]:
    url = getattr(args, "url", None)
    if url:
        token = getattr(args, "token", None) or os.environ.get("TRUNKLINE_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
            yield RemoteApi(session, url.rstrip("/") + BASE)
        return
    path = bootstrap.socket_path(config_path(args)) if use_socket else None
    if path is None or not await _answers(path):
        yield None
        return
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=_TIMEOUT) as session:
        yield RemoteApi(session, "http://hub" + BASE)


async def _answers(path: Path) -> bool:
    """Whether a hub listens on this socket; a file left by a killed one does not count."""
    if not path.exists():
        return False
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
            session.get("http://hub/livez", timeout=aiohttp.ClientTimeout(total=5)),
        ):
            return True
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
