"""Shippo is asked by carrier and number, numbers are registered, and refusals become the contract's decisions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.tracking import TrackedNumber
from connectors.shippo import CONNECTOR
from tests.support.carriers import answered, beside_sandbox, context

SECTION = {"credentials": {"api_key": "shippo_live_key", "webhook_secret": "s3cret"}}
USPS = TrackedNumber("9205590164917337534322", "usps")
UNKNOWN: dict[str, Any] = {
    "carrier": "usps",
    "tracking_number": USPS.number,
    "tracking_status": None,
    "tracking_history": [],
}


def saying(status: int, body: Any) -> Any:
    return lambda _: httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("status", "body", "wanted", "reason", "words"),
    [
        (400, {"carrier": ["is not supported"]}, Rejected, None, "carrier: is not supported"),
        (400, {"__all__": ["not so"]}, Rejected, None, "400: not so"),
        (400, ["not so", "nor so"], Rejected, None, "not so; nor so"),
        (401, {"detail": "Token does not exist"}, AuthFailed, AuthReason.CREDENTIALS, "Token does not exist"),
        (402, {"detail": "Billing"}, AuthFailed, AuthReason.REVOKED, "settle"),
        (403, {"detail": "No"}, AuthFailed, AuthReason.SCOPE, "allowed for the account"),
        (404, "", Rejected, None, "names no error"),
        (429, {"detail": "throttled"}, RateLimited, None, "throttled"),
        (502, "", Transient, None, "502"),
        (200, {"status": "ok"}, Transient, None, "no track"),
        (200, [], Transient, None, "no track"),
    ],
)
async def test_each_error_has_its_class(
    status: int, body: Any, wanted: type[ConnectorError], reason: AuthReason | None, words: str
) -> None:
    """By the status, as Shippo has no codes; what the body says is passed on."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([USPS])
    assert getattr(caught.value, "reason", None) is reason
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (USPS, "/tracks/usps/9205590164917337534322"),
        (TrackedNumber("1", "dhl_parcel_de"), "/tracks/dhl_germany/1"),
        (TrackedNumber("1", "fedex_ground_economy"), "/tracks/fedex/1"),
        (TrackedNumber("1", "ups", carrier_raw="FDXG"), "/tracks/ups/1"),
        (TrackedNumber("1", None, carrier_raw="usps"), "/tracks/usps/1"),
    ],
)
async def test_the_carrier_is_named_in_shippos_words(number: TrackedNumber, path: str) -> None:
    """Ours by the crosswalk, Shippo's own as it is; another vendor's word is not passed on."""
    async with answered(CONNECTOR, saying(200, UNKNOWN), SECTION) as world:
        await world.connector.track([number])
    (request,) = world.requests
    assert (request.method, request.url.path) == ("GET", path)
    assert request.headers["authorization"] == "ShippoToken shippo_live_key"
    assert request.headers["shippo-api-version"] == "2018-02-08"


@pytest.mark.parametrize("number", [TrackedNumber("1"), TrackedNumber("1", "canpar"), TrackedNumber("1", "nobody")])
async def test_a_carrier_shippo_has_no_name_for_is_refused_unsent(number: TrackedNumber) -> None:
    """Shippo cannot be asked about a number alone."""
    async with answered(CONNECTOR, saying(200, UNKNOWN), SECTION) as world:
        with pytest.raises(Rejected) as caught:
            await world.connector.track([number])
        (watched,) = await world.connector.watch([number])
        assert world.requests == []
    assert caught.value.code == "carrier_unnamed"
    assert watched.error is not None


async def test_a_made_up_number_is_a_document() -> None:
    """A track without a status says unknown."""
    async with answered(CONNECTOR, saying(200, UNKNOWN), SECTION) as world:
        (envelope,) = await world.connector.track([USPS])
        (document,) = world.updates(envelope)
    assert (document.milestone, document.tracking_number, document.carrier) == ("unknown", USPS.number, "usps")


async def test_new_ids_of_the_same_scans_are_no_news() -> None:
    """Ids and times of Shippo's own records differ from answer to answer; the payload keeps them."""

    def answer(request: httpx.Request) -> httpx.Response:
        mark = str(len(world.requests))
        status = {"status": "TRANSIT", "status_date": "2026-11-03T15:00:00Z", "object_id": mark, "object_updated": mark}
        return httpx.Response(200, json={**UNKNOWN, "tracking_status": status, "tracking_history": [status]})

    async with answered(CONNECTOR, answer, SECTION) as world:
        (first,), (again,) = await world.connector.track([USPS]), await world.connector.track([USPS])
    assert first.dedupe_key == again.dedupe_key
    assert first.payload != again.payload


async def test_a_number_is_registered_and_what_is_refused_is_told() -> None:
    """One call per number; a refusal is the number's own, a limit nobody's."""
    async with beside_sandbox(CONNECTOR) as world:
        number = TrackedNumber(world.sandbox.number(1), "usps")
        (watched,) = await world.connector.watch([number])
        assert (watched.error, watched.until) == (None, None)
        assert world.sandbox.registered == {number.number: 1}
        (refused,) = await world.connector.watch([TrackedNumber("!", "usps")])
        assert isinstance(refused.error, Rejected)
        world.sandbox.faults.force("rate_limit", 5)
        with pytest.raises(RateLimited):
            await world.connector.watch([number])


async def test_without_a_secret_nothing_is_registered() -> None:
    """Pushes nobody would believe are not asked for."""
    async with answered(CONNECTOR, saying(201, UNKNOWN), {"credentials": {"api_key": "shippo_live_key"}}) as world:
        (watched,) = await world.connector.watch([USPS])
        assert watched.error is not None
        assert watched.error.code == "no_secret"
        assert world.requests == []


@pytest.mark.parametrize(
    ("row", "warned"),
    [
        (None, True),
        ({"event": "track_updated", "url": "https://hub.example/webhooks/carrier?token=x", "active": True}, False),
        ({"event": "all", "url": "https://hub.example/webhooks/carrier"}, False),
        ({"event": "track_updated", "url": "https://hub.example/webhooks/carrier", "active": False}, True),
        ({"event": "track_updated", "url": "https://hub.example/webhooks/carrier", "is_test": True}, True),
        ({"event": "track_updated", "url": "https://hub.example/webhooks/other"}, True),
        ({"event": "batch_created", "url": "https://hub.example/webhooks/carrier"}, True),
    ],
)
async def test_the_check_tells_whether_pushes_come_here(row: dict[str, Any] | None, *, warned: bool) -> None:
    """A webhook for something else, switched off, or of the other mode tells this hub nothing."""
    rows = {"results": [row] if row else []}
    transport = httpx.MockTransport(saying(200, rows))
    given = context(ManualClock(), SECTION, transport=transport, public_url="https://hub.example/")
    connector: Any = CONNECTOR.open(given)
    report = await connector.check()
    await connector.close()
    assert report.who == "Shippo account (live token)"
    assert bool(report.warnings) is warned
    assert "token=" not in json.dumps(list(report.warnings))


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"credentials": {}}, "credentials.api_key"),
        ({**SECTION, "options": {"webhook_auth": "none"}}, "options.webhook_auth"),
        ({"credentials": {"api_key": "x", "token": "y"}}, "credentials.token"),
    ],
)
def test_a_wrong_section_is_named(section: dict[str, Any], named: str) -> None:
    """`open` says which key is wrong."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), section))
