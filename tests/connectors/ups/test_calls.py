"""What UPS answers is turned into the decisions of the contract, and every number gets its due."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite.receiver import Receiver
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.tracking import TrackedNumber
from connectors.ups import CONNECTOR
from tests.support.carriers import answered, beside_sandbox, context

LOGIN = {"client_id": "id", "client_secret": "secret"}
SECTION = {"credentials": {**LOGIN, "webhook_client_id": "ups-here", "webhook_secret": "agreed"}}
DAY_S = 86_400
NUMBER = "1Z5R89390357567127"
TOKEN = {"access_token": "t", "expires_in": "14399"}


def saying(status: int, body: Any, headers: dict[str, str] | None = None) -> Any:
    """UPS logs us in and answers everything else like this."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/security/v1/oauth/token":
            return httpx.Response(200, json=TOKEN)
        return httpx.Response(status, json=body, headers=headers)

    return answer


def error(code: str) -> dict[str, Any]:
    return {"response": {"errors": [{"code": code, "message": "As UPS says."}]}}


@pytest.mark.parametrize(
    ("status", "code", "wanted", "reason"),
    [
        (400, "TV1002", Rejected, None),
        (401, "250002", AuthFailed, AuthReason.CREDENTIALS),
        (401, "251004", AuthFailed, AuthReason.CREDENTIALS),
        (403, "10403", AuthFailed, AuthReason.SCOPE),
        (404, "404", Rejected, None),
        (429, "10429", RateLimited, None),
        (400, "10429", RateLimited, None),
        (500, "10004", Transient, None),
        (503, "", Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, code: str, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By UPS's code, else by the status; the code is kept for the operator."""
    async with answered(CONNECTOR, saying(status, error(code) if code else {}), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert caught.value.code == (code or "")
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize("status", [200, 404])
async def test_not_found_is_a_document_either_way(status: int) -> None:
    """A warning in a 200 that does not repeat the number, or an error in a 404: unknown, under that number."""
    warning = {"code": "TW0001", "message": "Tracking Information Not Found"}
    body = {"trackResponse": {"shipment": [{"warnings": [warning]}]}} if status == 200 else error("TW0001")
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        envelopes = await world.connector.track([TrackedNumber(NUMBER)])
        (document,) = world.updates(*envelopes)
    assert (document.milestone, document.tracking_number, document.code_raw) == ("unknown", NUMBER, "TW0001")


async def test_an_answer_of_somebody_else_is_no_news() -> None:
    """A 200 without `trackResponse` is a proxy's page, not a parcel without scans."""
    async with answered(CONNECTOR, saying(200, {"ok": True}), SECTION) as world:
        with pytest.raises(Transient, match="none of Track's"):
            await world.connector.track([TrackedNumber(NUMBER)])


async def test_every_call_says_who_calls_and_names_itself_anew() -> None:
    """`transId` differs per call and `transactionSrc` is there: UPS requires both; one login serves them all."""
    body = {"trackResponse": {"shipment": []}}
    async with answered(CONNECTOR, saying(200, body), SECTION) as world:
        for _ in range(3):
            await world.connector.track([TrackedNumber(NUMBER)])
    logins = [request for request in world.requests if request.url.path.endswith("/token")]
    calls = [request for request in world.requests if request not in logins]
    assert len(logins) == 1
    assert logins[0].headers["authorization"].startswith("Basic ")
    assert len({call.headers["transid"] for call in calls}) == 3
    assert {call.headers["transactionsrc"] for call in calls} == {"trunkline"}


async def test_a_watch_says_which_number_is_not_watched() -> None:
    """1Z and 1R only; the rest of the batch is watched for fourteen days."""
    async with beside_sandbox(CONNECTOR) as world:
        good, mail = world.sandbox.number(1), "92612903029511573030094547"
        watched = await world.connector.watch([TrackedNumber(mail), TrackedNumber(good)])
        assert [each.number.number for each in watched] == [mail, good]
        assert watched[0].error is not None
        assert watched[0].error.code == "not_watchable"
        assert watched[1].until == world.clock.now() + timedelta(days=14)


async def test_nothing_watchable_is_asked_of_nobody() -> None:
    """A batch of numbers UPS does not watch costs no call."""
    async with beside_sandbox(CONNECTOR) as world:
        (watched,) = await world.connector.watch([TrackedNumber("9400111899223197428497")])
        assert watched.error is not None
        assert world.calls == []


async def test_an_account_that_would_not_believe_an_alert_asks_for_none() -> None:
    """Without a webhook secret a watch is refused unasked: it would be silence that looks like a watch."""
    async with answered(CONNECTOR, saying(200, {}), {"credentials": LOGIN}) as world:
        (watched,) = await world.connector.watch([TrackedNumber(NUMBER)])
    assert watched.error is not None
    assert watched.error.code == "no_secret"
    assert world.requests == []


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {**error("VSS210"), "invalidTrackingNumbers": [NUMBER]}, "VSS210"),
        (400, error("VSS215"), "VSS215"),
        (200, {"validTrackingNumbers": [], "invalidTrackingNumbers": [NUMBER]}, "not_confirmed"),
        (200, {}, "not_confirmed"),
    ],
)
async def test_a_number_ups_does_not_confirm_is_not_watched(status: int, body: Any, code: str) -> None:
    """Refused alone or left unmentioned: either way nobody will tell of it."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        (watched,) = await world.connector.watch([TrackedNumber(NUMBER)])
    assert watched.until is None
    assert watched.error is not None
    assert watched.error.code == code


async def test_a_watch_ends_after_fourteen_days_unless_renewed() -> None:
    """UPS falls silent without a word; asked again in time it goes on telling."""
    async with Receiver() as inbox, beside_sandbox(CONNECTOR) as world:
        inbox.challenge = world.connector.challenge
        world.sandbox.stride_s = 5 * DAY_S
        world.sandbox.deliver_to(inbox.url)
        renewed, forgotten = (world.sandbox.number(index) for index in (1, 2))
        for number in (renewed, forgotten):
            world.sandbox.ship_parcel(number)
        world.sandbox.move()  # the label is history before anybody watches, and is not told
        await world.connector.watch([TrackedNumber(renewed), TrackedNumber(forgotten)])
        world.clock.advance(12 * DAY_S)
        world.sandbox.move()
        await world.sandbox.settle()
        assert told(inbox) == {renewed: 2, forgotten: 2}
        await world.connector.watch([TrackedNumber(renewed)])
        world.clock.advance(10 * DAY_S)
        world.sandbox.move()
        await world.sandbox.settle()
        assert told(inbox) == {renewed: 4, forgotten: 2}


def told(inbox: Receiver) -> Counter[str]:
    return Counter(json.loads(request.body)["trackingNumber"] for request in inbox.requests)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"options": {"account_number": 12345}}, "options.account_number"),
        ({"options": {"alerts": "deluxe"}}, "options.alerts"),
        ({"options": {"locale": "english"}}, "options.locale"),
        ({"credentials": {"client_id": "id", "client_secret": "x", "webhook_secret": "y"}}, "webhook_client_id"),
    ],
)
def test_a_wrong_section_is_named(change: dict[str, Any], named: str) -> None:
    """`open` says which key is wrong."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), {**SECTION, **change}))
