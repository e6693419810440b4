"""Several hub processes over one PostgreSQL: one is killed, the database is killed, everything is applied once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.hub_process import HubProcess
from tests.rig.senders import Senders
from tests.support import folders
from tests.support.cli import Operator
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.running_hub import until

SKUS = ["MUG", "BOX", "TRAY", "POT"]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
async def url(server: PostgresServer) -> AsyncIterator[str]:
    async with server.database() as made:
        yield made


def _hub(folder: Path, url: str, role: str) -> HubProcess:
    """A process with the role; all of them share one key, as processes over one database must."""
    hub: dict[str, Any] = {"database": url, "encryption_key": {"file": str(folder.parent / "hub.key")}}
    made = HubProcess(folder, {"shop-us": folders.shopify()}, "sku\n" + "\n".join(SKUS) + "\n", hub=hub)
    made.role = role
    made.configure()
    return made


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_killed_worker_is_taken_over_and_everything_is_applied_once(tmp_path: Path, url: str) -> None:
    """Intake in one process, two workers beside it: kill -9 of one at random moments loses and doubles nothing."""
    intake = _hub(tmp_path / "intake", url, "intake")
    workers = [_hub(tmp_path / name, url, "worker") for name in ("one", "two")]
    rng = random.Random(7)
    hubs = [intake, *workers]
    try:
        for hub in hubs:
            await hub.start()
        shop = folders.shopify()
        senders = Senders(
            f"{intake.url}/webhooks/shop-us",
            shop["credentials"]["webhook_secret"],
            shop["options"]["shop"],
            SKUS,
            rng,
        )
        sending = asyncio.create_task(senders.run())
        for _ in range(2):
            await asyncio.sleep(rng.uniform(0.5, 1.5))
            workers[0].kill()
            await workers[0].start(ready=False)
        senders.close()
        await asyncio.wait_for(sending, 60)
        operator = Operator(intake.config)

        async def quiet() -> bool:
            status = (await asyncio.to_thread(operator, "status", "--json")).json
            return not status["inbox_pending"]

        await until(quiet, 60, "the inbox empty")
        orders = (await asyncio.to_thread(operator, "orders", "list", "--limit", "100000", "--json")).json
        numbers = {delivery.number for delivery in senders.acked}
        assert len(numbers) > 20, "the control: there was traffic"
        assert sorted(order["number"] for order in orders) == sorted(f"#{number}" for number in numbers)
        rows = (await asyncio.to_thread(operator, "stock", "export", "--json")).json
        reserved = {sku: sum(row["reserved"] for row in rows if row["sku"] == sku) for sku in SKUS}
        assert reserved == senders.expected_reserved()
        assert (await asyncio.to_thread(operator, "stock", "verify")).code == 0
        assert [hub.stop() for hub in hubs] == [0, 0, 0]
    finally:
        for hub in hubs:
            if hub.running:
                hub.kill()
