"""A person who asked to be forgotten stays gone: from orders, raw payloads, replays and later copies."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp

from bench import payloads
from hub.bootstrap import Hub
from hub.services.replay import FailureFilter
from tests.support import folders
from tests.support.running_hub import deliver, running_hub, until

PERSON = ("Ada", "Springfield", "buyer@example.invalid")


async def _idle(hub: Hub) -> bool:
    (status,) = (await hub.acts.status())["accounts"]
    rows = await hub.queries.status()
    return status is not None and all(row.inward.pending == 0 for row in rows)


async def _readable(hub: Hub) -> list[str]:
    """Ordering keys of inputs whose payload still shows somebody."""
    rows, _ = await hub.queries.inputs(account="shop-us", limit=500)
    return sorted({row.ordering_key for row in rows if any(word.encode() in row.payload for word in PERSON)})


async def test_a_forgotten_person_stays_forgotten(tmp_path: Path) -> None:
    """Redacted, replayed, run again and sent once more: the stock moves, the person does not come back."""
    async with running_hub(tmp_path, {"shop-us": folders.shopify()}) as hub, aiohttp.ClientSession() as http:
        broken = payloads.order(2, [("MUG", 1)])
        broken["line_items"][0]["quantity"] = "a few"
        assert await deliver(http, hub.url, 1, [("MUG", 2)]) == 200
        assert await deliver(http, hub.url, 2, [], body=json.dumps(broken).encode()) == 200
        assert await deliver(http, hub.url, 3, [("BOX", 1)]) == 200
        await until(lambda: _idle(hub))
        assert len(await _readable(hub)) == 3
        ids = {number: str(payloads.order(number, [])["id"]) for number in (1, 2, 3)}

        request = {"shop_domain": payloads.SHOP, "customer": {"id": 6_000_001, "email": PERSON[2]}}
        request["orders_to_redact"] = [int(ids[1]), int(ids[2])]
        body = json.dumps(request).encode()
        assert await deliver(http, hub.url, 9, [], topic="customers/redact", body=body) == 200
        await until(lambda: _idle(hub))
        assert await _readable(hub) == [f"order:{ids[3]}"]

        running = hub.acts.running
        assert running is not None
        await running.replayer.replay(FailureFilter(), actor="test")
        await running.replayer.rerun("shop-us", topics=(), since=None, actor="test")
        assert await deliver(http, hub.url, 1, [("MUG", 1)], event="again", topic="orders/updated", version=2) == 200
        running.changed()
        await until(lambda: _idle(hub))
        assert await _readable(hub) == [f"order:{ids[3]}"]

        rows, _ = await hub.queries.orders()
        people = {row.source_id: await hub.queries.personal(row.id) for row in rows}
        assert people[ids[1]] is None
        assert "Ada" in (people[ids[3]] or "")
        assert not any(word in row.document for row in rows for word in PERSON)
        failures, _ = await hub.queries.failures()
        assert [row.error for row in failures] == ["PayloadGone"]
        mug = [row for row in (await hub.queries.positions(sku="MUG"))[0] if row.reserved]
        assert [row.reserved for row in mug] == [1]
