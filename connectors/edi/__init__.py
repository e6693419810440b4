"""EDI: files of trading partners, by folder, SFTP and AS2."""

from __future__ import annotations

from connectors.edi.connector import EdiConnector
from connectors.edi.manifest import MANIFEST
from connectors.edi.sandbox import PARTNERS, RetailerSandbox
from connectors.sdk.contract import ConnectorType

CONNECTOR = ConnectorType(manifest=MANIFEST, open=EdiConnector, sandbox=RetailerSandbox, partners=PARTNERS)
