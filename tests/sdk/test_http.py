"""The HTTP client repeats only what may be repeated, names every outcome, and sends and reads exactly."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from connectors.sdk.auth import OAuthTokens, Token, TokenHeader
from connectors.sdk.budget import BudgetBook
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import AccountContext, CallRecord
from connectors.sdk.errors import AuthFailed, ConnectorError, InDoubt, RateLimited, Rejected, Transient
from connectors.sdk.http import Answer, Call, HttpClient, by_status
from connectors.sdk.manifest import Budget

BASE = "https://api.vendor.example"
Make = Callable[..., HttpClient]


def classify(answer: Answer, call: Call) -> ConnectorError | None:
    if answer.ok:
        return None
    if answer.status == 401:
        return AuthFailed("no", **answer.facts())
    return by_status(answer, "bad") or Rejected("bad", **answer.facts())


@pytest.fixture
def router() -> respx.Router:
    return respx.Router(assert_all_called=False)


@pytest.fixture
def client(account: Callable[..., AccountContext], router: respx.Router) -> Make:
    def make(**given: Any) -> HttpClient:
        ctx = account(transport=httpx.MockTransport(router.async_handler))
        budgets = given.pop("budgets", None) or BudgetBook(ctx.clock, [Budget("calls", 100, 100)])
        return HttpClient(ctx, base_url=BASE, budgets=budgets, classify=given.pop("classify", classify), **given)

    return make


async def test_a_read_is_tried_three_times(
    client: Make, router: respx.Router, calls: list[CallRecord], clock: ManualClock
) -> None:
    """5xx on a read is tried three times with waits of half the bound, and each try is a record."""
    router.get(f"{BASE}/things").respond(503)
    with pytest.raises(Transient) as caught:
        await client().request("GET", "/things", kind="things.read")
    assert caught.value.status == 503
    assert [(call.attempt, call.outcome, call.status) for call in calls] == [
        (1, "transient", 503),
        (2, "transient", 503),
        (3, "transient", 503),
    ]
    assert clock.slept == [0.25, 1.0]
    assert {call.target for call in calls} == {"GET /things"}


@pytest.mark.parametrize(
    ("write", "keyed", "tries", "kind"),
    [(False, False, 3, Transient), (True, True, 3, Transient), (True, False, 1, InDoubt)],
)
@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x"), 502])
async def test_a_lost_answer_decides_by_what_may_be_repeated(
    client: Make,
    router: respx.Router,
    calls: list[CallRecord],
    write: bool,
    keyed: bool,
    tries: int,
    kind: type[ConnectorError],
    trouble: Any,
) -> None:
    """Reads and keyed writes are repeated and end transient; an unkeyed write goes once and is in doubt."""
    route = router.post(f"{BASE}/things")
    route.mock(side_effect=trouble) if isinstance(trouble, Exception) else route.respond(trouble)
    with pytest.raises(ConnectorError) as caught:
        await client().request("POST", "/things", kind="t", write=write, keyed=keyed)
    assert type(caught.value) is kind
    assert len(calls) == tries


@pytest.mark.parametrize("write", [False, True])
async def test_no_connection_is_never_doubt(client: Make, router: respx.Router, write: bool) -> None:
    """A connection that was never made carried nothing: transient, even for an unkeyed write."""
    router.post(f"{BASE}/things").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(Transient) as caught:
        await client().request("POST", "/things", kind="t", write=write)
    assert caught.value.code == "no_connection"


async def test_a_refused_write_is_not_repeated(client: Make, router: respx.Router, calls: list[CallRecord]) -> None:
    """4xx other than limits goes up at once."""
    router.put(f"{BASE}/things").respond(422)
    with pytest.raises(Rejected):
        await client().request("PUT", "/things", kind="t", write=True, keyed=True)
    assert [call.outcome for call in calls] == ["rejected"]


async def test_a_429_holds_the_budget(client: Make, router: respx.Router, clock: ManualClock) -> None:
    """The vendor's own wait is carried up and kept: the next call waits it out before it goes."""
    router.get(f"{BASE}/a").mock(
        side_effect=[httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(200, json={})]
    )
    http = client()
    with pytest.raises(RateLimited) as caught:
        await http.request("GET", "/a", kind="a", budget="calls")
    assert caught.value.retry_after_s == 7
    began_s = clock.monotonic()
    await http.request("GET", "/a", kind="a", budget="calls")
    assert clock.monotonic() - began_s == pytest.approx(7)


