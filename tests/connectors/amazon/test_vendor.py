"""A vendor's account: no order is missed, a yes is a transaction that succeeded, and no number wipes another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from connectors.amazon.vendor import CONNECTOR
from connectors.amazon.vendor.connector import AmazonVendorConnector
from connectors.amazon.vendor.sandbox import VENDOR, WAREHOUSE, AmazonVendorSandbox
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import (
    AccountContext,
    Effect,
    ListingRef,
    PushItem,
    PushResult,
    PushState,
    ReadsBack,
    Settlement,
)
from connectors.sdk.errors import AuthFailed, AuthReason, InDoubt, Rejected, TargetMissing
from connectors.sdk.manifest import Capability
from connectors.sdk.ports import Secret
from mappings import MapContext, MappingSet

VENDOR_MAPS = MappingSet.load("amazon_vendor")


@dataclass
class World:
    sandbox: AmazonVendorSandbox
    connector: AmazonVendorConnector
    clock: ManualClock

    async def pull(self, stream: str, cursor: Any = None, *, limit: int = 2) -> tuple[list[Any], Any]:
        """Everything from a cursor on, mapped, with the cursor at rest."""
        found: list[Any] = []
        while True:
            page = await self.connector.fetch(stream, cursor, limit)
            for envelope in page.envelopes:
                context = MapContext("v", "amazon_vendor", self.clock.now())
                found += VENDOR_MAPS.map(envelope.topic, envelope.payload, context)
            cursor = page.cursor
            if not page.more:
                return found, cursor

    async def push(self, wanted: dict[str, int], warehouse: str = WAREHOUSE) -> list[PushResult]:
        items = [
            PushItem(ListingRef(f"{warehouse}|{sku}", sku, warehouse), quantity, 1, f"key-{sku}")
            for sku, quantity in wanted.items()
        ]
        results = list(await self.connector.publish(items))
        for _ in range(20):
            pending: dict[str, list[int]] = {}
            for index, result in enumerate(results):
                if result.state is PushState.PENDING:
                    pending.setdefault(result.receipt or "", []).append(index)
            if not pending:
                break
            self.clock.advance(15)
            for receipt, indexes in pending.items():
                answers = await self.connector.poll_receipt(receipt, [items[index] for index in indexes])
                for index, answer in zip(indexes, answers, strict=True):
                    results[index] = answer
        return results


@asynccontextmanager
async def world(**options: Any) -> AsyncIterator[World]:
    clock = ManualClock()
    sandbox = AmazonVendorSandbox(seed=1, clock=clock)
    sandbox.hang_s = 0.05
    for sku in ("A", "B", "C", "D"):
        sandbox.stock(sku, 10)
    await sandbox.start()
    try:
        section = sandbox.account_section()
        ctx = AccountContext(
            account="v",
            base_url=section["base_url"],
            auth_url=section["auth_url"],
            credentials={name: Secret(value) for name, value in section["credentials"].items()},
            options={**section["options"], **options},
            locations=section["locations"],
            public_url=None,
            clock=clock,
            ids=SeededIds(1),
            jitter=FixedJitter(0.5),
            tokens=MemoryTokens(),
        )
        connector = AmazonVendorConnector(ctx)
        try:
            yield World(sandbox, connector, clock)
        finally:
            await connector.close()
    finally:
        await sandbox.stop()
    assert not sandbox.defects


def effect(kind: str, body: dict[str, Any]) -> Effect:
    return Effect(f"e-{kind}", kind, "order:1", f"k-{kind}", body)


def order_body(number: str, *, direct: bool = False, skus: tuple[str | None, ...] = ("A",)) -> dict[str, Any]:
    lines = [{"id": str(position), "sku": sku} for position, sku in enumerate(skus, start=1)]
    kind = "dropship" if direct else "wholesale"
    return {"type": "order", "kind": kind, "source": {"id": number}, "lines": lines}


def said(number: str, *parts: dict[str, Any]) -> dict[str, Any]:
    lines = [{"number": "1", "acknowledged": list(parts)}]
    return {"type": "order_acknowledgement", "number": number, "purchase_order_number": number, "lines": lines}


def shipment(number: str, units: int, **package: Any) -> dict[str, Any]:
    box = {"tracking_number": "1Z1", "weight": {"value": "500", "unit": "g"}} | package
    box |= {"lines": [{"line_id": "1", "quantity": units}]}
    return {"type": "shipment", "id": "shp-1", "order": number, "packages": [box]}


async def test_purchase_orders_are_found_when_made_and_when_changed() -> None:
    """One that was never changed has no time of change; a change of one made long ago is found by nothing else."""
    async with world() as at:
        numbers = {await at.sandbox.order_goods([("A", 5)]) for _ in range(5)}
        at.clock.advance(1)
        found, cursor = await at.pull("purchase_orders")
        assert {order.number for order in found} == numbers
        old = min(numbers)
        at.clock.advance(timedelta(days=10).total_seconds())
        at.sandbox.change(old, "A", 3)
        at.clock.advance(1)
        found, _ = await at.pull("purchase_orders", {"mark": (at.clock.now() - timedelta(hours=1)).isoformat()})
        assert [(order.number, order.lines[0].quantity) for order in found] == [(old, 3)]
        assert cursor["mark"]


async def test_a_cancelled_direct_order_is_found_again() -> None:
    """Its state has no time: the last days are read again, and the state tells one reading from the other."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 1)])
        at.clock.advance(1)
        found, cursor = await at.pull("direct_orders")
        assert [(order.number, order.state, order.kind) for order in found] == [(number, "open", "dropship")]
        at.clock.advance(3600)
        await at.sandbox.cancel(number or "")
        found, _ = await at.pull("direct_orders", cursor)
        assert [document.type for document in found] == ["order", "order_cancellation"]
        assert (found[0].state, found[1].requested_by) == ("cancelled", "channel")


