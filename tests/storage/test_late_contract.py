"""What is late is found on both engines: against the channel's promise, by the carrier's silence."""

from __future__ import annotations

from typing import Any

from hub.ports.late import LateCounts
from hub.ports.store import SkuRow, WriteSet
from tests.support.orders import line, order
from tests.support.parcels import NOW, NUMBER, Tracked, shipped
from tests.support.scans import scan
from tests.support.stores import Bench, posting

OTHER = "1Z12345E0291980793"
DAY = 86_400_000_000


async def hub_of(bench: Bench) -> Tracked:
    """At noon of 2026-11-20, with stock to ship."""
    bench.clock.advance(max(0, NOW - bench.now) / 1_000_000)
    await bench.store.replace_catalogue([SkuRow("MUG")], "v1")
    await bench.write(WriteSet(postings=[posting("count", "MUG", 100, location="east")]))
    return Tracked(bench.store)


def asked(name: str, **requested: Any) -> Any:
    return order(name, [line("1", "MUG", 1)], requested=requested)


async def test_orders_past_their_promise(bench: Bench) -> None:
    """An instant is over when it is past, a day when it has ended; what has left is not late any more."""
    hub = await hub_of(bench)
    await hub.tell(asked("1", ship_by="2026-11-20T11:00:00Z"))
    await hub.tell(asked("2", ship_by="2026-11-20"))
    await hub.tell(asked("3", ship_by="2026-11-19"))
    await hub.tell(asked("4", ship_by="2026-11-25T00:00:00Z"))
    await hub.tell(asked("5"))
    await hub.tell(asked("6", ship_by="2026-11-18"))
    lines = [{"line_id": "1", "quantity": 1}]
    packages = [{"tracking_number": NUMBER, "carrier": "ups", "lines": lines}]
    await hub.tell(shipped("s6", "6", packages=packages, on="2026-11-20"))
    late = await bench.queries.late(kind="unshipped")
    assert [(row.order_number, row.promised) for row in late] == [("#3", "2026-11-19"), ("#1", "2026-11-20T11:00:00Z")]
    assert late[0].due_at == NOW - DAY // 2
    (counts,) = await bench.queries.late_counts()
    assert counts == LateCounts("shop", 5, counts.oldest_at, 2, 1, 1)
    assert await bench.queries.late(kind="unshipped", account="other") == []


async def test_parcels_nobody_has_scanned(bench: Bench) -> None:
    """Announced two days ago and not seen by the carrier: late; a first scan ends it."""
    hub = await hub_of(bench)
    await hub.tell(asked("1"))
    await hub.tell(shipped("s1", "1", NUMBER, on="2026-11-17"))
    await hub.tell(shipped("s2", "2", OTHER, on="2026-11-20"))
    await hub.tell(scan("label_created", "2026-11-17T10:00:00Z"))
    (row,) = await bench.queries.late(kind="unscanned")
    assert (row.order_number, row.number, row.account, row.due_at) == ("#1", NUMBER, "shop", NOW - 3 * DAY // 2)
    assert [each.unscanned for each in await bench.queries.late_counts()] == [1]
    await hub.tell(scan("in_transit", "2026-11-20T10:00:00Z"))
    assert await bench.queries.late(kind="unscanned") == []


async def test_deliveries_after_the_promised_day(bench: Bench) -> None:
    """Delivered on the promised day is in time, a day later is late, and without a promise nothing is."""
    hub = await hub_of(bench)
    for name, number, by in (
        ("1", NUMBER, "2026-11-18"),
        ("2", OTHER, "2026-11-19"),
        ("3", "1Z0000000000000003", None),
    ):
        await hub.tell(asked(name, **({"deliver_by": by} if by else {})))
        await hub.tell(shipped(f"s{name}", name, number, on="2026-11-15"))
        await hub.tell(scan("delivered", "2026-11-19T15:00:00Z", tracking_number=number))
    (row,) = await bench.queries.late(kind="delivered_late")
    assert (row.order_number, row.number, row.promised) == ("#1", NUMBER, "2026-11-18")
    assert row.at is not None
    assert row.at > row.due_at
    (counts,) = await bench.queries.late_counts()
    assert (counts.delivered_late, counts.unscanned) == (1, 0)
