"""FedEx: Basic Integrated Visibility (Track), and the webhooks of Advanced Integrated Visibility."""

from __future__ import annotations

from connectors.fedex.connector import FedexConnector
from connectors.fedex.manifest import MANIFEST
from connectors.fedex.sandbox import FedexSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=FedexConnector, sandbox=FedexSandbox)
