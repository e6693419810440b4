"""The Shippo connector keeps every promise of the connector contract."""

from __future__ import annotations

from pathlib import Path

from connectors.sdk.contract_suite import ContractSuite, Sample, WebhookSample
from connectors.shippo import CONNECTOR

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "shippo" / "fixtures"
EVENT = (FIXTURES / "track_updated.json").read_bytes()
LATER = EVENT.replace(b'"DELIVERED"', b'"RETURNED"')


class TestShippoContract(ContractSuite):
    connector = CONNECTOR
    tracked_carrier = "usps"
    webhooks = (
        WebhookSample("track_updated", EVENT, newer=LATER),
        WebhookSample("transaction_created", b'{"event": "transaction_created", "data": {"object_id": "1"}}'),
    )
    reads = (Sample("tracking", (FIXTURES / "unknown.json").read_bytes()), Sample("track_updated", EVENT))
