"""The FedEx connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.fedex import CONNECTOR
from connectors.sdk.clock import ManualClock
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample, WebhookSample
from connectors.sdk.sandbox import Sandbox
from tests.support.openapi import eye_of, watch
from tests.support.published import FEDEX, FEDEX_UNLISTED

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "fedex" / "fixtures"
TRACK = (FIXTURES / "track.json").read_bytes()
LATER = TRACK.replace(b"Returning package to shipper", b"Returning the package to its shipper")
HINT = json.dumps({"event": {"trackingNumber": "393541943382", "eventType": "OD"}}).encode()


class TestFedexContract(ContractSuite):
    connector = CONNECTOR
    webhooks = (WebhookSample("tracking", TRACK, newer=LATER), WebhookSample("tracking_event", HINT))
    reads = (Sample("tracking", TRACK), Sample("tracking", (FIXTURES / "not_found.json").read_bytes()))

    @asynccontextmanager
    async def opened(self, **given: Any) -> AsyncIterator[Rig]:
        """Whatever a test does, every request is one FedEx's document allows."""
        async with super().opened(**given) as rig:
            yield rig
        assert eye_of(rig.sandbox).faults == []

    def make_sandbox(self, *, seed: int, clock: ManualClock) -> Sandbox:
        return watch(super().make_sandbox(seed=seed, clock=clock), FEDEX, FEDEX_UNLISTED)
