"""Availability on its way out: take what is due, compute it now, send it, believe nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from connectors.sdk.budget import Priority
from connectors.sdk.contract import Publishes, PushItem, PushResult, PushState, ReadsBack, ShownLevel
from connectors.sdk.errors import AuthFailed, ConnectorError, RateLimited, Rejected, Transient
from connectors.sdk.ports import Clock, Ids, Jitter
from hub.delivery.decision import CONFLICT_REDOS_MAX
from hub.delivery.references import level_reference
from hub.ports.accounts import AccountPlan, Mode
from hub.ports.store import LevelRow, LevelState, LevelUpdate, ReadSet, Store, WriteSet
from hub.ports.telemetry import Telemetry
from hub.services import moments
from hub.services.accounts import Accounts
from hub.services.answers import Answered, Answers, store_answers
from hub.services.calls import Called, Target, VendorCalls
from hub.services.intents import Intent, Intents, Quantify, key_of, ref_of
from hub.services.rounds import Round
from hub.services.stragglers import Stragglers

_log = structlog.get_logger(__name__)

LANE = "level"
ROWS_MAX = 10_000
"""Due levels looked at in one round, however many a vendor takes at once; the rest stay due."""


@dataclass(frozen=True, slots=True)
class Outward:
    """What the outward use cases of one account stand on."""

    plan: AccountPlan
    calls: VendorCalls
    accounts: Accounts
    store: Store
    clock: Clock
    ids: Ids
    jitter: Jitter
    telemetry: Telemetry

    @property
    def account(self) -> str:
        return self.plan.account


class Publisher:
    """Publishes the due levels of one account. One round at a time per account.

    A call that takes long goes on in `late` while the next round sends other levels.
    """

    def __init__(self, out: Outward, connector: Publishes, quantify: Quantify) -> None:
        self._out = out
        self._connector = connector
        self._reader = connector if isinstance(connector, ReadsBack) else None
        reads_back = self._reader is not None
        self._intents = Intents(out.plan, out.store, out.ids, quantify, reads_back=reads_back)
        self.late = Stragglers()
        self.answers = Answers(out.jitter, out.plan.manifest.receipt_poll_s, reads_back=reads_back)

    async def publish_due(self) -> Round:
        """Send what is due, batch by batch, until nothing is due or the gate shuts.

        Raises `StoreUnavailable`; what was sent without being noted is read back later.
        """
        out = self._out
        total = self.late.reap()
        if out.accounts.mode(out.account) is not Mode.SHADOW:
            if not out.accounts.may_send(out.account):
                return total.plus(Round(blocked=True))
            if (wait := out.calls.wait_s(LANE)) > 0:
                return total.plus(Round(wait_s=wait))
        batch = max(1, out.plan.manifest.publish_batch_max)
        busy = self.late.keys
        found = await out.store.dirty_levels(out.account, min(max(batch, 50) + len(busy), ROWS_MAX))
        due = [row for row, _ in found if key_of(row) not in busy]
        for start in range(0, len(due), batch):
            rows = due[start : start + batch]
            step = await self.late.run(map(key_of, rows), self._batch(rows))
            total = total.plus(step)
            if step.blocked or out.calls.wait_s(LANE) > 0:
                return total
        return total.more() if due else total

    async def _batch(self, rows: Sequence[LevelRow]) -> Round:
        out = self._out
        shadow = out.accounts.mode(out.account) is Mode.SHADOW
        if not shadow and (not out.accounts.may_send(out.account) or out.calls.wait_s(LANE) > 0):
            return Round(blocked=not out.accounts.may_send(out.account), wait_s=out.calls.wait_s(LANE) or None)
        planned = await self._intents.plan(rows, send=not shadow)
        if planned.shadowed:
            _log.info("availability.computed", account=out.account, items=planned.shadowed, mode="shadow")
        result = Round(done=planned.settled + planned.shadowed)
        if planned.intents:
            result = result.plus(await self._send(planned.intents, redos=0))
        return result

    async def _send(self, intents: Sequence[Intent], *, redos: int) -> Round:
        """One call for these intents, its answers stored, stale ones redone."""
        out = self._out
        items = [intent.item for intent in intents]
        target = Target(
            LANE,
            "publish",
            _named(intents),
            reference=level_reference(intents[0].key) if len(intents) == 1 else "",
            priority=Priority.URGENT if any(item.urgent for item in items) else Priority.LIVE,
        )
        called = await out.calls.make(target, lambda: self._connector.publish(items), inside=speaks_for_all)
        if called is None:
            # The gate shut between the plan and the call: due again, nothing burned.
            await self._store(self._unsent(intents, RateLimited("the gate is shut")), None)
            return Round(wait_s=out.calls.wait_s(LANE) or 1.0)
        if _splits(called.error, intents):
            return await self._halves(intents, called, redos=redos)
        results = results_of(called, items)
        now = moments.now(out.clock)
        pairs = list(zip(intents, results, strict=True))
        answered = self.answers.apply(pairs, now, redos=redos, probe=called.probe)
        await self._store(answered, called)
        done = Round(done=len(intents) - len(answered.redo) - answered.again, wait_s=self._until(answered, now))
        if answered.redo:
            done = done.plus(await self._redo(answered.redo, redos=redos + 1))
        return done

    def _unsent(self, intents: Sequence[Intent], why: ConnectorError) -> Answered:
        results = [PushResult(intent.item, PushState.FAILED, error=why) for intent in intents]
        return self.answers.apply(zip(intents, results, strict=True), moments.now(self._out.clock))

    async def _halves(self, intents: Sequence[Intent], called: Called[Sequence[PushResult]], *, redos: int) -> Round:
        """The vendor refused the whole call for something in it: halve until the bad item stands alone."""
        await self._out.store.run(ReadSet(), lambda _: WriteSet(attempts=[called.attempt]))
        middle = len(intents) // 2
        first = await self._send(intents[:middle], redos=redos)
        return first.plus(await self._send(intents[middle:], redos=redos))

    async def _redo(self, stale: Sequence[Intent], *, redos: int) -> Round:
        """The channel's number moved under us: read it, compute ours again, send with a new key, at once."""
        rows = [intent.row for intent in stale]
        shown = await self._read(rows)
        if shown is None or redos > CONFLICT_REDOS_MAX:
            error = Transient("the channel's number keeps moving, or could not be read", code="conflict")
            answered = self._unsent(stale, error)
            await self._store(answered, None)
            return Round(wait_s=self._until(answered, moments.now(self._out.clock)))
        updates = [
            LevelUpdate(key_of(row), {"shown_quantity": level.quantity}) for row, level in zip(rows, shown, strict=True)
        ]
        await self._out.store.run(ReadSet(), lambda _: WriteSet(levels=updates))
        planned = await self._intents.plan(rows, send=True, fresh=True)
        carried = _with_causes(planned.intents, stale)
        result = Round()
        batch = max(1, self._out.plan.manifest.publish_batch_max)
        for start in range(0, len(carried), batch):
            result = result.plus(await self._send(carried[start : start + batch], redos=redos))
        return result

    async def _read(self, rows: Sequence[LevelRow]) -> list[ShownLevel] | None:
        out = self._out
        if self._reader is None:
            return None
        reader = self._reader
        shown: list[ShownLevel] = []
        size = max(1, out.plan.manifest.read_back_batch_max)
        for start in range(0, len(rows), size):
            refs = [ref_of(row) for row in rows[start : start + size]]
            target = Target(LANE, "read_back", f"{len(refs)} listings", direction="in", priority=Priority.URGENT)
            called = await out.calls.make(target, lambda refs=refs: reader.read_back(refs))  # type: ignore[misc]
            if called is None:
                return None
            await out.store.run(ReadSet(), lambda _, tried=called.attempt: WriteSet(attempts=[tried]))  # type: ignore[misc]
            if called.value is None:
                return None
            shown.extend(called.value)
        return shown

    async def _store(self, answered: Answered, called: Called[Sequence[PushResult]] | None) -> None:
        out = self._out
        if called is not None:
            answered.writes.attempts.append(called.attempt)
        if called is not None:
            _log.info(
                "availability.sent",
                account=out.account,
                accepted=answered.accepted,
                pending=answered.pending,
                again=answered.again,
                rejected=answered.rejected,
                stale=len(answered.redo),
                outcome=called.attempt.outcome,
            )
        await store_answers(out.store, out.account, answered)
        for seconds in answered.lags_s:
            out.telemetry.lag(out.account, "out", seconds)

    def _until(self, answered: Answered, now: int) -> float | None:
        if (closed := self._out.calls.wait_s(LANE)) > 0:
            return closed
        if answered.soonest is None or not answered.again:
            return None
        return moments.seconds_between(now, answered.soonest)


