"""Which way a number goes to Walmart: one call now, or a feed that takes minutes.

Single calls are fast and 200 a minute; a feed is one call but is worked off in its own time. So a
batch that one minute of single calls can carry goes out singly, a larger one as feeds, and urgent
numbers (zeroing, oversold) always singly and first. When feeds are spent or refused, the rest goes
out singly, as far as the budget reaches.

A feed sets what it was given whenever it is worked off, and so may undo a newer number that was sent
singly meanwhile: such numbers are sent once more as soon as the feed is seen to have ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from connectors.sdk.contract import PushItem, PushResult, PushState
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, Transient
from connectors.walmart.feeds import Feeds, files
from connectors.walmart.inventory import Inventory

FEED_FROM: Final = 200
"""More items than this in one batch go out as feeds: one minute of single calls."""

CALLS_AT_ONCE: Final = 8
WEATHER_MAX: Final = 3
"""After so many failures that are not the items' fault Walmart is taken to be down."""

WFS_LOCATION: Final = "WFSFulfilled"
"""The location under which WFS stock is listed; Walmart alone counts it."""

OPEN_MAX: Final = 100
"""Feeds remembered at most. Those of ten hours: the budget is 10 an hour."""

Place = tuple[str, str]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _OpenFeed:
    """A feed that has not been seen to end: what it sets, and what went past it."""

    places: frozenset[Place]
    passed: dict[Place, PushItem] = field(default_factory=dict)


class Publisher:
    """One account's way out for numbers. Calls may overlap; each answers for its own items."""

    def __init__(self, inventory: Inventory, feeds: Feeds) -> None:
        self._inventory = inventory
        self._feeds = feeds
        self._open: dict[str, _OpenFeed] = {}

    async def publish(self, items: Sequence[PushItem]) -> list[PushResult]:
        """One result per item, in order. Of two numbers for one place the newer is sent.

        Raises:
            Transient, RateLimited, AuthFailed: Nothing was sent at all.
        """
        newest = _newest(items)
        results: dict[Place, PushResult] = {
            place: _refused(item) for place, item in newest.items() if item.ref.location == WFS_LOCATION
        }
        sendable = [item for place, item in newest.items() if place not in results]
        urgent = [item for item in sendable if item.urgent]
        usual = [item for item in sendable if not item.urgent]
        if len(usual) > FEED_FROM:
            halted = await self._singly(urgent, results)
            if halted is None:
                await self._by_feeds(usual, results)
        else:
            halted = await self._singly(urgent + usual, results)
        _fill(sendable, results, halted)
        self._note_passed([result.item for result in results.values() if result.state is PushState.ACCEPTED])
        _raise_if_nothing_was_sent(results)
        return [_answer_for(item, results[_place(item)]) for item in items]

    async def poll(self, receipt: str, items: Sequence[PushItem]) -> list[PushResult]:
        """What became of the items of a feed."""
        judged = await self._feeds.poll(receipt, items)
        if receipt in self._open and not any(result.state is PushState.PENDING for result in judged):
            await self._send_again(receipt)
        return judged

    def _note_feed(self, feed_id: str, items: Sequence[PushItem]) -> None:
        places = frozenset(map(_place, items))
        for earlier in self._open.values():
            for place in places & earlier.passed.keys():
                # The newest number is this feed's now.
                del earlier.passed[place]
        self._open[feed_id] = _OpenFeed(places)
        while len(self._open) > OPEN_MAX:
            del self._open[next(iter(self._open))]

    def _note_passed(self, items: Sequence[PushItem]) -> None:
        for feed in self._open.values():
            feed.passed |= {_place(item): item for item in items if _place(item) in feed.places}

    async def _send_again(self, feed_id: str) -> None:
        """What went past a feed that has ended. Reading back proves it, so what finds no way in now is left to that."""
        if not await self._feeds.has_ended(feed_id):
            return
        feed = self._open.pop(feed_id, None)
        passed = list(feed.passed.values()) if feed else []
        results: dict[Place, PushResult] = {}
        halted = await self._singly(passed, results)
        if halted is not None:
            log.info("walmart.not_sent_again", feed=feed_id, items=len(passed) - len(results), code=halted.code)

    async def _by_feeds(self, items: Sequence[PushItem], results: dict[Place, PushResult]) -> None:
        for file in files(items):
            try:
                sent = await self._feeds.submit(file)
            except (RateLimited, Rejected):
                # The file as a whole found no way in, so every item gets its own answer.
                halted = await self._singly(file.items, results)
                _fill(file.items, results, halted)
                continue
            except ConnectorError as error:
                sent = [PushResult(item, PushState.FAILED, error=error) for item in file.items]
            results.update({_place(result.item): result for result in sent})
            if sent and sent[0].receipt is not None:
                self._note_feed(sent[0].receipt, file.items)

    async def _singly(self, items: Sequence[PushItem], results: dict[Place, PushResult]) -> ConnectorError | None:
        """Send SKU by SKU, a few at a time; stop at the first error that concerns the whole account."""
        groups: dict[str, list[PushItem]] = {}
        for item in items:
            groups.setdefault(item.ref.channel_sku, []).append(item)
        waiting = iter(groups.values())
        halted: list[ConnectorError] = []
        weather: list[ConnectorError] = []

        async def work() -> None:
            for group in waiting:
                if halted:
                    return
                try:
                    sent = await self._put(group)
                except (RateLimited, AuthFailed) as error:
                    halted.append(error)
                    return
                except ConnectorError as error:
                    weather.append(error)
                    if len(weather) >= WEATHER_MAX:
                        halted.append(error)
                        return
                    sent = [PushResult(item, PushState.FAILED, error=error) for item in group]
                results.update({_place(result.item): result for result in sent})

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(CALLS_AT_ONCE, len(groups))):
                tasks.create_task(work())
        return halted[0] if halted else None

    async def _put(self, group: Sequence[PushItem]) -> list[PushResult]:
        """One SKU. Its numbers with and without a node cannot share a call."""
        located = [item for item in group if item.ref.location]
        results: list[PushResult] = []
        for part in (located, [item for item in group if not item.ref.location]):
            if not part:
                continue
            try:
                results += await self._inventory.put(part)
            except Rejected as error:
                results += [
                    PushResult(item, PushState.FAILED, error=error, correlation_id=error.correlation_id)
                    for item in part
                ]
        return results


