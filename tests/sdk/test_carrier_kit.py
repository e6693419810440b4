"""The parts carriers share: parcels that move, tokens of a fake login, envelopes, and reading a login's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web

from connectors.sdk.answer import Answer, Call
from connectors.sdk.carrier_sandbox import JOURNEYS, CarrierSandbox, Parcel, Scan, fitting
from connectors.sdk.clock import ManualClock
from connectors.sdk.errors import Transient
from connectors.sdk.faults import Faults
from connectors.sdk.login import basic, token_of
from connectors.sdk.ports import Secret
from connectors.sdk.tracking import parcel_ordering_key
from connectors.sdk.tracking_envelopes import pushed, told


class Post(CarrierSandbox):
    """A carrier without a wire."""

    name = "post"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.pushes: list[tuple[str, str]] = []

    def number(self, index: int) -> str:
        return f"P{index:06d}"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return []

    def account_section(self) -> dict[str, Any]:
        return {}

    def push(self, parcel: Parcel, scan: Scan) -> None:
        self.pushes.append((parcel.number, scan.step))


def post(late: float = 0.0) -> tuple[Post, ManualClock]:
    clock = ManualClock()
    sandbox = Post(clock=clock, faults=Faults({"late_read": late}, seed=1))
    sandbox.stride_s = 60.0
    return sandbox, clock


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_parcel_shows_what_has_happened_by_now(journey: str) -> None:
    """One scan at once, one more a stride, the latest first, and each is pushed once."""
    sandbox, clock = post()
    parcel = sandbox.ship_parcel("P1", journey=journey)
    steps = [step for step, _ in JOURNEYS[journey]]
    for known in range(1, len(steps) + 1):
        assert [scan.step for scan in parcel.shown(clock.now())] == steps[:known][::-1]
        sandbox.move()
        sandbox.move()
        assert sandbox.pushes == [("P1", step) for step in steps[:known]]
        clock.advance(60)


def test_a_late_scan_is_known_after_later_ones() -> None:
    """With every scan of the road late, the door is known before the road, and the order of events is kept."""
    sandbox, clock = post(late=1.0)
    parcel = sandbox.ship_parcel("P1")
    for _ in range(20):
        sandbox.move()
        clock.advance(30)
    pushed_steps = [step for _, step in sandbox.pushes]
    planned = [step for step, _ in JOURNEYS["delivered"]]
    assert sorted(pushed_steps) == sorted(planned)
    assert pushed_steps != planned
    assert [scan.step for scan in parcel.shown(clock.now())] == planned[::-1]


def test_a_scans_clock_is_its_towns() -> None:
    """The wall clock and its offset give back the instant."""
    sandbox, _ = post()
    for scan in sandbox.ship_parcel("P1").scans:
        hours = int(scan.offset[:3])
        assert scan.local - timedelta(hours=hours) == scan.at.replace(tzinfo=None)


def test_an_unknown_journey_is_named() -> None:
    """It says which there are."""
    with pytest.raises(LookupError, match="delivered"):
        post()[0].ship_parcel("P1", journey="to the moon")


async def test_a_browser_ships_and_looks() -> None:
    """Over the control paths: a number made up or given, where it is, a journey nobody knows; nothing is stocked."""
    sandbox = Post()
    async with sandbox, aiohttp.ClientSession(sandbox.base_url) as http:

        async def asked(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            async with http.request(method, path, json=body) as answer:
                return answer.status, await answer.json(content_type=None)

        assert await asked("POST", "/_sandbox/parcel", {}) == (200, {"number": "P000000"})
        assert await asked("POST", "/_sandbox/parcel", {"number": "X1", "journey": "returned"}) == (
            200,
            {"number": "X1"},
        )
        status, shown = await asked("GET", "/_sandbox/parcels")
        assert status == 200
        assert shown["parcels"]["X1"][0]["step"] == "label_created"
        assert (await asked("POST", "/_sandbox/parcel", {"journey": "no"}))[0] == 400
        assert (await asked("POST", "/_sandbox/parcel", [1]))[0] == 400
        assert (await asked("POST", "/_sandbox/stock", {"sku": "MUG", "quantity": 1}))[0] == 400
        assert (await asked("POST", "/_sandbox/sell", {"lines": [["MUG", 1]]}))[0] == 409
        assert (await asked("POST", "/_sandbox/ship", {"order_id": "1"}))[0] == 404
        assert (await asked("GET", "/_sandbox/state"))[0] == 200


def test_a_fitting_number_has_the_right_check_digit() -> None:
    """And a stem that no digit completes is told."""
    assert fitting("1Z5R8939035756712", "ups") == "1Z5R89390357567127"
    with pytest.raises(LookupError):
        fitting("NONSENSE", "ups")


def test_what_is_told_twice_is_one_fact() -> None:
    """The digest is of what is said, not of how: key order does not matter, a value does; the lane is the parcel's."""
    first = told("tracking", "1Z 5R8-9", {"a": 1, "b": [2]})
    assert told("tracking", "1Z 5R8-9", {"b": [2], "a": 1}).dedupe_key == first.dedupe_key
    assert told("tracking", "1Z 5R8-9", {"a": 1, "b": [3]}).dedupe_key != first.dedupe_key
    assert first.ordering_key == parcel_ordering_key("1z5r89") == "parcel:1Z5R89"


@pytest.mark.parametrize("number", [None, "", " ", 7, {"a": 1}, "9" * 65])
def test_a_push_without_a_usable_number_has_its_own_lane(number: object) -> None:
    """It waits for nobody and nobody waits for it."""
    envelope = pushed("alert", b"body", number)
    assert envelope.ordering_key.startswith("parcel:unnamed:")
    assert pushed("alert", b"other", number).ordering_key != envelope.ordering_key


def answer(body: bytes) -> Answer:
    call = Call("POST", "https://vendor.example/token", "POST /token", "token.fetch")
    return Answer(call, 200, httpx.Headers(), body, 0.1)


@pytest.mark.parametrize(
    ("body", "life_s", "kept"),
    [
        (b'{"access_token":"t","expires_in":"14399","scope":"a b"}', 14_399.0, {"scope": "a b"}),
        (b'{"access_token":"t","expires_in":3599}', 3_599.0, {}),
        (b'{"access_token":"t","expires_in":"soon","scope":7}', 60.0, {}),
        (b'{"access_token":"t"}', 60.0, {}),
    ],
)
def test_a_logins_answer_is_read(body: bytes, life_s: float, kept: Mapping[str, str]) -> None:
    """The life as number or text, the vendor's usual one where none is stated; what is to be kept, if it is text."""
    token = token_of(answer(body), life_s=60.0, keep=("scope",))
    assert (token.value, token.expires_in_s, token.kept) == ("t", life_s, kept)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"access_token":""}', b'{"access_token":7}', b"<html>"])
def test_an_answer_without_a_token_is_weather(body: bytes) -> None:
    """Somebody else answered; the login is not judged by it."""
    with pytest.raises(Transient):
        token_of(answer(body), life_s=60.0)


def test_basic_is_as_the_standard_has_it() -> None:
    """RFC 7617, section 2."""
    assert basic(Secret("Aladdin"), Secret("open sesame")) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
