"""One running hub for the API's tests: two orders, one parked payload, stock, a token for each role."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench import payloads
from hub.api.auth import LOCAL
from hub.api.spec import BASE, Call, Operation
from hub.bootstrap import Hub
from tests.support import folders
from tests.support.running_hub import deliver, running_hub, until

ROLES = ("viewer", "operator", "admin")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: Any


@dataclass(frozen=True)
class Desk:
    """The API as a client sees it."""

    hub: Hub
    http: aiohttp.ClientSession
    tokens: dict[str, str]

    async def call(
        self, method: str, path: str, *, role: str | None = "admin", headers: dict[str, str] | None = None, **more: Any
    ) -> Answer:
        given = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        url = self.hub.url + (path if path.startswith("/api/") else BASE + path)
        async with self.http.request(method, url, headers={**given, **(headers or {})}, **more) as answer:
            raw = await answer.read()
            body = json.loads(raw) if "json" in answer.content_type else raw
            return Answer(answer.status, answer.headers, body)

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.call("POST", path, json={} if body is None else body, **more)

    @property
    def operations(self) -> list[Operation]:
        return self.hub.operations()


async def token(hub: Hub, role: str) -> str:
    """A token made the way the local command makes it."""
    create = next(operation for operation in hub.operations() if operation.id == "createToken")
    answer: Any = await create.handler(Call(LOCAL, {}, {}, {"role": role}, b"", "", None))  # type: ignore[arg-type]
    return str(answer["token"])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    accounts = {"shop-us": folders.shopify(), "market": folders.walmart(mode="shadow")}
    async with running_hub(tmp_path, accounts) as hub, aiohttp.ClientSession() as http:
        tokens = {role: await token(hub, role) for role in ROLES}
        made = Desk(hub, http, tokens)
        lines = [{"sku": sku, "location": "main", "on_hand": 50} for sku in ("MUG", "BOX")]
        assert (await made.post("/stock/reports", {"lines": lines})).status == 200
        broken = payloads.order(2, [("MUG", 1)])
        broken["line_items"][0]["quantity"] = "a few"
        sent = [
            await deliver(http, hub.url, 1, [("MUG", 2)]),
            await deliver(http, hub.url, 2, [], body=json.dumps(broken).encode()),
            await deliver(http, hub.url, 3, [("BOX", 1)]),
        ]
        assert sent == [200, 200, 200]

        async def applied() -> bool:
            orders, failures = await asyncio.gather(made.get("/orders"), made.get("/failures"))
            return (len(orders.body["items"]), len(failures.body["items"])) == (2, 1)

        await until(applied)
        yield made
