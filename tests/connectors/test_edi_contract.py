"""The EDI connector keeps every promise of the connector contract that a trading partner can be a party to."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from connectors.edi import CONNECTOR
from connectors.edi.transport.as2 import receipts
from connectors.sdk.contract import Effect
from connectors.sdk.contract_suite import ContractSuite, Rig, Sample

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "edi" / "fixtures"
PO1 = ("PO1_loop", 1, "PO1")


class TestEdiContract(ContractSuite):
    """Over AS2, the transport with a vendor on the other end of a call; folder and SFTP have tests of their own."""

    connector = CONNECTOR
    reads = (
        Sample(
            "850",
            (FIXTURES / "850.json").read_bytes(),
            required={"order.source.id": ("BEG", "03"), "order.lines[0].quantity": ("PO1_loop", 0, "PO1", "02")},
        ),
    )

    async def probe(self, rig: Rig) -> None:
        """Nothing is pulled over AS2: the partner's address is asked."""
        await rig.connector.check()

    async def effect(self, rig: Rig, kind: str, order_id: str) -> Effect:
        if kind == "send_file":
            content = b64encode(b"ISA*00*~" + order_id.encode()).decode()
            return Effect("1", kind, "out:1", "file-1", {"name": "855_1.edi", "content": content})
        names = rig.ctx.options["transport"]["as2"]
        report = receipts.write(receipts.Report("<1@partner>", receipts.PROCESSED), names["us"], "=_1")
        headers = [("AS2-From", names["us"]), ("AS2-To", names["them"]), ("Message-ID", "<2@hub>"), *report.headers]
        body: dict[str, Any] = {
            "url": f"{rig.sandbox.base_url}/as2",
            "headers": [list(pair) for pair in headers],
            "content": b64encode(report.body).decode(),
            "about": "<1@partner>",
        }
        return Effect("2", kind, "receipt:1", "receipt-1", body)

    async def test_check_tells_wrong_credentials(self) -> None:
        """What is no key is refused by its name before anything is sent; the partner alone could tell a wrong one."""
        with pytest.raises(ValueError, match=r"^credentials\.as2_key"):
            async with self.opened(credentials={"as2_key": "wrong", "as2_certificate": "wrong"}):
                pass

    async def _exercise(self, shown: io.StringIO) -> dict[str, str]:
        """As the suite does it, but that a wrong key opens nothing: what is said of it is looked through as well."""
        async with self.opened() as rig:
            await self._run(rig, shown)
            rig.sandbox.faults.force("server_error", 100)
            await self._run(rig, shown)
            secrets = {key: secret.reveal() for key, secret in rig.ctx.credentials.items() if key == "as2_key"}
        for wrong in ("canary-7f3a9c", secrets["as2_key"].replace("A", "B")):
            with pytest.raises(ValueError, match="as2_key") as caught:
                async with self.opened(credentials={"as2_key": wrong}):
                    pass
            shown.write(f"{caught.value} {caught.value!r} {caught.value.__cause__!r}\n")
        lines = [line for line in secrets["as2_key"].splitlines() if len(line) > 20 and not line.startswith("-")]
        return {f"line {place} of the key": line for place, line in enumerate(lines)} | {"wrong key": "canary-7f3a9c"}
