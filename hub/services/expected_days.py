"""Stock on order that is due in time: read with the positions, and looked at again as days pass.

A number changes when a promised day comes near enough to count, or passes without the goods, although nothing happened;
so what is on order is looked at now and then, and SKUs of which another part counts are computed again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping

import structlog

from connectors.sdk.ports import Clock
from hub.inventory.availability import DueInTime
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import DocumentKey, DocumentRow, Micros, ReadSet, State, Store, WriteSet
from hub.purchasing import expected
from hub.purchasing.expected import EXPECTED
from hub.services import moments

LOOK_S = 300.0
_LOOKED = "expected_look"
_LOOKED_KEY: DocumentKey = ("", _LOOKED, "")
_PAGE = 500

_log = structlog.get_logger()


def expected_key(sku: str) -> DocumentKey:
    return ("", EXPECTED, sku)


def due_in_time(
    plan: AccountPlan, skus: Iterable[str], documents: Mapping[DocumentKey, DocumentRow], now: Micros
) -> DueInTime:
    """Units on order of these SKUs that the account may sell already; nothing where its policy names no time."""
    within = plan.policy.incoming_within_s
    if within is None:
        return {}
    due: dict[tuple[str, str], int] = {}
    for sku in skus:
        row = documents.get(expected_key(sku))
        parts = expected.load(row.document if row is not None else None)
        due |= {(sku, place): units for place, units in expected.in_time(parts, now, within).items()}
    return due


async def all_due_in_time(queries: Queries, plan: AccountPlan, now: Micros) -> DueInTime:
    """The same of every SKU there is something on order of."""
    within = plan.policy.incoming_within_s
    due: dict[tuple[str, str], int] = {}
    if within is None:
        return due
    async for row in _rows(queries):
        parts = expected.in_time(expected.load(row.document), now, within)
        due |= {(row.source_id, place): units for place, units in parts.items()}
    return due


async def _rows(queries: Queries) -> AsyncIterator[DocumentRow]:
    """What is on order, SKU by SKU."""
    cursor: str | None = None
    while True:
        rows, cursor = await queries.documents(type=EXPECTED, account="", limit=_PAGE, cursor=cursor)
        for row in rows:
            yield row
        if cursor is None:
            return


async def look_at_expected(store: Store, plan: AccountPlan, reads: ReadSet) -> None:
    """Add what is on order of the SKUs read, and of the components of kits among them, where the policy counts it."""
    if plan.policy.incoming_within_s is None:
        return
    found: list[State] = []

    def look(state: State) -> WriteSet:
        found.append(state)
        return WriteSet()

    await store.run(ReadSet(positions=set(reads.positions)), look)
    skus = set(reads.positions) | {part for parts in found[-1].kits.values() for part, _ in parts}
    reads.documents |= {expected_key(sku) for sku in skus}


class ExpectedDays:
    """Looks at what is on order; safe in several processes, because to compute a number once more changes nothing."""

    def __init__(self, store: Store, queries: Queries, plans: Mapping[str, AccountPlan], clock: Clock) -> None:
        self._store = store
        self._queries = queries
        self._clock = clock
        spans = {plan.policy.incoming_within_s for plan in plans.values()}
        self._within = sorted(span for span in spans if span is not None)

    @property
    def counts(self) -> bool:
        """Whether any account sells what is on order."""
        return bool(self._within)

    async def look(self) -> int:
        """Have the numbers computed again of which another part counts than at the look before; how many SKUs.

        Raises `StoreUnavailable`; the next look then spans both.
        """
        now = moments.now(self._clock)
        before = await self._before()
        moved = [] if before is None else [sku async for sku in self._moved(before, now)]
        await self._store.run(
            ReadSet(documents={_LOOKED_KEY}, positions=set(moved)), lambda state: _noted(state, moved, now)
        )
        if moved:
            _log.info("expected.moved", count=len(moved))
        return len(moved)

    async def _before(self) -> Micros | None:
        row = await self._queries.document(_LOOKED)
        return None if row is None else int(json.loads(row.document)["at"])

    async def _moved(self, before: Micros, now: Micros) -> AsyncIterator[str]:
        async for row in _rows(self._queries):
            parts = expected.load(row.document)
            if any(expected.moved(parts, before, now, within) for within in self._within):
                yield row.source_id


def _noted(state: State, moved: Iterable[str], now: Micros) -> WriteSet:
    row = state.documents.get(_LOOKED_KEY)
    rev = row.rev if row is not None else 0
    text = json.dumps({"at": max(now, int(json.loads(row.document)["at"]) if row is not None else now)})
    kits = state.kits_of
    dirty = {sku: now for one in moved for sku in (one, *kits.get(one, ()))}
    return WriteSet(documents=[DocumentRow(_LOOKED, _LOOKED, "", "", "", None, None, text, rev)], dirty=dirty)
