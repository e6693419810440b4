"""Pulling: every page, once each, from anywhere, and nothing between two polls is lost."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

import pytest

from canonical import Order
from connectors.sdk.contract import Envelope, Page, Pulls
from connectors.sdk.contract_suite.rig import Subject
from connectors.sdk.manifest import Capability

ORDERS_STREAM: Final = "orders"


class PullRules(Subject):
    """`fetch` is (cursor, limit) → (items, next cursor, more)."""

    async def test_pages_keep_the_limit_and_end(self) -> None:
        """No page is longer than asked for, no cursor repeats, and the walk ends with a sound watermark."""
        self.need(Capability.PULL)
        async with self.opened() as rig:
            pulls: Pulls = self.capable(rig, Capability.PULL)
            await self.trade(rig)
            for stream in self.manifest.streams:
                for limit in (1, 2, 50):
                    pages = await self.walk(pulls, stream.name, limit=limit)
                    longest = max(len(page.envelopes) for page in pages)
                    assert longest <= limit, f"{stream.name}: {longest} items where {limit} were asked for"
                    mark = pages[-1].watermark
                    assert mark is None or mark.tzinfo is not None, f"{stream.name}: naive watermark"
                    assert mark is None or mark <= rig.clock.now(), f"{stream.name}: a watermark in the future"
                    for envelope in _of(pages):
                        self._named(envelope)

    async def test_a_walk_resumes_anywhere(self) -> None:
        """After a restart, from any page's cursor as it was stored, the rest of the walk is the same."""
        self.need(Capability.PULL)
        async with self.opened() as rig:
            await self.trade(rig)
            for stream in self.manifest.streams:
                pages = await self.walk(self.capable(rig, Capability.PULL), stream.name)
                for index, page in enumerate(pages[:-1]):
                    cursor = json.loads(json.dumps(page.cursor))
                    restarted = self.connector.open(rig.ctx)
                    try:
                        assert isinstance(restarted, Pulls)
                        rest = await self.walk(restarted, stream.name, cursor)
                    finally:
                        await restarted.close()
                    expected = [_keys(following) for following in pages[index + 1 :]]
                    assert [_keys(following) for following in rest] == expected, f"{stream.name}: page {index + 1}"

    async def test_reading_again_is_harmless(self) -> None:
        """Unchanged things read again have the same dedupe keys, each once per walk."""
        self.need(Capability.PULL)
        async with self.opened() as rig:
            pulls: Pulls = self.capable(rig, Capability.PULL)
            await self.trade(rig)
            for stream in self.manifest.streams:
                first = [e.dedupe_key for e in _of(await self.walk(pulls, stream.name))]
                again = [e.dedupe_key for e in _of(await self.walk(pulls, stream.name, limit=50))]
                assert sorted(first) == sorted(again), f"{stream.name}: the keys depend on when or how one reads"
                assert len(first) == len(set(first)), f"{stream.name}: one walk gave a fact twice"

    async def test_every_order_is_found_and_maps(self) -> None:
        """Orders sold before the walk are in it, those sold after it are in the next."""
        self.need(Capability.PULL)
        if all(stream.name != ORDERS_STREAM for stream in self.manifest.streams):
            pytest.skip("no orders stream")
        async with self.opened() as rig:
            pulls: Pulls = self.capable(rig, Capability.PULL)
            sold = await self.trade(rig)
            pages = await self.walk(pulls, ORDERS_STREAM)
            assert self._order_ids(rig, pages) >= {_bare(order_id) for order_id in sold}
            rig.clock.advance(1)
            later = await rig.sandbox.sell([("SUITE-5", 1)])
            assert later is not None
            rig.clock.advance(1)
            more = await self.walk(pulls, ORDERS_STREAM, json.loads(json.dumps(pages[-1].cursor)))
            assert _bare(later) in self._order_ids(rig, more), "an order sold between two polls was lost"

    async def test_a_backfill_finds_what_came_since(self) -> None:
        """Starting at an instant, a walk finds every order from then on."""
        self.need(Capability.PULL)
        if all(stream.name != ORDERS_STREAM for stream in self.manifest.streams):
            pytest.skip("no orders stream")
        async with self.opened() as rig:
            pulls: Pulls = self.capable(rig, Capability.PULL)
            since = rig.clock.now()
            sold = await self.trade(rig)
            first = await pulls.fetch(ORDERS_STREAM, None, 2, since)
            rest = await self.walk(pulls, ORDERS_STREAM, first.cursor) if first.more else []
            assert self._order_ids(rig, [first, *rest]) >= {_bare(order_id) for order_id in sold}

    async def test_a_changed_order_has_another_key(self) -> None:
        """An order read before and after its cancellation is two facts of one thing."""
        self.need(Capability.PULL)
        if all(stream.name != ORDERS_STREAM for stream in self.manifest.streams):
            pytest.skip("no orders stream")
        async with self.opened() as rig:
            pulls: Pulls = self.capable(rig, Capability.PULL)
            (sold,) = await self.trade(rig, orders=1)
            before = _of(await self.walk(pulls, ORDERS_STREAM))
            rig.clock.advance(1)
            await rig.sandbox.cancel(sold)
            rig.clock.advance(1)
            after = _of(await self.walk(pulls, ORDERS_STREAM))
            changed = [envelope for envelope in after if envelope.dedupe_key not in {e.dedupe_key for e in before}]
            assert changed, "a cancelled order looks as if nothing had happened"
            assert {envelope.ordering_key for envelope in changed} <= {envelope.ordering_key for envelope in before}

    def _named(self, envelope: Envelope) -> None:
        known = {topic.name for topic in self.manifest.topics} | self.mapping().topics
        assert envelope.topic in known, f"{envelope.topic} is neither declared nor mapped"
        assert envelope.dedupe_key
        assert envelope.ordering_key
        assert envelope.occurred_at is None or envelope.occurred_at.tzinfo is not None

    def _order_ids(self, rig: object, pages: Sequence[Page]) -> set[str]:
        documents = self.documents(rig, _of(pages))  # type: ignore[arg-type]
        return {_bare(document.source.id) for document in documents if isinstance(document, Order)}


def _of(pages: Iterable[Page]) -> list[Envelope]:
    return [envelope for page in pages for envelope in page.envelopes]


def _keys(page: Page) -> list[str]:
    return [envelope.dedupe_key for envelope in page.envelopes]


def _bare(order_id: str) -> str:
    """A vendor's long and short form of one id end alike."""
    return order_id.rsplit("/", 1)[-1]
