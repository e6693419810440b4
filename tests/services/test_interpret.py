"""Interpreting gives the same answer in process and in mapper processes, and outlives what it reads."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from connectors.sdk.contract import Envelope
from connectors.sdk.manifest import Topic
from hub.orders.facts import OrderFacts
from hub.services.interpret import InProcess
from hub.services.mappers import MapperProcesses
from hub.services.receive import Receive, inputs_of, of_no_topic
from tests.support.mapping_sets import ToyMaps, ToySpec
from tests.support.memory_store import MemoryStore
from tests.support.orders import START, Hub, plan

ROOT = Path(__file__).resolve().parents[2]


def without_source(facts: OrderFacts) -> tuple[object, ...]:
    return (facts.source_id, facts.account, facts.lines, facts.version, facts.number)


async def test_both_interpreters_agree() -> None:
    """Order is kept, refusals name file, field and payload path, unknown accounts are refused."""
    hub = Hub()
    payloads = [b"1", b"bad", b"2", b"3"]
    items = [await hub.item(payload=payload) for payload in payloads] + [await hub.item("gone")]
    apart = MapperProcesses(hub.plans, {"shop": ToySpec("toy")}, 2)
    try:
        answers = await apart.interpret(items)
    finally:
        await apart.close()
    here = await InProcess(hub.plans, {"shop": ToyMaps()}).interpret(items)
    for one, other in zip(answers, here, strict=True):
        assert one.seq == other.seq
        assert one.refusal == other.refusal
        assert [without_source(f) for f in one.facts] == [without_source(f) for f in other.facts]  # type: ignore[arg-type]
    assert answers[1].refusal is not None
    assert (answers[1].refusal.error, answers[1].refusal.path) == ("MappingError", "number <- name")
    assert answers[4].refusal is not None
    assert answers[4].refusal.error == "UnknownAccount"


async def test_a_topic_that_is_for_people_is_parked_with_its_sentence() -> None:
    """It is kept and never mapped, and the failure says what to do."""
    hub = Hub()
    item = await hub.item(payload=b"1")
    shop = hub.plans["shop"]
    manifest = replace(shop.manifest, topics=(Topic(item.topic, parked="ask the partner"),))
    plans = {"shop": replace(shop, manifest=manifest)}
    (answer,) = await InProcess(plans, {"shop": ToyMaps()}).interpret([item])
    assert answer.facts == ()
    assert answer.refusal is not None
    assert (answer.refusal.error, answer.refusal.message) == ("Conflict", "ask the partner")


async def test_a_webhook_of_a_topic_nobody_knows_is_parked_with_what_its_connector_says() -> None:
    """The failure names the vendor's topic, which the input itself does not have."""
    hub = Hub()
    kept = of_no_topic(b"{}", "toy sent 'odd'; known are: toy")
    (row,) = inputs_of(hub.plans["shop"], "webhook", [kept], START)
    item = await hub.item(topic=row.topic, payload=row.payload, headers=row.headers)
    (answer,) = await InProcess(hub.plans, {"shop": ToyMaps()}).interpret([item])
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.message) == ("unknown_topic", "toy sent 'odd'; known are: toy")


async def test_an_input_that_kills_its_mapper_takes_no_neighbour_with_it() -> None:
    """The deadly input is parked after three mappers; everything else is mapped."""
    hub = Hub()
    items = [await hub.item(payload=payload) for payload in (b"1", b"deadly", b"2")]
    apart = MapperProcesses(hub.plans, {"shop": ToySpec("toy")}, 1)
    try:
        answers = await apart.interpret(items)
    finally:
        await apart.close()
    assert [bool(answer.facts) for answer in answers] == [True, False, True]
    assert answers[1].refusal is not None
    assert answers[1].refusal.error == "Poison"


ORPHANS = """
import asyncio, os, sys
from hub.services.mappers import MapperProcesses
from tests.support.mapping_sets import ToySpec
from tests.support.orders import Hub
async def main():
    hub = Hub()
    apart = MapperProcesses(hub.plans, {"shop": ToySpec("toy")}, 2)
    await apart.interpret([await hub.item(payload=b"1"), await hub.item(payload=b"2")])
    print(*apart._pool._processes, flush=True)
    await asyncio.sleep(60)
if __name__ == "__main__":
    asyncio.run(main())
"""


def test_mappers_end_with_the_hub_even_when_it_is_killed(tmp_path: Path) -> None:
    """After SIGKILL of the parent no mapper process stays."""
    script = tmp_path / "doomed.py"
    script.write_text(ORPHANS)
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    deadline = time.monotonic() + 60
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a mapper outlived its hub"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_receiving_is_idempotent_and_names_what_it_stores() -> None:
    """A duplicate is told apart, times and digest are kept, an unknown account is an error."""
    store = MemoryStore()
    receive = Receive(store, {"shop": plan()})
    seen = Envelope("orders", "k1", "o1", b"{}", occurred_at=START, headers={"a": "b"})
    later = START + timedelta(seconds=1)
    assert await receive("shop", [seen, seen], "webhook", later) == [True, False]
    (row,) = inputs_of(plan(), "webhook", [seen], later)
    assert row.received_at - (row.occurred_at or 0) == 1_000_000
    assert row.headers == '{"a":"b"}'
    assert len(row.digest) == 32
    with pytest.raises(LookupError):
        await receive("nowhere", [seen], "webhook", later)