async def test_pages_resume_and_a_damaged_cursor_is_refused() -> None:
    """Every page once, from its own cursor; a cursor that says nothing is no reason to begin anew unseen."""
    async with world() as at:
        for _ in range(3):
            await at.sandbox.sell([("A", 1)])
        at.clock.advance(1)
        first = await at.connector.fetch("direct_orders", None, 2)
        assert (len(first.envelopes), first.more) == (2, True)
        rest, _ = await at.pull("direct_orders", first.cursor)
        assert len(rest) == 1
        with pytest.raises(Rejected, match="damaged"):
            await at.connector.fetch("direct_orders", {"from": "x", "to": "y"}, 2)
        with pytest.raises(Rejected, match="known are"):
            await at.connector.fetch("orders", None, 2)


async def test_a_programme_the_account_is_not_in_is_silent() -> None:
    """Without a warehouse nobody asks for direct orders, without retail nobody for purchase orders."""
    async with world(warehouses=[], items=[]) as at:
        assert await at.pull("direct_orders") == ([], {})
    async with world(retail=False) as at:
        assert await at.pull("purchase_orders") == ([], {})
        assert not [line for line in at.sandbox.happenings("request") if "/vendor/orders" in line.facts["path"]]


async def test_people_are_read_with_a_restricted_token() -> None:
    """A token that has ended is renewed once; without the role the account is told which one it lacks."""
    async with world() as at:
        await at.sandbox.sell([("A", 1)])
        at.clock.advance(1)
        (order,), _ = await at.pull("direct_orders")
        assert (order.ship_to.name, order.buyer.company) == ("Ada Example", "Amazon")
        at.sandbox.faults.force("expired_token")
        await at.pull("direct_orders")
        assert at.sandbox.faults.counts["expired_token"] == 1
        at.sandbox.drop_scope()
        with pytest.raises(AuthFailed, match="Vendor Retail Procurement Orders and Direct-to-Consumer") as caught:
            await at.connector.check()
        assert caught.value.reason is AuthReason.SCOPE


async def test_check_says_what_cannot_be_read_back() -> None:
    """The operator learns that numbers are never proven, and that without items none is sent."""
    async with world(items=[]) as at:
        report = await at.connector.check()
        assert report.who == f"Amazon vendor {VENDOR}"
        assert "never read back" in " ".join(report.warnings)
        assert "options.items is empty" in " ".join(report.warnings)


