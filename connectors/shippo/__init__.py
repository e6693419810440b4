"""Shippo: tracks of many carriers' parcels, and the webhooks that tell of them."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.shippo.connector import ShippoConnector
from connectors.shippo.manifest import MANIFEST
from connectors.shippo.sandbox import ShippoSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=ShippoConnector, sandbox=ShippoSandbox)
