"""Making sure: subscriptions exist, every number stands as sent, no order was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import blake2b

import structlog

from connectors.sdk.contract import Cursor, Pulls, Subscribes
from hub.inventory.availability import pool_of
from hub.ports.accounts import AccountPlan, Mode
from hub.ports.queries import Queries
from hub.ports.store import (
    CursorRow,
    LevelRow,
    LevelState,
    LevelUpdate,
    OutboxState,
    OutboxUpdate,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services import moments
from hub.services.calls import Target
from hub.services.intents import SHADOW, key_of
from hub.services.publish import Outward
from hub.services.receive import inputs_of
from hub.services.verify import Verifier

_log = structlog.get_logger(__name__)

LANE = "reconcile"
POLICY = "published:policy"
"""name under which an account keeps what its numbers were last computed by"""
PAGE = 200
PAGES_MAX = 5_000
# Only settled numbers are compared; what is on its way has a push or a reading of its own.
_SETTLED = frozenset({LevelState.ACCEPTED, LevelState.VERIFIED, LevelState.DRIFTED, LevelState.REJECTED})


@dataclass(frozen=True, slots=True)
class Swept:
    """A full read-back. `finished`: every settled level was compared."""

    compared: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A second look at a stream. `missed` envelopes were unknown to the hub; they are stored now."""

    seen: int = 0
    missed: int = 0
    finished: bool = False


class Reconciler:
    """Compares one account with its vendor. Slow, thorough, and harmless at any time."""

    def __init__(self, out: Outward, connector: object, verifier: Verifier, queries: Queries) -> None:
        self._out = out
        self._connector = connector
        self._verifier = verifier
        self._queries = queries

    async def heal_subscriptions(self, callback_url: str) -> Sequence[str]:
        """Create what is missing and mend what is wrong; one line per change.

        Raises the connector's error; it is a matter for the next run, not for the schedule.
        """
        out = self._out
        connector = self._connector
        if not isinstance(connector, Subscribes) or not out.accounts.may_send(out.account):
            return ()
        target = Target(LANE, "subscribe", callback_url)
        called = await out.calls.make(target, lambda: connector.ensure_subscriptions(callback_url))
        if called is None:
            return ()
        await out.store.run(ReadSet(), lambda _: WriteSet(attempts=[called.attempt]))
        if called.error is not None:
            raise called.error
        changes = called.value or ()
        for change in changes:
            _log.info("subscription.mended", account=out.account, change=change)
        return changes

    async def sweep_levels(self) -> Swept:
        """Read back every settled number of the account; a difference is drift and sent again.

        Not where the account counts stock: there a difference may be a count, and its reports tell which.
        """
        out = self._out
        if out.plan.stock_source:
            return Swept(finished=True)
        compared = 0
        cursor: str | None = None
        size = max(1, out.plan.manifest.read_back_batch_max)
        for _ in range(PAGES_MAX):
            rows, cursor = await self._queries.levels(account=out.account, limit=PAGE, cursor=cursor)
            settled = [row for row in rows if _is_settled(row)]
            for start in range(0, len(settled), size):
                if not out.accounts.may_call(out.account):
                    return Swept(compared)
                step = await self._verifier.read(settled[start : start + size], sweep=True)
                if step is None:
                    return Swept(compared)
                compared += step.done
            if cursor is None:
                break
        _log.info("availability.swept", account=out.account, compared=compared)
        return Swept(compared, finished=cursor is None)

    async def recount(self, stream: str, window: timedelta) -> Counted:
        """Read a stream's window again and store what webhooks and polls have missed.

        The stream's own cursor stays where it is. A miss that is found is applied like any input.
        """
        out = self._out
        connector = self._connector
        if not isinstance(connector, Pulls):
            return Counted()
        since = out.clock.now() - window
        limit = out.plan.manifest.stream(stream).page_max
        cursor: Cursor | None = None
        seen = missed = 0
        finished = False
        marks: set[str] = set()
        for _ in range(PAGES_MAX):
            if not out.accounts.may_call(out.account):
                break
            target = Target(LANE, f"recount_{stream}", stream, direction="in")
            called = await out.calls.make(target, lambda at=cursor: connector.fetch(stream, at, limit, since))  # type: ignore[misc]
            if called is None:
                break
            await out.store.run(ReadSet(), lambda _, tried=called.attempt: WriteSet(attempts=[tried]))  # type: ignore[misc]
            if called.value is None:
                break
            page = called.value
            fresh = await out.store.receive(inputs_of(out.plan, "poll", page.envelopes, out.clock.now()))
            seen += len(fresh)
            missed += sum(fresh)
            mark = repr(sorted(page.cursor.items()))
            if not page.more or mark in marks:
                finished = not page.more
                break
            marks.add(mark)
            cursor = page.cursor
        level = _log.warning if missed else _log.info
        level("stream.recounted", account=out.account, kind=stream, seen=seen, missed=missed, finished=finished)
        return Counted(seen, missed, finished)

    async def catch_up(self) -> int:
        """The vendor is back: what waits for its next try is due now. How many pieces of work.

        Tries stay counted; only the waiting ends, which was meant for the outage.
        """
        out = self._out
        woken = 0
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            rows, cursor = await self._queries.levels(account=out.account, state="dirty", limit=PAGE, cursor=cursor)
            woken += await self._hasten(rows)
            if cursor is None:
                break
        woken += await self._hasten_effects()
        if woken:
            _log.info("work.hastened", account=out.account, items=woken)
        return woken

    async def _hasten(self, rows: Sequence[LevelRow]) -> int:
        """Only what failed for the vendor's sake: a number that drifts is spaced out on purpose."""
        now = moments.now(self._out.clock)
        waiting = [row for row in rows if row.due_at > now and (row.error or "").startswith("Transient")]
        if not waiting:
            return 0
        updates = [LevelUpdate(key_of(row), {"due_at": now}, guard_seq=row.sent_seq) for row in waiting]
        await self._out.store.run(ReadSet(), lambda _: WriteSet(levels=updates))
        return len(waiting)

    async def _hasten_effects(self) -> int:
        out = self._out
        now = moments.now(out.clock)
        hastened = 0
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            rows, cursor = await self._queries.effects(account=out.account, state="pending", limit=PAGE, cursor=cursor)
            waiting = {row.idempotency_key for row in rows if row.attempts and row.due_at > now}
            if waiting:
                written = await out.store.run(ReadSet(effects=waiting), lambda state: _due_now(state, now))
                hastened += len(written.outbox)
            if cursor is None:
                break
        return hastened

    async def wake_shadowed(self) -> int:
        """Numbers computed in shadow mode become due once the account is live; how many did."""
        out = self._out
        if out.accounts.mode(out.account) is not Mode.LIVE:
            return 0
        woken = 0
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            rows, cursor = await self._queries.levels(account=out.account, state="new", limit=PAGE, cursor=cursor)
            woken += await make_due(out.store, [row for row in rows if row.error == SHADOW])
            if cursor is None:
                break
        if woken:
            _log.info("availability.woken", account=out.account, levels=woken)
        return woken

    async def follow_policy(self) -> int:
        """Make every number due when the configuration computes them otherwise than the last time; how many.

        What the numbers were computed by is kept beside the account's cursors, and only once all are due.
        """
        out = self._out
        name = _computed_by(out.plan)
        row = await out.store.cursor(out.account, POLICY)
        if row is not None and row.cursor == name:
            return 0
        woken = 0
        cursor: str | None = None
        for _ in range(PAGES_MAX if row is not None else 0):
            rows, cursor = await self._queries.levels(account=out.account, limit=PAGE, cursor=cursor)
            # What already stands as it should is read, not written: only the number decides.
            woken += await make_due(out.store, rows, proven=True)
            if cursor is None:
                break
        kept = CursorRow(out.account, POLICY, name, None, moments.now(out.clock))
        await out.store.run(ReadSet(), lambda _: WriteSet(cursors=[kept]))
        if woken:
            _log.info("availability.policy_changed", account=out.account, levels=woken)
        return woken


