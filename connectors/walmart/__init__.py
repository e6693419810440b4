"""Walmart Marketplace (US)."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.walmart.connector import WalmartConnector
from connectors.walmart.manifest import MANIFEST
from connectors.walmart.sandbox import WalmartSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=WalmartConnector, sandbox=WalmartSandbox)
