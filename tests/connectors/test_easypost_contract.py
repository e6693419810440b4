"""The EasyPost connector keeps every promise of the connector contract."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.easypost import CONNECTOR
from connectors.sdk.contract_suite import ContractSuite, Sample, WebhookSample

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "easypost" / "fixtures"
EVENT = (FIXTURES / "tracker_updated.json").read_bytes()
LATER = json.dumps({**json.loads(EVENT), "id": "evt_2"}).encode()
PAYMENT = json.dumps({"id": "evt_3", "object": "Event", "description": "payment.failed", "result": {}}).encode()


class TestEasypostContract(ContractSuite):
    connector = CONNECTOR
    tracked_carrier = "fedex"
    webhooks = (WebhookSample("tracker.updated", EVENT, newer=LATER), WebhookSample("payment.failed", PAYMENT))
    reads = (Sample("tracker.updated", EVENT), Sample("tracking", json.dumps(json.loads(EVENT)["result"]).encode()))