async def test_an_order_is_accepted_line_by_line() -> None:
    """Every line in full, in the unit it was ordered in; a second time there is nothing left to say."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 2), ("B", 1)], cases=6)
        done = await at.connector.send(effect("acknowledge_order", order_body(number, skus=("A", "B"))))
        assert done.vendor_id
        assert [line.said for line in at.sandbox.book.orders[number].lines] == [[("Accepted", 2)], [("Accepted", 1)]]
        again = await at.connector.send(effect("acknowledge_order", order_body(number, skus=("A", "B"))))
        assert "already" in again.note


async def test_what_is_not_ours_waits_for_a_person() -> None:
    """A line without an item of ours is not accepted unasked, and nothing is sent."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 2), ("??", 1)])
        with pytest.raises(Rejected, match="no item of ours"):
            await at.connector.send(effect("acknowledge_order", order_body(number, skus=("A", None))))
        assert not at.sandbox.submissions.transactions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"quantity": 5}, [("Accepted", 5), ("Rejected", 3)]),
        ({"quantity": 9}, [("Accepted", 8)]),
        ({"quantity": 9, "cancelled_quantity": 9}, [("Rejected", 8)]),
    ],
)
async def test_what_amazon_added_since_is_not_promised(line: dict[str, int], expected: list[Any]) -> None:
    """Eight are ordered by now: what was taken is accepted, and no more than that."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 8)])
        body = order_body(number)
        body["lines"][0] |= line
        await at.connector.send(effect("acknowledge_order", body))
        assert at.sandbox.book.orders[number].lines[0].said == expected


async def test_a_line_added_since_waits_for_a_person() -> None:
    """It was not there when the order was taken."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 2), ("B", 1)])
        with pytest.raises(Rejected, match="not part of this order"):
            await at.connector.send(effect("acknowledge_order", order_body(number)))


async def test_parts_of_a_line() -> None:
    """Accepted, on backorder with its day, and refused with a reason: what is not named is refused."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 10)])
        document = said(
            number,
            {"status": "accepted", "quantity": 4},
            {"status": "backordered", "quantity": 3, "expected_at": "2026-12-01"},
        )
        await at.connector.send(effect("acknowledge_order", document))
        assert at.sandbox.book.orders[number].lines[0].said == [("Accepted", 4), ("Backordered", 3), ("Rejected", 3)]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"status": "accepted", "quantity": 13}, "more than the 12 ordered"),
        ({"status": "accepted", "quantity": 4}, "no whole number of cases"),
        ({"status": "backordered", "quantity": 6}, "needs the day"),
        ({"status": "held", "quantity": 6}, "no word for 'held'"),
        ({"status": "accepted", "quantity": 0}, "no number of units"),
    ],
)
async def test_an_acknowledgement_that_does_not_fit_is_refused_here(part: dict[str, Any], message: str) -> None:
    """Two cases of six: nothing reaches Amazon."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 2)], cases=6)
        with pytest.raises(Rejected, match=message):
            await at.connector.send(effect("acknowledge_order", said(number, part)))
        assert not at.sandbox.submissions.transactions


async def test_a_direct_order_is_accepted_or_refused_whole() -> None:
    """There are no parts; refused for want of stock it is cancelled."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 4)]) or ""
        with pytest.raises(Rejected, match="as a whole"):
            await at.connector.send(effect("acknowledge_order", said(number, {"status": "accepted", "quantity": 2})))
        await at.connector.send(effect("acknowledge_order", said(number, {"status": "rejected", "quantity": 4})))
        assert at.sandbox.book.orders[number].state == "CANCELLED"


async def test_an_order_nobody_knows() -> None:
    """Neither programme has it."""
    async with world() as at:
        with pytest.raises(TargetMissing):
            await at.connector.send(effect("acknowledge_order", order_body("GONE")))


async def test_202_is_not_acceptance() -> None:
    """A transaction that fails is a refusal in Amazon's words, though it was taken in."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 1)]) or ""
        with pytest.raises(Rejected, match="NEW, not ACCEPTED") as caught:
            await at.connector.send(effect("confirm_shipment", shipment(number, 1)))
        assert caught.value.code == "InvalidInput"
        assert len(at.sandbox.submissions.transactions) == 1


