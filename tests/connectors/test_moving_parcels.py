"""Carriers with bad manners: whatever comes late, twice, out of order or never, the parcel's story is the true one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from canonical import TrackingUpdate
from connectors import registry
from connectors.sdk.carrier_sandbox import JOURNEYS, CarrierSandbox
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import FetchesKeys, ReceivesWebhooks
from connectors.sdk.contract_suite.receiver import Receiver
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Transient
from connectors.sdk.faults import Faults
from connectors.sdk.manifest import Capability
from connectors.sdk.tracking import TrackedNumber, Tracks, Watches
from hub.tracking import folded
from mappings.carriers import candidates
from tests.support.carriers import World, beside_sandbox

CARRIERS = ("aftership", "dhl", "easypost", "fedex", "shipengine", "shippo", "ups", "usps")
PUSHING = ("aftership", "easypost", "fedex", "shipengine", "shippo", "ups")
SHIPPED_BY = {"aftership": "fedex", "easypost": "fedex", "shipengine": "ups", "shippo": "usps"}
"""Whose parcels the sandbox of a service that asks many carriers has."""
RATES = {"rate_limit": 0.1, "rate_limit_bare": 0.05, "server_error": 0.1, "drop_connection": 0.1, "expired_token": 0.1}
DAY_S = 86_400.0
LATE = 0.5
STEPS = {
    # What these carriers do not say apart: back at the shipper's and on the way there.
    "dhl": {"returned": "returning"},
    "easypost": {"returned": "returning"},
    "fedex": {"returned": "returning"},
    "shipengine": {"returned": "returning"},
    "shippo": {"returned": "returning"},
    "usps": {"returned": "returning"},
}


@pytest.mark.parametrize("name", CARRIERS)
def test_a_made_up_number_is_one_of_the_carriers(name: str) -> None:
    """The sandbox ships under numbers whose check digit is right, so that detection and crosswalk hold in a demo."""
    kind = registry.get(name)
    assert kind.sandbox is not None
    sandbox: CarrierSandbox = kind.sandbox(seed=1, clock=ManualClock())
    numbers = [sandbox.number(index) for index in range(20)]
    assert len(set(numbers)) == 20
    for number in numbers:
        assert {found.carrier for found in candidates(number)} & {SHIPPED_BY.get(name), *kind.manifest.track_carriers}


@pytest.mark.parametrize("journey", JOURNEYS)
@pytest.mark.parametrize("name", CARRIERS)
async def test_every_journey_ends_where_it_ended(name: str, journey: str) -> None:
    """Polled once a day through refusals, cut connections and late scans, a parcel is where the carrier left it."""
    faults = Faults({**RATES, "late_read": LATE}, seed=7)
    async with beside_sandbox(registry.get(name), faults=faults) as world:
        world.sandbox.stride_s = DAY_S
        parcel = world.sandbox.ship_parcel(world.sandbox.number(1), journey=journey)
        told: list[TrackingUpdate] = []
        for _ in range(len(parcel.scans) + 3):
            told += await polled(world, parcel.number)
            world.clock.advance(DAY_S)
        state = folded(told)
        last = JOURNEYS[journey][-1][0]
        assert state.milestone == STEPS.get(name, {}).get(last, last)
        assert len(state.history) == len(parcel.scans), "a scan is missing, or stands twice"
        assert faults.counts["rate_limit"] + faults.counts["server_error"] + faults.counts["drop_connection"] > 0


@pytest.mark.parametrize("name", PUSHING)
async def test_pushes_lost_doubled_and_reordered_tell_what_polling_tells(name: str) -> None:
    """Half the pushes twice, half held back, some lost; with one poll at the end the story is whole, each scan once."""
    rates = {"duplicate_webhook": 0.5, "reordered_webhook": 0.5, "lost_webhook": 0.2, "late_read": LATE}
    faults = Faults(rates, seed=11)
    async with Receiver() as inbox, beside_sandbox(registry.get(name), faults=faults) as world:
        inbox.challenge = world.connector.challenge
        world.sandbox.stride_s = 3600.0
        world.sandbox.deliver_to(inbox.url)
        parcels = [world.sandbox.ship_parcel(world.sandbox.number(index)) for index in range(3)]
        numbers = [TrackedNumber(parcel.number, SHIPPED_BY.get(name)) for parcel in parcels]
        if isinstance(world.connector, Watches):
            await world.connector.watch(numbers)
        pushed: list[TrackingUpdate] = []
        seen: set[str] = set()
        for _ in range(9):
            world.clock.advance(3600.0)
            world.sandbox.move()
            await world.sandbox.settle()
            pushed += await believed(world, inbox, seen)
        assert faults.counts["duplicate_webhook"] > 0
        assert faults.counts["lost_webhook"] > 0
        for parcel in parcels:
            told = [update for update in pushed if update.tracking_number == parcel.number]
            told += await polled(world, parcel.number)
            state = folded(told)
            assert state.milestone == "delivered"
            assert len(state.history) == len(parcel.scans)


async def believed(world: World, inbox: Receiver, seen: set[str]) -> list[TrackingUpdate]:
    """What the pushes that came since the last look mean, each fact once, as the inbox would take them."""
    receiver = world.connector
    assert isinstance(receiver, ReceivesWebhooks)
    found: list[TrackingUpdate] = []
    requests, inbox.requests = inbox.requests, []
    for request in requests:
        received = replace(request, received_at=world.clock.now())
        if isinstance(receiver, FetchesKeys):
            await receiver.fetch_keys(received)
        receiver.verify(received)
        for envelope in receiver.envelopes(received):
            if envelope.dedupe_key not in seen:
                seen.add(envelope.dedupe_key)
                found += world.updates(envelope)
    return found


async def polled(world: World, number: str) -> Sequence[TrackingUpdate]:
    """Asked until an answer comes, as the engine's schedule would."""
    tracks = world.connector
    assert isinstance(tracks, Tracks)
    manifest = world.connector.manifest
    carrier = SHIPPED_BY.get(manifest.name) or manifest.track_carriers[0]
    for _ in range(50):
        try:
            return world.updates(*await tracks.track([TrackedNumber(number, carrier=carrier)]))
        except RateLimited as limited:
            world.clock.advance(min(limited.retry_after_s or 1.0, 900.0))
        except Transient:
            world.clock.advance(5.0)
        except AuthFailed as refused:
            pytest.fail(f"a good login was called wrong: {refused}")
        except ConnectorError as error:
            pytest.fail(f"a good question was refused: {error}")
    pytest.fail("no answer in fifty tries")


def test_every_carrier_is_here() -> None:
    """A connector that can be asked about parcels has its journeys here."""
    asked = {name for name in registry.names() if Capability.TRACK in registry.get(name).manifest.capabilities}
    assert asked == set(CARRIERS)
