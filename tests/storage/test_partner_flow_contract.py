"""A partner's order from 850 to 810 on both engines: one answer, unique cartons, no gap in invoices."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from canonical import Document
from hub.ports.store import NewInput, SkuRow, WriteSet
from hub.services.apply import Apply
from hub.services.interpreted import Interpreted
from hub.services.partners.deadlines import Deadlines
from tests.support.buyers import RETAILER, WAREHOUSE, advice, bought, change, profile, purchase, retailer, warehouse
from tests.support.orders import at, facts
from tests.support.stores import Bench, posting

ORDERS = 8


class Floor:
    def __init__(self, bench: Bench) -> None:
        partner = profile(asn=profile().agreed.asn.model_copy(update={"sscc_prefix": "0614141"}))
        self.bench = bench
        self.plans = {
            RETAILER: retailer(partner, warehouses={"east": WAREHOUSE}),
            WAREHOUSE: warehouse(change="R", cancel="F"),
        }
        self.apply = Apply(bench.store, self.plans, queries=bench.queries)
        self._mail: dict[str, tuple[Document, ...]] = {}

    async def deliver(self, account: str, **letters: Document) -> None:
        """Several inputs at once, each a lane of its own, applied side by side."""
        self._mail |= {f"{account}:{name}": (document,) for name, document in letters.items()}
        news = [
            NewInput(account, "edi", "file", "set", f"{account}:{name}", f"{account}:{name}", b"{}", "d", at(0))
            for name in letters
        ]
        await self.bench.store.receive(news)
        items = [item for item in await self.bench.store.claim_inbox(500) if item.ordering_key in self._mail]
        pairs = [(item, Interpreted(item.seq, facts(self._mail[item.ordering_key], item.account))) for item in items]
        await asyncio.gather(*(self.apply.apply([pair]) for pair in pairs))

    async def asked(self, account: str, kind: str) -> list[dict[str, Any]]:
        rows, _ = await self.bench.queries.inputs(account=account, topics=("outgoing",), limit=200)
        found = [json.loads(row.payload) for row in rows]
        return [each["document"] for each in found if each["set"] == kind]


async def test_from_order_to_invoice(bench: Bench) -> None:
    """Orders, a change and advices side by side: each is answered, numbered and billed once; the ledger is whole."""
    await bench.store.replace_catalogue([SkuRow("MUG")], "v1")
    await bench.write(WriteSet(postings=[posting("seed", "MUG", 1000, location="east")]))
    floor = Floor(bench)
    names = [f"P{number}" for number in range(ORDERS)]
    await floor.deliver(RETAILER, **{name: purchase(name, [bought("1", "MUG", 10)]) for name in names})
    edit = {"id": "1", "change": "quantity", "quantity": 12, "change_raw": "QI"}
    await floor.deliver(
        RETAILER, c0=change("P0", "1", [edit], version=2), c0_again=change("P0", "1", [edit], version=2)
    )
    told = await floor.asked(WAREHOUSE, "940")
    assert len(told) == ORDERS + 1
    numbers = {each["purchase_order_number"]: each["number"] for each in told}
    await floor.deliver(
        WAREHOUSE,
        **{name: advice(f"S{name}", numbers[name], [[("MUG", 6)], [("MUG", 4)]], version=5) for name in names},
    )
    assert len(await floor.asked(RETAILER, "855")) == ORDERS
    assert len(await floor.asked(RETAILER, "865")) == 1
    cartons = [each["sscc"] for notice in await floor.asked(RETAILER, "856") for each in notice["packages"]]
    assert len(cartons) == len(set(cartons)) == 2 * ORDERS
    bills = sorted(each["number"] for each in await floor.asked(RETAILER, "810"))
    assert bills == [f"{number:08d}" for number in range(1, ORDERS + 1)]
    (position,) = await bench.queries.positions_at(["MUG"], None)
    assert (position.on_hand, position.reserved) == (1000 - 10 * ORDERS, 2)
    assert await bench.queries.verify() == []
    owed, _ = await bench.queries.expectations(account=RETAILER, limit=500)
    assert {row.kind for row in owed} == {"855", "856", "810"}
    await Deadlines(floor.plans, bench.store, bench.queries, floor.apply).look(at(0))
    assert len(await floor.asked(RETAILER, "855")) == ORDERS
