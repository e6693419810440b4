"""The sandbox kit misbehaves exactly as asked, repeatably, says so, and stops cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from connectors.sdk.contract_suite.receiver import Receiver
from connectors.sdk.faults import FAULT_PROFILES, FAULTS, Faults
from connectors.sdk.sandbox import Delivery, RetryRule
from tests.support.toy.sandbox import ToySandbox


class Toy(ToySandbox):
    hang_s = 0.1
    slow_s = 0.1
    pace = 10_000.0


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    async with Toy(seed=3) as sandbox:
        sandbox.stock("MUG", 5, title="Mug")
        yield sandbox


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        session._retry_connection = False
        yield session


async def test_faults_repeat_for_a_seed_and_do_not_disturb_each_other() -> None:
    """The same seed strikes at the same times, whatever else is asked in between."""
    alone, mixed = Faults({"slow": 0.3}, seed=5), Faults({"slow": 0.3, "rate_limit": 0.5}, seed=5)
    first = [alone.hit("slow") for _ in range(200)]
    second = []
    for _ in range(200):
        mixed.hit("rate_limit")
        second.append(mixed.hit("slow"))
    assert first == second
    assert 30 < sum(first) < 90
    assert alone.counts["slow"] == sum(first)
    assert [Faults({"slow": 0.3}, seed=6).hit("slow") for _ in range(200)] != first


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("none", {}),
        ("bad-manners", dict(FAULT_PROFILES["bad-manners"])),
        ("slow=0.1, late_read=1", {"slow": 0.1, "late_read": 1}),
    ],
)
def test_profiles_and_rates_are_read(text: str, rates: dict[str, float]) -> None:
    """A profile's name, or names with rates."""
    assert dict(Faults.parse(text).rates) == rates
    assert set(rates) <= set(FAULTS)


@pytest.mark.parametrize(
    "text", ["", "rude", "slow", "slow=2", "slow=-1", "slow=x", "slow=nan", "rude=0.1", "slow=0.1,"]
)
def test_a_wrong_profile_is_told(text: str) -> None:
    """With what is known."""
    with pytest.raises(ValueError, match=r"profile|rate|fault"):
        Faults.parse(text)


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [("rate_limit", 429, "1"), ("rate_limit_bare", 429, None), ("server_error", 503, None)],
)
async def test_an_answer_is_replaced(
    toy: Toy, http: aiohttp.ClientSession, fault: str, status: int, retry_after: str | None
) -> None:
    """Once, as forced; the next request is answered properly, and the log names the fault."""
    toy.faults.force(fault)
    async with http.get(f"{toy.base_url}/me") as response:
        assert (response.status, response.headers.get("Retry-After")) == (status, retry_after)
    async with http.get(f"{toy.base_url}/me") as response:
        assert response.status == 401
    assert toy.faults.counts[fault] == 1
    assert [line.facts["name"] for line in toy.happenings("fault")] == [fault]


@pytest.mark.parametrize(
    ("fault", "applied"), [("drop_connection", False), ("timeout_before", False), ("timeout_after_apply", True)]
)
async def test_an_answer_is_lost(toy: Toy, http: aiohttp.ClientSession, fault: str, applied: bool) -> None:
    """The connection ends without an answer; what was applied is what the fault's name says."""
    token = "known"
    toy._tokens[token] = toy.clock.now() + timedelta(days=1)
    toy.faults.force(fault)
    body = {"items": [{"listing": "L1", "quantity": 1, "key": "k"}]}
    with pytest.raises(aiohttp.ClientError):
        await http.put(f"{toy.base_url}/stock", json=body, headers={"x-toy-token": token})
    assert toy.shown("MUG") == (1 if applied else 5)


async def test_a_shopper_and_a_seller_over_http(toy: Toy, http: aiohttp.ClientSession) -> None:
    """The control paths stock, sell, cancel, ship and tell; faults leave them alone."""
    toy.faults.set("server_error", 1.0)
    control = f"{toy.base_url}/_sandbox"

    async def post(path: str, body: Any) -> tuple[int, Any]:
        async with http.post(f"{control}/{path}", json=body) as response:
            return response.status, await response.json()

    assert await post("stock", {"sku": "CUP", "quantity": 2}) == (200, {"sku": "CUP", "shown": 2})
    status, sold = await post("sell", {"lines": [["CUP", 2]]})
    assert status == 200
    assert await post("sell", {"lines": [{"sku": "CUP", "quantity": 1}]}) == (409, {"order_id": None})
    assert (await post("cancel", {"order_id": sold["order_id"]}))[0] == 200
    status, second = await post("sell", {"lines": [["MUG", 1]]})
    assert (await post("ship", {"order_id": second["order_id"]}))[0] == 200
    async with http.get(f"{control}/state") as response:
        state = await response.json()
    assert state["listings"] == {"MUG": 4, "CUP": 2}
    assert [order["state"] for order in state["orders"]] == ["cancelled", "shipped"]
    assert state["defects"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("stock", {"sku": "", "quantity": 1}),
        ("stock", {"sku": "A", "quantity": -1}),
        ("stock", {"sku": "A", "quantity": "x"}),
        ("stock", []),
        ("sell", {"lines": []}),
        ("sell", {"lines": [["A"]]}),
        ("sell", {"lines": [[1, 1]]}),
        ("ship", {}),
        ("faults", {"profile": "rude"}),
        ("faults", {"rates": {"slow": 5}}),
        ("faults", {"rates": 7}),
        ("faults", {"force": {"x": 1}}),
    ],
)
async def test_nonsense_on_the_control_paths_is_told(
    toy: Toy, http: aiohttp.ClientSession, path: str, body: Any
) -> None:
    """400 with a sentence, and nothing changes."""
    async with http.post(f"{toy.base_url}/_sandbox/{path}", json=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]
    assert toy.defects == []


