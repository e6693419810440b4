"""Every request of the vendor flavour is one Amazon's own models allow.

Always against shapes in our words; against the published models where they are at hand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft7Validator

from connectors.amazon.vendor.connector import AmazonVendorConnector
from connectors.amazon.vendor.sandbox import AmazonVendorSandbox
from connectors.sdk.clock import FixedJitter, ManualClock, MemoryTokens, SeededIds
from connectors.sdk.contract import AccountContext, Effect, ListingRef, PushItem
from connectors.sdk.ports import Secret

MODELS = Path(__file__).resolve().parents[3] / ".." / "shared" / "specs" / "amazon" / "models"
DOCUMENTS = {
    "createRestrictedDataToken": ("tokens_2021-03-01", "createRestrictedDataToken"),
    "getPurchaseOrders": ("vendorOrders", "getPurchaseOrders"),
    "getPurchaseOrder": ("vendorOrders", "getPurchaseOrder"),
    "getPurchaseOrdersStatus": ("vendorOrders", "getPurchaseOrdersStatus"),
    "submitAcknowledgement": ("vendorOrders", "submitAcknowledgement"),
    "SubmitShipmentConfirmations": ("vendorShipments", "SubmitShipmentConfirmations"),
    "GetShipmentDetails": ("vendorShipments", "GetShipmentDetails"),
    "getTransaction": ("vendorTransactionStatus", "getTransaction"),
    "direct.getOrders": ("vendorDirectFulfillmentOrders_2021-12-28", "getOrders"),
    "direct.getOrder": ("vendorDirectFulfillmentOrders_2021-12-28", "getOrder"),
    "direct.submitAcknowledgement": ("vendorDirectFulfillmentOrders_2021-12-28", "submitAcknowledgement"),
    "direct.submitShipmentConfirmations": (
        "vendorDirectFulfillmentShipping_2021-12-28",
        "submitShipmentConfirmations",
    ),
    "direct.submitInventoryUpdate": ("vendorDirectFulfillmentInventoryV1", "submitInventoryUpdate"),
    "direct.getTransactionStatus": ("vendorDirectFulfillmentTransactions_2021-12-28", "getTransactionStatus"),
}
QUERIES = {
    "getPurchaseOrders": {
        "createdAfter", "createdBefore", "changedAfter", "changedBefore", "limit", "sortOrder", "includeDetails",
        "orderingVendorCode", "nextToken",
    },
    "getPurchaseOrdersStatus": {"purchaseOrderNumber", "limit"},
    "GetShipmentDetails": {"vendorShipmentIdentifier", "limit"},
    "direct.getOrders": {"createdAfter", "createdBefore", "limit", "sortOrder", "includeDetails", "nextToken"},
}  # fmt: skip
BODIES = {
    "createRestrictedDataToken": {"restrictedResources"},
    "submitAcknowledgement": {"acknowledgements"},
    "SubmitShipmentConfirmations": {"shipmentConfirmations"},
    "direct.submitAcknowledgement": {"orderAcknowledgements"},
    "direct.submitShipmentConfirmations": {"shipmentConfirmations"},
    "direct.submitInventoryUpdate": {"inventory"},
}
Seen = tuple[str, str, str, dict[str, str], Any]


class Listening(AmazonVendorSandbox):
    """Writes every request down before it is judged."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen: list[Seen] = []

    def _open(
        self, operation: str, handler: Callable[[web.Request], Awaitable[web.Response]], *, restricted: bool = False
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        inner = super()._open(operation, handler, restricted=restricted)

        async def handle(request: web.Request) -> web.Response:
            body = await request.json() if request.can_read_body else None
            self.seen.append((operation, request.method, request.path, dict(request.query), body))
            return await inner(request)

        return handle


@pytest.fixture(scope="module")
def sent() -> list[Seen]:
    """What a day of a vendor's account sends: reads, acknowledgements, shipments, numbers."""
    return asyncio.run(_recorded())


async def _recorded() -> list[Seen]:
    clock = ManualClock()
    sandbox = Listening(seed=1, clock=clock)
    for sku in ("A", "B"):
        sandbox.stock(sku, 20)
    await sandbox.start()
    try:
        section = sandbox.account_section()
        ctx = AccountContext(
            account="v",
            base_url=section["base_url"],
            auth_url=section["auth_url"],
            credentials={name: Secret(value) for name, value in section["credentials"].items()},
            options=section["options"],
            locations=section["locations"],
            public_url=None,
            clock=clock,
            ids=SeededIds(1),
            jitter=FixedJitter(0.5),
            tokens=MemoryTokens(),
        )
        connector = AmazonVendorConnector(ctx)
        try:
            await _day(connector, sandbox, clock)
        finally:
            await connector.close()
    finally:
        await sandbox.stop()
    return sandbox.seen


async def _day(connector: AmazonVendorConnector, sandbox: Listening, clock: ManualClock) -> None:
    bought = [await sandbox.order_goods([("A", 4), ("B", 2)], cases=6), await sandbox.order_goods([("A", 10)])]
    sold = [str(await sandbox.sell([("A", 2)])) for _ in range(3)]
    clock.advance(1)
    for stream in ("purchase_orders", "direct_orders", "listings"):
        cursor, more = None, True
        while more:
            page = await connector.fetch(stream, cursor, 1)
            cursor, more = page.cursor, page.more
    await connector.check()
    document = {
        "type": "order_acknowledgement",
        "number": bought[1],
        "lines": [
            {
                "number": "1",
                "acknowledged": [
                    {"status": "accepted", "quantity": 4},
                    {"status": "backordered", "quantity": 3, "expected_at": "2026-12-01"},
                    {"status": "rejected", "quantity": 3},
                ],
            }
        ],
    }
    lines = [{"id": str(number), "sku": "ours"} for number in (1, 2)]
    whole = {"type": "order", "source": {"id": bought[0]}, "lines": lines}
    await connector.send(Effect("1", "acknowledge_order", "k", "1", whole))
    await connector.send(Effect("2", "acknowledge_order", "k", "2", document))
    await connector.send(Effect("3", "confirm_shipment", "k", "3", _shipment(bought[0], 12, "1")))
    for number in sold[:2]:
        accept = {"type": "order", "kind": "dropship", "source": {"id": number}, "lines": lines}
        await connector.send(Effect(number, "acknowledge_order", "k", number, accept))
    await connector.send(Effect("4", "confirm_shipment", "k", "4", _shipment(sold[0], 2, "1")))
    items = [PushItem(ListingRef(f"WH01|{sku}", sku, "WH01"), 3, 1, sku) for sku in ("A", "B")]
    (first, *_) = await connector.publish(items)
    clock.advance(15)
    await connector.poll_receipt(first.receipt or "", items)


def _shipment(number: str, units: int, line: str) -> dict[str, Any]:
    package = {
        "id": "box-1",
        "sscc": "003456789012345675",
        "tracking_number": "1Z1",
        "carrier": "ups",
        "service": "UPS_GR_RES",
        "weight": {"value": "24", "unit": "oz"},
        "lines": [{"line_id": line, "quantity": units}],
    }
    return {"type": "shipment", "id": f"shp-{number}", "order": number, "packages": [package]}


def test_the_day_used_every_operation(sent: list[Seen]) -> None:
    """A request that was never sent proves nothing."""
    assert {operation for operation, *_ in sent} == set(DOCUMENTS)


def test_requests_have_the_shapes_we_know(sent: list[Seen]) -> None:
    """Parameters and top-level names in our own words; an update is never a full one."""
    for operation, _, _, query, body in sent:
        assert set(query) <= QUERIES.get(operation, set()), operation
        assert set(body or {}) == BODIES.get(operation, set()), operation
        if operation == "direct.submitInventoryUpdate":
            assert body["inventory"]["isFullUpdate"] is False


@cache
def _model(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _operation(model: dict[str, Any], name: str) -> tuple[str, str, dict[str, Any]]:
    for path, methods in model["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and operation.get("operationId") == name:
                return path, method.upper(), operation
    raise AssertionError(name)


@pytest.mark.skipif(not MODELS.is_dir(), reason="the published models are not here")
def test_requests_are_what_the_models_allow(sent: list[Seen]) -> None:
    """Method, path, parameters with their types and enumerations, bodies with no field the model does not have."""
    for operation, method, path, query, body in sent:
        document, name = DOCUMENTS[operation]
        model = _model(document)
        template, wanted, declared = _operation(model, name)
        assert method == wanted
        assert len(path.split("/")) == len(template.split("/")), path
        assert all(a == b or b.startswith("{") for a, b in zip(path.split("/"), template.split("/"), strict=True))
        parameters = {each["name"]: each for each in declared.get("parameters", ()) if each.get("in") == "query"}
        assert set(query) <= set(parameters), operation
        assert {key for key, each in parameters.items() if each.get("required")} <= set(query), operation
        for key, value in query.items():
            stated: Any = int(value) if parameters[key].get("type") == "integer" else value
            Draft7Validator({k: v for k, v in parameters[key].items() if k in _RULES}).validate(stated)
        if body is not None:
            (given,) = [each for each in declared["parameters"] if each.get("in") == "body"]
            schema = {**given["schema"], "definitions": model["definitions"]}
            errors = [f"{operation}: {error.message}" for error in Draft7Validator(schema).iter_errors(body)]
            assert not errors
            assert not list(_strangers(body, given["schema"], model["definitions"], operation))


_RULES = {"type", "enum", "maximum", "minimum", "pattern"}


def _strangers(value: Any, schema: Mapping[str, Any], known: Mapping[str, Any], at: str) -> Iterator[str]:
    """Fields the model does not have: Swagger allows them, Amazon may not."""
    while "$ref" in schema:
        schema = known[schema["$ref"].rsplit("/", 1)[-1]]
    if isinstance(value, list):
        for row in value:
            yield from _strangers(row, schema.get("items", {}), known, f"{at}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield f"{at}.{name}"
            else:
                yield from _strangers(inner, schema["properties"][name], known, f"{at}.{name}")
