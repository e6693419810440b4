"""The Postal Service's few calls are spent on parcels alone, and its refusals become the decisions of the contract."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.tracking import TrackedNumber
from connectors.usps import CONNECTOR
from tests.support.carriers import answered, beside_sandbox, context

SECTION = {"credentials": {"client_id": "key", "client_secret": "secret"}}
NUMBER = "9400111206206406260787"


def saying(status: int, body: Any, scope: str | None = "addresses tracking") -> Any:
    """USPS logs us in with this scope and answers everything else like this."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/v3/token":
            given = {"access_token": "t", "expires_in": 28799, **({} if scope is None else {"scope": scope})}
            return httpx.Response(200, json=given)
        return httpx.Response(status, json=body)

    return answer


def error(status: int, code: str = "", title: str = "") -> dict[str, Any]:
    rows = [{"status": str(status), "code": code, "title": title, "detail": "In words."}] if code or title else []
    return {"apiVersion": "/tracking/v3", "error": {"code": str(status), "message": "Refused", "errors": rows}}


@pytest.mark.parametrize(
    ("status", "body", "wanted", "reason"),
    [
        (400, error(400, "150002"), Rejected, None),
        (401, error(401), AuthFailed, AuthReason.CREDENTIALS),
        (401, error(401, title="invalid_oauth_scope"), AuthFailed, AuthReason.SCOPE),
        (403, error(403), AuthFailed, AuthReason.SCOPE),
        (404, {"message": "no such route"}, Rejected, None),
        (429, error(429), RateLimited, None),
        (503, error(503), Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, body: Any, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By the inner code or title, else by the status."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize(("status", "body"), [(400, error(400, "150001")), (404, error(404))])
async def test_no_news_is_a_document_under_the_number(status: int, body: Any) -> None:
    """The answer does not repeat the number; the document has it."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        (envelope,) = await world.connector.track([TrackedNumber(NUMBER)])
        (document,) = world.updates(envelope)
    assert (document.milestone, document.tracking_number) == ("unknown", NUMBER)


async def test_a_login_without_the_scope_costs_no_question() -> None:
    """The token's answer says what it is good for: nothing is asked, and the lacking permission is named."""
    async with answered(CONNECTOR, saying(200, {}, scope="addresses locations"), SECTION) as world:
        for _ in range(2):
            with pytest.raises(AuthFailed, match="tracking") as caught:
                await world.connector.track([TrackedNumber(NUMBER)])
            assert caught.value.reason is AuthReason.SCOPE
    # A login each, in case the permission came meanwhile; no call beyond.
    assert [request.url.path for request in world.requests] == ["/oauth2/v3/token"] * 2


async def test_a_login_that_does_not_say_is_tried() -> None:
    """A token's answer without `scope` is no proof of a lack."""
    async with answered(CONNECTOR, saying(400, error(400, "150001"), scope=None), SECTION) as world:
        assert len(await world.connector.track([TrackedNumber(NUMBER)])) == 1


async def test_the_question_is_asked_in_full_with_the_day_of_mailing() -> None:
    """Details, and the day that tells a used-again number apart; the login is JSON."""
    async with answered(CONNECTOR, saying(400, error(400, "150001")), SECTION) as world:
        await world.connector.track([TrackedNumber(NUMBER, shipped_on=date(2026, 11, 2))])
    login, question = world.requests
    assert json.loads(login.content) == {
        "grant_type": "client_credentials", "client_id": "key", "client_secret": "secret",
    }  # fmt: skip
    assert question.url.path == f"/tracking/v3/tracking/{NUMBER}"
    assert dict(question.url.params) == {"expand": "DETAIL", "mailingDate": "2026-11-02"}


async def test_an_hours_calls_are_not_overspent() -> None:
    """Asked as fast as it may for an hour, the connector stays within the quota, and says when it may go on."""
    async with beside_sandbox(CONNECTOR) as world:
        number = world.sandbox.number(1)
        world.sandbox.ship_parcel(number)
        began, waits = world.clock.monotonic(), 0
        while world.clock.monotonic() - began < 3600:
            try:
                await world.connector.track([TrackedNumber(number)])
            except RateLimited as limited:
                waits += 1
                world.clock.advance(limited.retry_after_s or 1e9)
        asked = [call for call in world.calls if call.status is not None]
        assert 50 <= len(asked) <= 62
        assert waits > 10
        assert world.connector.track_quota.calls == 55


async def test_a_raised_quota_is_stated_and_used() -> None:
    """`calls_per_hour` is what the account has; a number too small to work with is refused by name."""
    async with beside_sandbox(CONNECTOR, calls_per_hour=600) as world:
        assert world.connector.track_quota.calls == 595
        assert world.connector.budgets.snapshot()["tracking"].burst > 40
    with pytest.raises(ValueError, match=r"options\.calls_per_hour"):
        CONNECTOR.open(context(ManualClock(), {**SECTION, "options": {"calls_per_hour": 3}}))


async def test_an_evening_scan_keeps_its_hour() -> None:
    """What the answer calls GMT has yesterday's date after six; the document's UTC does not."""
    async with beside_sandbox(CONNECTOR) as world:
        while world.clock.now().hour != 1:  # eight in the evening in Pennsylvania
            world.clock.advance(600)
        parcel = world.sandbox.ship_parcel(world.sandbox.number(1))
        world.clock.advance(world.sandbox.stride_s * 2)
        (envelope,) = await world.connector.track([TrackedNumber(parcel.number)])
        picked_up = next(update for update in world.updates(envelope) if update.milestone == "picked_up")
        assert picked_up.at == parcel.scans[1].at
