"""Running parked work again, or giving it up: by filter, counted first, paced, audited."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import structlog

from connectors.sdk.ports import Clock
from hub.delivery.lanes import UNDECLARED_RATE, replay_rate
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import (
    AuditEntry,
    FailureRow,
    FailureState,
    InboxResult,
    InboxState,
    Micros,
    ReadSet,
    Store,
    WriteSet,
)
from hub.ports.telemetry import Telemetry
from hub.services import moments
from hub.services.requeue import RUN_AGAIN, Spread, can_replay, due_again, give_up, level_of, take_back

_log = structlog.get_logger(__name__)

CHUNK = 200
INPUTS_PER_S = 200.0
"""Stored inputs run again a second: they cost no vendor's budget, only the loop's time."""


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failures are meant. `ids` wins over the rest; nothing set means all open ones."""

    ids: tuple[int, ...] = ()
    account: str | None = None
    kind: str | None = None
    error: str | None = None
    older_than_s: float | None = None


@dataclass(slots=True)
class Outcome:
    """What was, or with `dry_run` would be, done. `skipped` cannot be run again by itself.

    `last_due_s`: seconds until the last item is due; replays are spread over the vendor's budget.
    """

    dry_run: bool
    count: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    by_error: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    last_due_s: float = 0.0

    def as_json(self) -> dict[str, object]:
        return {
            "dry_run": self.dry_run,
            "count": self.count,
            "by_kind": dict(sorted(self.by_kind.items())),
            "by_error": dict(sorted(self.by_error.items())),
            "skipped": self.skipped,
            "last_due_s": round(self.last_due_s, 1),
        }


