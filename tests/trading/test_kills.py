"""A hub killed with SIGKILL while it takes a large file: every order once, one answer per interchange."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.rig.hub_process import HubProcess
from tests.support.exchange import interchange, order
from tests.support.running_hub import until

ORDERS = 900
PROFILE = """
name: Retailer
identities: {us: {qualifier: ZZ, id: INVENTEDSELLER}, them: {qualifier: ZZ, id: INVENTEDBUYER}}
deadlines: {acknowledgement: 24h}
"""


def hub_over_folders(folder: Path) -> HubProcess:
    for name in ("in", "out", "done"):
        (folder / name).mkdir()
    (folder / "retailer.yaml").write_text(PROFILE)
    places = {"inbox": str(folder / "in"), "archive": str(folder / "done"), "outbox": str(folder / "out")}
    account: dict[str, Any] = {
        "connector": "edi", "poll": {"files": "1s"},
        "options": {"partner": str(folder / "retailer.yaml"), "transport": {"folder": {**places, "quiet": "200ms"}}},
    }  # fmt: skip
    made = HubProcess(folder, {"retailer": account}, "sku\nMUG\n")
    made.configure()
    return made


def large() -> bytes:
    half = ORDERS // 2
    files = [
        interchange(*(order(f"{name}{n}", control=f"{n:04d}") for n in range(half)), control=number, group=number)
        for number, name in ((1, "A"), (2, "B"))
    ]
    return b"".join(files)


def answers(folder: Path) -> list[str]:
    """What of the acknowledged interchanges lies at the partner's, each file read whole."""
    texts = [path.read_text() for path in sorted((folder / "out").glob("997_*.edi"))]
    return [found for text in texts for found in re.findall(r"AK1\*PO\*(\d+)", text)]


def orders_of(hub: HubProcess) -> int:
    """How many orders were taken out of the file, none of them twice; the database is only read."""
    with contextlib.closing(sqlite3.connect(f"{hub.database.as_uri()}?mode=ro", uri=True)) as connection:
        count, distinct = connection.execute("SELECT count(*), count(DISTINCT source_id) FROM orders").fetchone()
    assert count == distinct
    return int(count)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_large_file_survives_kills(tmp_path: Path, seed: int) -> None:
    """Killed twice at random moments while it is received, taken, applied and answered."""
    moments = random.Random(seed)
    hub = hub_over_folders(tmp_path)
    try:
        await hub.start()
        (tmp_path / "in" / "po.edi").write_bytes(large())
        for _ in range(2):
            await asyncio.sleep(moments.uniform(1.5, 4.0))
            hub.kill()
            await hub.start()

        async def done() -> bool:
            return sorted(answers(tmp_path)) == ["1", "2"] and not list((tmp_path / "in").iterdir())

        await until(done, within_s=300, what=hub.tail())

        async def all_orders() -> bool:
            return orders_of(hub) == ORDERS

        await until(all_orders, within_s=300, what=hub.tail())
    finally:
        if hub.running:
            hub.stop()
    assert sorted(answers(tmp_path)) == ["1", "2"]
    (received,) = json.loads(hub.command("edi", "list", "--direction", "in", "--json").stdout)
    assert (received["state"], received["sets"], received["done"]) == ("taken", ORDERS, ORDERS)
