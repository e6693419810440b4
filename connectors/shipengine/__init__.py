"""ShipEngine: many carriers' parcels tracked, and the webhooks that tell of them."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.shipengine.connector import ShipengineConnector
from connectors.shipengine.manifest import MANIFEST
from connectors.shipengine.sandbox import ShipengineSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=ShipengineConnector, sandbox=ShipengineSandbox)