def results_of(called: Called[Sequence[PushResult]], items: Sequence[PushItem]) -> list[PushResult]:
    """One result per item, in order, whatever came back.

    Results are matched by the item they carry; an item without one is sent again.
    """
    if called.error is not None:
        return [PushResult(item, PushState.FAILED, error=called.error) for item in items]
    by_ref = {result.item.ref: result for result in called.value or ()}
    missing = Transient("the answer does not mention this item", code="unanswered")
    return [by_ref.get(item.ref) or PushResult(item, PushState.FAILED, error=missing) for item in items]


def speaks_for_all(results: Sequence[PushResult]) -> ConnectorError | None:
    """An item's error that is really about the whole vendor: quota, login, or every item failing."""
    errors = [result.error for result in results if result.error is not None]
    for error in errors:
        if isinstance(error, RateLimited | AuthFailed):
            return error
    if errors and len(errors) == len(results) and all(isinstance(error, Transient) for error in errors):
        return errors[0]
    return None


def _splits(error: ConnectorError | None, intents: Sequence[Intent]) -> bool:
    return len(intents) > 1 and isinstance(error, Rejected)


def _named(intents: Sequence[Intent]) -> str:
    return intents[0].row.listing_id if len(intents) == 1 else f"{len(intents)} listings"


def _with_causes(fresh: Sequence[Intent], stale: Sequence[Intent]) -> list[Intent]:
    """The first intent's cause and tries travel with its redo: lag is measured from the cause."""
    before = {intent.key: intent.row for intent in stale}
    return [Intent(_caused(intent.row, before[intent.key]), intent.item, intent.seq) for intent in fresh]


def _caused(row: LevelRow, before: LevelRow) -> LevelRow:
    causes = [at for at in (row.dirty_at, before.dirty_at) if at is not None]
    return replace(row, dirty_at=min(causes, default=None), attempts=before.attempts, state=LevelState.SENT)
