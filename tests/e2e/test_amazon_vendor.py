"""A hub with a vendor's account: both kinds of order are taken and acknowledged, and numbers go out per warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.amazon.vendor.sandbox import AmazonVendorSandbox
from tests.support.running_hub import running_hub, until

COUNTED: list[dict[str, Any]] = [{"sku": sku, "location": "main", "on_hand": 20} for sku in ("MUG", "BOX")]


async def test_orders_are_acknowledged_and_numbers_follow(tmp_path: Path) -> None:
    """A direct order and a purchase order lower what is sold; each is accepted once; no update is a full one."""
    async with AmazonVendorSandbox(seed=1) as vendor:
        for sku in ("MUG", "BOX"):
            vendor.stock(sku, 0)
        account = vendor.account_section() | {
            "poll": {"direct_orders": "1s", "purchase_orders": "1s", "listings": "1s"},
            "availability": {"locations": ["main"]},
        }
        async with running_hub(tmp_path, {"vendor": account}) as hub:
            await hub.acts.report(COUNTED, key="opening", actor="test")
            await until(lambda: _shows(vendor, {"MUG": 20, "BOX": 20}), what="the opening numbers")
            direct = await vendor.sell([("MUG", 2)])
            retail = await vendor.order_goods([("MUG", 3), ("BOX", 5)])
            await until(lambda: _states(vendor, {direct: "ACCEPTED", retail: "Acknowledged"}), what="acknowledged")
            await until(lambda: _shows(vendor, {"MUG": 15, "BOX": 15}), what="the numbers after the orders")
        acknowledged = [
            each for each in vendor.happenings("request") if each.facts["path"].endswith("acknowledgements")
        ]
        assert len(acknowledged) == 2
        assert not any(update["isFullUpdate"] for update in vendor.submissions.updates)
        assert not vendor.defects


async def _shows(vendor: AmazonVendorSandbox, wanted: dict[str, int]) -> bool:
    return vendor.numbers == wanted


async def _states(vendor: AmazonVendorSandbox, wanted: dict[str | None, str]) -> bool:
    return {order["id"]: order["state"] for order in vendor.orders()} == wanted
