"""The fake shop refuses what the contract refuses, in the vendor's words."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.support.shopify_rig import ShopRig, opened

SET = "mutation S($input: InventorySetQuantitiesInput!, $key: String!) { inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { field message code } } }"
UNKEYED = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")


async def ask(
    rig: ShopRig, query: str, *, token: str | None = None, version: str = "2026-10", **variables: Any
) -> tuple[int, Any]:
    if token is None:
        form = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-client-id",
            "client_secret": "sandbox-client-secret",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{rig.sandbox.base_url}/admin/oauth/access_token", data=form) as answer,
        ):
            token = (await answer.json())["access_token"]
    url = f"{rig.sandbox.base_url}/admin/api/{version}/graphql.json"
    headers = {"X-Shopify-Access-Token": token or ""}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"query": query, "variables": variables}, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


def entry(rig: ShopRig, sku: str = "MUG-1", **changes: Any) -> dict[str, Any]:
    item = rig.sandbox.shop.by_sku[sku]
    given = {
        "inventoryItemId": f"gid://shopify/InventoryItem/{item.id}",
        "locationId": f"gid://shopify/Location/{rig.sandbox.shop.main.id}",
        "quantity": 5,
        "changeFromQuantity": 10,
    }
    return {name: value for name, value in {**given, **changes}.items() if value != "absent"}


def quantities(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": "available", "reason": "correction", "quantities": list(entries), **changes}


def code(body: Any) -> str:
    return str(body["errors"][0]["extensions"]["code"])


async def test_a_write_without_its_directive_is_a_bad_request() -> None:
    """Since 2026-04 every stock mutation says which attempt it is."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        status, body = await ask(rig, UNKEYED, input=quantities(entry(rig)))
        assert (status, code(body), body["data"]) == (200, "BAD_REQUEST", {"inventorySetQuantities": None})
        assert rig.sandbox.shown("MUG-1") == 10


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"changeFromQuantity": "absent"}, "INVALID_FIELD_ARGUMENTS"),
        ({"compareQuantity": 3}, "INVALID_VARIABLE"),
        ({"quantity": "many"}, "INVALID_VARIABLE"),
    ],
)
async def test_inputs_of_the_wrong_shape_are_refused(changes: dict[str, Any], wanted: str) -> None:
    """A missing comparison, an argument of older versions, a text for a number."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        _, body = await ask(rig, SET, input=quantities(entry(rig, **changes)), key="k")
        assert code(body) == wanted


async def test_a_key_answers_the_same_again_and_refuses_other_variables() -> None:
    """Repeated it is recognised even after the number moved; reused for something else it is an error."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        first = await ask(rig, SET, input=quantities(entry(rig)), key="k")
        await rig.sandbox.sell([("MUG-1", 1)])
        again = await ask(rig, SET, input=quantities(entry(rig)), key="k")
        assert first[1]["data"] == again[1]["data"]
        assert rig.sandbox.shown("MUG-1") == 4
        _, other = await ask(rig, SET, input=quantities(entry(rig, quantity=6)), key="k")
        assert other["data"]["inventorySetQuantities"]["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (lambda rig: quantities(entry(rig, changeFromQuantity=9)), "CHANGE_FROM_QUANTITY_STALE"),
        (lambda rig: quantities(entry(rig, inventoryItemId="gid://shopify/InventoryItem/1")), "INVALID_INVENTORY_ITEM"),
        (lambda rig: quantities(entry(rig, locationId="gid://shopify/Location/1")), "INVALID_LOCATION"),
        (lambda rig: quantities(entry(rig, quantity=1_000_000_001)), "INVALID_QUANTITY_TOO_HIGH"),
        (lambda rig: quantities(entry(rig), name="committed"), "INVALID_NAME"),
        (lambda rig: quantities(entry(rig), reason="because"), "INVALID_REASON"),
        (lambda rig: quantities(entry(rig), referenceDocumentUri="gid://x"), "INVALID_REFERENCE_DOCUMENT"),
        (lambda rig: quantities(entry(rig, quantity=-1), name="on_hand"), "INVALID_QUANTITY_NEGATIVE"),
    ],
)
async def test_user_errors_of_a_stock_write(given: Any, wanted: str) -> None:
    """Each refusal has its own code, and nothing is applied."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        _, body = await ask(rig, SET, input=given(rig), key="k")
        assert wanted in [error["code"] for error in body["data"]["inventorySetQuantities"]["userErrors"]]
        assert rig.sandbox.shown("MUG-1") == 10


async def test_one_bad_entry_applies_nothing() -> None:
    """A call is one unit."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        rig.sandbox.stock("TEA-2", 10)
        await ask(rig, SET, input=quantities(entry(rig), entry(rig, "TEA-2", changeFromQuantity=1)), key="k")
        assert [rig.sandbox.shown(sku) for sku in ("MUG-1", "TEA-2")] == [10, 10]


