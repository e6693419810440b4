"""What is late, in the operator API: orders past their promise, unscanned parcels, late deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from hub.api.auth import Role
from hub.api.spec import OBJECT, PAGE, Call, Json, Operation, Param, page_of
from hub.ports.late import LateKind, LateRow
from hub.ports.queries import Queries
from hub.ports.store import Micros
from hub.services.moments import seconds_between
from hub.services.parcel_figures import late_json
from hub.services.views import instant

KINDS: tuple[LateKind, ...] = get_args(LateKind)
UNSCANNED_AFTER_S = 172_800.0
"""Two days: a carrier that has a parcel has scanned it by then, weekends aside."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Handlers over the read side. `now` is the hub's clock."""

    queries: Queries
    now: Callable[[], Micros]

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "listLate",
                "GET",
                "/shipments/late",
                Role.VIEWER,
                "Orders past their promised ship-by, parcels shipped but not scanned, deliveries after the day",
                self.late,
                params=(
                    Param("kind", enum=KINDS, about="one kind only"),
                    Param("account", about="one account only"),
                    Param("unscanned_after_s", "number", "patience before a parcel counts as unscanned; two days"),
                    PAGE[0],
                ),
                answer=page_of(OBJECT),
            )
        ]

    async def late(self, call: Call) -> Json:
        query = dict(call.query)
        kind = query.pop("kind")
        kinds = (kind,) if kind else KINDS
        query["unscanned_after_s"] = query["unscanned_after_s"] or UNSCANNED_AFTER_S
        rows = [row for kind in kinds for row in await self.queries.late(kind=kind, **query)]
        counts = await self.queries.late_counts(unscanned_after_s=query["unscanned_after_s"])
        accounts = [late_json(row, self.now()) for row in counts if query["account"] in (None, row.account)]
        return {"items": [self._item(row) for row in rows], "next": None, "accounts": accounts}

    def _item(self, row: LateRow) -> Json:
        return {
            "kind": row.kind,
            "account": row.account,
            "order": row.order,
            "number": row.order_number,
            "placed_at": instant(row.placed_at),
            "promised": row.promised,
            "due_at": instant(row.due_at),
            "delivered_at": instant(row.at),
            "late_s": round(seconds_between(row.due_at, row.at or self.now())),
            "parcel": row.parcel,
            "tracking_number": row.number,
            "carrier": row.carrier or None,
        }
