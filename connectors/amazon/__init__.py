"""Amazon (Selling Partner API)."""

from __future__ import annotations

from connectors.amazon.connector import AmazonConnector
from connectors.amazon.manifest import MANIFEST
from connectors.amazon.sandbox import AmazonSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=AmazonConnector, sandbox=AmazonSandbox)