async def test_faults_change_over_http(toy: Toy, http: aiohttp.ClientSession) -> None:
    """A profile replaces, rates add, and an unknown order is 404."""
    async with http.post(
        f"{toy.base_url}/_sandbox/faults", json={"profile": "webhooks", "rates": {"slow": 0.5}}
    ) as response:
        assert (await response.json())["rates"] == {**FAULT_PROFILES["webhooks"], "slow": 0.5}
    async with http.post(f"{toy.base_url}/_sandbox/ship", json={"order_id": "none"}) as response:
        assert response.status == 404


async def subscribe(toy: Toy, url: str) -> None:
    toy._hooks.append({"url": url, "topics": ["order.placed", "order.changed"]})


async def test_a_refused_webhook_is_delivered_again(toy: Toy) -> None:
    """By the vendor's rule, the same event each time, until it is taken."""
    async with Receiver(refuse_next=2) as inbox:
        await subscribe(toy, inbox.url)
        await toy.sell([("MUG", 1)])
        await toy.settle()
        assert inbox.refused == 2
        assert [request.headers["x-toy-attempt"] for request in inbox.requests] == ["3"]
    assert len(toy.happenings("webhook.taken")) == 1


async def test_a_webhook_nobody_takes_is_given_up(toy: Toy) -> None:
    """After the last attempt the vendor stops, and the log says so."""
    await subscribe(toy, "http://127.0.0.1:9/webhooks")
    await toy.sell([("MUG", 1)])
    await toy.settle()
    assert len(toy.happenings("webhook.refused")) == 4
    assert len(toy.happenings("webhook.given_up")) == 1
    assert toy.webhooks_pending == 0


@pytest.mark.parametrize(("fault", "times"), [("lost_webhook", 0), ("duplicate_webhook", 2)])
async def test_webhooks_are_lost_and_doubled(toy: Toy, fault: str, times: int) -> None:
    """A lost one never comes, a doubled one is the same event twice."""
    async with Receiver() as inbox:
        await subscribe(toy, inbox.url)
        toy.faults.force(fault)
        await toy.sell([("MUG", 1)])
        await toy.settle()
        assert len(inbox.requests) == times
        assert len({(request.headers["x-toy-event"], request.body) for request in inbox.requests}) == min(times, 1)


async def test_webhooks_are_overtaken(toy: Toy) -> None:
    """A reordered delivery arrives after later ones."""
    async with Receiver() as inbox:
        await subscribe(toy, inbox.url)
        toy.faults.force("reordered_webhook")
        first = await toy.sell([("MUG", 1)])
        second = await toy.sell([("MUG", 1)])
        await toy.settle()
        order = [request.headers["x-toy-event"].partition("-")[0] for request in inbox.requests]
        assert order == [second, first]


async def test_a_sandbox_bug_is_not_taken_for_a_fault(http: aiohttp.ClientSession) -> None:
    """An error in the vendor's own code is kept as a defect."""

    class Broken(Toy):
        async def _get_me(self, request: web.Request) -> web.Response:
            raise KeyError("oops")

    async with Broken() as sandbox:
        async with http.get(f"{sandbox.base_url}/me") as response:
            assert response.status == 500
        assert len(sandbox.defects) == 1
        assert "oops" in sandbox.defects[0]


async def test_stopping_is_prompt_and_leaves_nothing() -> None:
    """With requests hanging and webhooks waiting for their next attempt, it ends at once, twice, and starts again."""
    before = asyncio.all_tasks()
    sandbox = ToySandbox()
    await sandbox.stop()
    base = await sandbox.start()
    sandbox.stock("MUG", 5)
    sandbox.emit("http://127.0.0.1:9/", lambda attempt: Delivery(b"{}"))
    sandbox.faults.force("timeout_before", 5)
    async with aiohttp.ClientSession() as http:
        hanging = [asyncio.ensure_future(http.get(f"{base}/me")) for _ in range(5)]
        await asyncio.sleep(0.05)
        started = asyncio.get_running_loop().time()
        await sandbox.stop()
        await sandbox.stop()
        assert asyncio.get_running_loop().time() - started < 15, "not after the twenty seconds that a request hangs"
        outcomes = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes)
    await sandbox.start()
    await sandbox.stop()
    await asyncio.sleep(0)
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


async def test_a_taken_port_is_an_error_and_leaves_nothing(toy: Toy) -> None:
    """The second sandbox says so and can be stopped."""
    second = Toy()
    with pytest.raises(OSError, match="address"):
        await second.start(port=int(toy.base_url.rpartition(":")[2]))
    await second.stop()


async def test_the_log_is_numbered_without_gaps(toy: Toy) -> None:
    """One can continue reading where one stopped."""
    for number in range(5):
        toy.record("note", number=number)
    lines = toy.happenings()
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert [line.facts["number"] for line in toy.happenings("note", after=lines[-2].number)] == [4]


def test_a_rule_counts_its_attempts() -> None:
    """One more than its waits."""
    assert RetryRule(waits_s=(1, 2)).attempts_max == 3