async def test_logins_and_versions() -> None:
    """No token, a wrong one, a dead version: 401, 401, 404."""
    async with opened() as rig:
        assert (await ask(rig, "{ shop { id } }", token="shpat_no"))[0] == 401
        assert (await ask(rig, "{ shop { id } }", version="2023-01"))[0] == 404
        assert (await ask(rig, "{ shop { id } }"))[0] == 200


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("{ shop { nope } }", "undefinedField"),
        ("{ orders { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 300) { nodes { id } } }", "BAD_REQUEST"),
        ('{ orders(first: 5, query: "colour:red") { nodes { id } } }', "BAD_REQUEST"),
        ("{ orders(first: 250) { nodes { fulfillmentOrders(first: 250) { nodes { lineItems(first: 250) { nodes { lineItem { variant { id } } } } } } } } }", "MAX_COST_EXCEEDED"),
        ("{ shop {", "BAD_REQUEST"),
        ("mutation { webhookSubscriptionCreate { userErrors { message } } }", "missingRequiredArguments"),
    ],
)  # fmt: skip
async def test_queries_the_api_would_refuse(query: str, wanted: str) -> None:
    """Unknown fields, pages without a size, too large or too dear, half a query."""
    async with opened() as rig:
        status, body = await ask(rig, query)
        assert (status, code(body)) == (200, wanted)


async def test_a_spent_bucket_throttles_and_refills() -> None:
    """No points, no data, status 200; time brings them back."""
    async with opened() as rig:
        rig.sandbox.bucket.maximum = rig.sandbox.bucket._available = 1.0
        rig.sandbox.bucket.restore_rate = 1.0
        status, body = await ask(rig, "{ locations(first: 10) { nodes { id } } }")
        assert (status, code(body), "data" in body) == (200, "THROTTLED", False)
        rig.sandbox.bucket.maximum = 100.0
        rig.clock.advance(60)
        assert "errors" not in (await ask(rig, "{ locations(first: 10) { nodes { id } } }"))[1]


async def test_the_sixth_bulk_operation_waits_its_turn() -> None:
    """Five run at once per shop."""
    start = 'mutation { bulkOperationRunQuery(query: "{ productVariants { edges { node { id } } } }") { userErrors { code } bulkOperation { id } } }'
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 10)
        answers = [(await ask(rig, start))[1]["data"]["bulkOperationRunQuery"]["userErrors"] for _ in range(6)]
        assert answers == [[]] * 5 + [[{"code": "OPERATION_IN_PROGRESS"}]]


async def test_trading_moves_units_between_available_and_committed() -> None:
    """A sale commits, shipping takes out, cancelling gives back; nothing shown is nothing sold."""
    async with opened() as rig:
        rig.sandbox.stock("MUG-1", 3)
        level = rig.sandbox.shop.by_sku["MUG-1"].levels[rig.sandbox.shop.main.id]
        first = await rig.sandbox.sell([("MUG-1", 2)])
        assert (level.available, level.committed, level.on_hand) == (1, 2, 3)
        assert await rig.sandbox.sell([("MUG-1", 2)]) is None
        second = await rig.sandbox.sell([("MUG-1", 1)])
        await rig.sandbox.ship(str(first))
        assert (level.available, level.committed, level.on_hand) == (0, 1, 1)
        await rig.sandbox.cancel(str(second))
        await rig.sandbox.cancel(str(first))
        assert (level.available, level.committed, level.on_hand) == (1, 0, 1)
        assert [order["state"] for order in rig.sandbox.orders()] == ["shipped", "cancelled"]