async def test_a_transaction_that_takes_its_time_is_in_doubt_until_it_ends() -> None:
    """Sent once, asked about by its own id, and applied in the end."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 2)])
        task = effect("acknowledge_order", order_body(number))
        made = at.sandbox.submissions
        opened = made._open

        def slowly(issues: Any, *, direct: bool) -> Any:
            transaction = opened(issues, direct=direct)
            transaction.ends_at += timedelta(minutes=10)
            return transaction

        made._open = slowly  # type: ignore[method-assign]
        with pytest.raises(InDoubt, match="still being processed"):
            await at.connector.send(task)
        assert await at.connector.settle(task) is Settlement.UNKNOWN
        at.clock.advance(600)
        assert await at.connector.settle(task) is Settlement.APPLIED
        assert len(made.transactions) == 1


async def test_a_transaction_that_fails_late_may_be_sent_again() -> None:
    """What Amazon refused was not applied; sending it again brings its reasons."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 1)]) or ""
        task = effect("confirm_shipment", shipment(number, 1))
        made = at.sandbox.submissions
        opened = made._open

        def slowly(issues: Any, *, direct: bool) -> Any:
            transaction = opened(issues, direct=direct)
            transaction.ends_at += timedelta(minutes=1)
            return transaction

        made._open = slowly  # type: ignore[method-assign]
        with pytest.raises(InDoubt):
            await at.connector.send(task)
        at.clock.advance(120)
        assert await at.connector.settle(task) is Settlement.NOT_APPLIED


async def test_a_lost_confirmation_of_a_purchase_order_is_looked_up() -> None:
    """By the name we gave the shipment; a second one of that name is never sent."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 3)])
        task = effect("confirm_shipment", shipment(number, 3, sscc="003456789012345675"))
        at.sandbox.faults_on_writes_only = True
        at.sandbox.faults.force("timeout_after_apply")
        with pytest.raises(InDoubt):
            await at.connector.send(task)
        assert await at.connector.settle(task) is Settlement.APPLIED
        assert "already" in (await at.connector.send(task)).note
        (confirmed,) = at.sandbox.submissions.shipments.values()
        assert confirmed["shippedItems"][0]["shippedQuantity"]["amount"] == 3
        assert confirmed["shippedItems"][0]["itemDetails"] == {"purchaseOrderNumber": number}
        assert confirmed["cartons"][0]["cartonIdentifiers"][0]["containerIdentificationType"] == "SSCC"


async def test_a_lost_confirmation_that_does_not_show_is_not_sent_again_unasked() -> None:
    """It may still be under way: a person decides, and a second confirmation is never risked."""
    async with world() as at:
        number = await at.sandbox.order_goods([("A", 3)])
        task = effect("confirm_shipment", shipment(number, 3))
        at.sandbox.faults_on_writes_only = True
        at.sandbox.faults.force("drop_connection")
        with pytest.raises(InDoubt):
            await at.connector.send(task)
        assert await at.connector.settle(task) is Settlement.UNKNOWN


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"weight": None}, "states no weight"),
        ({"lines": []}, "names no lines"),
        ({"lines": [{"line_id": "9", "quantity": 1}]}, "none of order"),
        ({"lines": [{"line_id": "1", "quantity": 1}]}, "ships 1 of 2"),
    ],
)
async def test_a_direct_shipment_that_does_not_fit_is_refused_here(body: dict[str, Any], message: str) -> None:
    """Whole, with a weight, of lines of the order."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 2)]) or ""
        await at.sandbox.acknowledge(number)
        document = shipment(number, 2)
        document["packages"][0] |= body
        with pytest.raises(Rejected, match=message):
            await at.connector.send(effect("confirm_shipment", document))


