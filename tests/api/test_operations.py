"""Every operation of the API: who may call it, what it answers, what it refuses, as its own document says."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.api.auth import Role
from hub.api.spec import Operation
from hub.ports.store import FileBody, FileRow, ReadSet, WriteSet
from tests.api.conftest import ROLES, Desk

STREAM = "streamEvents"

TRACKED = "1Z879E930346834440"


async def _paths(desk: Desk) -> dict[str, str]:
    """Path values under which every operation finds something, by operation id."""
    order = (await desk.get("/orders")).body["items"][0]["id"]
    failure = (await desk.get("/failures")).body["items"][0]["id"]
    tokens = (await desk.get("/tokens")).body["items"]
    token = next(row["id"] for row in tokens if row["role"] == "viewer")
    parcel = {"tracking_number": TRACKED, "carrier": "ups"}
    shipped = {"order": order, "number": "probe", "packages": [parcel]}
    shipment = (await desk.post("/shipments", shipped)).body["id"]
    bought = await desk.post("/purchase-orders", {**BODIES["createPurchaseOrder"], "draft": True})
    assert bought.status == 200, bought.body
    store = desk.hub.acts.store
    assert store is not None
    made = FileRow("file_probe", "market", "out", "855.edi", "000000001", "d", 3, 1, "made", test=False, sets=0)
    await store.run(ReadSet(), lambda _: WriteSet(files=[made], file_bodies=[FileBody(made.id, "market", b"ISA")]))
    values = {"{sku}": "MUG", "{id}": "market"}
    named = {
        "/orders": order,
        "/purchase-orders": "OUR-1",
        "/shipments": shipment,
        "/tracking": TRACKED,
        "/edi/files": "file_probe",
        "/tokens": token,
        "/failures": str(failure),
    }

    def path_of(template: str) -> str:
        own = next((value for prefix, value in named.items() if template.startswith(prefix)), None)
        return re.sub(r"\{\w+\}", lambda found: own or values[found[0]], template)

    return {operation.id: path_of(operation.path) for operation in desk.operations}


BODIES: dict[str, Any] = {
    "createPurchaseOrder": {
        "number": "OUR-1",
        "supplier": "Invented Pottery",
        "location": "main",
        "draft": True,
        "lines": [{"sku": "MUG", "quantity": 20}],
    },
    "changePurchaseOrder": {"lines": [{"change": "quantity", "number": "1", "quantity": 30}]},
    "receivePurchaseOrder": {"lines": [{"sku": "MUG", "quantity": 1}]},
    "createTransfer": {"from": "back", "to": "main", "lines": [{"sku": "MUG", "quantity": 1}]},
    "stateShipment": {"order": "not yet", "account": "market", "packages": [{}]},
    "adjustStock": {"lines": [{"sku": "MUG", "location": "main", "delta": 1}]},
    "reportStock": {"lines": [{"sku": "MUG", "location": "main", "on_hand": 50}]},
    "replayFailures": {"dry_run": True},
    "discardFailures": {"dry_run": True},
    "previewMapping": {"account": "market", "topic": "orders", "payload": {"list": {"elements": {"order": []}}}},
    "createToken": {"role": "viewer"},
}
QUERIES = {"explainStock": {"account": "market"}}


async def _call(desk: Desk, operation: Operation, path: str, role: str | None) -> Any:
    body = BODIES.get(operation.id, {}) if operation.method == "POST" else None
    return await desk.call(
        operation.method, path, role=role, params=QUERIES.get(operation.id), **({} if body is None else {"json": body})
    )


async def test_role_by_route(desk: Desk) -> None:
    """Nobody without a token; each role exactly as far as the operation's own role, over every operation."""
    paths = await _paths(desk)
    seen = 0
    for operation in desk.operations:
        if operation.id == STREAM:
            continue
        refused = await desk.call(operation.method, paths[operation.id], role=None)
        assert refused.status == 401, operation.id
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        # Ten refusals from one address lock it; a good token in between forgets them.
        assert (await desk.get("/accounts", role="viewer")).status == 200
        for role in ROLES:
            answer = await _call(desk, operation, paths[operation.id], role)
            allowed = Role[role.upper()] >= operation.role
            assert (answer.status != 403) == allowed, (operation.id, role, answer.body)
            assert answer.status < 500, (operation.id, answer.body)
            seen += 1
        if operation.id == "revokeToken":
            desk.tokens["viewer"] = (await desk.post("/tokens", {"role": "viewer"})).body["token"]
    assert seen == 3 * (len(desk.operations) - 1)


