"""What AfterShip answers is turned into the decisions of the contract, and each parcel is registered once."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.aftership import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    ConnectorError,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.sdk.tracking import TrackedNumber
from tests.support.carriers import answered, beside_sandbox, context

SECTION = {"credentials": {"api_key": "k", "webhook_secret": "s"}}
NUMBER = "393541943382"


def refusal(status: int, code: int, **headers: str) -> httpx.Response:
    body = {"meta": {"code": code, "type": "BadRequest", "message": "As AfterShip says."}, "data": {}}
    return httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("status", "code", "wanted", "reason"),
    [
        (400, 4005, Rejected, None),
        (400, 4012, Rejected, None),
        (401, 401, AuthFailed, AuthReason.CREDENTIALS),
        (402, 402, AuthFailed, AuthReason.SCOPE),
        (403, 403, AuthFailed, AuthReason.SCOPE),
        (404, 4004, TargetMissing, None),
        (429, 429, RateLimited, None),
        (500, 500, Transient, None),
        (504, 504, Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, code: int, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By the status, with AfterShip's own number and words for the operator."""
    async with answered(CONNECTOR, lambda _: refusal(status, code), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert caught.value.code == str(code)
    assert "As AfterShip says." in caught.value.message
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "1795262405"}, 1.0),
        ({"X-RateLimit-Reset": "1795262405", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 5.0),
        ({"X-RateLimit-Reset": "1795262399", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 1.0),
        ({"X-RateLimit-Reset": "9795262399", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 300.0),
    ],
)
async def test_the_wait_is_counted_by_aftership_s_own_clock(headers: dict[str, str], wait: float | None) -> None:
    """From its Date to the moment it states; never less than its window and never without bound."""
    async with answered(CONNECTOR, lambda _: refusal(429, 429, **headers), SECTION) as world:
        with pytest.raises(RateLimited) as caught:
            await world.connector.check()
    assert caught.value.retry_after_s == wait


@pytest.mark.parametrize("body", [[], {}, {"data": {}}, {"data": {"trackings": {}}}, {"data": None}])
async def test_an_answer_of_somebody_else_is_weather(body: Any) -> None:
    """A proxy's page must not pass for an account without trackings."""
    async with answered(CONNECTOR, lambda _: httpx.Response(200, json=body), SECTION) as world:
        with pytest.raises(Transient):
            await world.connector.check()


async def test_the_first_question_registers_and_the_next_reads() -> None:
    """Found by number, else registered; by AfterShip's id from then on; a tracking taken away there is made anew."""
    async with beside_sandbox(CONNECTOR) as world:
        number = world.sandbox.number(1)
        world.sandbox.ship_parcel(number)
        (first,) = await world.connector.track([TrackedNumber(number, carrier="fedex")])
        assert [call.kind for call in world.calls] == ["parcel.track", "parcel.register"]
        (again,) = await world.connector.track([TrackedNumber(number)])
        parcel = world.current(first).parcel
        (by_id,) = await world.connector.track([TrackedNumber(number, parcel=parcel)])
        assert first.dedupe_key == again.dedupe_key == by_id.dedupe_key
        assert [call.target for call in world.calls[2:]] == [
            "GET /tracking/2026-01/trackings",
            f"GET /tracking/2026-01/trackings/{parcel}",
        ]
        world.sandbox.forget(number)
        (anew,) = await world.connector.track([TrackedNumber(number, parcel=parcel)])
        assert world.current(anew).milestone == "label_created"


async def test_registered_twice_at_once_is_registered() -> None:
    """Somebody else's registration between our two calls is found; where it cannot be, the parcel waits as unknown."""
    exists = {"meta": {"code": 4003, "message": "Tracking already exists."}, "data": {"id": "abc", "slug": "ups"}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(400, json=exists)
        return httpx.Response(200, json={"meta": {"code": 200}, "data": {"trackings": []}})

    async with answered(CONNECTOR, answer, SECTION) as world:
        (envelope,) = await world.connector.track([TrackedNumber(NUMBER)])
        (found,) = world.updates(envelope)
        assert (found.milestone, found.parcel, found.carrier) == ("unknown", "abc", "ups")
        (watched,) = await world.connector.watch([TrackedNumber(NUMBER)])
        assert (watched.error, watched.vendor_id) == (None, "abc")


async def test_a_carrier_goes_in_aftership_s_word_or_is_left_to_it() -> None:
    """A slug where the crosswalk has one; a refused number is told in its result; without a secret nobody listens."""
    made = {"meta": {"code": 201}, "data": {"id": "1", "tracking_number": NUMBER, "slug": "dhl", "tag": "Pending"}}
    async with answered(CONNECTOR, lambda _: httpx.Response(201, json=made), SECTION) as world:
        for carrier in ("dhl_express", "city_bikes", None):
            await world.connector.watch([TrackedNumber(NUMBER, carrier=carrier)])
    assert [json.loads(each.content).get("slug") for each in world.requests] == ["dhl", None, None]
    assert {each.headers["as-api-key"] for each in world.requests} == {"k"}
    async with answered(CONNECTOR, lambda _: refusal(400, 4005), SECTION) as world:
        (refused,) = await world.connector.watch([TrackedNumber("?")])
        assert isinstance(refused.error, Rejected)
    async with answered(CONNECTOR, lambda _: refusal(400, 4005), {"credentials": {"api_key": "k"}}) as world:
        (deaf,) = await world.connector.watch([TrackedNumber(NUMBER)])
        assert isinstance(deaf.error, Rejected)
        assert world.requests == []


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"credentials": {}}, "credentials.api_key"),
        ({"credentials": {"api_key": "k", "token": "x"}}, "credentials.token"),
        ({"credentials": {"api_key": "k"}, "options": {"region": "eu"}}, "options.region"),
    ],
)
def test_a_wrong_section_is_named(section: dict[str, Any], named: str) -> None:
    """The key that is wrong stands in the message."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), section))
