"""What EasyPost answers is turned into the decisions of the contract, and trackers are asked for sparingly."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.easypost import CONNECTOR
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

SECTION = {"credentials": {"api_key": "EZTKtest", "webhook_secret": "s"}}
NUMBER = "393541943382"
TRACKER = {"id": "trk_1", "tracking_code": NUMBER, "status": "unknown", "tracking_details": []}


def saying(status: int, body: Any) -> Any:
    return lambda _: httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("status", "wanted", "reason"),
    [
        (401, AuthFailed, AuthReason.CREDENTIALS),
        (402, AuthFailed, AuthReason.SCOPE),
        (403, AuthFailed, AuthReason.SCOPE),
        (404, TargetMissing, None),
        (422, Rejected, None),
        (429, RateLimited, None),
        (500, Transient, None),
        (503, Transient, None),
    ],
)
async def test_each_status_has_its_class(status: int, wanted: type[ConnectorError], reason: AuthReason | None) -> None:
    """With EasyPost's own code and words for the operator; a tracker asked for twice is one, so nothing is in doubt."""
    body = {"error": {"code": "SOME.CODE", "message": "As EasyPost says."}}
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert caught.value.code == "SOME.CODE"
    assert "As EasyPost says." in caught.value.message
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize("body", [[], {}, {"id": "trk_1"}, {"trackers": []}])
async def test_an_answer_without_a_tracker_is_weather(body: Any) -> None:
    """Nothing is made of an answer that is none of EasyPost's."""
    async with answered(CONNECTOR, saying(200, body), SECTION) as world:
        with pytest.raises(Transient):
            await world.connector.track([TrackedNumber(NUMBER)])


async def test_a_known_parcel_is_read_by_its_tracker_and_another_one_makes_it() -> None:
    """By EasyPost's id where it has given one; the carrier in EasyPost's word, or left to it where we have none."""
    async with answered(CONNECTOR, saying(200, TRACKER), SECTION) as world:
        await world.connector.track([TrackedNumber(NUMBER, carrier="fedex", parcel="trk_1")])
        await world.connector.track([TrackedNumber(NUMBER, carrier="fedex", parcel="12029~1~FDEG")])
        await world.connector.track([TrackedNumber(NUMBER, carrier="city_bikes")])
        await world.connector.track([TrackedNumber(NUMBER, carrier="ups", carrier_raw="UPSDAP")])
    read, *made = world.requests
    assert (read.method, read.url.path, read.content) == ("GET", "/v2/trackers/trk_1", b"")
    assert [json.loads(each.content) for each in made] == [
        {"tracker": {"tracking_code": NUMBER, "carrier": "FedEx"}},
        {"tracker": {"tracking_code": NUMBER}},
        {"tracker": {"tracking_code": NUMBER, "carrier": "UPSDAP"}},
    ]
    assert {each.headers["authorization"] for each in world.requests} == {"Basic RVpUS3Rlc3Q6"}


async def test_a_tracker_that_is_gone_is_made_anew() -> None:
    """One of another key or another year: the number still names the parcel."""
    async with beside_sandbox(CONNECTOR) as world:
        number = world.sandbox.number(1)
        world.sandbox.ship_parcel(number)
        (envelope,) = await world.connector.track([TrackedNumber(number, parcel="trk_of_another_key")])
        assert world.current(envelope).milestone == "label_created"
        assert [call.method for call in world.calls] == ["GET", "POST"]


async def test_a_watch_says_which_tracker_tells_and_what_was_refused() -> None:
    """One tracker, however often asked; a refused number is told in its result; without a secret nobody listens."""
    async with beside_sandbox(CONNECTOR) as world:
        number = TrackedNumber(world.sandbox.number(1), carrier="fedex")
        (first,) = await world.connector.watch([number])
        (again,) = await world.connector.watch([number])
        assert first.vendor_id == again.vendor_id
        assert first.error is None
        assert first.until is None
        (refused,) = await world.connector.watch([TrackedNumber(" ")])
        assert isinstance(refused.error, Rejected)
    async with answered(CONNECTOR, saying(200, TRACKER), {"credentials": {"api_key": "k"}}) as world:
        (deaf,) = await world.connector.watch([TrackedNumber(NUMBER)])
        assert isinstance(deaf.error, Rejected)
        assert world.requests == []


async def test_check_warns_of_what_will_hurt() -> None:
    """A test key tells of no real parcel, and without a secret nothing is pushed here."""
    async with answered(CONNECTOR, saying(200, {"trackers": []}), {"credentials": {"api_key": "EZTKx"}}) as world:
        report = await world.connector.check()
    assert "test key" in report.who
    assert len(report.warnings) == 2


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"credentials": {}}, "credentials.api_key"),
        ({"credentials": {"api_key": "k", "token": "x"}}, "credentials.token"),
        ({"credentials": {"api_key": "k"}, "options": {"webhook_signature": "v3"}}, "options.webhook_signature"),
    ],
)
def test_a_wrong_section_is_named(section: dict[str, Any], named: str) -> None:
    """The key that is wrong stands in the message."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), section))
