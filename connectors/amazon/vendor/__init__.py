"""Amazon as a vendor sees it: retail purchase orders and direct fulfilment."""

from __future__ import annotations

from connectors.amazon.vendor.connector import AmazonVendorConnector
from connectors.amazon.vendor.manifest import MANIFEST
from connectors.amazon.vendor.sandbox import AmazonVendorSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=AmazonVendorConnector, sandbox=AmazonVendorSandbox)