async def test_a_direct_shipment() -> None:
    """Grams become kilograms, lines numbers; the order is shipped then."""
    async with world() as at:
        number = await at.sandbox.sell([("A", 2)]) or ""
        await at.sandbox.acknowledge(number)
        await at.connector.send(effect("confirm_shipment", shipment(number, 2)))
        assert at.sandbox.book.orders[number].state == "SHIPPED"


async def test_no_update_is_ever_a_full_one() -> None:
    """The trap: a full update would make every item it does not name unavailable. Here the others keep theirs."""
    async with world() as at:
        results = await at.push({"A": 4})
        assert [result.state for result in results] == [PushState.ACCEPTED]
        await at.push({"B": 0, "C": 7})
        assert at.sandbox.numbers == {"A": 4, "B": 0, "C": 7, "D": 10}
        assert [update["isFullUpdate"] for update in at.sandbox.submissions.updates] == [False, False]
        assert results[0].receipt in at.sandbox.submissions.transactions


async def test_a_full_update_would_have_wiped_the_rest() -> None:
    """The sandbox knows the trap, so that the test above proves something."""
    async with world() as at:
        item = {"vendorProductIdentifier": "A", "availableQuantity": {"amount": 1, "unitOfMeasure": "Each"}}
        update = {"sellingParty": {"partyId": VENDOR}, "isFullUpdate": True, "items": [item]}
        at.sandbox.submissions.inventory(WAREHOUSE, {"inventory": update})
        assert at.sandbox.numbers == {"A": 1, "B": 0, "C": 0, "D": 0}


async def test_a_failed_update_is_sorted_out_item_by_item() -> None:
    """The item it names is refused; the rest is submitted again and taken."""
    async with world() as at:
        results = await at.push({"A": 1, "GONE": 2, "B": 3})
        assert [result.state for result in results] == [PushState.ACCEPTED, PushState.FAILED, PushState.ACCEPTED]
        assert "cannot be updated" in str(results[1].error)
        assert (at.sandbox.numbers["A"], at.sandbox.numbers["B"]) == (1, 3)


async def test_a_failure_that_names_nothing_is_halved() -> None:
    """Until the one it is about stands alone."""
    async with world() as at:
        made = at.sandbox.submissions
        opened = made._open

        def silently(issues: Any, *, direct: bool) -> Any:
            return opened([{"code": "Failed", "message": "No."} for _ in issues[:1]], direct=direct)

        made._open = silently  # type: ignore[method-assign]
        results = await at.push({"A": 1, "B": 2, "GONE": 3, "C": 4, "D": 5})
        assert [result.state.value for result in results] == ["accepted", "accepted", "failed", "accepted", "accepted"]
        assert [at.sandbox.numbers[sku] for sku in "ABCD"] == [1, 2, 4, 5]


async def test_a_number_for_another_warehouse_is_refused_here() -> None:
    """A place Amazon does not know of this vendor."""
    async with world() as at:
        (result,) = await at.push({"A": 1}, warehouse="WH99")
        assert isinstance(result.error, Rejected)
        assert not at.sandbox.submissions.updates


async def test_numbers_cannot_be_read_back_and_nobody_pretends() -> None:
    """Amazon has no such read: the capability is absent, in the manifest and in the code."""
    async with world() as at:
        assert Capability.READ_BACK not in CONNECTOR.manifest.capabilities
        assert not isinstance(at.connector, ReadsBack)
        assert CONNECTOR.manifest.flavour_of == "amazon"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vendor_code": None}, r"options\.vendor_code: missing"),
        ({"retail": "yes"}, r"options\.retail"),
        ({"warehouses": "WH01"}, r"options\.warehouses: must be a list"),
        ({"warehouses": ["A|B"]}, "holds a bar"),
        ({"items": ["A", "A"]}, r"options\.items: names one twice"),
        ({"warehouses": [], "items": ["A"]}, "are sold from a warehouse"),
        ({"retail": False, "warehouses": [], "items": []}, "nothing is left"),
        ({"seller_id": "A0"}, r"options\.seller_id: unknown"),
    ],
)
async def test_settings_name_what_is_wrong(options: dict[str, Any], message: str) -> None:
    """Before any connection is made."""
    with pytest.raises(ValueError, match=message):
        async with world(**options):
            pass
