"""The DHL connector keeps every promise of the connector contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.dhl import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample
from connectors.sdk.sandbox import Sandbox
from tests.support.openapi import eye_of, watch
from tests.support.published import DHL, DHL_UNLISTED

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "dhl" / "fixtures"


class TestDhlContract(ContractSuite):
    connector = CONNECTOR
    reads = tuple(
        Sample("tracking", (FIXTURES / f"{name}.json").read_bytes()) for name in ("unified", "by_piece", "not_found")
    )

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one DHL's document allows."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), DHL, DHL_UNLISTED)
