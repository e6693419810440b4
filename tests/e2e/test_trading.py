"""A retailer, a warehouse and a supplier trade with the hub over three transports, from raw bytes to the ledger."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from connectors.edi.transport.as2.partner import Receipt
from hub.demo.partners import LOCATION
from tests.support.running_hub import until
from tests.support.trading_floor import RETAILER, SUPPLIER, WAREHOUSE, floor


async def test_a_retailers_order_goes_all_the_way_round(tmp_path: Path) -> None:
    """850 reserves, 855 answers, 940 goes to the warehouse, its 945 becomes 856 and 810; every file is acknowledged."""
    async with floor(tmp_path) as world:
        await world.count(TEA=100, MUG=20)
        number = await world.retailer.sell([("TEA", 12), ("MUG", 3)])
        assert number is not None
        order = world.retailer.order(number)

        async def known() -> bool:
            return number in await world.orders()

        await until(known, what="the order")

        async def answered() -> bool:
            return bool(order.answered)

        await until(answered, what="an 855")
        assert order.accepted == {"1": 12, "2": 3}

        async def shipped() -> bool:
            return bool(order.shipped) and bool(order.billed)

        await until(shipped, what=f"856 and 810; {world.warehouse.orders()}")
        assert order.shipped == order.billed == {"1": 12, "2": 3}

        async def gone() -> bool:
            return await world.position("TEA") == (88, 0, 0) and await world.position("MUG") == (17, 0, 0)

        await until(gone)
        await world.retailer.settle()
        await world.warehouse.settle()
        assert world.complaints() == []
        assert await world.failures() == []
        assert await world.hub.queries.verify() == []


async def test_receipts_that_come_by_themselves(tmp_path: Path) -> None:
    """Both sides confirm by requests of their own: the hub owes its receipts durably and waits for the partner's."""
    async with floor(tmp_path, receipt=Receipt.ASYNC) as world:
        await world.count(TEA=100)
        number = await world.retailer.sell([("TEA", 5)])
        assert number is not None
        order = world.retailer.order(number)

        async def billed() -> bool:
            return bool(order.billed)

        await until(billed, what="an 810")
        await world.retailer.settle()
        kept, _ = await world.hub.queries.inputs(account=RETAILER, topics=["receipt"], limit=50)
        assert len(kept) >= 3, "a receipt for each file of ours"
        assert (order.answered, world.complaints()) == (1, [])
        assert await world.failures() == []


async def test_what_is_not_there_is_not_promised(tmp_path: Path) -> None:
    """Two orders for one stock: what the second cannot have is said so, and no unit is promised twice."""
    async with floor(tmp_path) as world:
        await world.count(TEA=10)
        first, second = await world.retailer.sell([("TEA", 8)]), await world.retailer.sell([("TEA", 8)])
        assert first is not None
        assert second is not None
        orders = [world.retailer.order(number) for number in (first, second)]

        async def answered() -> bool:
            return all(order.answered for order in orders)

        await until(answered, what="two 855s")
        assert sum(order.accepted["1"] for order in orders) <= 10
        assert all(order.accepted["1"] + order.backordered["1"] <= 8 for order in orders)
        assert world.complaints() == []


async def test_an_order_that_is_called_off_releases_its_stock(tmp_path: Path) -> None:
    """860 before anything was shipped: nothing stays reserved, and the warehouse ships nothing of it."""
    async with floor(tmp_path) as world:
        await world.count(TEA=50)
        number = await world.retailer.sell([("TEA", 20)])
        assert number is not None
        await world.retailer.cancel(number)

        async def called_off() -> bool:
            order = (await world.orders()).get(number)
            return order is not None and order.state == "cancelled"

        await until(called_off, what="a cancelled order")
        await world.retailer.settle()
        await world.warehouse.settle()
        on_hand, reserved, _ = await world.position("TEA")
        assert reserved == 0
        assert on_hand in (50, 30), "not shipped, or shipped before the change came"
        assert world.complaints() == []


