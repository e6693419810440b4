"""ShipEngine is asked by carrier and number, its webhook is kept right, and refusals become decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, InDoubt, RateLimited, Rejected, Transient
from connectors.sdk.sandbox_keys import SigningKey
from connectors.sdk.tracking import TrackedNumber
from connectors.shipengine import CONNECTOR
from connectors.shipengine.webhooks import HEADERS
from tests.support.carriers import answered, beside_sandbox, context, incoming

SECTION = {"credentials": {"api_key": "production-key", "webhook_secret": "s3cret"}}
UPS = TrackedNumber("1Z8A44630300000018", "ups")
HERE = "https://hub.example/webhooks/carrier"


def saying(status: int, body: Any) -> Any:
    return lambda _: httpx.Response(status, json=body)


def refusal(code: str, source: str = "shipengine") -> dict[str, Any]:
    row = {"error_source": source, "error_type": "business_rules", "error_code": code, "message": "As it says."}
    return {"request_id": "aa3d8e8e-462b-4476-9618-72db7f7b7009", "errors": [row]}


@pytest.mark.parametrize(
    ("status", "body", "wanted", "reason"),
    [
        (400, refusal("carrier_not_connected"), Rejected, None),
        (400, refusal("tracking_not_supported"), Rejected, None),
        (401, refusal("unauthorized"), AuthFailed, AuthReason.CREDENTIALS),
        (401, "", AuthFailed, AuthReason.CREDENTIALS),
        (400, refusal("unauthorized", "carrier"), Rejected, None),
        (401, refusal("unauthorized", "carrier"), Rejected, None),
        (402, refusal("trial_expired"), AuthFailed, AuthReason.REVOKED),
        (403, refusal("subscription_inactive"), AuthFailed, AuthReason.REVOKED),
        (403, refusal("forbidden"), AuthFailed, AuthReason.SCOPE),
        (404, refusal("not_found"), Rejected, None),
        (400, refusal("rate_limit_exceeded", "carrier"), RateLimited, None),
        (429, "", RateLimited, None),
        (500, refusal("unspecified"), Transient, None),
        (502, refusal("unspecified", "carrier"), Transient, None),
        (200, {"status_code": "IT"}, Transient, None),
        (200, [], Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, body: Any, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By code, then by status; what a carrier refuses ShipEngine says nothing about our key."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([UPS])
    assert getattr(caught.value, "reason", None) is reason


async def test_the_carrier_is_named_in_shipengines_words() -> None:
    """USPS is stamps_com there; the answer that does not repeat the carrier is told with it."""
    told = {"tracking_number": "9400111899223000000012", "status_code": "UN", "events": []}
    async with answered(CONNECTOR, saying(200, told), SECTION) as world:
        (envelope,) = await world.connector.track([TrackedNumber("9400111899223000000012", "usps")])
        (document,) = world.updates(envelope)
    (request,) = world.requests
    assert {**request.url.params} == {"carrier_code": "stamps_com", "tracking_number": "9400111899223000000012"}
    assert request.headers["api-key"] == "production-key"
    assert (document.milestone, document.carrier, document.carrier_raw) == ("unknown", "usps", "stamps_com")


@pytest.mark.parametrize("number", [TrackedNumber("1"), TrackedNumber("1", "nobody")])
async def test_a_carrier_shipengine_has_no_name_for_is_refused_unsent(number: TrackedNumber) -> None:
    """ShipEngine cannot be asked about a number alone."""
    async with answered(CONNECTOR, saying(200, {}), SECTION) as world:
        with pytest.raises(Rejected) as caught:
            await world.connector.track([number])
        (watched,) = await world.connector.watch([number])
        assert world.requests == []
    assert caught.value.code == "carrier_unnamed"
    assert watched.error is not None


async def test_tracking_is_started_and_what_is_refused_is_told() -> None:
    """One call per number, 204; a refusal is the number's own, a limit nobody's."""
    async with beside_sandbox(CONNECTOR) as world:
        number = TrackedNumber(world.sandbox.number(1), "ups")
        (watched,) = await world.connector.watch([number])
        assert (watched.error, watched.until) == (None, None)
        assert world.sandbox.started_numbers == {number.number}
        (refused,) = await world.connector.watch([TrackedNumber("1234567", "sendle")])
        assert isinstance(refused.error, Rejected)
        assert refused.error.code == "carrier_not_connected"
        world.sandbox.faults.force("rate_limit", 5)
        with pytest.raises(RateLimited):
            await world.connector.watch([number])


async def test_the_webhook_is_made_once_and_mended() -> None:
    """With our secret in its header; other people's webhooks stay as they are."""
    async with beside_sandbox(CONNECTOR) as world:
        others = [
            {"event": "batch", "url": HERE, "webhook_id": "se-90"},
            {"event": "track", "url": f"{HERE}2", "webhook_id": "se-91"},
        ]
        world.sandbox.webhooks += [dict(other) for other in others]
        assert list(await world.connector.ensure_subscriptions(HERE)) == ["track: subscribed"]
        assert list(await world.connector.ensure_subscriptions(HERE)) == []
        own = world.sandbox.webhooks[-1]
        secret = world.sandbox.account_section()["credentials"]["webhook_secret"]
        assert own["headers"] == [{"key": "x-trunkline-secret", "value": secret}]
        own["headers"] = [{"key": "X-Trunkline-Secret", "value": "former"}]
        assert list(await world.connector.ensure_subscriptions(HERE)) == ["track: mended"]
        assert own["headers"][0]["value"] == secret
        assert world.sandbox.webhooks[:2] == others


