"""Vendors that are away, bad requests, unknown goods, refused logins: nothing is lost and neighbours go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bench import payloads
from connectors import registry
from connectors.walmart.fake.gate import Gate
from hub.api.auth import LOCAL
from hub.api.backend import FailureFilter
from hub.api.spec import Call
from hub.bootstrap import Hub
from tests.support import folders
from tests.support.market import MARKET, SHOP, World, market
from tests.support.ports import kept
from tests.support.running_hub import deliver, running_hub, until


async def _signed(world: World, topic: str, body: bytes, event: str, **changed: str) -> int:
    headers = {**world.shopify.webhook_headers(topic, body, event_id=event), **changed}
    async with world.http.post(f"{world.hub.url}/webhooks/{SHOP}", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_a_vendor_that_was_down_costs_only_lag(tmp_path: Path) -> None:
    """Walmart goes away and comes back on its port: the other channel goes on, then both show the same number."""
    async with market(tmp_path) as world:
        await world.count(MUG=20)
        await world.shown("MUG", 20)
        port = urlsplit(world.walmart.base_url).port
        assert port is not None
        await world.walmart.stop()
        with kept(port):
            for _ in range(4):
                assert await world.shopify.sell([("MUG", 1)])

            async def applied() -> bool:
                return await world.available("MUG") == 16

            await until(applied)
            assert world.walmart.shown("MUG") == 20
            assert await world.walmart.sell([("MUG", 1)]), "shoppers still buy while the hub cannot reach the vendor"
            await world.walmart.start(port=port)
        await world.shown("MUG", 15)
        assert len(await world.orders(MARKET)) == 1
        failures, _ = await world.hub.queries.failures(state="open")
        assert list(failures) == []


async def test_a_forged_or_damaged_webhook_is_401_and_counted(tmp_path: Path) -> None:
    """A wrong secret, one flipped bit, no signature, another account's name: nothing is stored."""
    async with market(tmp_path) as world:
        body = payloads.body(77, [("MUG", 1)])
        good = world.shopify.webhook_headers("orders/create", body, event_id="e-1")
        forged = payloads.headers("orders/create", body, "e-1", secret="guess")
        signature = "X-Shopify-Hmac-Sha256"
        flipped = bytes([body[0], body[1] ^ 1, *body[2:]])
        assert await _signed(world, "orders/create", body, "e-1", **{signature: forged[signature]}) == 401
        assert await _signed(world, "orders/create", body, "e-1", **{signature: ""}) == 401
        async with world.http.post(f"{world.hub.url}/webhooks/{SHOP}", data=flipped, headers=good) as answer:
            assert answer.status == 401
        async with world.http.post(f"{world.hub.url}/webhooks/{SHOP}", data=body) as answer:
            assert answer.status == 401
        async with world.http.post(f"{world.hub.url}/webhooks/nobody", data=body, headers=good) as answer:
            assert answer.status == 404
        async with world.http.get(world.hub.url + "/metrics") as answer:
            rows = (await answer.text()).splitlines()
        rejected = [r for r in rows if r.startswith("trunkline_webhooks_rejected_total{") and SHOP in r]
        assert sum(float(row.rpartition(" ")[2]) for row in rejected) == 4
        stored, _ = await world.hub.queries.inputs(account=SHOP, topics=["orders/create"])
        assert list(stored) == []
        assert await _signed(world, "orders/create", body, "e-1") == 200, "the control: a good one is taken"


async def test_an_unknown_sku_holds_the_order_until_the_catalogue_has_it(tmp_path: Path) -> None:
    """The order is kept and visible, other orders go on, and adding the SKU to the file frees it without a restart."""
    async with market(tmp_path, ["MUG", "NEW"], catalogue=["MUG"]) as world:
        world.shopify.stock("NEW", 5)
        world.shopify.stock("MUG", 5)
        await world.count(MUG=5)
        order = await world.shopify.sell([("NEW", 2), ("MUG", 1)])
        assert order is not None

        async def held() -> Any:
            return [row for row in await world.orders() if row.holds and "NEW" in row.unresolved]

        (row,) = await until(held)
        assert row.source_id == order
        assert await world.shopify.sell([("MUG", 1)])
        await world.shown("MUG", 3, at=[SHOP])
        (tmp_path / "skus.csv").write_text("sku\nMUG\nNEW\n")

        async def known() -> bool:
            return await world.hub.queries.sku("NEW") is not None

        await until(known)
        await world.count(NEW=5)

        async def free() -> bool:
            (now,) = [each for each in await world.orders() if each.source_id == order]
            return not now.holds and not now.unresolved

        await until(free)
        assert await world.available("NEW") == 3
        assert await world.hub.queries.verify() == []


async def test_a_faulty_catalogue_changes_nothing(tmp_path: Path) -> None:
    """A file with a fault is not taken, in part or whole; the hub goes on with what it has."""
    async with market(tmp_path) as world:
        (tmp_path / "skus.csv").write_text("sku\nMUG\nNEW\nMUG\n")
        await world.count(MUG=5)
        await world.shown("MUG", 5)
        assert await world.hub.queries.sku("NEW") is None
        (tmp_path / "skus.csv").write_text("sku\nMUG\nBOX\nNEW\n")

        async def taken() -> bool:
            return await world.hub.queries.sku("NEW") is not None

        await until(taken)


def _renamed(number: int) -> bytes:
    """An order with its quantity under a name no mapping knows."""
    order = payloads.order(number, [("MUG", 2)])
    order["line_items"][0]["pieces"] = order["line_items"][0].pop("quantity")
    return json.dumps(order).encode()


CORRECTED = 'document: order\ntopics: [orders/create]\nfields:\n  "lines[].quantity": "quantity ? quantity : pieces"\n'


