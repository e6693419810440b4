"""A hub process under bad conditions (poison, a full disk, an end under load) recovers by itself or ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rig.hub_process import HubProcess
from tests.rig.senders import Senders
from tests.support import folders
from tests.support.cli import Operator
from tests.support.running_hub import deliver, until

SKUS = ["MUG", "BOX", "TRAY", "POT"]


def _hub(folder: Path, *, plant: str = "", accounts: dict[str, Any] | None = None) -> HubProcess:
    made = HubProcess(folder, accounts or {"shop-us": folders.shopify()}, "sku\n" + "\n".join(SKUS) + "\n", plant=plant)
    made.configure()
    return made


def _senders(hub: HubProcess, seed: int) -> Senders:
    shop = folders.shopify()
    return Senders(
        f"{hub.url}/webhooks/shop-us",
        shop["credentials"]["webhook_secret"],
        shop["options"]["shop"],
        SKUS,
        random.Random(seed),
        lanes=2,
    )


async def _run(operator: Operator, *words: str) -> Any:
    return (await asyncio.to_thread(operator, *words)).json


@pytest.mark.slow
async def test_an_event_that_kills_its_process_three_times_is_set_aside(tmp_path: Path) -> None:
    """The hub, started again each time, tries the poison three times; then it is parked and the others are applied."""
    hub = _hub(tmp_path, plant="poison")
    try:
        began = time.monotonic()
        await hub.start()
        # A minute is the hub's; three more starts are this machine's.
        within_s = 60 + 5 * (time.monotonic() - began)
        async with aiohttp.ClientSession() as http:
            assert await deliver(http, hub.url, 1, [("MUG", 1)]) == 200
            assert await deliver(http, hub.url, 666, [("MUG", 1)]) == 200
        began, starts = time.monotonic(), 1
        sent: set[int] = set()
        async with aiohttp.ClientSession() as http:
            while time.monotonic() - began < within_s:
                if not hub.running:
                    starts += 1
                    hub.spawn()
                for number in range(2, 12):
                    try:
                        if number not in sent and await deliver(http, hub.url, number, [("MUG", 1)]) == 200:
                            sent.add(number)
                    except (aiohttp.ClientError, OSError):
                        break
                if len(sent) == 10 and await _settled(hub, 11):
                    break
                await asyncio.sleep(0.2)
        operator = Operator(hub.config)
        (failure,) = await _run(operator, "failures", "list", "--json")
        assert failure["error"] == "Poison"
        orders = await _run(operator, "orders", "list", "--json")
        assert {order["number"] for order in orders} == {f"#{n}" for n in range(1, 12)}
        assert time.monotonic() - began < within_s
        assert starts == 4, "the control: it did die, three times"
        assert (await asyncio.to_thread(operator, "stock", "verify")).code == 0
        assert hub.stop() == 0
    finally:
        if hub.running:
            hub.kill()


async def _settled(hub: HubProcess, orders: int) -> bool:
    if not hub.running:
        return False
    try:
        operator = Operator(hub.config)
        found = await _run(operator, "orders", "list", "--json")
        return len(found) == orders and bool(await _run(operator, "failures", "list", "--json"))
    except AssertionError:
        return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 192 MB, where this user may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


async def _ready(hub: HubProcess) -> bool:
    async with aiohttp.ClientSession() as http, http.get(hub.url + "/readyz") as answer:
        return answer.status == 200


@pytest.mark.slow
async def test_a_full_disk_refuses_says_so_and_recovers_by_itself(small_disk: Path) -> None:
    """503, unready within 5 s, back within 30 s of having space; its log is on the same disk; nothing is lost."""
    hub = _hub(small_disk)
    ballast = small_disk / "ballast"
    try:
        await hub.start()
        senders = _senders(hub, 1)
        sending = asyncio.create_task(senders.run())

        async def some() -> bool:
            return senders.acknowledgements > 20

        await until(some)
        free = shutil.disk_usage(small_disk).free
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for _ in range(free // 4096 + 10):
                file.write(b"\0" * 4096)
        began = time.monotonic()

        async def unready() -> bool:
            return not await _ready(hub)

        await until(unready, 5.5, "not ready")
        refused_before = senders.refusals
        acknowledged_full = senders.acknowledgements
        async with aiohttp.ClientSession() as http, http.get(hub.url + "/readyz") as answer:
            assert int(answer.headers["Retry-After"]) > 0
            assert "database" in " ".join((await answer.json())["reasons"])
        await asyncio.sleep(max(0.0, 6 - (time.monotonic() - began)))
        assert senders.refusals > refused_before, "the control: it was refused"
        assert hub.running
        ballast.unlink()

        async def back() -> bool:
            return await _ready(hub) and senders.acknowledgements > acknowledged_full + 20

        await until(back, 30, "taking webhooks again")
        senders.close()
        await asyncio.wait_for(sending, 90)
        await _all_applied(hub, senders)
        assert hub.stop() == 0
    finally:
        ballast.unlink(missing_ok=True)
        if hub.running:
            hub.kill()


async def _all_applied(hub: HubProcess, senders: Senders) -> None:
    """Every acknowledged order is known once and reserved once; the ledger adds up."""
    operator = Operator(hub.config)
    numbers = {delivery.number for delivery in senders.acked}

    async def known() -> bool:
        status = await _run(operator, "status", "--json")
        return not status["inbox_pending"]

    await until(known, what="the inbox empty")
    orders = await _run(operator, "orders", "list", "--limit", "100000", "--json")
    assert sorted(order["number"] for order in orders) == sorted(f"#{number}" for number in numbers)
    rows = await _run(operator, "stock", "export", "--json")
    reserved = {sku: sum(row["reserved"] for row in rows if row["sku"] == sku) for sku in SKUS}
    assert reserved == senders.expected_reserved()
    assert (await asyncio.to_thread(operator, "stock", "verify")).code == 0


@pytest.mark.slow
async def test_sigterm_under_load_drains(tmp_path: Path) -> None:
    """Exit 0 within 30 s; every answer was 200 or a refusal; the next start has each acknowledged fact once."""
    hub = _hub(tmp_path)
    try:
        await hub.start()
        senders = _senders(hub, 2)
        sending = asyncio.create_task(senders.run())
        for round_ in range(3):
            target = senders.acknowledgements + 60

            async def more(target: int = target) -> bool:
                return senders.acknowledgements > target

            await until(more)
            began = time.monotonic()
            hub.signal(signal.SIGTERM)
            assert await asyncio.to_thread(hub.wait) == 0, hub.tail()
            assert time.monotonic() - began < 30
            assert "Traceback" not in hub.tail(), round_
            await hub.start()
        senders.close()
        await asyncio.wait_for(sending, 90)
        assert senders.refusals > 0, "the control: some were refused while it was away"
        await _all_applied(hub, senders)
        assert hub.stop() == 0
    finally:
        if hub.running:
            hub.kill()
