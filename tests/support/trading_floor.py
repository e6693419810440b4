"""A hub with a retailer over AS2, a warehouse over SFTP and a supplier over folders, in one event loop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from connectors.edi.sandbox import RetailerSandbox, SupplierSandbox, WarehouseSandbox
from connectors.edi.transport.as2.partner import Receipt
from hub import bootstrap
from hub.bootstrap import Hub
from hub.bootstrap.buying import Buying
from hub.demo.partners import LOCATION, locations, opened, sections
from tests.support import folders
from tests.support.ports import free_port

RETAILER, WAREHOUSE, SUPPLIER = "retailer-demo", "warehouse-demo", "supplier-demo"


@dataclass(frozen=True)
class Floor:
    hub: Hub
    retailer: RetailerSandbox
    warehouse: WarehouseSandbox
    supplier: SupplierSandbox

    async def count(self, **on_hand: int) -> None:
        """So many lie at the warehouse, and both sides know it."""
        # Receipts of a warehouse state a day only, so a count of the same day might have seen them already.
        as_of = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        lines = [{"sku": sku, "location": LOCATION, "on_hand": units, "as_of": as_of} for sku, units in on_hand.items()]
        await self.hub.acts.report(lines, key=f"count-{on_hand}", actor="test")
        for sku, units in on_hand.items():
            self.warehouse.stock(sku, units)

    async def position(self, sku: str) -> tuple[int, int, int]:
        """On hand, reserved and incoming at the warehouse."""
        everywhere = await self.hub.queries.positions_at([sku], None)
        found = [position for position in everywhere if position.location == LOCATION]
        return (found[0].on_hand, found[0].reserved, found[0].incoming) if found else (0, 0, 0)

    async def orders(self) -> dict[str, Any]:
        rows, _ = await self.hub.queries.orders(account=RETAILER, limit=500)
        return {row.source_id: row for row in rows}

    async def failures(self) -> list[str]:
        rows, _ = await self.hub.queries.failures(limit=200)
        return [f"{row.account} {row.kind} {row.error} {row.code} {row.path}: {row.message}" for row in rows]

    def buying(self) -> Buying:
        return Buying(self.hub.acts)

    def complaints(self) -> list[str]:
        return [*self.retailer.complaints, *self.warehouse.complaints, *self.supplier.complaints]


@asynccontextmanager
async def floor(
    folder: Path,
    *skus: str,
    faults: str = "none",
    receipt: Receipt = Receipt.SYNC,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[Floor]:
    """Everything started; partners with good manners unless told otherwise.

    Args:
        receipt: How AS2 messages are confirmed, in both directions.
        accounts: Additions to the accounts' sections, by account.
    """
    before = structlog.get_config()
    async with AsyncExitStack() as stack:
        partners = await opened(stack, seed=1, faults=faults)
        partners[RETAILER].end.receipt = receipt
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        given = {name: one | (accounts or {}).get(name, {}) for name, one in sections(partners, url).items()}
        path = folders.write(folder, given, skus or ("TEA", "MUG"), {"listen": f"127.0.0.1:{port}", "public_url": url})
        document = json.loads(path.read_text())
        document["locations"] |= locations(partners)
        path.write_text(json.dumps(document))
        hub = Hub.build(bootstrap.load(path))
        stack.callback(lambda: structlog.configure(**before))
        await hub.start()
        stack.push_async_callback(hub.stop)
        yield Floor(hub, partners[RETAILER], partners[WAREHOUSE], partners[SUPPLIER])
