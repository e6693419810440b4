"""What FedEx answers is turned into the decisions of the contract, number by number."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest

from connectors.fedex import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.tracking import TrackedNumber
from tests.support.carriers import answered, beside_sandbox, context

SECTION = {"credentials": {"client_id": "key", "client_secret": "secret"}}
NUMBER = "394037056377"


def saying(status: int, body: Any, login: httpx.Response | None = None) -> Any:
    """FedEx logs us in and answers everything else like this."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return login or httpx.Response(200, json={"access_token": "t", "expires_in": 3599})
        return httpx.Response(status, json=body)

    return answer


def error(code: str) -> dict[str, Any]:
    return {"transactionId": "1", "errors": [{"code": code, "message": "As FedEx says."}]}


@pytest.mark.parametrize(
    ("status", "code", "wanted", "reason"),
    [
        (400, "TRACKING.TRACKINGNUMBER.EMPTY", Rejected, None),
        (401, "NOT.AUTHORIZED.ERROR", AuthFailed, AuthReason.CREDENTIALS),
        (403, "FORBIDDEN.ERROR", AuthFailed, AuthReason.SCOPE),
        (404, "NOT.FOUND.ERROR", Rejected, None),
        (429, "", RateLimited, None),
        (500, "INTERNAL.SERVER.ERROR", Transient, None),
        (503, "SERVICE.UNAVAILABLE.ERROR", Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, code: str, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By FedEx's code, else by the status."""
    async with answered(CONNECTOR, saying(status, error(code) if code else {}), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize(
    ("login", "wanted"),
    [
        (httpx.Response(401, json=error("NOT.AUTHORIZED.ERROR")), AuthFailed),
        (httpx.Response(403, json=error("FORBIDDEN.ERROR")), AuthFailed),
        (httpx.Response(403, text="<html>Access Denied</html>"), RateLimited),
        (httpx.Response(200, json={"token_type": "bearer"}), Transient),
    ],
)
async def test_a_login_that_fails_is_told_from_one_that_comes_too_often(
    login: httpx.Response, wanted: type[ConnectorError]
) -> None:
    """FedEx's own refusal is about the pair; the gateway's is about how often this address comes."""
    async with answered(CONNECTOR, saying(200, {}, login), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after_s == 600.0


async def test_a_known_parcel_is_asked_for_by_its_own_name_and_another_by_its_days() -> None:
    """Numbers are used again: FedEx's id of the parcel where it has told it, else the days around its shipping."""
    body = {"output": {"completeTrackResults": []}}
    async with answered(CONNECTOR, saying(200, body), SECTION) as world:
        await world.connector.track(
            [
                TrackedNumber(NUMBER, parcel=f"12029~{NUMBER}~FDEG", carrier_raw="FDXG"),
                TrackedNumber("394037056378", shipped_on=date(2026, 11, 2)),
                TrackedNumber("394037056379"),
            ]
        )
    sent = json.loads(world.requests[-1].content)
    assert sent["includeDetailedScans"] is True
    assert sent["trackingInfo"] == [
        {
            "trackingNumberInfo": {
                "trackingNumber": NUMBER,
                "trackingNumberUniqueId": f"12029~{NUMBER}~FDEG",
                "carrierCode": "FDXG",
            }
        },
        {
            "trackingNumberInfo": {"trackingNumber": "394037056378"},
            "shipDateBegin": "2026-10-30",
            "shipDateEnd": "2026-12-02",
        },
        {"trackingNumberInfo": {"trackingNumber": "394037056379"}},
    ]


async def test_thirty_numbers_cost_one_call_and_each_has_its_outcome() -> None:
    """Known and unknown mixed: an envelope per number, and an unknown one among them spoils nothing."""
    async with beside_sandbox(CONNECTOR) as world:
        numbers = [world.sandbox.number(index) for index in range(30)]
        for number in numbers[:20]:
            world.sandbox.ship_parcel(number)
        envelopes = await world.connector.track([TrackedNumber(number) for number in numbers])
        assert [call.kind for call in world.calls] == ["token.fetch", "parcel.track"]
        found = {envelope.ordering_key: world.current(envelope).milestone for envelope in envelopes}
        assert found == {
            **{f"parcel:{number}": "label_created" for number in numbers[:20]},
            **{f"parcel:{number}": "unknown" for number in numbers[20:]},
        }


async def test_a_parcel_going_back_is_not_called_delivered() -> None:
    """FedEx's scans of it say Delivered; the parcel is returning."""
    async with beside_sandbox(CONNECTOR) as world:
        parcel = world.sandbox.ship_parcel(world.sandbox.number(1), journey="returned")
        world.clock.advance(world.sandbox.stride_s * len(parcel.scans))
        (envelope,) = await world.connector.track([TrackedNumber(parcel.number)])
        assert b'"derivedStatusCode":"DL"' in envelope.payload
        assert "delivered" not in {update.milestone for update in world.updates(envelope)}
        assert world.current(envelope).milestone == "returning"


@pytest.mark.parametrize(
    ("options", "named"),
    [({"account_number": "12"}, "options.account_number"), ({"locale": "e"}, "options.locale")],
)
def test_a_wrong_section_is_named(options: dict[str, Any], named: str) -> None:
    """`open` says which key is wrong."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), {**SECTION, "options": options}))