async def test_the_document_is_valid_and_every_answer_keeps_to_it(desk: Desk) -> None:
    """OpenAPI 3.1 by its own validator; each operation's 200 validates against the schema it states."""
    document = (await desk.get("/api/v1/openapi.json", role=None)).body
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()
    paths = await _paths(desk)
    stated = {entry["operationId"] for methods in document["paths"].values() for entry in methods.values()}
    assert stated == {operation.id for operation in desk.operations}
    for operation in desk.operations:
        if operation.id in {STREAM, "checkAccount"}:
            continue
        answer = await _call(desk, operation, paths[operation.id], "admin")
        assert answer.status == 200, (operation.id, answer.body)
        entry = document["paths"][operation.path][operation.method.lower()]
        schema = entry["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(answer.body)


async def test_what_the_surface_promises_is_there(desk: Desk) -> None:
    """The paths that other systems rely on."""
    promised = {
        *("/status", "/accounts", "/accounts/{id}/pause", "/accounts/{id}/resume", "/accounts/{id}/pull"),
        *("/orders", "/orders/{id}/timeline", "/stock", "/stock/{sku}", "/stock/{sku}/explain"),
        *("/stock/adjustments", "/stock/reports", "/shipments", "/tracking", "/purchase-orders", "/returns"),
        *("/failures", "/failures/replay", "/mappings", "/mappings/preview", "/attempts", "/audit", "/events"),
    }
    assert promised <= {operation.path for operation in desk.operations}


_COUNTED_BEFORE_TIME = {"sku": "MUG", "location": "main", "on_hand": 1, "as_of": "0001-01-01T00:00:00+23:00"}
WRONG: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/orders?limit=0", {}, 422),
    ("GET", "/orders?limit=501", {}, 422),
    ("GET", "/orders?limit=many", {}, 422),
    ("GET", "/orders?held=perhaps", {}, 422),
    ("GET", "/orders?cursor=nonsense", {}, 422),
    ("GET", "/stock?cursor=nonsense", {}, 422),
    ("GET", "/audit?cursor=eyJ4Ijo", {}, 422),
    ("GET", f"/stock?cursor={base64.urlsafe_b64encode(b'[{},[]]').decode()}", {}, 422),
    ("GET", "/failures?kind=strange", {}, 422),
    ("GET", "/failures?older_than_s=nan", {}, 422),
    ("GET", "/failures?older_than_s=-1", {}, 422),
    ("GET", "/stock/MUG/explain", {}, 422),
    ("GET", "/stock/MUG/explain?account=market&at=yesterday", {}, 422),
    ("GET", "/stock/MUG/explain?account=nobody", {}, 404),
    ("GET", "/stock/NOPE", {}, 404),
    ("GET", "/orders/nope", {}, 404),
    ("GET", "/orders/nope/timeline", {}, 404),
    ("GET", "/no-such-path", {}, 404),
    ("PUT", "/orders", {}, 405),
    ("POST", "/accounts/nobody/pause", {}, 404),
    ("POST", "/accounts/nobody/pull", {}, 404),
    ("POST", "/accounts/market/pull", {"json": {"since": "yesterday"}}, 422),
    ("POST", "/accounts/market/pull", {"json": {"since": "2026-11-20T08:00:00"}}, 422),
    ("POST", "/accounts/market/pull", {"json": {"since": "0001-01-01T00:00:00+23:00"}}, 422),
    ("GET", "/stock/MUG/explain?account=market&at=0001-01-01T00:00:00%2B23:00", {}, 422),
    ("GET", "/failures/999999", {}, 404),
    ("GET", "/failures/nope", {}, 404),
    ("GET", f"/failures/{10**30}", {}, 404),
    ("POST", "/tokens/nope/revoke", {}, 404),
    ("POST", "/tokens", {"json": {"role": "king"}}, 422),
    ("POST", "/tokens", {"json": {"role": "viewer", "days": 0}}, 422),
    ("POST", "/tokens", {"json": {"role": "viewer", "days": 91}}, 422),
    ("POST", "/stock/adjustments", {"json": {}}, 422),
    ("POST", "/stock/adjustments", {"json": []}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": []}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": ["MUG"]}}, 422),
    ("POST", "/stock/adjustments", {"data": b"{broken"}, 400),
    ("POST", "/stock/adjustments", {"data": b"\xff"}, 400),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "MUG", "location": "main", "delta": 1.5}]}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "MUG", "location": "main", "delta": True}]}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "MUG", "location": "main", "delta": 2**60}]}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "", "location": "main", "delta": 1}]}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "MUG", "location": "moon", "delta": 1}]}}, 422),
    ("POST", "/stock/adjustments", {"json": {"lines": [{"sku": "NOPE", "location": "main", "delta": 1}]}}, 422),
    ("POST", "/stock/reports", {"json": {"lines": [{"sku": "MUG", "location": "main", "on_hand": -1}]}}, 422),
    (
        "POST",
        "/stock/reports",
        {"json": {"lines": [{"sku": "MUG", "location": "main", "on_hand": 1, "as_of": "2026-11-20"}]}},
        422,
    ),
    ("POST", "/stock/reports", {"json": {"lines": [_COUNTED_BEFORE_TIME]}}, 422),
    ("POST", "/failures/replay", {"json": {"ids": ["one"]}}, 422),
    ("POST", "/failures/replay", {"json": {"unknown": 1}}, 422),
    ("POST", "/mappings/preview", {"json": {"account": "market", "topic": "nothing", "payload": {}}}, 422),
    ("POST", "/mappings/preview", {"json": {"account": "nobody", "topic": "orders", "payload": {}}}, 404),
    ("POST", "/stock/adjustments", {"data": io.BytesIO(b"x" * (5 * 1024 * 1024 + 1))}, 413),
]


