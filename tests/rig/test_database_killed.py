"""PostgreSQL killed under a running hub: 503 while it is away, recovery by itself, nothing lost and nothing twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rig.hub_process import HubProcess
from tests.rig.senders import Senders
from tests.support import folders
from tests.support.cli import Operator
from tests.support.postgres import postgres_server
from tests.support.running_hub import deliver, until

SKUS = ["MUG", "BOX", "TRAY", "POT"]
KILLS = 3


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status


@pytest.mark.slow
@pytest.mark.timeout(1_200)
async def test_a_killed_database_costs_nothing_but_time(tmp_path: Path) -> None:
    """Traffic all the while, kill -9 of the whole server at random moments, two hub processes over it."""
    shop = folders.shopify()
    rng = random.Random(11)
    with postgres_server() as server:
        async with server.database() as url:
            hubs = [_hub(tmp_path, url, role) for role in ("intake", "worker")]
            intake = hubs[0]
            try:
                for hub in hubs:
                    await hub.start()
                senders = Senders(
                    f"{intake.url}/webhooks/shop-us", shop["credentials"]["webhook_secret"], shop["options"]["shop"],
                    SKUS, rng,
                )  # fmt: skip
                sending = asyncio.create_task(senders.run())
                async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
                    for number in range(KILLS):
                        await asyncio.sleep(rng.uniform(0.5, 2.0))
                        await asyncio.to_thread(server.kill)
                        assert await deliver(http, intake.url, 900_000 + number, [("MUG", 1)]) == 503

                        async def unready() -> bool:
                            return await _status(http, f"{intake.url}/readyz") == 503

                        await until(unready, what="readiness false")
                        assert await _status(http, f"{intake.url}/livez") == 200
                        assert await _status(http, f"{intake.url}/metrics") == 503
                        await asyncio.to_thread(server.start_again)

                        async def ready() -> bool:
                            both = [await _status(http, f"{hub.url}/readyz") for hub in hubs]
                            return both == [200, 200]

                        await until(ready, what="both ready again")
                    senders.close()
                    await asyncio.wait_for(sending, 240)
                await _nothing_lost(intake, senders)
                assert [hub.stop() for hub in hubs] == [0, 0]
            finally:
                for hub in hubs:
                    if hub.running:
                        hub.kill()


async def _nothing_lost(intake: HubProcess, senders: Senders) -> None:
    operator = Operator(intake.config)

    async def quiet() -> bool:
        return not (await asyncio.to_thread(operator, "status", "--json")).json["inbox_pending"]

    await until(quiet, 240, "the inbox empty")
    orders = (await asyncio.to_thread(operator, "orders", "list", "--limit", "100000", "--json")).json
    numbers = {delivery.number for delivery in senders.acked}
    assert len(numbers) > 20, "the control: there was traffic"
    assert senders.refusals > 0, "the control: the database was away for somebody"
    assert sorted(order["number"] for order in orders) == sorted(f"#{number}" for number in numbers)
    rows = (await asyncio.to_thread(operator, "stock", "export", "--json")).json
    reserved = {sku: sum(row["reserved"] for row in rows if row["sku"] == sku) for sku in SKUS}
    assert reserved == senders.expected_reserved()
    assert (await asyncio.to_thread(operator, "stock", "verify")).code == 0
    # The counts are the result, whether the run passed or not.
    print(f"database killed {KILLS} times: {senders.acknowledgements} acknowledged, {senders.refusals} refused, 0 lost")  # noqa: T201


def _hub(folder: Path, url: str, role: str) -> HubProcess:
    hub: dict[str, Any] = {"database": url, "encryption_key": {"file": str(folder / "hub.key")}}
    made = HubProcess(folder / role, {"shop-us": folders.shopify()}, "sku\n" + "\n".join(SKUS) + "\n", hub=hub)
    made.role = role
    made.configure()
    return made
