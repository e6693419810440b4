"""Purchase orders over the API: made once, changed by revision, shown as they match, refused by name."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Desk

ORDER: dict[str, Any] = {
    "number": "OUR-7",
    "supplier": "Invented Pottery",
    "location": "main",
    "currency": "USD",
    "expected_at": "2026-12-10",
    "ship_to": {"name": "Dock 4", "city": "Reno", "country": "US"},
    "lines": [{"sku": "MUG", "quantity": 20, "unit_cost": "2.50"}, {"sku": "BOX", "quantity": 6}],
}
PATH = "/purchase-orders"
ONE = f"{PATH}/OUR-7"


async def test_one_order_over_its_life(desk: Desk) -> None:
    """Made, changed, received, closed; every act answers with state and revision, and a key is answered once."""
    for repeated in (False, True):
        made = await desk.post(PATH, ORDER)
        assert (made.status, made.body["state"], made.body["repeated"]) == (200, "sent", repeated), made.body
    change = {"revision": "0", "lines": [{"change": "quantity", "number": "1", "quantity": 24}]}
    key = {"Idempotency-Key": "one change"}
    first = await desk.post(f"{ONE}/changes", change, headers=key)
    assert first.body == (await desk.post(f"{ONE}/changes", change, headers=key)).body
    assert first.body["revision"] == "1"
    assert (await desk.post(f"{ONE}/changes", change)).status == 409
    receipt = {"receipt": "R-1", "lines": [{"sku": "MUG", "quantity": 20, "damaged_quantity": 4}]}
    assert (await desk.post(f"{ONE}/receipts", receipt)).body["state"] == "partially_received"
    assert (await desk.post(f"{ONE}/receipts", receipt)).body["repeated"] is True
    stock = (await desk.get("/stock/MUG")).body["total"]
    assert (stock["on_hand"], stock["quarantine"]) == (70, 4)
    shown = (await desk.get(ONE)).body
    assert [(line["ordered"], line["received"]) for line in shown["lines"]] == [(24, 24), (6, 0)]
    assert shown["heard"][0]["document"] == "receipt"
    assert (await desk.post(f"{ONE}/close", {"reason": "no boxes left"})).body["state"] == "closed"
    assert (await desk.post(f"{ONE}/changes", {"lines": change["lines"]})).status == 409
    actions = [row["action"] for row in (await desk.get("/audit")).body["items"]]
    assert {"purchase.created", "purchase.changed", "purchase.received", "purchase.closed"} <= set(actions)


async def test_addresses_are_for_operators(desk: Desk) -> None:
    """A viewer sees the order without the people in it."""
    await desk.post(PATH, ORDER)
    assert (await desk.get(ONE, role="viewer")).body["document"]["ship_to"] is None
    assert (await desk.get(ONE, role="operator")).body["document"]["ship_to"]["name"] == "Dock 4"
    (listed,) = (await desk.get(PATH)).body["items"]
    assert listed["ship_to"] is None


async def test_lists_by_supplier_and_state(desk: Desk) -> None:
    """`account` is the supplier, by its account or name."""
    await desk.post(PATH, ORDER)
    await desk.post(PATH, ORDER | {"number": "OUR-8", "supplier": "Other Pottery", "draft": True})
    numbers = {
        query: [row["number"] for row in (await desk.get(f"{PATH}?{query}")).body["items"]]
        for query in ("account=Other Pottery", "state=sent", "account=nobody")
    }
    assert numbers == {"account=Other Pottery": ["OUR-8"], "state=sent": ["OUR-7"], "account=nobody": []}


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    (PATH, ORDER | {"colour": "red"}, 422, "`colour` is not known here"),
    (PATH, {name: ORDER[name] for name in ("number", "supplier", "location")}, 422, "`lines` is missing"),
    (PATH, ORDER | {"lines": [{"sku": "MUG"}]}, 422, "line 1: `quantity` is missing"),
    (PATH, ORDER | {"lines": ["MUG"]}, 422, "line 1: The body is not a JSON object"),
    (PATH, ORDER | {"lines": [{"sku": "MUG", "quantity": 1.5}]}, 422, "line 1: `quantity` is not integer"),
    (
        PATH,
        ORDER | {"number": "P", "lines": [{"sku": "NOPE", "quantity": 1}]},
        422,
        "SKU 'NOPE' is not in the catalogue",
    ),
    (PATH, ORDER | {"ship_to": {"planet": "Mars"}}, 422, "ship_to: `planet` is not known here"),
    (PATH, ORDER | {"number": "P", "ship_to": {"country": "Mars"}}, 422, "ship_to.country"),
    (PATH, ORDER | {"location": "moon"}, 422, "'moon' is not one of ours"),
    (PATH, ORDER | {"supplier": "market"}, 422, "market is no supplier's"),
    (PATH, ORDER | {"expected_at": "soon"}, 422, "expected_at"),
    (f"{PATH}/NONE/changes", {"lines": [{"change": "remove", "number": "1"}]}, 404, "'NONE'"),
    (f"{PATH}/NONE/cancel", {}, 404, "'NONE'"),
    (f"{PATH}/NONE/receipts", {"lines": [{"sku": "MUG", "quantity": 1}]}, 404, "'NONE'"),
    (f"{ONE}/changes", {"lines": []}, 422, "`lines` has 0 entries"),
    (f"{ONE}/changes", {"lines": [{"change": "polish"}]}, 422, "`change` is one of"),
    (f"{ONE}/receipts", {"lines": [{"sku": "MUG", "quantity": -1}]}, 422, "quantity: a whole number"),
    (f"{ONE}/send", {}, 409, "no draft"),
    (PATH, ORDER | {"note": "another order"}, 409, "another purchase order OUR-7"),
]


async def test_what_is_refused_is_named(desk: Desk) -> None:
    """Each refusal is a problem document that says what is wrong and where; nothing of it is stored."""
    await desk.post(PATH, ORDER)
    before = (await desk.get(ONE)).body
    for path, body, status, named in REFUSED:
        answer = await desk.post(path, body)
        assert (answer.status, named in answer.body["detail"]) == (status, True), (path, body, answer.body)
    assert (await desk.get(ONE)).body == before
    assert len((await desk.get(PATH)).body["items"]) == 1
    assert (await desk.get(f"{PATH}/NONE")).status == 404
