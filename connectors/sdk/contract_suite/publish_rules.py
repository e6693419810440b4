"""Publishing numbers: an answer per item, states not deltas, and reading back shows what was sent."""

# ruff: noqa: S101, PT017 - these are tests; asserting is their work, also about an error that may come

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from connectors.sdk.contract import ListingRef, Publishes, PushItem, PushResult, PushState, ReadsBack
from connectors.sdk.contract_suite.rig import Rig, Subject
from connectors.sdk.errors import ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.manifest import Capability

POLLS_MAX: Final = 40
POLL_EVERY_S: Final = 15.0
READS_MAX: Final = 40


class PublishRules(Subject):
    """`publish`, `poll_receipt` and `read_back`."""

    async def test_a_pushed_number_is_shown(self) -> None:
        """Each item has its own answer, in order, and shoppers then see the number; zero too."""
        async with self.opened() as rig:
            publishes: Publishes = self.capable(rig, Capability.PUBLISH)
            refs = await self._listed(rig, 3)
            wanted = dict(zip(sorted(refs), (7, 0, 25), strict=True))
            items = [self.item(refs[sku], quantity) for sku, quantity in wanted.items()]
            items = await self.with_expected(rig, items)
            results = await self._push_all(rig, publishes, items)
            _accepted(results)
            for sku, quantity in wanted.items():
                assert rig.sandbox.shown(sku) == quantity, sku
            await self._reads_back(rig, refs, wanted)

    async def test_one_bad_item_stops_no_other(self) -> None:
        """A listing that is not there fails alone, as refused for good; its neighbours are taken."""
        async with self.opened() as rig:
            publishes: Publishes = self.capable(rig, Capability.PUBLISH)
            refs = await self._listed(rig, 2)
            good = await self.with_expected(rig, [self.item(refs[sku], 4) for sku in sorted(refs)])
            bad = self.item(self.missing_ref(good[0].ref), 4)
            results = await self._push_all(rig, publishes, [good[0], bad, good[1]])
            assert [result.state for result in results] == [PushState.ACCEPTED, PushState.FAILED, PushState.ACCEPTED]
            assert isinstance(results[1].error, Rejected), f"{results[1].error!r} is no refusal for good"
            assert [rig.sandbox.shown(sku) for sku in sorted(refs)] == [4, 4]

    async def test_a_repeated_push_is_harmless(self) -> None:
        """The same intent sent again is taken, or refused for its stale comparison; the number stays."""
        async with self.opened() as rig:
            publishes: Publishes = self.capable(rig, Capability.PUBLISH)
            ((sku, ref),) = (await self._listed(rig, 1)).items()
            (item,) = await self.with_expected(rig, [self.item(ref, 6)])
            _accepted(await self._push_all(rig, publishes, [item]))
            again = await self._push_all(rig, publishes, [item])
            assert again[0].state in (PushState.ACCEPTED, PushState.FAILED)
            assert rig.sandbox.shown(sku) == 6

    async def test_a_full_batch_is_taken(self) -> None:
        """As many items as the manifest allows go in one call of `publish`."""
        async with self.opened() as rig:
            publishes: Publishes = self.capable(rig, Capability.PUBLISH)
            refs = await self._listed(rig, min(self.manifest.publish_batch_max, 300))
            items = await self.with_expected(rig, [self.item(ref, 3) for ref in refs.values()])
            results = await self._push_all(rig, publishes, items)
            _accepted(results)
            assert {rig.sandbox.shown(sku) for sku in refs} == {3}

    async def test_a_missing_listing_reads_as_missing(self) -> None:
        """Reading back keeps the order asked for and says which listing is gone, never zero."""
        async with self.opened() as rig:
            reads: ReadsBack = self.capable(rig, Capability.READ_BACK)
            ((_, ref),) = (await self._listed(rig, 1)).items()
            asked = [self.missing_ref(ref), ref][: self.manifest.read_back_batch_max]
            levels = [*await reads.read_back(asked)]
            if len(asked) == 1:
                levels += await reads.read_back([ref])
            assert levels[0].missing
            assert levels[0].quantity is None
            assert not levels[1].missing
            assert levels[1].quantity == 10

    async def test_a_busy_channel_answers_no_item_wrongly(self) -> None:
        """Refused for its budget or broken, a push raises, or every item says so; none is called accepted."""
        for fault, kinds in (("rate_limit", (RateLimited,)), ("server_error", (Transient, RateLimited))):
            async with self.opened() as rig:
                publishes: Publishes = self.capable(rig, Capability.PUBLISH)
                ((sku, ref),) = (await self._listed(rig, 1)).items()
                items = await self.with_expected(rig, [self.item(ref, 2)])
                rig.sandbox.faults.force(fault, 50)
                try:
                    results = await publishes.publish(items)
                except ConnectorError as error:
                    assert isinstance(error, kinds), f"{fault} gave {error!r}"
                else:
                    assert all(isinstance(result.error, kinds) for result in results), f"{fault}: {results}"
                assert rig.sandbox.shown(sku) == 10

    # Overridden where a vendor's addresses are of another kind.

    def missing_ref(self, like: ListingRef) -> ListingRef:
        """The address of a listing that does not exist, of the same form as a real one."""
        return replace(
            like,
            listing_id=_other_digits(like.listing_id),
            channel_sku="SUITE-GONE",
            variant_id=_other_digits(like.variant_id) if like.variant_id else None,
        )

    def item(self, ref: ListingRef, quantity: int) -> PushItem:
        # A fresh key per intent, repeatable over runs.
        key = f"00000000-0000-4000-8000-{zlib.crc32(f'{ref.listing_id}:{ref.channel_sku}:{quantity}'.encode()):012d}"
        return PushItem(ref=ref, quantity=quantity, version=1, key=key)

    async def with_expected(self, rig: Rig, items: Sequence[PushItem]) -> list[PushItem]:
        """Fill in what the channel shows, as the engine does when it knows."""
        if not isinstance(rig.connector, ReadsBack):
            return list(items)
        filled = []
        step = self.manifest.read_back_batch_max
        for start in range(0, len(items), step):
            part = items[start : start + step]
            levels = await rig.connector.read_back([item.ref for item in part])
            filled += [replace(item, expected=level.quantity) for item, level in zip(part, levels, strict=True)]
        return filled

    async def _listed(self, rig: Rig, count: int) -> Mapping[str, ListingRef]:
        await self.trade(rig, skus=count, orders=0)
        refs = await self.listing_refs(rig)
        wanted = {f"SUITE-{number}" for number in range(1, count + 1)}
        assert wanted <= set(refs), f"listings not found: {sorted(wanted - set(refs))[:5]}"
        return {sku: refs[sku] for sku in wanted}

    async def _push_all(self, rig: Rig, publishes: Publishes, items: Sequence[PushItem]) -> list[PushResult]:
        """Publish in the manifest's batches and wait for what is pending."""
        results: list[PushResult] = []
        step = self.manifest.publish_batch_max
        for start in range(0, len(items), step):
            results += await publishes.publish(items[start : start + step])
        assert [result.item for result in results] == list(items), "one result per item, in order"
        for _ in range(POLLS_MAX):
            pending: dict[str, list[int]] = {}
            for index, result in enumerate(results):
                if result.state is PushState.PENDING:
                    assert result.receipt, "pending without a receipt cannot be asked for"
                    pending.setdefault(result.receipt, []).append(index)
            if not pending:
                break
            await rig.clock.sleep(POLL_EVERY_S)
            for receipt, indexes in pending.items():
                answers = await publishes.poll_receipt(receipt, [items[index] for index in indexes])
                for index, answer in zip(indexes, answers, strict=True):
                    results[index] = answer
        for result in results:
            assert (result.error is not None) == (result.state is PushState.FAILED), result
        return results

    async def _reads_back(self, rig: Rig, refs: Mapping[str, ListingRef], wanted: Mapping[str, int]) -> None:
        if Capability.READ_BACK not in self.manifest.capabilities:
            return
        reads: ReadsBack = self.capable(rig, Capability.READ_BACK)
        for sku, quantity in wanted.items():
            (level,) = await reads.read_back([refs[sku]])
            assert level.ref == refs[sku]
            assert level.quantity == quantity, f"{sku} reads back as {level.quantity}, sent {quantity}"


def _accepted(results: Sequence[PushResult]) -> None:
    refused = [result for result in results if result.state is not PushState.ACCEPTED]
    assert not refused, f"not accepted: {refused[:3]}"


def _other_digits(text: str) -> str:
    """Of the same form, so that it fails for being absent and not for being malformed."""
    swapped = "".join("9" if sign.isdigit() else sign for sign in text)
    return swapped if swapped != text else f"{text}-GONE"
