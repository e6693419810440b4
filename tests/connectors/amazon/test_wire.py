"""Everything that calls Amazon is authorised, paced per operation, and answered with the decision it asks for."""

from __future__ import annotations

import asyncio
import gzip
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.amazon import api, errors
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    Conflict,
    InDoubt,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from tests.support.amazon_wire import BASE, ORDERS_PATH, TOKEN_PATH, fault, scripted

SEARCH = {"method": "GET", "path": ORDERS_PATH, "operation": "searchOrders"}
EXPIRED = fault("Unauthorized", "Access to requested resource is denied.", "The access token you provided has expired.")


def tokens(*values: str) -> list[httpx.Response]:
    return [httpx.Response(200, json={"access_token": value, "expires_in": 3600}) for value in values]


async def test_a_login_is_the_partners_by_refresh_and_the_applications_by_scope() -> None:
    """Both grants are form-encoded with the client's id and secret, and each call carries its own token."""
    async with scripted() as wire:
        wire.routes["token"].mock(side_effect=tokens("partner", "application"))
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        await wire.api.request(**SEARCH)
        await wire.api.request(**SEARCH, grantless=True)
        first, second = (parse_qs(request.read().decode()) for request in wire.sent(TOKEN_PATH))
        assert first == {
            "grant_type": ["refresh_token"],
            "refresh_token": ["Atzr|refresh-1"],
            "client_id": ["app-id"],
            "client_secret": ["app-secret"],
        }
        assert second["grant_type"] == ["client_credentials"]
        assert second["scope"] == ["sellingpartnerapi::notifications"]
        used = [call.request.headers["x-amz-access-token"] for call in route.calls]
        assert used == ["partner", "application"]
        assert all("authorization" not in call.request.headers for call in route.calls)
        assert route.calls[0].request.headers["x-amz-date"] == "20260105T120000Z"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_ended_is_renewed_once_for_all(status: int) -> None:
    """Ten calls refused at once make one login, and all of them then succeed."""
    async with scripted() as wire:
        wire.routes["token"].mock(side_effect=tokens("old", "new"))

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers["x-amz-access-token"] == "old":
                return httpx.Response(status, json=EXPIRED)
            return httpx.Response(200, json={"orders": []})

        wire.routes.get(f"{BASE}{ORDERS_PATH}/1").mock(side_effect=answer)
        calls = [wire.api.request("GET", f"{ORDERS_PATH}/1", operation="getOrder") for _ in range(10)]
        assert {each.status for each in await asyncio.gather(*calls)} == {200}
        assert wire.routes["token"].call_count == 2


async def test_a_missing_role_costs_one_renewal_not_one_per_call() -> None:
    """403 after a renewal is the role; for a minute no further login is spent on it."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(403, json=EXPIRED)
        for _ in range(5):
            with pytest.raises(AuthFailed) as caught:
                await wire.api.request(**SEARCH)
            assert caught.value.reason is AuthReason.SCOPE
        assert wire.routes["token"].call_count == 2
        assert route.call_count == 6
        wire.clock.advance(61)
        with pytest.raises(AuthFailed):
            await wire.api.request(**SEARCH)
        assert wire.routes["token"].call_count == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("invalid_client", AuthReason.CREDENTIALS),
        ("invalid_grant", AuthReason.REVOKED),
        ("unauthorized_client", AuthReason.CREDENTIALS),
        ("invalid_scope", AuthReason.SCOPE),
    ],
)
async def test_a_refused_login_says_which_part_is_wrong(code: str, reason: AuthReason) -> None:
    """The operator's next step differs, so the three are told apart."""
    async with scripted() as wire:
        wire.routes["token"].respond(400, json={"error": code, "error_description": "no"})
        with pytest.raises(AuthFailed) as caught:
            await wire.api.request(**SEARCH)
        assert (caught.value.reason, caught.value.code) == (reason, code)
        assert "app-secret" not in str(caught.value)
        assert wire.routes["token"].call_count == 1, "a refused login is not hammered"


@pytest.mark.parametrize(
    ("status", "write", "kind"),
    [
        (400, False, Rejected),
        (404, False, TargetMissing),
        (409, True, Conflict),
        (413, True, Rejected),
        (415, True, Rejected),
        (429, True, RateLimited),
        (500, False, Transient),
        (500, True, InDoubt),
        (503, True, InDoubt),
    ],
)
async def test_each_status_is_one_decision(status: int, write: bool, kind: type[Exception]) -> None:
    """The code differs between Amazon's APIs for the same thing, so the status decides and the code is shown."""
    async with scripted() as wire:
        answer = httpx.Response(status, json=fault("SomeCode", "why"), headers={"x-amzn-RequestId": "r-1"})
        wire.routes.route(path=ORDERS_PATH).mock(return_value=answer)
        with pytest.raises(kind) as caught:
            await wire.api.request("POST" if write else "GET", ORDERS_PATH, operation="getOrder", write=write)
        assert caught.value.code == "SomeCode"  # type: ignore[attr-defined]
        assert caught.value.correlation_id == "r-1"  # type: ignore[attr-defined]
        assert "why" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": "no"}', b'{"errors": [3]}'])
