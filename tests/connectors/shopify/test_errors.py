"""Each of the three layers of refusal leads to the decision the table states."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

from connectors.sdk.clock import ManualClock
from connectors.sdk.contract import ListingRef, PushItem, PushState
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    Conflict,
    ConnectorError,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.shopify.connector import Shopify, open_account
from connectors.shopify.errors import by_user_error, user_errors
from tests.support.shopify_rig import context

URL = "https://example.myshopify.com/admin/api/2026-10/graphql.json"
COST = {
    "cost": {
        "requestedQueryCost": 752,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 666, "restoreRate": 50.0},
    }
}


def connector(router: respx.Router) -> Shopify:
    return open_account(context(ManualClock(), transport=httpx.MockTransport(router.async_handler)))


def errors(code: str | None, message: str = "no") -> dict[str, Any]:
    extensions = {"code": code} if code else {}
    return {"errors": [{"message": message, "extensions": extensions}], "data": None}


async def failure(response: httpx.Response) -> ConnectorError:
    router = respx.Router(assert_all_called=False)
    router.post(URL).mock(return_value=response)
    opened = connector(router)
    try:
        await opened.check()
    except ConnectorError as error:
        return error
    finally:
        await opened.close()
    pytest.fail("the refusal was taken for a yes")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, AuthFailed, AuthReason.CREDENTIALS),
        (402, AuthFailed, AuthReason.REVOKED),
        (403, AuthFailed, AuthReason.SCOPE),
        (404, AuthFailed, AuthReason.CREDENTIALS),
        (423, AuthFailed, AuthReason.REVOKED),
        (400, Rejected, None),
        (406, Rejected, None),
        (429, RateLimited, None),
        (430, RateLimited, None),
        (500, Transient, None),
        (502, Transient, None),
        (503, Transient, None),
    ],
)
async def test_transport_layer(status: int, kind: type[ConnectorError], reason: AuthReason | None) -> None:
    """The status decides, whatever the body is."""
    error = await failure(httpx.Response(status, text="<html>", headers={"x-request-id": "r-1"}))
    assert type(error) is kind
    assert error.status == status
    assert error.correlation_id == "r-1"
    assert getattr(error, "reason", None) is reason


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (errors("ACCESS_DENIED", "Access denied for orders field. Required access: `read_orders` access scope."), AuthFailed, "ACCESS_DENIED"),
        (errors("SHOP_INACTIVE"), AuthFailed, "SHOP_INACTIVE"),
        (errors("INTERNAL_SERVER_ERROR"), Transient, "INTERNAL_SERVER_ERROR"),
        (errors("NOT_FOUND"), TargetMissing, "NOT_FOUND"),
        (errors("BAD_REQUEST"), Rejected, "BAD_REQUEST"),
        (errors("INVALID_VARIABLE"), Rejected, "INVALID_VARIABLE"),
        (errors("MAX_COST_EXCEEDED"), Rejected, "MAX_COST_EXCEEDED"),
        (errors("IDEMPOTENCY_CONCURRENT_REQUEST"), Transient, "IDEMPOTENCY_CONCURRENT_REQUEST"),
        (errors("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), Conflict, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),
        (errors(None), Rejected, "GRAPHQL_ERROR"),
        ({"errors": "[API] odd"}, Rejected, "GRAPHQL_ERROR"),
        ({"errors": [errors("BAD_REQUEST")["errors"][0], errors("THROTTLED")["errors"][0]]}, RateLimited, "THROTTLED"),
        ({"data": None}, Transient, "no_data"),
        ([1], Transient, "not_graphql"),
    ],
)  # fmt: skip
async def test_graphql_layer_comes_with_status_200(body: Any, kind: type[ConnectorError], code: str) -> None:
    """Good status, bad answer: the code decides, the gravest of several first."""
    error = await failure(httpx.Response(200, json=body))
    assert type(error) is kind
    assert error.code == code


async def test_a_missing_scope_is_named() -> None:
    """The operator reads which scope to grant."""
    error = await failure(
        httpx.Response(200, json=errors("ACCESS_DENIED", "Required access: `read_orders` access scope."))
    )
    assert "read_orders" in error.message


async def test_the_wait_is_computed_from_the_shops_own_numbers() -> None:
    """(requested − available) ÷ restore rate; with 429 the header counts."""
    error = await failure(httpx.Response(200, json={**errors("THROTTLED"), "extensions": COST}))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pytest.approx((752 - 666) / 50)
    error = await failure(httpx.Response(429, headers={"Retry-After": "2.0"}))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 2.0


async def test_every_answer_teaches_the_budget() -> None:
    """Maximum, rest and rate of the shop replace what the manifest supposed."""
    router = respx.Router()
    status = {"maximumAvailable": 4000, "currentlyAvailable": 3000, "restoreRate": 200}
    data = {
        "data": {"nodes": []},
        "extensions": {"cost": {"requestedQueryCost": 5, "actualQueryCost": 5, "throttleStatus": status}},
    }
    router.post(URL).mock(return_value=httpx.Response(200, json=data))
    opened = connector(router)
    await opened.read_back([ListingRef("1", "SKU", "1")])
    state = opened.budgets.snapshot()["graphql"]
    assert (state.burst, state.rate, state.tokens) == (4000, 200, 3000)
    await opened.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CHANGE_FROM_QUANTITY_STALE", Conflict),
        ("COMPARE_QUANTITY_STALE", Conflict),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", Conflict),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Conflict),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Transient),
        ("INVALID_INVENTORY_ITEM", TargetMissing),
        ("INVALID_LOCATION", TargetMissing),
        ("INVALID_QUANTITY_NEGATIVE", Rejected),
        ("NON_MUTABLE_INVENTORY_ITEM", Rejected),
        ("", Rejected),
    ],
)
def test_user_error_layer(code: str, kind: type[ConnectorError]) -> None:
    """What a mutation refuses item by item."""
    (error,) = user_errors(
        {"userErrors": [{"field": ["input", "quantities", "3", "locationId"], "message": "no", "code": code}]}
    )
    assert error.index == 3
    assert type(by_user_error(error, "stock.set")) is kind


async def test_an_error_without_a_place_is_found_by_halving() -> None:
    """Shopify names no item: the batch is halved until the bad one stands alone."""
    router = respx.Router()

    def answer(request: httpx.Request) -> httpx.Response:
        bad = b"InventoryItem/5" in request.content and b"SetQuantities" in request.content
        if b"ShownLevels" in request.content:
            return httpx.Response(200, json={"data": {"nodes": [None]}})
        refused = [{"field": None, "message": "no", "code": "INVALID_REASON"}] if bad else []
        return httpx.Response(
            200, json={"data": {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": refused}}}
        )

    router.post(URL).mock(side_effect=answer)
    opened = connector(router)
    items = [PushItem(ListingRef(str(number), f"S{number}", "1"), 1, 1, f"k{number}") for number in range(1, 9)]
    results = await opened.publish(items)
    assert [result.item.ref.listing_id for result in results if result.state is PushState.FAILED] == ["5"]
    await opened.close()
