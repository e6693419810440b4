"""`kill -9` amid trade over AS2, SFTP and folders: every file takes effect once, ours at the partners and theirs here.

The change gate kills ten times; `TRUNKLINE_RIG_KILLS` asks for more. The seed is printed and `TRUNKLINE_RIG_SEED`
repeats it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.demo.partners import LOCATION, locations, opened, sections
from tests.rig.hub_process import HubProcess
from tests.support.running_hub import until

KILLS = min(500, int(os.environ.get("TRUNKLINE_RIG_KILLS", "10")))
SEED = int(os.environ.get("TRUNKLINE_RIG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
STOCK = 5_000
GOOD, BAD = "none", "duplicate_interchange=0.2,wrong_count=0.1,damaged_file=0.1,missing_ack=0.1,late_ack=0.1"
QUIET_WITHIN_S = 600.0
RETAILER, WAREHOUSE, SUPPLIER = "retailer-demo", "warehouse-demo", "supplier-demo"


class TradingProcess(HubProcess):
    """A hub with a place that a warehouse runs."""

    def configure(self) -> None:
        super().configure()
        document = json.loads(self.config.read_text())
        document["hub"]["public_url"] = self.url
        document["locations"] |= {LOCATION: {"name": "East", "warehouse": WAREHOUSE}}
        self.config.write_text(json.dumps(document))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("manners", [GOOD, BAD], ids=["good-manners", "bad-manners"])
async def test_kills_amid_trade_lose_and_double_nothing(tmp_path: Path, manners: str) -> None:
    """Orders by AS2, 940 and 945 by SFTP, answers, notices and invoices back: each exactly once, to the unit."""
    rng = random.Random(SEED)
    async with AsyncExitStack() as stack:
        partners: dict[str, Any] = await opened(stack, seed=SEED % 1000, faults=manners)
        assert set(locations(partners)) == {LOCATION}
        for partner in partners.values():
            partner.letters.patience_s = 5.0
        retailer, warehouse = partners[RETAILER], partners[WAREHOUSE]
        hub = TradingProcess(tmp_path, {}, "sku\nTEA\nMUG\n")
        hub.accounts = sections(partners, hub.url)
        hub.configure()
        stack.callback(lambda: hub.kill() if hub.running else None)
        await hub.start()
        await asyncio.to_thread(_count, hub)
        for sku in ("TEA", "MUG"):
            warehouse.stock(sku, STOCK)
        for _ in range(KILLS):
            for _ in range(rng.randint(1, 2)):
                await retailer.sell([("TEA", rng.randint(1, 9)), ("MUG", rng.randint(1, 9))])
            await asyncio.sleep(rng.uniform(0.1, 4.0))
            hub.kill()
            await hub.start(ready=False)
        await _until_quiet(retailer)
        # Beside the loop: the partners answer its last calls, and close what they opened for them.
        assert await asyncio.to_thread(hub.stop) == 0, hub.tail()
        await asyncio.sleep(0.1)
        _check(hub, retailer, warehouse)


def _count(hub: HubProcess) -> None:
    counted = hub.folder / "counted.csv"
    as_of = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    lines = "".join(f"{sku},{LOCATION},{STOCK},{as_of}\n" for sku in ("TEA", "MUG"))
    counted.write_text(f"sku,location,on_hand,as_of\n{lines}")
    done = hub.command("stock", "import", str(counted))
    assert done.returncode == 0, done.stderr


async def _until_quiet(retailer: Any) -> None:
    """Every order is answered, shipped and billed whole; a run that never settles is judged as it stands."""
    orders = [retailer.order(each["id"]) for each in retailer.orders()]

    async def whole() -> bool:
        return all(order.answered and order.shipped == order.billed == _wanted(order) for order in orders)

    with contextlib.suppress(AssertionError):
        await until(whole, QUIET_WITHIN_S)
    # What comes twice comes after that.
    await asyncio.sleep(3.0)


def _wanted(order: Any) -> dict[str, int]:
    return {number: units for number, _, units in order.lines}


def _check(hub: HubProcess, retailer: Any, warehouse: Any) -> None:
    said = f"seed {SEED}, {hub.starts} starts"
    orders = [retailer.order(each["id"]) for each in retailer.orders()]
    for order in orders:
        wanted = _wanted(order)
        assert order.answered == 1, f"{said}: {order.number} was answered {order.answered} times"
        assert order.accepted == wanted, f"{said}: {order}"
        assert order.shipped == order.billed == wanted, f"{said}: {order}"
    assert retailer.complaints == [], said
    assert warehouse.complaints == [], said
    for kind in ("855", "856", "810"):
        assert retailer.counts[kind] == len(orders), f"{said}: {retailer.counts}"
    assert warehouse.counts["940"] == len(orders), f"{said}: {warehouse.counts}"
    sold: Counter[str] = Counter()
    for order in orders:
        for _, sku, units in order.lines:
            sold[sku] += units
    with sqlite3.connect(f"file:{hub.database}?mode=ro", uri=True) as database:
        known = {row[0] for row in database.execute("SELECT source_id FROM orders WHERE account = ?", (RETAILER,))}
        query = "SELECT sku, on_hand, reserved FROM positions WHERE location = ?"
        positions = {sku: (on_hand, reserved) for sku, on_hand, reserved in database.execute(query, (LOCATION,))}
    assert known == {order.number for order in orders}, said
    assert positions == {sku: (STOCK - sold[sku], 0) for sku in ("TEA", "MUG")}, said
    assert {sku: warehouse.shown(sku) for sku in sold} == {sku: STOCK - sold[sku] for sku in sold}, said
