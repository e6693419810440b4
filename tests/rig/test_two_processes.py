"""Several hub processes over one PostgreSQL: one is killed, the database is killed, everything is applied once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rig.hub_process import HubProcess
from tests.rig.senders import Senders
from tests.support import folders
from tests.support.cli import Operator
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.running_hub import deliver, until

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


@pytest.mark.timeout(600)
async def test_what_an_operator_does_at_one_process_holds_for_all(tmp_path: Path, url: str) -> None:
    """A mapping corrected and replayed at the intake is used by the worker; status says the same at both."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    fields = "document: order\ntopics: [orders/create]\nfields:\n  number: "
    (overlay / "order.yaml").write_text(f"{fields}no_such_field\n")
    hub: dict[str, Any] = {"database": url, "encryption_key": {"file": str(tmp_path / "hub.key")}}
    shop = {"shop-us": folders.shopify(mappings=str(overlay))}
    hubs = []
    for role, more in (("intake", {}), ("worker", {"mappers": 1})):
        made = HubProcess(tmp_path / role, shop, "sku\nMUG\n", hub=hub | more)
        made.role = role
        made.configure()
        hubs.append(made)
    intake = hubs[0]
    operators = [Operator(one.config) for one in hubs]

    async def status(operator: Operator) -> Any:
        return (await asyncio.to_thread(operator, "status", "--json")).json

    try:
        for one in hubs:
            await one.start()
        async with aiohttp.ClientSession() as http:
            assert await deliver(http, intake.url, 1, [("MUG", 1)]) == 200
            await until(lambda: _counts(status(operators[0]), "failures", 1), what="parked by the worker")
            (overlay / "order.yaml").write_text(f"{fields}name\n")
            replayed = await asyncio.to_thread(operators[0], "failures", "replay", "--error", "MappingError", "--json")
            assert replayed.json["count"] == 1

            async def applied() -> bool:
                orders = (await asyncio.to_thread(operators[1], "orders", "list", "--json")).json
                return [order["number"] for order in orders] == ["#1"]

            await until(applied, what="applied by the corrected mapping")
            assert await _counts(status(operators[1]), "failures", 0)

            async def told() -> bool:
                flows = [(await _asked(http, one.url, tmp_path, operators[0]))["accounts"][0]["in"] for one in hubs]
                return all(flow["lag_s"] is not None and flow["last_success"] for flow in flows) and (
                    flows[0]["last_success"] == flows[1]["last_success"]
                )

            await until(told, what="lag and last success told by both")
        assert [one.stop() for one in hubs] == [0, 0]
    finally:
        for one in hubs:
            if one.running:
                one.kill()


async def _counts(status: Any, name: str, wanted: int) -> bool:
    return bool((await status)[name] == wanted)


_TOKENS: dict[Path, str] = {}


async def _asked(http: aiohttp.ClientSession, url: str, folder: Path, operator: Operator) -> Any:
    """Status as the process itself tells it."""
    if folder not in _TOKENS:
        made = await asyncio.to_thread(operator, "token", "create", "--role", "viewer", "--json")
        _TOKENS[folder] = made.json["token"]
    headers = {"Authorization": f"Bearer {_TOKENS[folder]}"}
    async with http.get(f"{url}/api/v1/status", headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


@pytest.mark.slow
@pytest.mark.timeout(900)
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
        await asyncio.wait_for(sending, 180)
        operator = Operator(intake.config)

        async def quiet() -> bool:
            status = (await asyncio.to_thread(operator, "status", "--json")).json
            return not status["inbox_pending"]

        await until(quiet, 240, "the inbox empty")
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