async def test_a_webhook_that_may_have_been_made_is_looked_for() -> None:
    """A lost answer is in doubt; the next look finds the one that was made."""
    async with beside_sandbox(CONNECTOR) as world:
        await world.connector.check()
        world.sandbox.faults_on_writes_only = True
        world.sandbox.faults.force("timeout_after_apply")
        with pytest.raises(InDoubt):
            await world.connector.ensure_subscriptions(HERE)
        assert list(await world.connector.ensure_subscriptions(HERE)) == []
        assert len(world.sandbox.webhooks) == 1


async def test_without_a_secret_nothing_is_subscribed_or_started() -> None:
    """Pushes nobody would believe are not asked for."""
    async with answered(CONNECTOR, saying(200, []), {"credentials": {"api_key": "production-key"}}) as world:
        with pytest.raises(Rejected):
            await world.connector.ensure_subscriptions(HERE)
        (watched,) = await world.connector.watch([UPS])
        assert watched.error is not None
        assert world.requests == []


@pytest.mark.parametrize(
    ("credentials", "who", "warnings"),
    [
        ({}, "ShipEngine account (production key, 2 carriers connected)", 0),
        ({"webhook_secret": ""}, "ShipEngine account (production key, 2 carriers connected)", 1),
        ({"api_key": "TEST_x"}, "ShipEngine account (TEST_ key, 2 carriers connected)", 1),
    ],
)
async def test_the_check_tells_what_the_key_is_good_for(credentials: dict[str, str], who: str, warnings: int) -> None:
    """How many carriers there are, and why nothing may be pushed."""
    section = {"credentials": {**SECTION["credentials"], **credentials}}
    async with answered(CONNECTOR, saying(200, {"carriers": [{}, {}]}), section) as world:
        report = await world.connector.check()
    assert (report.who, len(report.warnings)) == (who, warnings)


@pytest.mark.parametrize(
    ("service", "address"),
    [
        ("shipengine", "https://api.shipengine.com/v1/carriers"),
        ("shipengine_eu", "https://api.eu.shipengine.com/v1/carriers"),
        ("shipstation", "https://api.shipstation.com/v2/carriers"),
    ],
)
async def test_the_service_decides_the_address(service: str, address: str) -> None:
    """Calls go to where the account is kept, under the version it has."""
    section = {**SECTION, "options": {"service": service}}
    async with answered(CONNECTOR, saying(200, {"carriers": []}), section) as world:
        await world.connector.check()
    assert str(world.requests[0].url) == address


async def test_shipstations_version_two_is_the_same_under_other_names() -> None:
    """Asked, started and subscribed to there; its event has another name, and keys are ShipEngine's."""
    async with beside_sandbox(CONNECTOR, service="shipstation") as world:
        parcel = world.sandbox.ship_parcel(world.sandbox.number(1))
        number = TrackedNumber(parcel.number, "ups")
        (watched,) = await world.connector.watch([number])
        assert watched.error is None
        assert world.current(*await world.connector.track([number])).milestone == "label_created"
        assert list(await world.connector.ensure_subscriptions(HERE)) == ["track_event_v2: subscribed"]
        assert list(await world.connector.ensure_subscriptions(HERE)) == []
        assert {call.target.split()[1].split("/")[1] for call in world.calls} == {"v2"}
    async with answered(CONNECTOR, saying(200, {}), {**SECTION, "options": {"service": "shipstation"}}) as world:
        (told,) = world.connector.envelopes(incoming(b'{"resource_type": "TRACK_EVENT_V2", "data": {}}', {}))
        assert told.topic == "API_TRACK"
        key = SigningKey(HEADERS)
        request = incoming(b"{}", {"x-trunkline-secret": "s3cret", **key.headers(b"{}", world.clock.now())})
        with pytest.raises(Transient):
            await world.connector.fetch_keys(replace(request, received_at=world.clock.now()))
        assert str(world.requests[0].url) == "https://api.shipengine.com/jwks"


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"credentials": {}}, "credentials.api_key"),
        ({**SECTION, "options": {"service": "moon"}}, "options.service"),
        ({"credentials": {"api_key": "x", "token": "y"}}, "credentials.token"),
    ],
)
def test_a_wrong_section_is_named(section: dict[str, Any], named: str) -> None:
    """`open` says which key is wrong."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), section))
