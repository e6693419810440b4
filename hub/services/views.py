"""Rows as the public JSON shapes of the API, the commands and exports (fixed names).

Instants become ISO 8601 UTC with `Z`; money and quantities stay as stored. Nothing here reads or
decides; every function is a plain projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.sdk.budget import BudgetState
from hub.ports.queries import Difference, Flow, TimelineEntry
from hub.ports.store import (
    Attempt,
    FailureRow,
    LevelRow,
    LevelState,
    Micros,
    OrderRow,
    Position,
    PostedRow,
)
from hub.services.moments import moment

_BUCKETS = ("on_hand", "reserved", "incoming", "quarantine", "available")
# Levels in these states show the quantity that was sent as what the channel has been told.
_TOLD = {LevelState.SENT, LevelState.ACCEPTED, LevelState.VERIFIED, LevelState.DRIFTED, LevelState.DIRTY}

Json = dict[str, Any]


def instant(at: Micros | None) -> str | None:
    """ISO 8601 with `Z`; fractions only where there are any."""
    if at is None:
        return None
    when = moment(at)
    text = when.isoformat(timespec="milliseconds" if when.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def order_state(row: OrderRow) -> Json:
    """What the hub holds about an order beside its document."""
    return {
        "id": row.id,
        "account": row.account,
        "number": row.number,
        "state": row.state,
        "holds": list(row.holds),
        "unresolved": list(row.unresolved),
        "allocations": [
            {
                "line_id": allocation.line_id,
                "parts": [
                    {"sku": sku, "location": location, "units": units} for sku, location, units in allocation.parts
                ],
                "reserved": allocation.reserved,
                "shipped": allocation.shipped,
                "restocked": allocation.restocked,
            }
            for allocation in row.allocations
        ],
    }


def order_line(row: OrderRow) -> Json:
    """One line about an order, without its document's personal part."""
    return {
        "id": row.id,
        "account": row.account,
        "number": row.number,
        "state": row.state,
        "placed_at": instant(row.placed_at),
        "lines": len(row.allocations),
        "holds": list(row.holds),
    }


def position(row: Position) -> Json:
    return {"location": row.location, **_buckets([row]), "version": row.version}


def _buckets(rows: Iterable[Position]) -> Json:
    rows = list(rows)
    return {bucket: sum(getattr(row, bucket) for row in rows) for bucket in _BUCKETS}


def stock(sku: str, positions: Sequence[Position], levels: Sequence[LevelRow]) -> Json:
    """`stock show SKU`: totals, each location, what each channel was told and was seen to show."""
    return {
        "sku": sku,
        "total": _buckets(positions),
        "locations": [position(row) for row in positions],
        "channels": [channel(level) for level in levels],
    }


def channel(level: LevelRow) -> Json:
    return {
        "account": level.account,
        "listing_id": level.listing_id,
        "location": level.location or None,
        "published": level.sent_quantity if level.state in _TOLD else None,
        "verified": level.verified_quantity,
        "verified_at": instant(level.verified_at),
        "state": level.state.value,
        "error": level.error,
    }


def posting(row: PostedRow) -> Json:
    return {
        "seq": row.seq,
        "event": row.event,
        "sku": row.sku,
        "location": row.location,
        "bucket": row.bucket,
        "delta": row.delta,
        "reason": row.reason,
        "reference": row.reference,
        "effective_at": instant(row.effective_at),
        "recorded_at": instant(row.recorded_at),
    }


def difference(row: Difference) -> Json:
    return {
        "sku": row.sku,
        "location": row.location,
        "bucket": row.bucket,
        "position": row.position,
        "ledger": row.ledger,
    }


def failure(row: FailureRow, now: Micros) -> Json:
    return {
        "id": row.id,
        "account": row.account,
        "kind": row.kind,
        "reference": row.reference,
        "error": row.error,
        "code": row.code,
        "path": row.path,
        "message": row.message,
        "fingerprint": row.fingerprint,
        "age_s": max(0, (now - row.created_at) // 1_000_000),
        "attempts": row.attempts,
        "replays": row.replays,
        "state": row.state.value,
    }


def attempt(row: Attempt) -> Json:
    return {
        "account": row.account,
        "direction": row.direction,
        "kind": row.kind,
        "target": row.target,
        "started_at": instant(row.started_at),
        "duration_ms": row.duration_us / 1000,
        "outcome": row.outcome,
        "code": row.code,
        "status": row.status,
        "correlation_id": row.correlation_id,
        "reference": row.reference,
    }


def timeline(rows: Sequence[TimelineEntry]) -> list[Json]:
    return [
        {"at": instant(row.at), "kind": row.kind, "summary": row.summary, "detail": dict(row.detail)} for row in rows
    ]


def budget(state: BudgetState) -> Json:
    """One of a vendor's limits in its own units; what is not known is null."""
    return {
        "left": None if state.tokens is None else round(state.tokens, 1),
        "burst": state.burst,
        "per_s": None if state.rate is None else round(state.rate, 3),
        "held_s": round(state.held_s, 1),
        "waiting": state.waiting,
    }


def flow(row: Flow, lag_s: float | None) -> Json:
    return {
        "lag_s": lag_s,
        "pending": row.pending,
        "oldest_age_s": row.oldest_age_s,
        "last_success": instant(row.last_success_at),
    }