async def test_a_long_hold_is_told_without_a_call(client: Make, router: respx.Router, calls: list[CallRecord]) -> None:
    """When the wait is longer than a caller may be kept, it is told at once and nothing is sent."""
    route = router.get(f"{BASE}/a").respond(429, headers={"Retry-After": "3600"})
    http = client()
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            await http.request("GET", "/a", kind="a", budget="calls")
        assert caught.value.retry_after_s == pytest.approx(3600)
    assert route.call_count == 1
    assert len(calls) == 1


async def test_half_an_hour_of_refusals_is_not_a_storm(client: Make, router: respx.Router, clock: ManualClock) -> None:
    """A vendor that refuses everything without saying for how long sees a call a minute, not a storm."""
    route = router.get(f"{BASE}/a").respond(429)
    http = client()

    async def press_for(seconds: float) -> int:
        until_s, answered = clock.monotonic() + seconds, 0
        while clock.monotonic() < until_s and not answered:
            try:
                await http.request("GET", "/a", kind="a", budget="calls")
                answered += 1
            except RateLimited:
                clock.advance(0.5)
        return answered

    assert await press_for(30 * 60) == 0
    assert route.call_count <= 36
    route.respond(200)
    clock.advance(60)
    assert await press_for(0.1) == 1


async def test_503_with_a_time_is_a_limit(client: Make, router: respx.Router) -> None:
    """A vendor that says when to come back is obeyed instead of retried; an unkeyed write stays in doubt."""
    router.route().respond(503, headers={"Retry-After": "120"})
    with pytest.raises(RateLimited):
        await client().request("GET", "/a", kind="a")
    with pytest.raises(InDoubt):
        await client().request("POST", "/a", kind="a", write=True)


async def test_a_refused_token_is_renewed_once(
    account: Callable[..., AccountContext], router: respx.Router, calls: list[CallRecord]
) -> None:
    """401 drops that token, one fresh one is tried, and a second 401 goes up."""
    numbers = itertools.count(1)

    async def fetch() -> Token:
        return Token(f"token-{next(numbers)}", 600)

    ctx = account(transport=httpx.MockTransport(router.async_handler))
    tokens = OAuthTokens(ctx, "t", fetch)
    http = HttpClient(
        ctx, base_url=BASE, budgets=BudgetBook(ctx.clock), classify=classify, authorize=TokenHeader(tokens)
    )
    router.post(f"{BASE}/a", headers={"authorization": "Bearer token-2"}).respond(200)
    router.post(f"{BASE}/a").respond(401)
    router.get(f"{BASE}/b").respond(401)
    answer = await http.request("POST", "/a", kind="a", write=True)
    assert answer.status == 200
    with pytest.raises(AuthFailed):
        await http.request("GET", "/b", kind="b")
    assert [call.outcome for call in calls] == ["auth_failed", "ok", "auth_failed", "auth_failed"]


@pytest.mark.parametrize("secret", ["shpat_12\u2026ef", "shpat_12\nef"])
async def test_a_credential_no_header_takes_is_a_refused_login(
    account: Callable[..., AccountContext], client: Make, router: respx.Router, secret: str
) -> None:
    """A token copied shortened or broken over two lines: the operator is told, without it, and nothing is sent."""

    async def fetch() -> Token:
        return Token(secret)

    made = client(authorize=TokenHeader(OAuthTokens(account(), "token", fetch)))
    with pytest.raises(AuthFailed) as caught:
        await made.request("GET", "/things", kind="things.read")
    assert caught.value.code == "credential_unfit"
    assert "shpat" not in str(caught.value)
    assert not router.calls


