"""The console: what people see, what it never turns into markup, who may look, and its headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench import payloads
from hub.api.auth import LOCAL
from hub.api.spec import Call
from hub.bootstrap import Hub
from hub.ports.store import Bucket, Posting, ReadSet, WriteSet
from tests.support import browser, folders
from tests.support.running_hub import deliver, running_hub, until

EVIL = '<img src=x onerror="alert(1)"><script>document.title=`owned`</script>'


async def _filled(hub: Hub, http: aiohttp.ClientSession) -> None:
    """Stock, two orders, one of them under a hostile name, and one parked payload."""
    lines = [{"sku": sku, "location": "main", "on_hand": 40} for sku in ("MUG", EVIL)]
    await hub.acts.report(lines, key="count", actor="test")
    assert await deliver(http, hub.url, 1, [("MUG", 2)]) == 200
    hostile = payloads.order(2, [(EVIL, 1)])
    hostile["name"] = EVIL
    assert await deliver(http, hub.url, 2, [], body=json.dumps(hostile).encode()) == 200
    broken = payloads.order(3, [("MUG", 1)])
    broken["line_items"][0]["quantity"] = EVIL
    assert await deliver(http, hub.url, 3, [], body=json.dumps(broken).encode()) == 200

    async def applied() -> bool:
        orders, _ = await hub.queries.orders()
        failures, _ = await hub.queries.failures()
        return (len(orders), len(failures)) == (2, 1)

    await until(applied)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[tuple[Hub, aiohttp.ClientSession]]:
    accounts = {"shop-us": folders.shopify(), "market": folders.walmart(mode="shadow")}
    catalogue = 'sku\nMUG\n"' + EVIL.replace('"', '""') + '"\n'
    async with running_hub(tmp_path, accounts, catalogue) as hub, aiohttp.ClientSession() as http:
        await _filled(hub, http)
        yield hub, http


async def test_the_page_shows_the_hub_as_it_is(page: tuple[Hub, aiohttp.ClientSession]) -> None:
    """Readiness, both accounts, stock, orders and what is parked stand on the page a browser renders."""
    hub, _ = page
    seen = await browser.dom(hub.url + "/")
    for words in ("ready", "shop-us", "market", "shadow", "MUG", "#1", "MappingError", "Parked"):
        assert words in seen, words
    assert "Traceback" not in seen


async def test_the_total_of_many_locations_is_whole(tmp_path: Path) -> None:
    """A SKU that lies in more places than one page of positions holds is shown with all of its units."""
    rows = [
        Posting(f"found/{number}", "MUG", f"shelf-{number:03}", Bucket.ON_HAND, 7, "found", 1, "test")
        for number in range(111)
    ]
    async with running_hub(tmp_path, {}) as hub, aiohttp.ClientSession() as http:
        assert hub._store is not None
        await hub._store.run(ReadSet(positions={"MUG"}), lambda _: WriteSet(postings=rows))
        async with http.get(hub.url + "/") as answer:
            source = await answer.text()
    assert f'<td class="number">{7 * 111}</td>' in source


async def test_a_hostile_name_is_text(page: tuple[Hub, aiohttp.ClientSession]) -> None:
    """A SKU, an order number and a payload with HTML in them never become elements or run."""
    hub, http = page
    async with http.get(hub.url + "/") as answer:
        source = await answer.text()
    assert "&lt;script&gt;" in source
    assert "<script" not in source
    assert "<img" not in source
    seen = await browser.dom(hub.url + "/")
    assert "<img" not in seen
    assert "<script" not in seen
    assert "<title>Trunkline</title>" in seen


async def test_the_headers_are_strict(page: tuple[Hub, aiohttp.ClientSession]) -> None:
    """A snapshot: no script at all, nothing framed, nothing kept, no referrer."""
    hub, http = page
    async with http.get(hub.url + "/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        headers = {name: value for name, value in answer.headers.items() if name not in {"Date", "Content-Length"}}
    assert headers == {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Content-Type": "text/html; charset=utf-8",
        "Server": headers["Server"],
    }
    async with http.get(hub.url + "/console.css") as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")


async def test_a_picture_of_the_page_has_something_on_it(
    page: tuple[Hub, aiohttp.ClientSession], tmp_path: Path
) -> None:
    """The style sheet is loaded under the page's own policy: the picture is no plain white sheet."""
    hub, _ = page
    file = tmp_path / "console.png"
    await browser.picture(hub.url + "/", file)
    assert file.stat().st_size > 20_000


async def _token(hub: Hub, role: str) -> str:
    (create,) = [operation for operation in hub.operations() if operation.id == "createToken"]
    made: Any = await create.handler(Call(LOCAL, {}, {}, {"role": role}, b"", "", None))  # type: ignore[arg-type]
    return str(made["token"])


async def test_beyond_this_machine_a_token_is_asked_for(tmp_path: Path) -> None:
    """Listening on every address: 401 and a form, a wrong token stays out, a good one gets a strict cookie."""
    accounts = {"market": folders.walmart(mode="shadow")}
    async with running_hub(tmp_path, accounts, hub={"listen": "0.0.0.0:0"}) as hub:
        url = hub.url.replace("0.0.0.0", "127.0.0.1")
        token = await _token(hub, "viewer")
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            async with http.get(url + "/") as answer:
                text = await answer.text()
                assert answer.status == 401
                assert "API token" in text
                assert "market" not in text
            async with http.post(url + "/login", data={"token": "hub_wrong"}) as answer:
                assert answer.status == 401
                assert "hub_wrong" not in await answer.text()
            async with http.post(url + "/login", data={"token": token}, allow_redirects=False) as answer:
                assert answer.status == 303
                cookie = answer.headers["Set-Cookie"]
                assert "HttpOnly" in cookie
                assert "SameSite=Strict" in cookie
            async with http.get(url + "/") as answer:
                assert answer.status == 200
                assert "market" in await answer.text()
        seen = await browser.dom(url + "/")
        assert "API token" in seen


async def test_looking_around_without_a_token_locks_nobody_out(tmp_path: Path) -> None:
    """The page renews itself: a browser that is not signed in must not lock its own address."""
    async with running_hub(tmp_path, {}, hub={"listen": "0.0.0.0:0"}) as hub, aiohttp.ClientSession() as http:
        url = hub.url.replace("0.0.0.0", "127.0.0.1")
        token = await _token(hub, "viewer")
        for _ in range(15):
            async with http.get(url + "/") as answer:
                assert answer.status == 401
        async with http.get(url + "/api/v1/status", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200