async def test_a_supplier_is_ordered_from_answers_ships_and_bills(tmp_path: Path) -> None:
    """Our 850 as a file in a folder; 855, 856 and 810 come back and the purchase order follows."""
    async with floor(tmp_path) as world:
        await world.count(TEA=5)
        body = {
            "number": "OUR-1",
            "supplier": SUPPLIER,
            "location": LOCATION,
            "lines": [{"sku": "TEA", "quantity": 40, "unit_cost": "4.00"}],
        }
        await world.buying().create(body, "test")

        async def ordered() -> bool:
            return bool(world.supplier.orders())

        await until(ordered, what="our 850 at the supplier's")

        async def followed() -> bool:
            rows, _ = await world.hub.queries.documents(type="purchase_order", limit=10)
            return any(json.loads(row.document)["lines"][0]["shipped_quantity"] == 40 for row in rows)

        await until(followed, what="855 and 856 taken up")
        assert await world.position("TEA") == (5, 0, 40)
        world.warehouse.deliver("OUR-1", world.supplier.sent("OUR-1"))

        async def received() -> bool:
            return await world.position("TEA") == (45, 0, 0)

        await until(received, what="the warehouse's 944")
        await world.supplier.settle()
        assert world.complaints() == []
        assert await world.failures() == []


async def test_bad_manners_cost_nothing(tmp_path: Path) -> None:
    """Files twice, cut off, miscounted, unacknowledged, numbers that begin again: every order is known once."""
    manners = (
        "duplicate_interchange=0.3,wrong_count=0.2,damaged_file=0.2,missing_ack=0.2,late_ack=0.2,control_reset=0.1"
    )
    async with floor(tmp_path, faults=manners) as world:
        for partner in (world.retailer, world.warehouse):
            partner.letters.patience_s = 2.0
        await world.count(TEA=500)
        numbers = [await world.retailer.sell([("TEA", 2)]) for _ in range(12)]

        async def known() -> bool:
            return set(await world.orders()) == set(numbers)

        await until(known, what=f"all orders; {world.retailer.faults.counts}")

        async def shipped() -> bool:
            return await world.position("TEA") == (500 - 24, 0, 0)

        await until(shipped, what="all of them shipped once")
        assert world.complaints() == []
        assert sum(world.retailer.faults.counts.values()) > 0
        assert await world.hub.queries.verify() == []


async def test_a_warehouse_corrects_what_it_counts(tmp_path: Path) -> None:
    """947 moves stock by its sign; an 846 as of now sets what lies there, where it is the warehouse that counts."""
    counting = {WAREHOUSE: {"stock_source": True}}
    async with floor(tmp_path, accounts=counting) as world:
        await world.count(TEA=100, MUG=20)
        world.warehouse.adjust("TEA", -2, "05")
        world.warehouse.adjust("MUG", 3)

        async def adjusted() -> bool:
            return (await world.position("TEA"))[0] == 98 and (await world.position("MUG"))[0] == 23

        await until(adjusted, what="947 twice")
        # An 846 states whole seconds: one of the very second of the 947 would be a count before it.
        await asyncio.sleep(1.1)
        world.warehouse.stock("TEA", 90)
        world.warehouse.report()

        async def counted() -> bool:
            return (await world.position("TEA"))[0] == 90 and (await world.position("MUG"))[0] == 23

        await until(counted, what="an 846")
        assert await world.failures() == []
        assert await world.hub.queries.verify() == []


async def test_a_short_shipment_tells_the_retailer_what_came(tmp_path: Path) -> None:
    """945 with less than was ordered: the notice and the invoice are of what left, and the rest stays reserved."""
    async with floor(tmp_path) as world:
        await world.count(TEA=100)
        world.warehouse.faults.force("partial_acceptance")
        number = await world.retailer.sell([("TEA", 10)])
        assert number is not None
        order = world.retailer.order(number)

        async def billed() -> bool:
            return bool(order.billed)

        await until(billed, what="an 810")
        assert order.shipped == order.billed == {"1": 9}

        async def posted() -> bool:
            return await world.position("TEA") == (91, 1, 0)

        await until(posted)
        assert world.complaints() == []
