"""DHL: Shipment Tracking Unified, for all of DHL's divisions."""

from __future__ import annotations

from connectors.dhl.connector import DhlConnector
from connectors.dhl.manifest import MANIFEST
from connectors.dhl.sandbox import DhlSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=DhlConnector, sandbox=DhlSandbox)
