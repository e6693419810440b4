"""DHL's few calls are paced and counted, and its refusals become the decisions of the contract."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.dhl import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.tracking import TrackedNumber
from tests.support.carriers import answered, beside_sandbox, context

SECTION = {"credentials": {"api_key": "key"}}
NUMBER = "7777777770"


def saying(status: int, body: Any) -> Any:
    return lambda _: httpx.Response(status, json=body)


def problem(status: int) -> dict[str, Any]:
    return {"title": "As DHL says", "detail": "In words.", "status": status}


@pytest.mark.parametrize(
    ("status", "body", "wanted", "reason"),
    [
        (400, problem(400), Rejected, None),
        (401, problem(401), AuthFailed, AuthReason.CREDENTIALS),
        (403, problem(403), AuthFailed, AuthReason.SCOPE),
        (404, {"message": "no route"}, Rejected, None),
        (429, problem(429), RateLimited, None),
        (500, problem(500), Transient, None),
        (200, {"status": "ok"}, Transient, None),
    ],
)
async def test_each_error_has_its_class(
    status: int, body: Any, wanted: type[ConnectorError], reason: AuthReason | None
) -> None:
    """By the status, as DHL has no codes; an answer of somebody else is no news."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        with pytest.raises(wanted) as caught:
            await world.connector.track([TrackedNumber(NUMBER)])
    assert getattr(caught.value, "reason", None) is reason


@pytest.mark.parametrize(("status", "body"), [(404, problem(404)), (200, {"shipments": []})])
async def test_no_result_is_a_document_under_the_number(status: int, body: Any) -> None:
    """A 404 and an empty list say the same: unknown."""
    async with answered(CONNECTOR, saying(status, body), SECTION) as world:
        (envelope,) = await world.connector.track([TrackedNumber(NUMBER)])
        (document,) = world.updates(envelope)
    assert (document.milestone, document.tracking_number, document.carrier) == ("unknown", NUMBER, "dhl")


async def test_the_division_that_told_of_a_parcel_is_asked_again() -> None:
    """What DHL called the service goes back as a hint; a word of somebody else's does not."""
    async with answered(CONNECTOR, saying(404, problem(404)), SECTION) as world:
        await world.connector.track([TrackedNumber(NUMBER, carrier_raw="parcel-de")])
        await world.connector.track([TrackedNumber(NUMBER, carrier_raw="FDXG")])
    first, second = ({**request.url.params} for request in world.requests)
    assert first == {"trackingNumber": NUMBER, "language": "en", "service": "parcel-de"}
    assert second == {"trackingNumber": NUMBER, "language": "en"}
    assert world.requests[0].headers["dhl-api-key"] == "key"


async def test_a_parcel_asked_for_by_its_piece_is_told_under_the_piece() -> None:
    """The shipment's own number is another one; the documents are about the number asked for."""
    async with beside_sandbox(CONNECTOR) as world:
        world.sandbox.ship_parcel(world.sandbox.number(1))
        piece = "JD014600000000000001"
        (envelope,) = await world.connector.track([TrackedNumber(piece)])
        assert {update.tracking_number for update in world.updates(envelope)} == {piece}


async def test_calls_keep_five_seconds_apart_and_end_with_the_day() -> None:
    """A third of a minute for four calls; the day's last one is followed by a wait that is stated, unsent."""
    async with beside_sandbox(CONNECTOR, calls_per_day=6) as world:
        number = TrackedNumber(world.sandbox.number(1))
        began = world.clock.monotonic()
        for _ in range(4):
            await world.connector.track([number])
        assert 15 <= world.clock.monotonic() - began < 25
        await world.connector.track([number])
        await world.connector.track([number])
        with pytest.raises(RateLimited) as caught:
            await world.connector.track([number])
        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 3600
        assert len(world.calls) <= 6


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"service": "pigeon"}, "options.service"),
        ({"country": "usa"}, "options.country"),
        ({"calls_per_day": 0}, "options.calls_per_day"),
    ],
)
def test_a_wrong_section_is_named(options: dict[str, Any], named: str) -> None:
    """`open` says which key is wrong."""
    with pytest.raises(ValueError, match=named):
        CONNECTOR.open(context(ManualClock(), {**SECTION, "options": options}))