async def test_tokens_never_leave_for_another_host(
    account: Callable[..., AccountContext], router: respx.Router
) -> None:
    """A URL the vendor hands us is fetched without our token."""

    async def fetch() -> Token:
        return Token("token-1", 600)

    ctx = account(transport=httpx.MockTransport(router.async_handler))
    http = HttpClient(
        ctx,
        base_url=BASE,
        budgets=BudgetBook(ctx.clock),
        classify=classify,
        authorize=TokenHeader(OAuthTokens(ctx, "t", fetch)),
    )
    route = router.get("https://files.example/report").respond(200, content=b"x")
    await http.request("GET", "https://files.example/report", kind="report.read")
    assert "authorization" not in route.calls[0].request.headers


async def test_fresh_headers_differ_per_try(client: Make, router: respx.Router) -> None:
    """A correlation id is made anew for every try."""
    route = router.get(f"{BASE}/a").respond(500)
    ids = (str(number) for number in itertools.count())
    with pytest.raises(Transient):
        await client().request("GET", "/a", kind="a", fresh_headers=lambda: {"X-Id": next(ids)})
    assert [call.request.headers["x-id"] for call in route.calls] == ["0", "1", "2"]


async def test_json_is_exact_both_ways(client: Make, router: respx.Router) -> None:
    """Big integers and decimals arrive and leave digit for digit."""
    route = router.post(f"{BASE}/a").respond(
        200, content=b'{"id":820982911946154508,"price":12.30,"huge":123456789012345678901234567890}'
    )
    answer = await client().request("POST", "/a", json={"price": Decimal("12.30"), "id": 2**63}, kind="a")
    assert answer.json() == {
        "id": 820982911946154508,
        "price": Decimal("12.30"),
        "huge": 123456789012345678901234567890,
    }
    assert str(answer.json()["price"]) == "12.30"
    assert route.calls[0].request.content == b'{"price":12.30,"id":9223372036854775808}'


@pytest.mark.parametrize(("write", "kind"), [(False, Transient), (True, InDoubt)])
async def test_an_answer_that_is_not_json_says_nothing(
    client: Make, router: respx.Router, write: bool, kind: type[ConnectorError]
) -> None:
    """A proxy's page with status 200 is no answer."""
    router.post(f"{BASE}/a").respond(200, html="<h1>Maintenance</h1>")
    answer = await client().request("POST", "/a", kind="a", write=write)
    assert answer.json_or_none() is None
    with pytest.raises(kind):
        answer.json()


async def test_redirects_are_not_followed(client: Make, router: respx.Router) -> None:
    """A redirect is an answer like any other, for the error table."""
    elsewhere = router.get("https://elsewhere.example/").respond(200)
    router.get(f"{BASE}/a").respond(302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(Rejected):
        await client().request("GET", "/a", kind="a")
    assert elsewhere.call_count == 0


def plain(size: int) -> httpx.Response:
    return httpx.Response(200, content=b"x" * size)


def packed(size: int) -> httpx.Response:
    # Handed over as a stream, so that the stub does not unpack it for us.
    return httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(bytes(size)))
    )


@pytest.mark.parametrize("body", [plain, packed])
async def test_answers_are_capped(client: Make, router: respx.Router, body: Callable[[int], httpx.Response]) -> None:
    """Up to the limit an answer is read, above it it is refused, and a packed one counts unpacked."""
    router.get(f"{BASE}/fits").mock(side_effect=lambda _: body(1000))
    router.route(path="/bomb").mock(side_effect=lambda _: body(50_000_000))
    http = client(answer_bytes_max=1000)
    assert len((await http.request("GET", "/fits", kind="a")).content) == 1000
    with pytest.raises(Rejected) as caught:
        await http.request("GET", "/bomb", kind="a")
    assert caught.value.code == "answer_too_large"
    with pytest.raises(InDoubt):
        await http.request("POST", "/bomb", kind="a", write=True)


async def test_several_packed_members_are_one_body(client: Make, router: respx.Router) -> None:
    """gzip may be several members one after another."""
    content = gzip.compress(b"one ") + gzip.compress(b"two")
    router.get(f"{BASE}/a").mock(
        return_value=httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(content))
    )
    assert (await client().request("GET", "/a", kind="a")).text() == "one two"


