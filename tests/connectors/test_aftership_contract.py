"""The AfterShip connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.aftership import CONNECTOR
from connectors.sdk.contract_suite import ContractSuite, Sample, WebhookSample

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "aftership" / "fixtures"
EVENT = (FIXTURES / "tracking_update.json").read_bytes()
LATER = json.dumps({**json.loads(EVENT), "event_id": "5b74f495-8776-4b0e-80b6-f5ed00000002"}).encode()
REVISED = json.dumps({**json.loads(EVENT), "event": "edd_revise"}).encode()


class TestAftershipContract(ContractSuite):
    connector = CONNECTOR
    tracked_carrier = "fedex"
    webhooks = (WebhookSample("tracking_update", EVENT, newer=LATER), WebhookSample("edd_revise", REVISED))
    reads = (
        Sample("tracking_update", EVENT),
        Sample("tracking", json.dumps({"data": {"trackings": [json.loads(EVENT)["msg"]]}}).encode()),
    )
