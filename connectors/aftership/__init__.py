"""AfterShip: trackings of many carriers' parcels, and the webhooks that tell of them."""

from __future__ import annotations

from connectors.aftership.connector import AftershipConnector
from connectors.aftership.manifest import MANIFEST
from connectors.aftership.sandbox import AftershipSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=AftershipConnector, sandbox=AftershipSandbox)