async def test_an_unmappable_payload_waits_for_its_mapping(tmp_path: Path) -> None:
    """Quarantined with its field; neighbours pass; corrected overlay and replay apply it, once, without a restart."""
    overlay = tmp_path / "mappings" / "shop-us"
    overlay.mkdir(parents=True)
    (overlay / "order.yaml").write_text("document: order\ntopics: [orders/create]\nfields: {number: name}\n")
    accounts = {"shop-us": folders.shopify(mappings="mappings/shop-us")}
    async with running_hub(tmp_path, accounts) as hub, aiohttp.ClientSession() as http:
        for number in (1, 3):
            assert await deliver(http, hub.url, number, [("MUG", 1)]) == 200
        assert await deliver(http, hub.url, 2, [], body=_renamed(2)) == 200

        async def parked() -> Any:
            orders, _ = await hub.queries.orders()
            failures, _ = await hub.queries.failures()
            return failures if len(orders) == 2 else None

        (failure,) = await until(parked)
        assert failure.error == "MappingError"
        assert "quantity" in failure.path
        await _replay(hub, expect_open=1)
        (overlay / "order.yaml").write_text(CORRECTED)
        await _replay(hub, expect_open=0)
        orders, _ = await hub.queries.orders()
        assert {order.number for order in orders} == {"#1", "#2", "#3"}
        await _replay(hub, expect_open=0)
        (position,) = await hub.queries.positions_at(["MUG"], None)
        assert position.reserved == 4


async def _replay(hub: Hub, *, expect_open: int) -> None:
    await hub.acts.replay(FailureFilter(), dry_run=False, actor="test")

    async def quiet() -> bool:
        status = await hub.queries.status()
        failures, _ = await hub.queries.failures(state="open")
        return not sum(row.inward.pending for row in status) and len(failures) == expect_open

    await until(quiet)


async def test_a_refused_login_holds_the_account_and_resume_goes_on(tmp_path: Path) -> None:
    """A revoked login stops calls to that account alone and says why; after mending, resume catches up."""
    async with market(tmp_path) as world:
        await world.count(MUG=9)
        await world.shown("MUG", 9)
        walmart: Any = world.walmart
        working = walmart.gate
        refusing = Gate("another", "secret", walmart.clock, walmart.faults)
        _swap(working, refusing)
        assert await world.shopify.sell([("MUG", 2)])

        async def held() -> Any:
            rows = {row["account"]: row for row in (await world.hub.acts.status())["accounts"]}
            return rows[MARKET]["held"]

        reason = await until(held)
        assert "credentials" in reason or "refused" in reason
        await world.shown("MUG", 7, at=[SHOP])
        assert world.walmart.shown("MUG") == 9
        _swap(working, Gate(walmart.account_section()["credentials"]["client_id"],
                            walmart.account_section()["credentials"]["client_secret"],
                            walmart.clock, walmart.faults))  # fmt: skip
        await world.hub.acts.resume(MARKET, "test")
        await world.shown("MUG", 7)


def _swap(gate: Any, other: Any) -> None:
    """Make a gate judge as another does; routes hold on to the gate itself."""
    for name in getattr(type(gate), "__slots__", None) or vars(gate):
        setattr(gate, name, getattr(other, name))


CANARY = "Quillfeather"


async def test_a_redaction_shreds_the_person_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the shop asks for redaction the name is in no file, no log, no metric and no answer of the API.

    The raw payload stays readable to the hub alone, encrypted, until its own retention ends.
    """
    async with market(tmp_path, hub={"log": {"level": "debug"}}) as world:
        order = payloads.order(5, [("MUG", 1)])
        text = (
            json.dumps(order).replace("14 Invented", CANARY).replace("buyer@example.invalid", f"{CANARY}@example.com")
        )
        assert await _signed(world, "orders/create", text.encode(), "e-5") == 200

        async def known() -> Any:
            return await world.orders(SHOP)

        (row,) = await until(known)
        assert CANARY in str(await world.hub.queries.personal(row.id)), "the control: it was there"
        files = [path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()]
        assert not any(CANARY.encode() in content for content in files), "personal data lies encrypted"
        redact = {
            "shop_domain": "example.myshopify.com",
            "customer": {"id": 1, "email": f"{CANARY}@example.com"},
            "orders_to_redact": [order["id"]],
        }
        assert await _signed(world, "customers/redact", json.dumps(redact).encode(), "e-6") == 200

        async def shredded() -> bool:
            return await world.hub.queries.personal(row.id) is None

        await until(shredded)
        files = [path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()]
        assert not any(CANARY.encode() in content for content in files)
        logged = capsys.readouterr()
        assert "people.forgotten" in logged.err, "the control: the log is read"
        assert CANARY not in logged.err + logged.out
        async with world.http.get(world.hub.url + "/metrics") as answer:
            assert CANARY not in await answer.text()
        answers = [
            await operation.handler(_admin()) for operation in world.hub.operations() if operation.id == "listOrders"
        ]
        assert CANARY not in json.dumps(answers)
        (still,) = await world.orders(SHOP)
        assert still.number == row.number


def _admin() -> Any:
    query = {"account": None, "state": None, "held": None, "number": None, "limit": 50, "cursor": None}
    return Call(LOCAL, {}, query, None, b"", "", None)  # type: ignore[arg-type]


def test_the_connectors_here_are_those_that_ship() -> None:
    """Every connector with a sandbox stands in this world, or (eBay, Amazon) in the demo, whose weather has all."""
    those_that_ship = {"shopify", "walmart", "ebay", "amazon"}
    shipping = [registry.get(name) for name in registry.names()]
    found = {each.manifest.name for each in shipping if each.sandbox and each.manifest.is_channel}
    assert found == those_that_ship