async def test_wrong_requests_are_problem_documents(desk: Desk) -> None:
    """RFC 9457, with the status in the body and one sentence; nothing is done by any of them."""
    for method, path, options, status in WRONG:
        answer = await desk.call(method, path, **options)
        named = f"{method} {path} {str(options)[:80]}: {answer.body}"
        assert answer.status == status, named
        assert answer.headers["Content-Type"].startswith("application/problem+json"), named
        assert answer.body["status"] == status, named
        assert answer.body["title"], named
    assert (await desk.get("/stock/MUG")).body["total"]["on_hand"] == 50
    assert (await desk.get("/status")).body["accounts"][1]["mode"] == "shadow"


@pytest.mark.parametrize(
    "cursor", ["WzFd", "WyJhIl0", "WyJcdTAwMDAiXQ", "W1tdXQ", "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd", "W3RydWVd"]
)
async def test_no_cursor_is_taken_for_a_database_that_is_away(desk: Desk, cursor: str) -> None:
    """A cursor of another list, of another type or out of range is the caller's fault on every list and engine."""
    for path in ("/orders", "/stock", "/failures", "/attempts", "/audit", "/shipments"):
        answer = await desk.get(f"{path}?cursor={cursor}")
        assert answer.status in (200, 422), (path, answer.body)
        if answer.status == 200:
            assert set(answer.body) == {"items", "next"}, path


async def test_what_no_database_may_be_sent_is_refused_at_the_edge(desk: Desk) -> None:
    """U+0000 in a path, a query or a body, and spans of time beyond all sense: 422, never a fault."""
    line = {"sku": "A\0", "location": "main", "delta": 1}
    answers = [
        await desk.call("GET", "/orders?account=%00"),
        await desk.call("GET", "/orders/%00"),
        await desk.post("/stock/adjustments", {"lines": [line]}),
        await desk.post("/tokens", {"role": "viewer", "label": "\0"}),
        await desk.post("/failures/replay", {"older_than_s": 1e308}),
        await desk.post("/failures/replay", {"older_than_s": -1}),
    ]
    assert [answer.status for answer in answers] == [422] * 6


async def test_a_text_has_the_form_the_document_gives_it(desk: Desk) -> None:
    """A day that is none and a number no partner could be told are refused by name, before anything is looked up."""
    move = {"from": "main", "to": "moon", "lines": [{"sku": "MUG", "quantity": 1}]}
    for name, value in (("expected_at", "next week"), ("expected_at", "2026-W48-1"), ("number", "T 1*")):
        answer = await desk.post("/transfers", {**move, name: value})
        assert (answer.status, f"`{name}` is not" in answer.body["detail"]) == (422, True), answer.body
    assert "'moon'" in (await desk.post("/transfers", {**move, "expected_at": "2026-12-01"})).body["detail"]
