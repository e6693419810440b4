"""EasyPost: trackers of many carriers' parcels, and the webhooks that tell of them."""

from __future__ import annotations

from connectors.easypost.connector import EasypostConnector
from connectors.easypost.manifest import MANIFEST
from connectors.easypost.sandbox import EasypostSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=EasypostConnector, sandbox=EasypostSandbox)
