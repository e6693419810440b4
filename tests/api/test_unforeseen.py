"""A fault of ours is answered as a problem document, says nothing of the inside, and is found in the log."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from connectors.sdk.clock import SystemClock
from connectors.sdk.contract import WebhookRequest
from hub.api.backend import BadRequest
from hub.api.intake import Intake
from hub.api.server import application, listen
from hub.bootstrap.desk import Desk as HubDesk
from hub.ports.store import StoreConflict, StoreUnavailable
from hub.runtime import logs
from tests.api.conftest import Desk
from tests.api.test_intake import GOOD, MAX, Counters, Receiver, Storage

SECRET = "Invented Person"


class Faulty(Receiver):
    """A connector with a bug behind its signature check."""

    def envelopes(self, request: WebhookRequest) -> Any:
        return {}[SECRET]


async def _breaks(_request: web.Request) -> web.Response:
    raise ZeroDivisionError(SECRET)


async def _away(_request: web.Request) -> web.Response:
    raise StoreUnavailable("the database cannot be read now")


async def _breaks_midway(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise ZeroDivisionError(SECRET)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    out = io.StringIO()
    logs.configure(json_lines=True, stream=out)
    yield out
    structlog.configure(**before)


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
async def http(lines: io.StringIO, counters: Counters) -> AsyncIterator[aiohttp.ClientSession]:
    intake = Intake({"toy-us": Faulty()}, Storage().receive, counters, SystemClock(), MAX)
    routes = [
        *intake.routes(),
        web.get("/things/{id}", _breaks),
        web.get("/away", _away),
        web.get("/midway", _breaks_midway),
        web.post("/webhooks/{account}/raw", _breaks),
    ]
    listener = await listen(application(routes, max_bytes=MAX, refused=counters.rejected), "127.0.0.1", 0)
    async with aiohttp.ClientSession(base_url=listener.address) as session:
        yield session
    await listener.stop()


async def test_a_fault_is_a_problem_document_with_the_id_its_log_line_has(
    http: aiohttp.ClientSession, lines: io.StringIO
) -> None:
    """500 as RFC 9457 has it; the same id in the answer and beside the place of the fault in the log."""
    async with http.get("/things/4711") as answer:
        body = await answer.text()
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
        document = json.loads(body)
        assert answer.headers["X-Request-Id"] == document["request_id"]
    assert SECRET not in body
    assert "ZeroDivision" not in body
    line = json.loads(lines.getvalue())
    assert (line["event"], line["reference"]) == ("request.failed", document["request_id"])
    assert line["path"] == "/things/{id}"
    assert "_breaks" in line["exception"]
    assert SECRET not in lines.getvalue()


async def test_a_webhook_that_meets_a_fault_is_sent_again_by_its_sender(
    http: aiohttp.ClientSession, counters: Counters
) -> None:
    """503 with Retry-After instead of a 500 that some senders take for the end; counted as not taken."""
    async with http.post("/webhooks/toy-us", data=b"a", headers=GOOD) as answer:
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0
        assert SECRET not in await answer.text()
    assert counters.refused == [("toy-us", "internal")]


async def test_a_database_that_is_away_is_503_on_every_path(http: aiohttp.ClientSession) -> None:
    """The console and the scrape say so as the API does."""
    async with http.get("/away") as answer:
        assert (answer.status, (await answer.json(content_type=None))["status"]) == (503, 503)
        assert int(answer.headers["Retry-After"]) > 0


async def test_an_answer_under_way_is_cut_off_not_added_to(http: aiohttp.ClientSession, lines: io.StringIO) -> None:
    """A client never reads a problem document as the rest of what it asked for; the log has the fault all the same."""
    with pytest.raises(aiohttp.ClientError):
        async with http.get("/midway") as answer:
            await answer.read()
    assert json.loads(lines.getvalue())["path"] == "/midway"


async def test_what_strangers_send_is_not_written_into_the_log(
    http: aiohttp.ClientSession, capfd: pytest.CaptureFixture[str]
) -> None:
    """A request that is none is answered 400, and neither its line nor a traceback reaches the log."""
    url = str(http._base_url)
    host, port = url.removeprefix("http://").strip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /away?name={SECRET}&\xff HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"))
    assert b" 400 " in await reader.readline()
    writer.close()
    assert SECRET not in "".join(capfd.readouterr())


async def test_a_body_that_is_not_packed_as_stated_is_the_clients_fault(http: aiohttp.ClientSession) -> None:
    """400, not a fault of the hub."""
    headers = {**GOOD, "Content-Encoding": "gzip"}
    async with http.post("/webhooks/toy-us", data=b"not gzip at all", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")


async def test_no_nesting_of_a_preview_is_a_fault_of_the_hub(desk: Desk) -> None:
    """The payload's own bytes are mapped, and what is too deep is said to be."""
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    answer = await desk.post("/mappings/preview", {"account": "shop-us", "topic": "orders/create", "payload": deep})
    assert answer.status == 422
    assert "nested" in answer.body["detail"]


async def test_stock_that_keeps_moving_is_asked_for_again() -> None:
    """Positions that change under every redo are a conflict of the caller's, not a fault of the hub."""

    class Moving:
        async def run(self, *_: object) -> None:
            raise StoreConflict("a position was made meanwhile")

    settings = SimpleNamespace(locations={"main": None})
    desk: Any = HubDesk(settings, {}, {}, {}, Moving(), *[None] * 5)  # type: ignore[arg-type]
    line = {"sku": "MUG", "location": "main", "delta": 1, "on_hand": 1}
    for act in (desk.adjust, desk.report):
        with pytest.raises(BadRequest, match="ask again") as refused:
            await act([line], key="k", actor="ada")
        assert refused.value.status == 409
