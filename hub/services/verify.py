"""Reading back: an accepted number is a claim until the channel shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from connectors.sdk.budget import Priority
from connectors.sdk.contract import ReadsBack, ShownLevel
from hub.delivery.references import level_reference
from hub.delivery.schedule import delay_s
from hub.delivery.verification import READ_AGES_S, UNREADABLE_RESEND_S, Verdict, judge, next_read_s
from hub.ports.store import LevelRow, LevelState, LevelUpdate, Micros, ReadSet, WriteSet
from hub.services import moments
from hub.services.answers import AVAILABILITY, failure
from hub.services.calls import Target
from hub.services.intents import key_of, ref_of
from hub.services.publish import Outward
from hub.services.rounds import Round

_log = structlog.get_logger(__name__)

LANE = "read"
DRIFTS_UNTIL_PARKED = 3
"""A number that does not stay is sent again; from the third time on an operator sees it too."""

_PARKED = {
    Verdict.MISSING: ("TargetMissing", "listing_gone", "the channel no longer shows this listing"),
    Verdict.UNTRACKED: ("Rejected", "not_tracked", "the channel does not track a quantity for this listing"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One level with what the channel shows for it."""

    row: LevelRow
    shown: ShownLevel


class Verifier:
    """Reads back what was sent for one account. One round at a time per account."""

    def __init__(self, out: Outward, connector: object) -> None:
        self._out = out
        self._reader = connector if isinstance(connector, ReadsBack) else None
        self._size = max(1, out.plan.manifest.read_back_batch_max)

    async def verify_due(self) -> Round:
        """Read every sent or accepted level whose time has come. Raises `StoreUnavailable`."""
        out = self._out
        if not out.accounts.may_call(out.account):
            return Round(blocked=True)
        if self._reader is None:
            return await self._resend_lost()
        if (wait := out.calls.wait_s(LANE)) > 0:
            return Round(wait_s=wait)
        now = moments.now(out.clock)
        limit = max(4 * self._size, 100)
        waiting = await out.store.levels_to_verify(out.account, limit, moments.after(now, -READ_AGES_S[0]))
        due = [row for row in waiting if row.due_at <= now and not _superseded(row)]
        total = Round()
        for start in range(0, len(due), self._size):
            step = await self.read(due[start : start + self._size])
            if step is None:
                return Round(total.done, wait_s=out.calls.wait_s(LANE) or READ_AGES_S[0])
            total = total.plus(step)
        return total

    async def read(self, rows: Sequence[LevelRow], *, sweep: bool = False) -> Round | None:
        """Read these levels (at most one batch) and store what follows; None when no answer came.

        Args:
            rows: Levels with a number sent.
            sweep: A periodic comparison of numbers long since settled: a difference is drift.
        """
        out = self._out
        reader = self._reader
        if reader is None or not rows:
            return None
        refs = [ref_of(row) for row in rows]
        reference = level_reference(key_of(rows[0])) if len(rows) == 1 else ""
        what = f"{len(rows)} listings"
        target = Target(LANE, "read_back", what, reference=reference, direction="in", priority=Priority.CHECK)
        called = await out.calls.make(target, lambda: reader.read_back(refs))
        if called is None:
            return None
        if called.error is not None or called.value is None:
            await out.store.run(ReadSet(), lambda _: WriteSet(attempts=[called.attempt]))
            return None
        by_ref = {shown.ref: shown for shown in called.value}
        readings = [Reading(row, by_ref[ref]) for row, ref in zip(rows, refs, strict=True) if ref in by_ref]
        reads = ReadSet(levels={key_of(row) for row in rows})
        drifts: list[tuple[LevelRow, int]] = []

        def decide(state: Any) -> WriteSet:
            drifts.clear()
            writes = WriteSet(attempts=[called.attempt])
            for reading in readings:
                current = state.levels.get(key_of(reading.row))
                if current is not None and current.sent_seq == reading.row.sent_seq:
                    self._judge(current, reading.shown, state.now, writes, drifts, sweep=sweep)
            return writes

        await out.store.run(reads, decide)
        for row, units in drifts:
            out.telemetry.drift(out.account, units)
            _log.warning("availability.drifted", account=out.account, listing=row.listing_id, units=units)
        return Round(done=len(readings))

    def _judge(
        self,
        row: LevelRow,
        shown: ShownLevel,
        now: Micros,
        writes: WriteSet,
        drifts: list[tuple[LevelRow, int]],
        *,
        sweep: bool,
    ) -> None:
        age_s = moments.seconds_between(row.sent_at or now, now)
        verdict = judge(sent=row.sent_quantity, shown=shown.quantity, missing=shown.missing, age_s=age_s)
        change: dict[str, Any] = {"shown_quantity": shown.quantity}
        if verdict is Verdict.VERIFIED:
            change |= _verified(row, now)
            if row.error is not None:
                writes.resolved_failures.append((row.account, AVAILABILITY, level_reference(key_of(row))))
        elif verdict is Verdict.LATE:
            change["due_at"] = moments.after(now, next_read_s(age_s))
        elif verdict is Verdict.DRIFTED:
            drifts.append((row, abs((shown.quantity or 0) - (row.sent_quantity or 0))))
            change |= self._drifted(row, shown, now, writes, sweep=sweep)
        else:
            heading, code, message = _PARKED[verdict]
            change |= {"state": LevelState.REJECTED, "attempts": 0, "error": f"{heading}: {message}"}
            writes.failures.append(failure(row, heading=heading, code=code, message=message, tries=row.attempts))
        if _superseded(row):
            # A newer number is due: keep what was seen, leave state and schedule to its push.
            change = {"shown_quantity": shown.quantity}
        writes.levels.append(LevelUpdate(key_of(row), change, guard_seq=row.sent_seq))

    def _drifted(
        self, row: LevelRow, shown: ShownLevel, now: Micros, writes: WriteSet, *, sweep: bool
    ) -> dict[str, Any]:
        """Dirty again at once the first time, then on the retry schedule; never given up in silence."""
        tries = 1 if sweep else row.attempts + 1
        wait = delay_s(tries, self._out.jitter) if tries > 1 else 0.0
        message = f"shows {shown.quantity}, was sent {row.sent_quantity}"
        change: dict[str, Any] = {
            "state": LevelState.DRIFTED,
            "dirty_seq": row.dirty_seq + 1,
            "dirty_at": now,
            "due_at": moments.after(now, wait or 0.0),
            "attempts": tries,
            # A vendor that saw this key would repeat its answer and change nothing: the next write is another.
            "push_key": None,
        }
        if wait is None:
            change |= {"dirty_seq": row.dirty_seq, "dirty_at": None, "state": LevelState.REJECTED, "attempts": 0}
        if tries >= DRIFTS_UNTIL_PARKED or wait is None:
            change["error"] = f"Drifted: {message}"
            writes.failures.append(failure(row, heading="Drifted", code="drift", message=message, tries=tries))
        return change

    async def _resend_lost(self) -> Round:
        """Where nothing can be read, a push whose answer never came is sent again after a while."""
        out = self._out
        now = moments.now(out.clock)
        waiting = await out.store.levels_to_verify(out.account, 200, moments.after(now, -UNREADABLE_RESEND_S))
        lost = [row for row in waiting if row.state is LevelState.SENT and not _superseded(row)]
        if not lost:
            return Round()
        updates = [
            LevelUpdate(
                key_of(row),
                {"state": LevelState.DIRTY, "dirty_seq": row.dirty_seq + 1, "dirty_at": now, "due_at": now},
                guard_seq=row.sent_seq,
            )
            for row in lost
        ]
        await out.store.run(ReadSet(), lambda _: WriteSet(levels=updates))
        return Round(done=len(lost))


def _verified(row: LevelRow, now: Micros) -> dict[str, Any]:
    return {
        "state": LevelState.VERIFIED,
        "verified_quantity": row.sent_quantity,
        "verified_at": now,
        "attempts": 0,
        "error": None,
    }


def _superseded(row: LevelRow) -> bool:
    return row.dirty_seq > row.sent_seq
