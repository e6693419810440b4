"""eBay (Sell APIs)."""

from __future__ import annotations

from connectors.ebay.connector import EbayConnector
from connectors.ebay.manifest import MANIFEST
from connectors.ebay.sandbox import EbaySandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=EbayConnector, sandbox=EbaySandbox)
