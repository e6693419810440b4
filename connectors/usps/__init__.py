"""USPS: Tracking v3. Sixty calls an hour and nothing pushed."""

from __future__ import annotations

from connectors.sdk.contract import ConnectorType
from connectors.usps.connector import UspsConnector
from connectors.usps.manifest import MANIFEST
from connectors.usps.sandbox import UspsSandbox

CONNECTOR = ConnectorType(manifest=MANIFEST, open=UspsConnector, sandbox=UspsSandbox)
