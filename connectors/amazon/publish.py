"""Which way a number goes to Amazon: one PATCH now, or a feed that takes minutes.

A batch below `feed_from` goes out singly, a larger one as feeds. Urgent numbers (zeroing, oversold) go singly
and first, the lowest before the others, as many as a minute's calls carry: a feed has the rest sooner than their
turn would come. A SKU waiting for an unfinished feed is held until that has ended, as a queued item whose receipt
names the feed; an urgent one is shown at once and sent again then. A SKU that another call is still sending is held
likewise, or the older of the two numbers could arrive last. When feeds are spent or refused, the rest goes out singly
as far as a minute's calls reach.

Source: maintainers' advice on feeds for many SKUs (2025); see `listings`, `feeds` and `feed_documents`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from connectors.amazon import feed_documents
from connectors.amazon.api import Api
from connectors.amazon.bulk import Bulk
from connectors.amazon.feed_documents import FeedFile, Number
from connectors.amazon.feeds import Feeds
from connectors.amazon.listings import Address, address_of
from connectors.amazon.open_feeds import OpenFeeds, is_stuck
from connectors.amazon.patching import Numbers, Patcher, Results, all_failed
from connectors.amazon.settings import Settings
from connectors.sdk.contract import AccountContext, PushItem, PushResult, PushState
from connectors.sdk.errors import ConnectorError, RateLimited, Rejected, TargetMissing, Transient

log = structlog.get_logger(__name__)

SINGLY_MAX: Final = 300
"""What a minute of single calls carries; more than that waits for a feed."""

MANY: Final = 10 * SINGLY_MAX

MARKETPLACES_MAX: Final = 25
"""Source: feeds_2021-06-30, createFeed (2026-08)."""

Singles = asyncio.Task[ConnectorError | None]
"""The urgent numbers of the same batch on their way, and the error that ended them early."""

HELD: Final = "after:"
"""Begins the receipt of a number that waits for the feed named behind it."""

SPENT: Final = f"{HELD}quota"
"""Receipt of numbers that wait for the next feed Amazon takes, all of them in one, or for a call with the same SKU."""


class Publisher:
    """One account's way out for numbers. Calls may overlap; each answers for its own items."""

    def __init__(self, ctx: AccountContext, settings: Settings, api: Api, feeds: Feeds) -> None:
        self._ctx = ctx
        self._settings = settings
        self._feeds = feeds
        self._patcher = Patcher(settings, api)
        self._bulk = Bulk(ctx, feeds)
        self._open = OpenFeeds(ctx, feeds)
        self._under_way: set[str] = set()
        """SKUs that a call is sending now"""

    async def publish(self, items: Sequence[PushItem]) -> list[PushResult]:
        """One result per item, in order. Of two numbers for one place the newer is sent.

        Raises:
            Transient, RateLimited, AuthFailed: Nothing was sent at all.
        """
        places, refused = self._places(items)
        newest = _newest(items, places)
        results: Results = {}
        skus = {address.sku for address in newest}
        elsewhere = skus & self._under_way
        mine = skus - elsewhere
        self._under_way |= mine
        try:
            await self._publish(newest, mine, results)
        finally:
            self._under_way -= mine
        _raise_if_nothing_was_sent(results, refused)
        return [
            refused[index] if index in refused else _for(item, results[places[index]])
            for index, item in enumerate(items)
        ]

    async def poll(self, receipt: str, items: Sequence[PushItem]) -> list[PushResult]:
        """What became of the items of a feed; held ones are sent once their feed has ended."""
        if receipt == SPENT:
            return await self.publish(items)
        feed_id = receipt.removeprefix(HELD)
        try:
            feed = await self._feeds.state(feed_id)
        except TargetMissing:
            self._open.closed(feed_id)
            if receipt.startswith(HELD):
                return await self.publish(items)
            return all_failed(items, receipt, Transient(f"Amazon knows no feed {feed_id}", code="feed_unknown"))
        stuck = is_stuck(feed, self._ctx.clock.now())
        if not feed.finished and not stuck:
            if not receipt.startswith(HELD):
                self._open.opened(feed_id, (item.ref.channel_sku for item in items))
            return [PushResult(item, PushState.PENDING, receipt=receipt) for item in items]
        if stuck:
            await self._feeds.cancel(feed_id)
        self._open.closed(feed_id)
        if receipt.startswith(HELD):
            return await self.publish(items)
        if stuck:
            message = f"feed {feed_id} is still {feed.status} after hours; its numbers are sent again"
            return all_failed(items, receipt, Transient(message, code="feed_stuck"))
        return await self._bulk.judge(feed, items)

    async def _publish(self, newest: Mapping[Address, PushItem], mine: set[str], results: Results) -> None:
        """Send what may go now and hold the rest. `mine` are the SKUs no other call is sending."""
        urgent = {address.sku for address, item in newest.items() if item.urgent}
        blocked = await self._open.blocking(mine, urgent & mine)
        receipts = {sku: f"{HELD}{feed_id}" for sku, feed_id in blocked.items()}
        held: dict[Address, PushItem] = {}
        sendable: dict[Address, PushItem] = {}
        for address, item in newest.items():
            receipt = receipts.get(address.sku) if address.sku in mine else SPENT
            if receipt is None:
                sendable[address] = item
            else:
                held[address] = item
                results[address] = PushResult(item, PushState.PENDING, receipt=receipt)
        await self._send(sendable, results)
        await self._ahead_of_feeds(held)

    def _places(self, items: Sequence[PushItem]) -> tuple[dict[int, Address], dict[int, PushResult]]:
        """Addresses by the item's index, and results of items that may not be sent."""
        places: dict[int, Address] = {}
        refused: dict[int, PushResult] = {}
        for index, item in enumerate(items):
            try:
                places[index] = self._place(item)
            except Rejected as error:
                refused[index] = PushResult(item, PushState.FAILED, error=error)
        return places, refused

    async def _send(self, items: Mapping[Address, PushItem], results: Results) -> None:
        first, later = _by_urgency(items)
        if len(later) < self._settings.feed_from:
            halted = await self._patcher.send(_numbers(first), results)
            if halted is None:
                halted = await self._patcher.send(_numbers(later), results)
        else:
            # Side by side: a minute of single calls does not keep the feed waiting.
            async with asyncio.TaskGroup() as tasks:
                singles = tasks.create_task(self._patcher.send(_numbers(first), results))
                feeds = tasks.create_task(self._by_feeds(_numbers(later), results, singles))
            halted = singles.result() or feeds.result()
        _fill(items, results, halted)

    async def _ahead_of_feeds(self, held: Mapping[Address, PushItem]) -> None:
        """Show what is urgent now, though what it waits for may win: so it stays held and is sent again.

        Without this a shopper would see the old number until the feed has ended, whichever of the two wins.
        """
        urgent, _ = _by_urgency({address: item for address, item in held.items() if item.urgent})
        if urgent:
            halted = await self._patcher.send(_numbers(urgent), {})
            if halted is not None:
                log.info("amazon.urgent_held", account=self._ctx.account, items=len(urgent), code=halted.code)

    async def _by_feeds(self, numbers: Numbers, results: Results, singles: Singles) -> ConnectorError | None:
        """Gives the error that ended the sending before every document had its turn."""
        for marketplaces, group in numbers.items():
            # Tens of thousands of rows are written elsewhere: everything else of the hub goes on meanwhile.
            made = await asyncio.to_thread(
                feed_documents.files, group, marketplaces, self._settings.seller_id, self._settings.issue_locale
            )
            for place, file in enumerate(made):
                few = place > 0 and len(file.numbers) < self._settings.feed_from
                error = await (self._few(file, results, singles) if few else self._file(file, results, singles))
                if error is not None:
                    return error
        return None

    async def _file(self, file: FeedFile, results: Results, singles: Singles) -> ConnectorError | None:
        if self._bulk.wait_s(file) > 0:
            self._wait_together(file, results)
            return None
        try:
            feed_id = await self._bulk.submit(file)
        except (RateLimited, Rejected) as error:
            # The document as a whole found no way in, so as many as may go out one by one; of a catalogue that
            # only waits for the next feed, single calls would carry next to nothing.
            waits = isinstance(error, RateLimited) and len(file.numbers) > MANY
            part = replace(file, numbers=() if waits else file.numbers[:SINGLY_MAX])
            halted = await self._few(part, results, singles)
            if isinstance(error, RateLimited) and (halted is None or isinstance(halted, RateLimited)):
                self._wait_together(file, results)
            self._settle_all(file, halted or _waiting(error), results)
            return None
        except ConnectorError as error:
            return error
        self._open.opened(feed_id, (number.sku for number in file.numbers))
        for item in file.items:
            results[self._place(item)] = PushResult(item, PushState.PENDING, receipt=feed_id)
        return None

    def _wait_together(self, file: FeedFile, results: Results) -> None:
        """What has no answer yet goes with the next feed."""
        for item in file.items:
            results.setdefault(self._place(item), PushResult(item, PushState.PENDING, receipt=SPENT))

    async def _few(self, file: FeedFile, results: Results, singles: Singles) -> ConnectorError | None:
        """What is no feed's worth goes singly, after the urgent numbers have had their calls."""
        halted = await singles
        return halted or await self._patcher.send({file.marketplaces: file.numbers}, results)

    def _settle_all(self, file: FeedFile, error: ConnectorError, results: Results) -> None:
        """Every item of the document that has no answer yet gets this one."""
        for item in file.items:
            results.setdefault(self._place(item), PushResult(item, PushState.FAILED, error=error))

    def _place(self, item: PushItem) -> Address:
        return address_of(item.ref, self._settings.marketplace_ids)


