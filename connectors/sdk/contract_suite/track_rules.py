"""Tracking: every number gets an answer, no news is recognised, and what is pushed is what is polled."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

import pytest

from canonical import TrackingUpdate
from connectors.sdk.carrier_sandbox import CarrierSandbox, Parcel
from connectors.sdk.contract import Envelope, FetchesKeys, ReceivesWebhooks
from connectors.sdk.contract_suite.receiver import Receiver
from connectors.sdk.contract_suite.rig import ACCOUNT, Rig, Subject
from connectors.sdk.errors import Rejected
from connectors.sdk.manifest import Capability
from connectors.sdk.tracking import TrackedNumber, Tracks, Watches, parcel_ordering_key

STRIDE_S: Final = 600.0
"""Between two scans; longer than a slow vendor keeps a caller waiting between two calls."""
UNKNOWN_INDEX: Final = 900
"""A number of the carrier's that nothing was shipped under."""


class TrackRules(Subject):
    """`track` and `watch`. The sandbox is a `CarrierSandbox`."""

    tracked_carrier: ClassVar[str | None] = None
    """The carrier to name in questions, for connectors that ask about those of others."""

    async def test_a_parcel_under_way_is_told_of(self) -> None:
        """Scans and the latest status, under the number asked for and in our words; where it is follows it."""
        self.need(Capability.TRACK)
        async with self.opened() as rig:
            parcel = self._ship(rig, 0)
            tracks: Tracks = self.capable(rig, Capability.TRACK)
            assert "label_created" in await self._milestones(rig, tracks, parcel.number)
            rig.clock.advance(self._carrier(rig).stride_s * (len(parcel.scans) + 1))
            assert "delivered" in await self._milestones(rig, tracks, parcel.number)

    async def test_no_news_has_the_same_key(self) -> None:
        """Asked again before anything happened: the same dedupe keys; a scan makes others, in the same lane."""
        self.need(Capability.TRACK)
        async with self.opened() as rig:
            number = self._tracked(self._ship(rig, 0).number)
            tracks: Tracks = self.capable(rig, Capability.TRACK)
            first = await tracks.track([number])
            again = await tracks.track([number])
            rig.clock.advance(self._carrier(rig).stride_s + 1)
            newer = await tracks.track([number])
            assert [e.dedupe_key for e in first] == [e.dedupe_key for e in again]
            assert {e.dedupe_key for e in newer}.isdisjoint(e.dedupe_key for e in first)
            assert {e.ordering_key for e in [*first, *newer]} == {parcel_ordering_key(number.number)}

    async def test_an_unknown_number_is_a_document(self) -> None:
        """The vendor knows nothing of it: one document says so, under that number, and nothing is raised."""
        self.need(Capability.TRACK)
        async with self.opened() as rig:
            number = self._tracked(self._carrier(rig).number(UNKNOWN_INDEX))
            envelopes = await self.capable(rig, Capability.TRACK).track([number])
            (document,) = self._updates(rig, envelopes)
            assert document.milestone == "unknown"
            assert document.tracking_number == number.number

    async def test_a_batch_is_one_call(self) -> None:
        """As many numbers as the manifest says in one call, an unknown one among them; one more is refused unsent."""
        self.need(Capability.TRACK)
        async with self.opened() as rig:
            tracks: Tracks = self.capable(rig, Capability.TRACK)
            most = self.manifest.track_batch_max
            known = [self._ship(rig, index).number for index in range(most - 1 or 1)]
            await tracks.track([self._tracked(known[0])])
            asked = [*known, self._carrier(rig).number(UNKNOWN_INDEX)][:most]
            rig.calls.clear()
            envelopes = await tracks.track([self._tracked(number) for number in asked])
            assert len(rig.calls) == 1, [call.kind for call in rig.calls]
            assert {e.ordering_key for e in envelopes} == {parcel_ordering_key(number) for number in asked}
            rig.calls.clear()
            with pytest.raises(Rejected):
                await tracks.track([self._tracked(number) for number in [*asked, "1" * 20]])
            assert rig.calls == []

    async def test_a_watch_answers_per_number_and_may_be_repeated(self) -> None:
        """One result per number, in order, with the end the manifest promises; asking again renews."""
        self.need(Capability.WATCH)
        async with self.opened() as rig:
            self._carrier(rig).deliver_to("http://127.0.0.1:9/webhooks/suite")
            watches: Watches = self.capable(rig, Capability.WATCH)
            count = min(3, self.manifest.watch_batch_max)
            numbers = [self._tracked(self._ship(rig, index).number) for index in range(count)]
            first = await watches.watch(numbers)
            assert [watched.number for watched in first] == numbers
            assert [watched.error for watched in first] == [None] * count
            rig.clock.advance(3600)
            again = await watches.watch(numbers)
            assert [watched.error for watched in again] == [None] * count
            for earlier, later in zip(first, again, strict=True):
                if self.manifest.watch_life_s is None:
                    assert earlier.until is None
                else:
                    assert earlier.until is not None
                    assert later.until is not None
                    assert later.until > earlier.until, "asking again did not renew"

    async def test_a_scan_reaches_the_callback(self) -> None:
        """What happens to a watched parcel is pushed, believed, and means what polling says."""
        if not {Capability.TRACK, Capability.WEBHOOKS} <= self.manifest.capabilities:
            pytest.skip(f"{self.manifest.name} does not push")
        async with Receiver(path=f"/webhooks/{ACCOUNT}") as inbox, self.opened(public_url=inbox.origin) as rig:
            receiver: ReceivesWebhooks = self.capable(rig, Capability.WEBHOOKS)
            inbox.challenge = receiver.challenge
            carrier = self._carrier(rig)
            carrier.deliver_to(inbox.url)
            parcel = self._ship(rig, 0)
            if isinstance(rig.connector, Watches):
                await rig.connector.watch([self._tracked(parcel.number)])
            rig.clock.advance(carrier.stride_s * (len(parcel.scans) + 1))
            carrier.move()
            await carrier.settle()
            assert inbox.requests, "nothing was pushed"
            seen: set[str | None] = set()
            for request in inbox.requests:
                received = replace(request, received_at=rig.clock.now())
                if isinstance(receiver, FetchesKeys):
                    await receiver.fetch_keys(received)
                receiver.verify(received)
                for envelope in receiver.envelopes(received):
                    assert envelope.ordering_key == parcel_ordering_key(parcel.number)
                    for document in self._updates(rig, await self._resolved(rig, envelope)):
                        assert document.tracking_number == parcel.number
                        seen.add(document.milestone)
            assert "delivered" in seen

    async def _resolved(self, rig: Rig, envelope: Envelope) -> Sequence[Envelope]:
        topic = self.manifest.topic(envelope.topic)
        if topic is None or not topic.hint:
            return [envelope]
        return await self.capable(rig, Capability.RESOLVE).resolve(envelope)  # type: ignore[no-any-return]

    async def _milestones(self, rig: Rig, tracks: Tracks, number: str) -> set[str | None]:
        documents = self._updates(rig, await tracks.track([self._tracked(number)]))
        assert {document.tracking_number for document in documents} == {number}
        known = set(self.manifest.track_carriers)
        assert not known or {document.carrier for document in documents} <= known
        assert any(document.current for document in documents), "the latest status is not told"
        json.dumps([document.model_dump(mode="json") for document in documents])
        return {document.milestone for document in documents if document.current}

    def _updates(self, rig: Rig, envelopes: Sequence[Envelope]) -> list[TrackingUpdate]:
        documents = self.documents(rig, envelopes)
        updates = [document for document in documents if isinstance(document, TrackingUpdate)]
        assert len(updates) == len(documents), "something else than tracking came of tracking"
        return updates

    def _tracked(self, number: str) -> TrackedNumber:
        carriers = self.manifest.track_carriers
        return TrackedNumber(number, carrier=self.tracked_carrier or (carriers[0] if carriers else None))

    def _ship(self, rig: Rig, index: int) -> Parcel:
        carrier = self._carrier(rig)
        carrier.stride_s = STRIDE_S
        return carrier.ship_parcel(carrier.number(index))

    @staticmethod
    def _carrier(rig: Rig) -> CarrierSandbox:
        assert isinstance(rig.sandbox, CarrierSandbox), "a carrier's sandbox is a CarrierSandbox"
        return rig.sandbox
