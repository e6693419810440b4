"""Operators changing stock: deltas and counts, checked whole, applied once per key, audited."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from hub.inventory.postings import ADJUSTED, count
from hub.ports.store import (
    AuditEntry,
    Bucket,
    DocumentRow,
    Micros,
    Posting,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services.batch import Batch

REQUEST = "stock_request"
"""document type requests are remembered under, keyed by their idempotency key"""

LINES_MAX = 5000
AUDITED_LINES_MAX = 200
_QUANTITY_MAX = 2**53 - 1


class AdjustLine(NamedTuple):
    """Units to add (or, negative, to take) at one location."""

    sku: str
    location: str
    delta: int
    bucket: Bucket = Bucket.ON_HAND
    reason: str = ADJUSTED


class CountLine(NamedTuple):
    """Units counted at one location, correct as of that instant; None is now."""

    sku: str
    location: str
    on_hand: int
    as_of: Micros | None = None


Line = AdjustLine | CountLine


class AdjustmentRefused(ValueError):
    """The whole request is refused, nothing of it was stored; `faults` name the line, counted from 1."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class KeyReused(AdjustmentRefused):
    """The idempotency key was used for another request before."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """`changed` positions; `repeated` when this very request had been applied already."""

    changed: int
    repeated: bool = False


class Adjust:
    """Applies operators' requests.

    Args:
        locations: Names of our locations; any other is refused.
    """

    def __init__(self, store: Store, locations: Collection[str]) -> None:
        self._store = store
        self._locations = frozenset(locations)

    async def adjust(self, lines: Sequence[AdjustLine], *, key: str, actor: str) -> Adjusted:
        """Add deltas. Lines of one SKU, location and bucket add up.

        Raises:
            AdjustmentRefused: Unknown SKU or location, a kit, nothing to do; every fault at once.
            KeyReused: `key` belongs to another request.
        """
        faults = self._shape(key, lines) + [
            f"line {number}: delta must be a whole number other than 0"
            for number, line in enumerate(lines, 1)
            if not _is_whole(line.delta) or line.delta == 0 or abs(line.delta) > _QUANTITY_MAX
        ]
        if faults:
            raise AdjustmentRefused(faults)

        def post(state: State) -> list[Posting]:
            sums: dict[tuple[str, str, Bucket, str], int] = {}
            for line in lines:
                name = (line.sku, line.location, line.bucket, line.reason)
                sums[name] = sums.get(name, 0) + line.delta
            return [
                Posting(f"adjust:{key}/{reason}", sku, location, bucket, delta, reason, state.now, f"adjust:{key}")
                for (sku, location, bucket, reason), delta in sums.items()
                if delta
            ]

        named = {line.sku for line in lines}
        return await self._apply("stock.adjusted", ReadSet(), named, lines, key, actor, post)

    async def report(self, lines: Sequence[CountLine], *, key: str, actor: str) -> Adjusted:
        """State counts. An older count than the last one of a place changes nothing.

        Raises: Like `adjust`.
        """
        faults = self._shape(key, lines) + _count_faults(lines)
        if faults:
            raise AdjustmentRefused(faults)
        reads = ReadSet(
            on_hand_since={(line.sku, line.location, line.as_of) for line in lines if line.as_of is not None}
        )

        def post(state: State) -> list[Posting]:
            late = [n for n, line in enumerate(lines, 1) if line.as_of is not None and line.as_of > state.now]
            if late:
                raise AdjustmentRefused([f"line {number}: as_of lies in the future" for number in late])
            return [row for line in lines if (row := _count(state, line, f"count:{key}")) is not None]

        named = {line.sku for line in lines}
        return await self._apply("stock.counted", reads, named, lines, key, actor, post)

    def _shape(self, key: str, lines: Sequence[Line]) -> list[str]:
        if not key.strip():
            return ["an idempotency key is needed, so that a repeated request is applied once"]
        if not lines:
            return ["the request has no lines"]
        if len(lines) > LINES_MAX:
            return [f"at most {LINES_MAX} lines in one request, this one has {len(lines)}"]
        known = ", ".join(sorted(self._locations))
        return [
            f"line {number}: location {line.location!r} is not one of ours ({known})"
            for number, line in enumerate(lines, 1)
            if line.location not in self._locations
        ]

    async def _apply(
        self,
        action: str,
        reads: ReadSet,
        named: set[str],
        lines: Sequence[Line],
        key: str,
        actor: str,
        post: Callable[[State], list[Posting]],
    ) -> Adjusted:
        request = ("", REQUEST, key)
        content = json.dumps([action, *[list(line) for line in lines]], separators=(",", ":"))
        fingerprint = blake2b(content.encode(), digest_size=16).hexdigest()
        reads.documents.add(request)
        reads.positions |= named
        reads.skus |= {("", sku) for sku in named}
        repeated: list[bool] = []

        def decide(state: State) -> WriteSet:
            repeated.clear()
            known = state.documents.get(request)
            if known is not None:
                if json.loads(known.document)["fingerprint"] != fingerprint:
                    raise KeyReused([f"idempotency key {key!r} was used for another request before"])
                repeated.append(True)
                return WriteSet()
            _known_skus(state, lines)
            batch = Batch(state)
            batch.post(post(state), state.now)
            body = json.dumps({"fingerprint": fingerprint, "changed": len(batch.writes.postings)})
            batch.put_document(DocumentRow(f"{REQUEST}:{key}", REQUEST, "", key, "", None, state.now, body))
            detail = json.dumps({"key": key, "lines": [list(line) for line in lines[:AUDITED_LINES_MAX]],
                                 "count": len(lines), "digest": fingerprint})  # fmt: skip
            batch.writes.audit.append(AuditEntry(actor, action, key, detail))
            return batch.finish()

        writes = await self._store.run(reads, decide)
        changed = len({(row.sku, row.location) for row in writes.postings if row.delta})
        return Adjusted(changed, bool(repeated))


def _known_skus(state: State, lines: Sequence[Line]) -> None:
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if ("", line.sku) not in state.resolved:
            faults.append(f"line {number}: SKU {line.sku!r} is not in the catalogue")
        elif line.sku in state.kits:
            parts = ", ".join(sku for sku, _ in state.kits[line.sku])
            faults.append(f"line {number}: {line.sku} is a kit and holds no stock; change its components ({parts})")
    if faults:
        raise AdjustmentRefused(faults)


def _count_faults(lines: Sequence[CountLine]) -> list[str]:
    seen: dict[tuple[str, str], int] = {}
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if not _is_whole(line.on_hand) or not 0 <= line.on_hand <= _QUANTITY_MAX:
            faults.append(f"line {number}: on_hand must be a whole number, 0 or more")
        first = seen.setdefault((line.sku, line.location), number)
        if first != number:
            faults.append(f"line {number}: {line.sku} at {line.location} is counted in line {first} already")
    return faults


def _count(state: State, line: CountLine, event: str) -> Posting | None:
    as_of = state.now if line.as_of is None else line.as_of
    since = 0 if line.as_of is None else state.on_hand_since.get((line.sku, line.location, as_of), 0)
    return count(event, event, state.position(line.sku, line.location), line.on_hand, as_of, since)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