def _due_now(state: State, now: int) -> WriteSet:
    """What still waits; what was taken up since it was seen is left alone."""
    waiting = [row for row in state.effects.values() if row.state is OutboxState.PENDING and row.due_at > now]
    return WriteSet(outbox=[OutboxUpdate(row.id, row.state, row.attempts, now) for row in waiting])


def _computed_by(plan: AccountPlan) -> str:
    """Everything of the configuration a published number depends on, named by its digest."""
    parts = (asdict(plan.policy), pool_of(plan), tuple(plan.locations.items()), plan.quantity_meaning)
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


async def make_due(store: Store, rows: Sequence[LevelRow], *, proven: bool = False) -> int:
    """Make these levels dirty; the number is computed when it is sent, never taken from here.

    `proven`: what was read back before still counts, so that an unchanged number is not sent again.
    """
    if not rows:
        return 0
    keys = {key_of(row) for row in rows}

    def decide(state: State) -> WriteSet:
        updates = []
        for key, row in state.levels.items():
            change = due_change(row, state.now)
            if proven:
                del change["verified_quantity"]
            updates.append(LevelUpdate(key, change))
        return WriteSet(levels=updates)

    written = await store.run(ReadSet(levels=keys), decide)
    return len(written.levels)


def due_change(row: LevelRow, now: int) -> dict[str, object]:
    """What makes a level due again whatever stands there now."""
    return {
        "state": LevelState.DIRTY,
        "dirty_seq": row.dirty_seq + 1,
        "dirty_at": row.dirty_at if row.dirty_at is not None else now,
        "due_at": now,
        "attempts": 0,
        "error": None,
        "verified_quantity": None,
    }


def _is_settled(row: LevelRow) -> bool:
    sent = row.sent_quantity is not None and row.dirty_seq <= row.sent_seq
    return sent and row.state in _SETTLED
