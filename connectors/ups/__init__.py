"""UPS: Track, and Track Alert pushes."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.ups.connector import UpsConnector
from connectors.ups.manifest import MANIFEST
from connectors.ups.sandbox import UpsSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=UpsConnector, sandbox=UpsSandbox)
