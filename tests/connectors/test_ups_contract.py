"""The UPS connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.sdk.sandbox import Sandbox
from connectors.ups import CONNECTOR
from tests.support.openapi import eye_of, watch
from tests.support.published import UPS, UPS_UNLISTED

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "ups" / "fixtures"
ALERT = (FIXTURES / "alert.json").read_bytes()
LATER = json.dumps({**json.loads(ALERT), "localActivityTime": "235959"}).encode()


class TestUpsContract(ContractSuite):
    connector = CONNECTOR
    signs_bodies = False
    webhooks = (WebhookSample("track_alert", ALERT, newer=LATER),)
    reads = (
        Sample("tracking", (FIXTURES / "track.json").read_bytes()),
        Sample("tracking", (FIXTURES / "not_found.json").read_bytes()),
        Sample("track_alert", ALERT),
    )

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one UPS's documents allow."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), UPS, UPS_UNLISTED)
