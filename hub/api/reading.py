"""The reading operations of the operator API (SURFACE)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

import canonical
from hub.api.auth import Role
from hub.api.backend import Acts, BadRequest
from hub.api.spec import OBJECT, PAGE, Call, Json, Operation, Param, page, page_of
from hub.ports.parcels import ParcelRow
from hub.ports.queries import Queries
from hub.ports.store import DocumentRow, Micros
from hub.services import parcel_views, views

_DOCUMENT_LISTS = {
    "shipments": ("shipment", "Shipments"),
    "returns": ("return", "Returns"),
}
SHIPMENT = "shipment"
_FAILURE_DIGITS_MAX = 18
"""Failures are numbered in 64 bits; what is longer is not asked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Handlers over the read side. `now` is the hub's clock, for ages."""

    queries: Queries
    acts: Acts
    now: Callable[[], Micros]

    def operations(self) -> list[Operation]:
        return [*self._reading(), *self._documents()]

    def _reading(self) -> list[Operation]:
        account = Param("account", about="one account only")
        return [
            Operation(
                "status",
                "GET",
                "/status",
                Role.VIEWER,
                "Lag, backlog and health per account",
                self.status,
                answer=OBJECT,
            ),
            Operation(
                "listAccounts",
                "GET",
                "/accounts",
                Role.VIEWER,
                "Configured accounts",
                self.accounts,
                answer=page_of(OBJECT),
            ),
            Operation(
                "listOrders",
                "GET",
                "/orders",
                Role.VIEWER,
                "Orders, newest first, as canonical documents",
                self.orders,
                params=(account, Param("state"), Param("held", "boolean", "with holds only"), Param("number"), *PAGE),
                answer=page_of({"$ref": "#/components/schemas/order"}),
            ),
            Operation(
                "getOrder",
                "GET",
                "/orders/{id}",
                Role.VIEWER,
                "One order: document, holds, allocations",
                self.order,
                answer=OBJECT,
            ),
            Operation(
                "getOrderTimeline",
                "GET",
                "/orders/{id}/timeline",
                Role.VIEWER,
                "Every event, posting, push and attempt of one order, oldest first",
                self.timeline,
                answer=page_of(OBJECT),
            ),
            Operation(
                "listStock",
                "GET",
                "/stock",
                Role.VIEWER,
                "Positions by SKU and location",
                self.stock,
                params=PAGE,
                answer=page_of(OBJECT),
            ),
            Operation(
                "getStock",
                "GET",
                "/stock/{sku}",
                Role.VIEWER,
                "One SKU: totals, locations, channels",
                self.sku,
                answer=OBJECT,
            ),
            Operation(
                "explainStock",
                "GET",
                "/stock/{sku}/explain",
                Role.VIEWER,
                "How the number shown at an account comes about, to the unit",
                self.explain,
                params=(Param("account", required=True), Param("at", format="date-time", about="as of this instant")),
                answer=OBJECT,
            ),
            Operation(
                "verifyStock",
                "GET",
                "/stock-verification",
                Role.OPERATOR,
                "Every position that is not the sum of its ledger; empty is well",
                self.verify,
                answer=page_of(OBJECT),
            ),
            Operation(
                "checkAccount",
                "GET",
                "/accounts/{id}/check",
                Role.OPERATOR,
                "One read-only call with the account's credentials",
                self.check,
                answer=OBJECT,
            ),
            Operation(
                "listFailures",
                "GET",
                "/failures",
                Role.VIEWER,
                "What is parked, with the reason",
                self.failures,
                params=(
                    account,
                    Param("kind", enum=("inbound", "availability", "effect", "exchange")),
                    Param("error"),
                    Param("older_than_s", "number"),
                    Param("state", enum=("open", "replayed", "resolved", "discarded")),
                    *PAGE,
                ),
                answer=page_of(OBJECT),
            ),
            Operation(
                "getFailure",
                "GET",
                "/failures/{id}",
                Role.VIEWER,
                "One failure, open or not",
                self.failure,
                answer=OBJECT,
            ),
            Operation(
                "listAttempts",
                "GET",
                "/attempts",
                Role.VIEWER,
                "Outbound calls, newest first",
                self.attempts,
                params=(account, Param("reference"), *PAGE),
                answer=page_of(OBJECT),
            ),
            Operation(
                "listAudit",
                "GET",
                "/audit",
                Role.ADMIN,
                "Who did what, newest first",
                self.audit,
                params=PAGE,
                answer=page_of(OBJECT),
            ),
            Operation(
                "listMappings",
                "GET",
                "/mappings",
                Role.VIEWER,
                "Mappings in force per account",
                self.mappings,
                answer=page_of(OBJECT),
            ),
            Operation(
                "streamEvents", "GET", "/events", Role.VIEWER, "What happens, as server-sent events", self.events
            ),
        ]

    def _documents(self) -> list[Operation]:
        account = Param("account", about="one account only")
        return [
            Operation(
                f"list{title.title().replace(' ', '')}",
                "GET",
                f"/{path}",
                Role.VIEWER,
                f"{title}, newest first",
                self._document_list(kind),
                params=(account, *PAGE),
                answer=page_of({"$ref": f"#/components/schemas/{kind}"}),
            )
            for path, (kind, title) in _DOCUMENT_LISTS.items()
        ]

    async def status(self, _call: Call) -> Json:
        return await self.acts.status()

    async def accounts(self, _call: Call) -> Json:
        return page(await self.acts.accounts())

    async def mappings(self, _call: Call) -> Json:
        return page(await self.acts.mappings())

    async def orders(self, call: Call) -> Json:
        rows, following = await self.queries.orders(**call.query)
        return page([await self._document(row.id, row.document, call) for row in rows], following)

    async def order(self, call: Call) -> Json:
        row = await self.queries.order(call.path["id"])
        if row is None:
            raise BadRequest("No order with this id.", status=404)
        related = await self.queries.order_documents(row.account, row.source_id)
        return views.order_state(row) | {
            "document": await self._document(row.id, row.document, call),
            "parcels": parcel_views.travels(await self.queries.order_parcels(row.account, row.source_id)),
            "related": [{"id": item.id, "type": item.type, "source_id": item.source_id} for item in related],
        }

    async def _document(self, subject: str, document: str, call: Call) -> Json:
        """Personal data is joined for operators and admins only."""
        personal = await self.queries.personal(subject) if call.caller.role >= Role.OPERATOR else None
        joined: Json = orjson.loads(canonical.join_personal(document, personal))
        return joined

    async def timeline(self, call: Call) -> Json:
        if await self.queries.order(call.path["id"]) is None:
            raise BadRequest("No order with this id.", status=404)
        return page(views.timeline(await self.queries.timeline(call.path["id"])))

    async def stock(self, call: Call) -> Json:
        rows, following = await self.queries.positions(limit=call.query["limit"], cursor=call.query["cursor"])
        return page([{"sku": row.sku} | views.position(row) for row in rows], following)

    async def sku(self, call: Call) -> Json:
        sku = call.path["sku"]
        positions = await self.queries.positions_at([sku], None)
        levels, _ = await self.queries.levels(sku=sku, limit=500)
        if not positions and not levels and await self.queries.sku(sku) is None:
            raise BadRequest("No such SKU.", status=404)
        return views.stock(sku, positions, levels)

    async def explain(self, call: Call) -> Json:
        return await self.acts.explain(call.path["sku"], call.query["account"], call.query["at"])

    async def verify(self, _call: Call) -> Json:
        return page([views.difference(row) for row in await self.queries.verify()])

    async def check(self, call: Call) -> Json:
        return await self.acts.check(call.path["id"])

    async def failures(self, call: Call) -> Json:
        query = dict(call.query)
        query["state"] = query["state"] or "open"
        rows, following = await self.queries.failures(**query)
        return page([views.failure(row, self.now()) for row in rows], following)

    async def failure(self, call: Call) -> Json:
        given = call.path["id"]
        known = given.isascii() and given.isdecimal() and len(given) <= _FAILURE_DIGITS_MAX
        row = await self.queries.failure(int(given)) if known else None
        if row is None:
            raise BadRequest("No failure with this id.", status=404)
        return views.failure(row, self.now())

    async def attempts(self, call: Call) -> Json:
        rows, following = await self.queries.attempts(**call.query)
        return page([views.attempt(row) for row in rows], following)

    async def audit(self, call: Call) -> Json:
        rows, following = await self.queries.audit(**call.query)
        return page([dict(row) for row in rows], following)

    def _document_list(self, kind: str) -> Callable[[Call], Any]:
        async def documents(call: Call) -> Json:
            rows, following = await self.queries.documents(type=kind, **call.query)
            found = [orjson.loads(row.document) for row in rows]
            if kind == SHIPMENT and rows:
                found = await self._followed(rows, found)
            return page(found, following)

        return documents

    async def _followed(self, rows: Sequence[DocumentRow], shipments: Sequence[Json]) -> list[Json]:
        """Shipments with what their parcels tell."""
        keys = [(row.account, row.source_id) for row in rows]
        pairs = await self.queries.document_parcels(SHIPMENT, keys)
        parcels: dict[tuple[str, str], list[ParcelRow]] = {}
        for link, parcel in pairs:
            parcels.setdefault((link.account, link.document), []).append(parcel)
        return [
            parcel_views.followed(shipment, parcels.get(key, ())) for key, shipment in zip(keys, shipments, strict=True)
        ]

    async def events(self, call: Call) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(call.request)
        try:
            async for event in self.acts.events():
                await response.write(
                    b"event: " + str(event["event"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
                )
        except ConnectionResetError:
            # The listener has left; a cancellation is not ours to swallow.
            return response
        return response
