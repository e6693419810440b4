"""Turning due levels into numbers to send, inside one unit of work.

The intent is stored before the call: after a crash in between, the level stands as sent without
an answer and is read back, so a lost call is found whether it was applied or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.contract import ListingRef, PushItem
from connectors.sdk.ports import Ids
from hub.delivery.lanes import is_urgent, publish_order
from hub.ports.accounts import AccountPlan
from hub.ports.store import LevelKey, LevelRow, LevelState, LevelUpdate, ReadSet, State, Store, WriteSet
from hub.services.expected_days import look_at_expected

Quantify = Callable[[AccountPlan, State], Callable[[LevelRow], tuple[int, int] | str]]
"""For each level (quantity, position version) it should show, or why nothing may be sent there. Pure."""

SHADOW = "shadow: computed, not sent"
PART = 1_000
"""Levels planned by one unit of work, so that other work gets its turn in between."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One number about to be sent. `row` is the level as it was before; `seq` the change it carries."""

    row: LevelRow
    item: PushItem
    seq: int

    @property
    def key(self) -> LevelKey:
        return key_of(self.row)


@dataclass(slots=True)
class Planned:
    """What became of the due levels. `settled` needed no call."""

    intents: list[Intent] = field(default_factory=list)
    settled: int = 0
    shadowed: int = 0


def key_of(row: LevelRow) -> LevelKey:
    return (row.account, row.listing_id, row.location)


def ref_of(row: LevelRow) -> ListingRef:
    return ListingRef(row.listing_id, row.channel_sku, row.location or None, row.variant_id)


class Intents:
    """Plans pushes of one account.

    Args:
        reads_back: The channel can be read, so a number that should already stand there is read
            instead of written.
    """

    def __init__(self, plan: AccountPlan, store: Store, ids: Ids, quantify: Quantify, *, reads_back: bool) -> None:
        self._plan = plan
        self._store = store
        self._ids = ids
        self._quantify = quantify
        self._reads_back = reads_back

    async def plan(self, rows: Sequence[LevelRow], *, send: bool, fresh: bool = False) -> Planned:
        """Compute the numbers now and mark them sent.

        Args:
            rows: Levels to look at again; those no longer dirty are left alone.
            send: False in shadow mode: the number is recorded and nothing will be sent.
            fresh: A redo after `Conflict`: the levels stand as sent and get a new key.
        """
        total = Planned()
        for start in range(0, len(rows), PART):
            planned = await self._part(rows[start : start + PART], send=send, fresh=fresh)
            total.intents += planned.intents
            total.settled += planned.settled
            total.shadowed += planned.shadowed
        return total

    async def _part(self, rows: Sequence[LevelRow], *, send: bool, fresh: bool) -> Planned:
        planned = Planned()
        reads = ReadSet(
            levels={key_of(row) for row in rows},
            positions={row.sku for row in rows},
            own_open={(row.account, row.sku) for row in rows},
        )
        await look_at_expected(self._store, self._plan, reads)

        def decide(state: State) -> WriteSet:
            # The store may call this again after a conflict, so the outcome starts empty each time.
            planned.intents, planned.settled, planned.shadowed = [], 0, 0
            return self._decide(state, planned, send=send, fresh=fresh)

        await self._store.run(reads, decide)
        return planned

    def _decide(self, state: State, planned: Planned, *, send: bool, fresh: bool) -> WriteSet:
        writes = WriteSet()
        due = [row for row in state.levels.values() if fresh or row.dirty_seq > row.sent_seq]
        versions: dict[LevelKey, int] = {}
        numbers: list[tuple[LevelRow, int]] = []
        quantity_of = self._quantify(self._plan, state)
        for row in due:
            found = quantity_of(row)
            if isinstance(found, str):
                planned.settled += 1
                writes.levels.append(LevelUpdate(key_of(row), self._left_alone(row, found), guard_seq=row.dirty_seq))
                continue
            numbers.append((row, found[0]))
            versions[key_of(row)] = found[1]
        for row, quantity in publish_order(numbers):
            version = versions[key_of(row)]
            if not send:
                planned.shadowed += 1
                change = self._shadow(row, quantity, version)
            elif not fresh and self._stands(row, quantity):
                planned.settled += 1
                change = self._read_again(row, state.now)
            else:
                intent = self._intent(row, quantity, version, fresh=fresh)
                planned.intents.append(intent)
                change = self._sent(intent, state.now)
            writes.levels.append(LevelUpdate(key_of(row), change, guard_seq=row.dirty_seq))
        return writes

    def _stands(self, row: LevelRow, quantity: int) -> bool:
        """True when the channel was last seen showing this very number, and nothing newer was sent."""
        return (
            self._reads_back
            and row.verified_quantity == quantity == row.sent_quantity
            and row.shown_quantity == quantity
            and row.attempts == 0
            and row.error is None
        )

    def _read_again(self, row: LevelRow, now: int) -> dict[str, Any]:
        """No call to write, but one to read: the channel may have sold in between without us knowing."""
        return {"state": LevelState.ACCEPTED, "sent_seq": row.dirty_seq, "dirty_at": None, "due_at": now}

    def _left_alone(self, row: LevelRow, why: str) -> dict[str, Any]:
        return {"state": LevelState.NEW, "sent_seq": row.dirty_seq, "dirty_at": None, "error": why}

    def _shadow(self, row: LevelRow, quantity: int, version: int) -> dict[str, Any]:
        return {
            "state": LevelState.NEW,
            "sent_seq": row.dirty_seq,
            "sent_quantity": quantity,
            "sent_version": version,
            "dirty_at": None,
            "attempts": 0,
            "error": SHADOW,
        }

    def _intent(self, row: LevelRow, quantity: int, version: int, *, fresh: bool) -> Intent:
        same = not fresh and row.attempts > 0 and row.push_key is not None and row.sent_quantity == quantity
        item = PushItem(
            ref=ref_of(row),
            quantity=quantity,
            version=version,
            key=row.push_key if same and row.push_key else self._ids.uuid(),
            expected=row.shown_quantity,
            urgent=is_urgent(quantity, row),
        )
        return Intent(row, item, row.dirty_seq)

    def _sent(self, intent: Intent, now: int) -> dict[str, Any]:
        return {
            "state": LevelState.SENT,
            "sent_seq": intent.seq,
            "sent_quantity": intent.item.quantity,
            "sent_version": intent.item.version,
            "sent_at": now,
            "push_key": intent.item.key,
            "receipt": None,
            "dirty_at": None,
        }
