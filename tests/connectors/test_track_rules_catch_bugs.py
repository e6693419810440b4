"""The rules of tracking can fail: each bug planted in a carrier's connector is caught by the rule made for it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connectors.fedex import CONNECTOR as FEDEX
from connectors.fedex.connector import FedexConnector
from connectors.sdk.contract import ConnectorType, Envelope, WebhookRequest
from connectors.sdk.contract_suite import ContractSuite
from connectors.sdk.errors import Rejected, TargetMissing
from connectors.sdk.tracking import TrackedNumber, Watched
from connectors.ups import CONNECTOR as UPS
from connectors.ups.connector import UpsConnector


class KeysByTime(FedexConnector):
    """Every answer is news to it."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        now = self._ctx.clock.now().isoformat()
        self._asked = getattr(self, "_asked", 0) + 1
        return [replace(e, dedupe_key=f"{e.dedupe_key}:{now}:{self._asked}") for e in await super().track(numbers)]


class KeysByNumber(FedexConnector):
    """No answer is ever news to it."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        return [replace(e, dedupe_key=e.ordering_key) for e in await super().track(numbers)]


class AsksOneByOne(FedexConnector):
    """Thirty calls where one would do."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        if len(numbers) > 30:
            raise Rejected("too many")
        return [envelope for each in numbers for envelope in await super(AsksOneByOne, self).track([each])]


class CutsTheBatch(FedexConnector):
    """What does not fit is forgotten without a word."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        return await super().track(numbers[:30])


class CallsUnknownAnError(FedexConnector):
    """A number without news is a failure to it."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        found = await super().track(numbers)
        if any(b"NOTFOUND" in envelope.payload for envelope in found):
            raise TargetMissing("no such number")
        return found


class DropsUnknown(FedexConnector):
    """A number without news is nothing to it."""

    async def track(self, numbers: Sequence[TrackedNumber]) -> Sequence[Envelope]:
        return [envelope for envelope in await super().track(numbers) if b"NOTFOUND" not in envelope.payload]


class ForgetsTheNumber(FedexConnector):
    """Every push waits in one lane."""

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        return [replace(envelope, ordering_key="fedex") for envelope in super().envelopes(request)]


class AnswersOutOfOrder(UpsConnector):
    """Watches them all, and says so of the wrong ones."""

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        return list(reversed(await super().watch(numbers)))


class WatchesOnce(UpsConnector):
    """A repeated wish is answered from memory, and the watch runs out."""

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        self._known: Sequence[Watched] = getattr(self, "_known", None) or await super().watch(numbers)
        return self._known


class WatchesForEver(UpsConnector):
    """Leaves the end unsaid."""

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        return [replace(watched, until=None) for watched in await super().watch(numbers)]


class SaysItWatches(UpsConnector):
    """Asks nobody."""

    async def watch(self, numbers: Sequence[TrackedNumber]) -> Sequence[Watched]:
        return [Watched(number, until=self._ctx.clock.now()) for number in numbers]


@dataclass(frozen=True)
class Planted:
    sound: ConnectorType
    connector: type[Any]
    rule: str


PLANTED = (
    Planted(FEDEX, KeysByTime, "test_no_news_has_the_same_key"),
    Planted(FEDEX, KeysByNumber, "test_no_news_has_the_same_key"),
    Planted(FEDEX, AsksOneByOne, "test_a_batch_is_one_call"),
    Planted(FEDEX, CutsTheBatch, "test_a_batch_is_one_call"),
    Planted(FEDEX, CallsUnknownAnError, "test_an_unknown_number_is_a_document"),
    Planted(FEDEX, DropsUnknown, "test_an_unknown_number_is_a_document"),
    Planted(FEDEX, ForgetsTheNumber, "test_a_scan_reaches_the_callback"),
    Planted(UPS, AnswersOutOfOrder, "test_a_watch_answers_per_number_and_may_be_repeated"),
    Planted(UPS, WatchesOnce, "test_a_watch_answers_per_number_and_may_be_repeated"),
    Planted(UPS, WatchesForEver, "test_a_watch_answers_per_number_and_may_be_repeated"),
    Planted(UPS, SaysItWatches, "test_a_scan_reaches_the_callback"),
)


def suite_of(kind: ConnectorType) -> ContractSuite:
    class Suite(ContractSuite):
        connector = kind

    return Suite()


async def run(suite: Any, rule: str) -> None:
    outcome = getattr(suite, rule)()
    if inspect.isawaitable(outcome):
        await outcome


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.connector.__name__}-{p.rule.removeprefix('test_')}")
async def test_a_planted_bug_is_caught(planted: Planted) -> None:
    """The rule passes on the sound connector and fails on the one with the bug."""
    await run(suite_of(planted.sound), planted.rule)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception, Rejected)):
        await run(suite_of(replace(planted.sound, open=planted.connector)), planted.rule)