@pytest.mark.parametrize(
    ("encoding", "content"),
    [("gzip", gzip.compress(b"x" * 999)[:-9]), ("gzip", b"no gzip"), ("br", b"x")],
    ids=["cut off", "not packed", "packed otherwise"],
)
async def test_a_garbled_body_is_no_answer(
    account: Callable[..., AccountContext], encoding: str, content: bytes
) -> None:
    """Cut off, not packed at all, or packed in a way nobody asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(content))

    ctx = account(transport=httpx.MockTransport(answer))
    http = HttpClient(ctx, base_url=BASE, budgets=BudgetBook(ctx.clock), classify=classify)
    with pytest.raises(Transient) as caught:
        await http.request("GET", "/a", kind="a")
    assert caught.value.code == "answer_garbled"


async def test_the_url_goes_out_as_given(client: Make, router: respx.Router) -> None:
    """Percent escapes of a path and a vendor's cursor are sent byte for byte."""
    route = router.route().respond(200)
    cursor = "limit=2&next=%7Eab+c%2Bd%3D&x=a%20b"
    await client().request("GET", "/items/A%2FB%40", raw_query=f"?{cursor}", kind="a")
    assert route.calls[0].request.url.raw_path == f"/items/A%2FB%40?{cursor}".encode()


async def test_cancellation_is_recorded_and_gives_the_budget_back(
    client: Make, router: respx.Router, calls: list[CallRecord]
) -> None:
    """A cancelled call leaves a record, nothing in flight, and the client usable."""
    started = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.sleep(60)
        return httpx.Response(200)

    router.get(f"{BASE}/hang").mock(side_effect=hang)
    router.get(f"{BASE}/a").respond(200)
    budgets = BudgetBook(ManualClock(), [Budget("calls", 10, 10)])
    http = client(budgets=budgets)
    task = asyncio.create_task(http.request("GET", "/hang", kind="hang", budget="calls"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [call.outcome for call in calls] == ["cancelled"]
    assert budgets.snapshot()["calls"].in_flight == 0
    assert (await http.request("GET", "/a", kind="a", budget="calls")).status == 200


async def test_a_try_ends_in_time(client: Make, router: respx.Router) -> None:
    """One try lasts no longer than it may."""

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    router.post(f"{BASE}/hang").mock(side_effect=hang)
    with pytest.raises(InDoubt) as caught:
        await client().request("POST", "/hang", kind="hang", write=True, timeout_s=0.05)
    assert caught.value.code == "timeout"


async def test_records_and_reprs_hold_no_secret(client: Make, router: respx.Router, calls: list[CallRecord]) -> None:
    """The query, the headers and the body of a call are in no record, no repr and no message."""
    router.route().respond(403, content=b"canary-body")
    with pytest.raises(Rejected) as caught:
        await client().request(
            "POST", "/a", raw_query="token=canary-q", headers={"X": "canary-h"}, content=b"canary-c", kind="a"
        )
    assert "canary" not in f"{calls!r} {caught.value!r} {caught.value} {client()!r}"


@pytest.mark.parametrize(
    "base",
    ["http://api.vendor.example", "ftp://x.example", "nonsense", "https://u:p@x.example", "https://x.example/?a=1"],
)
def test_a_wrong_base_url_is_refused(account: Callable[..., AccountContext], base: str) -> None:
    """https anywhere or http on this machine; the message names the key."""
    with pytest.raises(ValueError, match="base_url"):
        HttpClient(account(), base_url=base, budgets=BudgetBook(ManualClock()), classify=classify)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:9001", "http://localhost:1", "http://[::1]:9001", "https://10.0.0.7/v1"]
)
def test_a_sandbox_or_proxy_may_stand_in(account: Callable[..., AccountContext], base: str) -> None:
    """An operator may point an account at this machine or at a proxy of their own."""
    HttpClient(account(), base_url=base, budgets=BudgetBook(ManualClock()), classify=classify)