async def test_an_odd_error_body_is_still_decided(body: bytes) -> None:
    """A gateway's page names no error; the status is enough."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(400, content=body)
        with pytest.raises(Rejected) as caught:
            await wire.api.request(**SEARCH)
        assert caught.value.code == "HTTP_400"


@pytest.mark.parametrize("code", ["QuotaExceeded", "RateLimited", "TooManyRequests"])
async def test_a_429_waits_for_one_token_whatever_its_code(code: str) -> None:
    """No Retry-After is promised: the wait is one over the rate, spread by chance, and the bucket is held."""
    async with scripted(jitter=0.5) as wire:
        headers = {"x-amzn-RateLimit-Limit": "0.5"}
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(429, json=fault(code), headers=headers)
        with pytest.raises(RateLimited) as caught:
            await wire.api.request(**SEARCH)
        assert caught.value.retry_after_s == pytest.approx(2.5)
        assert not wire.api.ready_within("searchOrders", 2.0)
        assert wire.api.ready_within("getOrder", 0.0), "another operation has another bucket"
        assert route.call_count == 1


async def test_a_rate_that_is_stated_replaces_the_published_one() -> None:
    """Busy sellers are granted more; nonsense in the header changes nothing."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}")
        for stated, known in (("", 0.0056), ("x", 0.0056), ("-1", 0.0056), ("inf", 0.0056), ("2.5", 2.5)):
            route.respond(json={"orders": []}, headers={"x-amzn-RateLimit-Limit": stated})
            await wire.api.request(**SEARCH)
            assert wire.api.budgets.snapshot()["searchOrders"].rate == known


async def test_a_spent_bucket_is_said_and_not_waited_for() -> None:
    """searchOrders gives twenty calls and then one in three minutes: whoever comes then is told at once."""
    async with scripted() as wire:
        route = wire.routes.get(f"{BASE}{ORDERS_PATH}").respond(json={"orders": []})
        for _ in range(19):
            await wire.api.request(**SEARCH)
        wire.api.budgets.learn("searchOrders", remaining=0)
        with pytest.raises(RateLimited) as caught:
            await wire.api.request(**SEARCH)
        assert route.call_count == 19
        assert caught.value.retry_after_s == pytest.approx(180, rel=0.05)


def test_queries_are_escaped_and_lists_are_joined_by_commas() -> None:
    """A SKU may hold a comma, a slash or a percent sign: only the separator is a bare comma."""
    given = {"identifiers": ["A,1", "B/2 %"], "marketplaceIds": ("US",), "pageSize": 20}
    assert api.encoded(given) == "identifiers=A%2C1,B%2F2%20%25&marketplaceIds=US&pageSize=20"
    assert api.escaped("A/B %") == "A%2FB%20%25"


async def test_documents_carry_no_token_and_are_unpacked() -> None:
    """A presigned address is nobody's business but the store's: no token, the type as announced."""
    async with scripted() as wire:
        put = wire.routes.put(f"{BASE}/store/1").respond(200)
        await wire.api.upload(f"{BASE}/store/1?signature=a%2Fb", b"{}", "application/json; charset=UTF-8")
        (sent,) = (call.request for call in put.calls)
        assert sent.headers["content-type"] == "application/json; charset=UTF-8"
        assert "x-amz-access-token" not in sent.headers
        assert str(sent.url).endswith("?signature=a%2Fb")
        packed = gzip.compress(b"one ") + gzip.compress(b"two")
        headers = {"content-type": "text/tab-separated-values; charset=Cp1252"}
        get = wire.routes.get(f"{BASE}/store/2").respond(200, content=packed, headers=headers)
        found = await wire.api.fetch_document(f"{BASE}/store/2", "GZIP")
        assert (found.content, found.content_type) == (b"one two", "text/tab-separated-values; charset=Cp1252")
        assert "x-amz-access-token" not in get.calls[0].request.headers
        assert wire.routes["token"].call_count == 0


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Transient), (404, Transient), (400, Rejected), (503, Transient), (500, Transient)]
)
async def test_a_documents_address_that_ended_is_weather(status: int, kind: type[Exception]) -> None:
    """Five minutes later the store says no: a fresh address is asked for, nobody's login is at fault."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}/store/1").respond(status, text="<Error><Code>AccessDenied</Code></Error>")
        with pytest.raises(kind):
            await wire.api.download(f"{BASE}/store/1")


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b"x" * 1000, mtime=0)[:-9]], ids=["other", "cut off"])
async def test_a_document_that_does_not_unpack_is_read_again(content: bytes) -> None:
    """Cut off or garbled: never taken for a shorter report."""
    async with scripted() as wire:
        wire.routes.get(f"{BASE}/store/1").respond(200, content=content)
        with pytest.raises(Transient):
            await wire.api.download(f"{BASE}/store/1", "GZIP")


async def test_a_document_too_large_or_strangely_packed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb unpacks to no more than the limit, and an algorithm nobody named is an error."""
    monkeypatch.setattr(api, "DOCUMENT_BYTES_MAX", 10_000)
    async with scripted() as wire:
        wire.routes.get(f"{BASE}/store/1").respond(200, content=gzip.compress(b"0" * 1_000_000))
        with pytest.raises(Rejected) as caught:
            await wire.api.download(f"{BASE}/store/1", "GZIP")
        assert caught.value.code == "document_too_large"
        with pytest.raises(Rejected) as caught:
            await wire.api.download(f"{BASE}/store/1", "BROTLI")
        assert caught.value.code == "compression_unknown"


@pytest.mark.parametrize("url", ["http://example.com/a", "https://10.0.0.1/a", "https://example.com:22/a"])
async def test_a_document_is_never_fetched_from_where_the_hub_may_not_call(url: str) -> None:
    """The address comes out of a payload: https, an ordinary port and a public host, or nothing."""
    async with scripted() as wire:
        with pytest.raises(Rejected):
            await wire.api.download(url)


def test_an_issue_in_a_good_answer_is_a_refusal() -> None:
    """A listing marked INVALID fails for good, with Amazon's own number and words."""
    error = errors.listing_issue("90000900", "The attributes are invalid.", "ERROR")
    assert isinstance(error, Rejected)
    assert error.code == "90000900"
    assert "The attributes are invalid." in error.message
