"""ShipStation, API v1: shipments whose labels were bought there, and orders marked as shipped there."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.shipstation.connector import ShipstationConnector
from connectors.shipstation.manifest import MANIFEST
from connectors.shipstation.sandbox import ShipstationSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=ShipstationConnector, sandbox=ShipstationSandbox)