def _place(item: PushItem) -> Place:
    return (item.ref.channel_sku, item.ref.location or "")


def _newest(items: Sequence[PushItem]) -> dict[Place, PushItem]:
    newest: dict[Place, PushItem] = {}
    for item in items:
        held = newest.get(_place(item))
        if held is None or item.version > held.version:
            newest[_place(item)] = item
    return newest


def _fill(items: Sequence[PushItem], results: dict[Place, PushResult], halted: ConnectorError | None) -> None:
    """Items that were not sent carry the error that stopped the sending."""
    error = halted or Transient("not sent", code="not_sent")
    for item in items:
        results.setdefault(_place(item), PushResult(item, PushState.FAILED, error=error))


def _raise_if_nothing_was_sent(results: Mapping[Place, PushResult]) -> None:
    """When not one item has an answer of its own, the one error is the answer to all."""
    errors = [result.error for result in results.values()]
    if errors and all(error is not None and not isinstance(error, Rejected) for error in errors):
        raise next(error for error in errors if error is not None)


def _refused(item: PushItem) -> PushResult:
    error = Rejected(f"{item.ref.channel_sku} is stocked by Walmart (WFS): its number is read only", code="wfs_item")
    return PushResult(item, PushState.FAILED, error=error)


def _answer_for(item: PushItem, result: PushResult) -> PushResult:
    """The place's result under the item that was asked about: an older one shares the newer one's fate."""
    return PushResult(item, result.state, result.receipt, result.error, result.correlation_id)
