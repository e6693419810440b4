"""Parcels in the operator API: where each is, what was told of it, and what nobody shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from canonical.codes import Milestone
from hub.api.auth import Role
from hub.api.backend import BadRequest
from hub.api.spec import OBJECT, PAGE, Call, Json, Operation, Param, page, page_of
from hub.ports.parcels import ParcelRow
from hub.ports.queries import Queries
from hub.services import parcel_views as views
from hub.tracking import normalized_number
from mappings.carriers import Crosswalk


@dataclass(frozen=True, slots=True)
class Tracking:
    """Handlers over the read side."""

    queries: Queries
    crosswalk: Crosswalk

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "listParcels",
                "GET",
                "/tracking",
                Role.VIEWER,
                "Parcels, newest first: where each is and whose goods it carries",
                self.parcels,
                params=(
                    Param("number", about="a tracking number, however it is spelt"),
                    Param("carrier", about="our code, such as `ups`"),
                    Param("milestone", enum=get_args(Milestone)),
                    Param("orphan", "boolean", "with no shipment of ours (true) or with one (false)"),
                    Param("open", "boolean", "only those of which something is still expected"),
                    *PAGE,
                ),
                answer=page_of(OBJECT),
            ),
            Operation(
                "getParcel",
                "GET",
                "/tracking/{id}",
                Role.VIEWER,
                "One parcel with everything told of it, by id or tracking number (of several the newest)",
                self.parcel,
                answer=OBJECT,
            ),
        ]

    async def parcels(self, call: Call) -> Json:
        query = dict(call.query)
        query["open_only"] = bool(query.pop("open", None))
        if query["number"] is not None:
            query["number"] = normalized_number(query["number"])
        rows, following = await self.queries.parcels(**query)
        return page(await self._shown(rows), following)

    async def parcel(self, call: Call) -> Json:
        row = await self._named(call.path["id"])
        (shown,) = await self._shown([row])
        events = await self.queries.parcel_events(row.id)
        return shown | {"events": [views.event(event) for event in events]}

    async def _named(self, name: str) -> ParcelRow:
        row = await self.queries.parcel(name)
        if row is None:
            found, _ = await self.queries.parcels(number=normalized_number(name), limit=1)
            row = found[0] if found else None
        if row is None:
            raise BadRequest("No parcel with this id or tracking number.", status=404)
        return row

    async def _shown(self, rows: Sequence[ParcelRow]) -> list[Json]:
        links = await self.queries.parcel_links([row.id for row in rows]) if rows else ()
        return [views.parcel(row, [link for link in links if link.parcel == row.id], self.crosswalk) for row in rows]