def _by_urgency(items: Mapping[Address, PushItem]) -> tuple[dict[Address, PushItem], dict[Address, PushItem]]:
    """What goes singly at once, lowest first, and the rest, urgent ones first. A SKU stays whole: one way at a time."""
    lowest: dict[str, int] = {}
    for address, item in items.items():
        if item.urgent:
            lowest[address.sku] = min(item.quantity, lowest.get(address.sku, item.quantity))
    ranked = sorted(lowest, key=lowest.__getitem__)
    rank = {sku: place for place, sku in enumerate(ranked)}
    ordered = sorted(items.items(), key=lambda pair: rank.get(pair[0].sku, len(ranked)))
    single = set(ranked[:SINGLY_MAX])
    first = {address: item for address, item in ordered if address.sku in single}
    return first, {address: item for address, item in ordered if address.sku not in single}


def _newest(items: Sequence[PushItem], places: Mapping[int, Address]) -> dict[Address, PushItem]:
    newest: dict[Address, PushItem] = {}
    for index, address in places.items():
        held = newest.get(address)
        if held is None or items[index].version > held.version:
            newest[address] = items[index]
    return newest


def _numbers(items: Mapping[Address, PushItem]) -> dict[tuple[str, ...], list[Number]]:
    """Numbers by the marketplaces they go to: a SKU that shows one number everywhere is one message."""
    alike: dict[tuple[str, int], dict[str, PushItem]] = {}
    for address, item in items.items():
        alike.setdefault((address.sku, item.quantity), {})[address.marketplace] = item
    found: dict[tuple[str, ...], list[Number]] = {}
    for (sku, quantity), members in alike.items():
        names = sorted(members)
        for start in range(0, len(names), MARKETPLACES_MAX):
            part = tuple(names[start : start + MARKETPLACES_MAX])
            found.setdefault(part, []).append(Number(sku, quantity, tuple(members[name] for name in part)))
    return found


def _waiting(error: ConnectorError) -> Transient:
    """For items beyond what goes singly. Not `RateLimited`: that would hold urgent numbers back with them."""
    message = f"no feed could be made: {error.message}"
    return Transient(message, code="no_feed", status=error.status, correlation_id=error.correlation_id)


def _fill(items: Mapping[Address, PushItem], results: Results, halted: ConnectorError | None) -> None:
    error = halted or Transient("not sent", code="not_sent")
    for address, item in items.items():
        results.setdefault(address, PushResult(item, PushState.FAILED, error=error))


def _raise_if_nothing_was_sent(results: Results, refused: Mapping[int, PushResult]) -> None:
    """When not one item has an answer of its own, the one error is the answer to all."""
    errors = [result.error for result in results.values()]
    if refused or not errors:
        return
    if all(error is not None and not isinstance(error, Rejected) for error in errors):
        raise next(error for error in errors if error is not None)


def _for(item: PushItem, result: PushResult) -> PushResult:
    """The place's result under the item that was asked about: an older one shares the newer one's fate."""
    return PushResult(item, result.state, result.receipt, result.error, result.correlation_id)
