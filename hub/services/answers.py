"""What a vendor's answer does to a published number: accepted, queued, later, refused, or once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.sdk.contract import PushResult, PushState
from connectors.sdk.errors import ConnectorError, Transient
from connectors.sdk.ports import Jitter
from hub.delivery.decision import Action, Decision, decide
from hub.delivery.references import level_reference
from hub.delivery.verification import READ_AGES_S, receipt_wait_s
from hub.ports.store import LevelRow, LevelState, LevelUpdate, Micros, NewFailure, ReadSet, State, Store, WriteSet
from hub.services import moments
from hub.services.intents import Intent, key_of

AVAILABILITY = "availability"
PART = 1_000
"""Levels written by one unit of work."""


@dataclass(slots=True)
class Answered:
    """The writes of one call's answers, and what the caller does next.

    `redo`: levels whose compare value was stale. `lags_s`: from cause to acceptance, per accepted
    item. `failures`: what was parked, for the log. `soonest`: the earliest new due instant.
    """

    writes: WriteSet = field(default_factory=WriteSet)
    accepted: int = 0
    pending: int = 0
    again: int = 0
    rejected: int = 0
    redo: list[Intent] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    soonest: Micros | None = None

    def due(self, at: Micros) -> Micros:
        self.soonest = at if self.soonest is None else min(at, self.soonest)
        return at


class Answers:
    """Applies answers for one account.

    Args:
        rhythm: Waits between questions about a queued batch.
        reads_back: Only a reading proves a number, so tries are counted until then.
    """

    def __init__(self, jitter: Jitter, rhythm: tuple[float, ...], *, reads_back: bool) -> None:
        self._jitter = jitter
        self._rhythm = rhythm
        self._reads_back = reads_back

    def apply(
        self, pairs: Iterable[tuple[Intent, PushResult]], now: Micros, *, redos: int = 0, probe: bool = False
    ) -> Answered:
        """Each intent with its result. `probe`: failures burn nothing, the circuit is open."""
        answered = Answered()
        for intent, result in pairs:
            if result.state is PushState.ACCEPTED:
                self._accepted(answered, intent, now)
            elif result.state is PushState.PENDING:
                self._pending(answered, intent, result, now)
            else:
                error = result.error or Transient("the connector gave no reason", code="no_reason")
                self._failed(answered, intent, error, now, redos=redos, probe=probe)
        return answered

    def _accepted(self, answered: Answered, intent: Intent, now: Micros) -> None:
        row = intent.row
        answered.accepted += 1
        change: dict[str, Any] = {
            "state": LevelState.ACCEPTED,
            "sent_at": now,
            "receipt": None,
            "error": None,
            "due_at": moments.after(now, READ_AGES_S[0]),
        }
        if not self._reads_back:
            change["attempts"] = 0
        if row.receipt is not None and row.state is LevelState.SENT:
            change["dirty_at"] = None
        if row.dirty_at is not None:
            answered.lags_s.append(moments.seconds_between(row.dirty_at, now))
        if row.error is not None:
            answered.writes.resolved_failures.append((row.account, AVAILABILITY, level_reference(key_of(row))))
        self._write(answered, intent, change)

    def _pending(self, answered: Answered, intent: Intent, result: PushResult, now: Micros) -> None:
        answered.pending += 1
        asked_since = intent.row.sent_at if intent.row.receipt == result.receipt and intent.row.sent_at else now
        wait = receipt_wait_s(self._rhythm, moments.seconds_between(asked_since, now))
        due_at = answered.due(moments.after(now, wait))
        change: dict[str, Any] = {
            "state": LevelState.SENT,
            "receipt": result.receipt or intent.row.receipt,
            "due_at": due_at,
            # Not published yet: the cause stays, so that the lag counts until the item is taken.
            "dirty_at": intent.row.dirty_at,
        }
        self._write(answered, intent, change)

    def _failed(
        self, answered: Answered, intent: Intent, error: ConnectorError, now: Micros, *, redos: int, probe: bool
    ) -> None:
        row = intent.row
        decision = decide(error, failed_tries=row.attempts, jitter=self._jitter, redos=redos, retry_while_open=probe)
        if decision.action is Action.STOP:
            raise error
        if decision.action is Action.REDO:
            answered.redo.append(intent)
        elif decision.action is Action.QUARANTINE:
            self._quarantine(answered, intent, error, decision)
        else:
            self._again(answered, intent, error, decision, now)

    def _again(
        self, answered: Answered, intent: Intent, error: ConnectorError, decision: Decision, now: Micros
    ) -> None:
        """Due again. The held lane or account keeps it from going out before its time, not `due_at`."""
        row = intent.row
        answered.again += 1
        wait = decision.delay_s if decision.action is Action.RETRY else 0.0
        due_at = answered.due(moments.after(now, wait))
        self._write(
            answered,
            intent,
            {
                "state": LevelState.DIRTY,
                "sent_seq": intent.seq - 1,
                "dirty_at": row.dirty_at if row.dirty_at is not None else now,
                "due_at": due_at,
                "attempts": row.attempts + decision.burns_attempt,
                "error": f"{decision.heading}: {error.message}",
            },
        )

    def _quarantine(self, answered: Answered, intent: Intent, error: ConnectorError, decision: Decision) -> None:
        row = intent.row
        answered.rejected += 1
        answered.writes.failures.append(
            failure(row, heading=decision.heading, code=decision.code, message=error.message, tries=row.attempts + 1)
        )
        # Tries start anew when the position changes: another number may well be taken.
        change = {"state": LevelState.REJECTED, "attempts": 0, "error": f"{decision.heading}: {error.message}"}
        self._write(answered, intent, change)

    def _write(self, answered: Answered, intent: Intent, change: dict[str, Any]) -> None:
        answered.writes.levels.append(LevelUpdate(intent.key, change, guard_seq=intent.seq))


def outward_lag(account: str, lags_s: Sequence[float]) -> dict[tuple[str, str], Micros]:
    """What the status keeps of the lags of one answer: the longest."""
    return {(account, "outward"): moments.after(0, max(lags_s))} if lags_s else {}


async def store_answers(store: Store, account: str, answered: Answered) -> None:
    """Write what came of a call, many levels part by part, so that other work gets its turn in between.

    A crash before the last part leaves the rest as sent without an answer: those are read back.
    """
    writes = answered.writes
    writes.lags |= outward_lag(account, answered.lags_s)
    levels, rest = writes.levels, replace(writes, levels=[])
    for start in range(0, max(1, len(levels)), PART):
        part = replace(rest if start == 0 else WriteSet(), levels=levels[start : start + PART])
        reads = ReadSet(levels={update.key for update in part.levels})
        await store.run(reads, lambda state, part=part: respecting_newer(part, state))  # type: ignore[misc]


def respecting_newer(writes: WriteSet, state: State) -> WriteSet:
    """The same writes, except that a level which became dirty meanwhile keeps its own due instant.

    `state` holds the levels as they are now; the earlier of two causes counts for the lag.
    """
    kept: list[LevelUpdate] = []
    for update in writes.levels:
        row = state.levels.get(update.key)
        if row is None or update.guard_seq is None or row.dirty_seq <= update.guard_seq:
            kept.append(update)
            continue
        change = {name: value for name, value in update.set.items() if name not in ("due_at", "dirty_at")}
        causes = [at for at in (update.set.get("dirty_at"), row.dirty_at) if at is not None]
        kept.append(replace(update, set=change | {"dirty_at": min(causes, default=None)}))
    return replace(writes, levels=kept)


def failure(row: LevelRow, *, heading: str, code: str, message: str, tries: int) -> NewFailure:
    """The parked form of a level, one open row per level."""
    return NewFailure(
        account=row.account,
        kind=AVAILABILITY,
        reference=level_reference(key_of(row)),
        error=heading,
        code=code,
        path=row.channel_sku,
        message=message,
        fingerprint=f"{row.account}:{AVAILABILITY}:{heading}:{code}",
        attempts=tries,
    )