class Replayer:
    """Replays and discards failures of all accounts.

    Nothing is sent from here: work is made due again, each item at its own instant, so that
    replays take at most a quarter of a vendor's budget and live work goes first. Only open
    failures are taken, therefore asking twice changes nothing more.
    """

    def __init__(
        self,
        plans: Mapping[str, AccountPlan],
        store: Store,
        queries: Queries,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._plans = plans
        self._store = store
        self._queries = queries
        self._clock = clock
        self._telemetry = telemetry
        self._waiting: list[Spread] = []

    async def replay(self, which: FailureFilter, *, actor: str, dry_run: bool = False) -> Outcome:
        """Make matching open failures due again. Raises `StoreUnavailable` between chunks at most."""
        outcome = Outcome(dry_run)
        turns = _Turns(self._plans, moments.now(self._clock))
        # What was due meanwhile cannot be taken back any more and need not be remembered.
        self._waiting = [item for item in self._waiting if item.due_at > turns.began_at]
        async for rows in self._matching(which):
            spread = [Spread(row, turns.next(row)) for row in rows if can_replay(row)]
            outcome.skipped += len(rows) - len(spread)
            _count(outcome, [item.row for item in spread])
            if not dry_run and spread:
                await self._make_due(spread)
        outcome.last_due_s = moments.seconds_between(turns.began_at, turns.last_at)
        await self._finish("failures.replayed", which, outcome, actor)
        return outcome

    async def discard(self, which: FailureFilter, *, actor: str, dry_run: bool = False) -> Outcome:
        """Give matching open failures up. A discarded effect frees the work behind it on its key."""
        outcome = Outcome(dry_run)
        async for rows in self._matching(which):
            _count(outcome, rows)
            if not dry_run:
                writes = WriteSet(failure_states=[(row.id, FailureState.DISCARDED) for row in rows])
                for row in rows:
                    give_up(row, writes)
                await self._store.run(ReadSet(), lambda _, owed=writes: owed)  # type: ignore[misc]
        await self._finish("failures.discarded", which, outcome, actor)
        return outcome

    async def cancel(self, *, actor: str) -> int:
        """Take back every replayed item that is not due yet; its failure is open again. How many."""
        now = moments.now(self._clock)
        waiting = [item for item in self._waiting if item.due_at > now]
        self._waiting = []
        taken = 0
        for start in range(0, len(waiting), CHUNK):
            part = waiting[start : start + CHUNK]
            reads = ReadSet(levels={key for item in part if (key := level_of(item.row)) is not None})
            written = await self._store.run(reads, lambda state, part=part: take_back(state, part))  # type: ignore[misc]
            taken += len(written.failure_states)
        entry = AuditEntry(actor, "replay.cancelled", "failures", json.dumps({"count": taken}))
        await self._store.run(ReadSet(), lambda _: WriteSet(audit=[entry]))
        _log.info("replay.cancelled", actor=actor, items=taken)
        return taken

    async def rerun(
        self, account: str, *, topics: Sequence[str], since: datetime | None, actor: str, dry_run: bool = False
    ) -> Outcome:
        """Map and apply stored inputs again with the mapping of today; newer states stay untouched.

        What is already applied changes nothing, because postings and versions are guarded.
        """
        outcome = Outcome(dry_run)
        now = moments.now(self._clock)
        cursor: str | None = None
        while True:
            items, cursor = await self._queries.inputs(
                account=account,
                topics=topics,
                since=moments.micros(since) if since else None,
                limit=CHUNK,
                cursor=cursor,
            )
            due = [item for item in items if item.payload]
            outcome.skipped += len(items) - len(due)
            if not dry_run and due:
                results = [
                    InboxResult(
                        item.seq,
                        InboxState.PENDING,
                        moments.after(now, (outcome.count + n) / INPUTS_PER_S),
                        RUN_AGAIN,
                    )
                    for n, item in enumerate(due)
                ]
                await self._store.run(ReadSet(), lambda _, owed=results: WriteSet(inbox=owed))  # type: ignore[misc]
            outcome.count += len(due)
            outcome.by_kind["inbound"] += len(due)
            if cursor is None:
                break
        outcome.last_due_s = outcome.count / INPUTS_PER_S
        which = {"account": account, "topics": list(topics), "since": since.isoformat() if since else None}
        await self._audit("inputs.rerun", which, outcome, actor)
        return outcome

    async def _matching(self, which: FailureFilter) -> AsyncIterator[Sequence[FailureRow]]:
        """Open failures, in chunks. Pages are read ahead of being changed, so none is passed over."""
        if which.ids:
            found = [row for number in which.ids if (row := await self._queries.failure(number)) is not None]
            for start in range(0, len(found), CHUNK):
                yield [row for row in found[start : start + CHUNK] if row.state is FailureState.OPEN]
            return
        pages: list[Sequence[FailureRow]] = []
        cursor: str | None = None
        while True:
            rows, cursor = await self._queries.failures(
                account=which.account,
                kind=which.kind,
                error=which.error,
                older_than_s=which.older_than_s,
                state=FailureState.OPEN.value,
                limit=CHUNK,
                cursor=cursor,
            )
            pages.append(rows)
            if cursor is None:
                break
        for rows in pages:
            yield rows

    async def _make_due(self, spread: Sequence[Spread]) -> None:
        reads = ReadSet(levels={key for item in spread if (key := level_of(item.row)) is not None})
        await self._store.run(reads, lambda state: due_again(state, spread))
        self._waiting.extend(spread)

    async def _finish(self, action: str, which: FailureFilter, outcome: Outcome, actor: str) -> None:
        if not outcome.dry_run:
            word = action.rpartition(".")[2]
            for kind, count in outcome.by_kind.items():
                self._telemetry.replayed(which.account or "", kind, word, count)
        await self._audit(action, asdict(which), outcome, actor)

    async def _audit(self, action: str, which: Mapping[str, object], outcome: Outcome, actor: str) -> None:
        _log.info(action, actor=actor, items=outcome.count, dry_run=outcome.dry_run)
        if outcome.dry_run:
            return
        detail = json.dumps({"which": which, "done": outcome.as_json()}, default=str)
        entry = AuditEntry(actor, action, "failures", detail)
        await self._store.run(ReadSet(), lambda _: WriteSet(audit=[entry]))


class _Turns:
    """Hands out due instants, one account and kind of budget at a time."""

    def __init__(self, plans: Mapping[str, AccountPlan], began_at: Micros) -> None:
        self._plans = plans
        self._given: Counter[tuple[str, str]] = Counter()
        self.began_at = began_at
        self.last_at = began_at

    def next(self, row: FailureRow) -> Micros:
        number = self._given[row.account, row.kind]
        self._given[row.account, row.kind] += 1
        at = moments.after(self.began_at, number / self._rate(row))
        self.last_at = max(self.last_at, at)
        return at

    def _rate(self, row: FailureRow) -> float:
        if row.kind == "inbound":
            return INPUTS_PER_S
        plan = self._plans.get(row.account)
        if plan is None:
            return UNDECLARED_RATE
        # Effects and numbers spend the same budget, so each kind gets half of the replays' share.
        calls = replay_rate(plan.manifest.budgets, plan.manifest.replay_budgets) / 2.0
        return calls * max(1, plan.manifest.publish_batch_max) if row.kind == "availability" else calls


def _count(outcome: Outcome, rows: Sequence[FailureRow]) -> None:
    outcome.count += len(rows)
    outcome.by_kind.update(row.kind for row in rows)
    outcome.by_error.update(f"{row.kind}/{row.error}" for row in rows)
