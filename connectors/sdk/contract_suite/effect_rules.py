"""Edge work: sent once in effect, and doubt is settled by reading."""

# ruff: noqa: S101 - these are tests; asserting is their work

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectors.sdk.contract import Effect, SendsEffects, Settlement
from connectors.sdk.contract_suite.rig import Rig, Subject
from connectors.sdk.errors import ConnectorError, InDoubt, RateLimited, Transient
from connectors.sdk.manifest import Capability, EffectKind


class EffectRules(Subject):
    """`send` and `settle`, for every kind of effect the manifest declares."""

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        """An effect of that kind for an order of the sandbox, made fit to be sent. Subclasses give it."""
        pytest.fail(f"override `effect` to build {kind} for {rig.sandbox.name} order {order_id}")

    async def test_an_effect_is_applied_and_settles(self) -> None:
        """Before it is sent reading says no, afterwards yes."""
        for kind in self._kinds():
            async with self._ready(kind) as (rig, sends, effect):
                assert await sends.settle(effect) is not Settlement.APPLIED, f"{kind.name}: applied before it was sent"
                await sends.send(effect)
                assert await sends.settle(effect) is Settlement.APPLIED, f"{kind.name}: sent, yet reading says no"
                assert rig.calls

    async def test_a_lost_answer_is_doubt_unless_keyed(self) -> None:
        """Applied, but the answer was lost: a keyed kind is repeated, any other is in doubt, and reading says yes."""
        for kind in self._kinds():
            async with self._ready(kind) as (rig, sends, effect):
                rig.sandbox.faults_on_writes_only = True
                rig.sandbox.faults.force("timeout_after_apply")
                if kind.keyed:
                    await sends.send(effect)
                else:
                    await self._doubt(sends, effect)
                rig.sandbox.faults_on_writes_only = False
                assert rig.sandbox.faults.counts["timeout_after_apply"] == 1, (
                    f"{kind.name}: `Sandbox.writes` saw no write"
                )
                assert await sends.settle(effect) is Settlement.APPLIED, kind.name

    async def test_a_write_that_never_arrived_settles_as_not_applied(self) -> None:
        """Cut off before it was applied: never called applied, and reading does not say so either."""
        for kind in self._kinds():
            async with self._ready(kind) as (rig, sends, effect):
                rig.sandbox.faults_on_writes_only = True
                rig.sandbox.faults.force("drop_connection", 20)
                if kind.keyed:
                    with pytest.raises(Transient):
                        await sends.send(effect)
                else:
                    await self._doubt(sends, effect)
                    assert rig.sandbox.faults.counts["drop_connection"] == 1, f"{kind.name} was repeated without a key"
                rig.sandbox.faults_on_writes_only = False
                rig.sandbox.faults.calm()
                assert await sends.settle(effect) is not Settlement.APPLIED, kind.name

    async def test_a_refusal_for_the_budget_is_no_doubt(self) -> None:
        """429 means that nothing was carried out."""
        for kind in self._kinds():
            async with self._ready(kind) as (rig, sends, effect):
                rig.sandbox.faults.force("rate_limit", 20)
                with pytest.raises(RateLimited):
                    await sends.send(effect)

    def _kinds(self) -> tuple[EffectKind, ...]:
        self.need(Capability.EFFECTS)
        return self.manifest.effects

    @asynccontextmanager
    async def _ready(self, kind: EffectKind) -> AsyncIterator[tuple[Rig, SendsEffects, Effect]]:
        async with self.opened() as rig:
            sends: SendsEffects = self.capable(rig, Capability.EFFECTS)
            (order_id,) = await self.trade(rig, orders=1)
            effect = await self.effect(rig, kind.name, order_id)
            assert effect.kind == kind.name
            yield rig, sends, effect

    @staticmethod
    async def _doubt(sends: SendsEffects, effect: Effect) -> None:
        try:
            await sends.send(effect)
        except InDoubt:
            return
        except ConnectorError as error:
            pytest.fail(f"{effect.kind}: a lost answer to an unkeyed write is in doubt, not {error!r}")
        pytest.fail(f"{effect.kind}: a lost answer was taken for a yes")
