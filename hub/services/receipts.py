"""Batches the vendor has queued: asked for on its rhythm until every item has an answer."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from connectors.sdk.contract import Publishes, PushItem, PushResult, PushState
from connectors.sdk.errors import Transient
from hub.ports.store import LevelRow, Micros
from hub.services import moments
from hub.services.answers import Answered, Answers, store_answers
from hub.services.calls import Target
from hub.services.intents import Intent, ref_of
from hub.services.publish import Outward, results_of
from hub.services.rounds import Round

_log = structlog.get_logger(__name__)

LANE = "receipt"
ROWS_MIN = 1_000
"""Levels of one queued batch asked about together at least; a vendor whose batches are larger sets more."""
GIVE_UP_S = 24 * 3_600.0
"""A batch without an answer for a day is taken for lost and its numbers are sent again."""


class Receipts:
    """Asks for queued batches of one account. One round at a time per account."""

    def __init__(self, out: Outward, connector: Publishes, answers: Answers) -> None:
        self._out = out
        self._connector = connector
        self._answers = answers
        self._later: dict[str, Micros] = {}
        """batches that were still queued when last asked for, and when they are asked for again; nothing was written
        of them, so after a restart they are asked for at once"""

    async def ask_due(self) -> Round:
        """Ask for every batch whose time has come. Raises `StoreUnavailable`."""
        out = self._out
        if not out.accounts.may_call(out.account):
            return Round(blocked=True)
        total = Round()
        # A level that became dirty meanwhile is answered by its next push, not by this batch.
        pending = dict(await out.store.pending_receipts(out.account))
        self._later = {receipt: at for receipt, at in self._later.items() if receipt in pending}
        for receipt, due_at in pending.items():
            now = moments.now(out.clock)
            if (due := max(due_at, self._later.get(receipt, 0))) > now:
                total = total.plus(Round(wait_s=moments.seconds_between(now, due)))
                continue
            if (wait := out.calls.wait_s(LANE)) > 0:
                return total.plus(Round(wait_s=wait))
            limit = max(out.plan.manifest.publish_batch_max, ROWS_MIN)
            if rows := await out.store.receipt_levels(out.account, receipt, limit):
                total = total.plus(await self._ask(receipt, rows))
        return total

    async def _ask(self, receipt: str, rows: Sequence[LevelRow]) -> Round:
        out = self._out
        intents = [_intent(row) for row in rows]
        items = [intent.item for intent in intents]
        target = Target(LANE, "receipt", f"{len(rows)} listings", reference=receipt, direction="in")
        called = await out.calls.make(target, lambda: self._connector.poll_receipt(receipt, items))
        if called is None:
            return Round(wait_s=out.calls.wait_s(LANE) or 1.0)
        now = moments.now(out.clock)
        age_s = moments.seconds_between(min(row.sent_at or now for row in rows), now)
        if called.error is not None:
            # Not answered is not refused: the batch stays queued and is asked for again.
            results = [PushResult(item, PushState.PENDING, receipt=receipt) for item in items]
        else:
            results = results_of(called, items)
        if age_s > GIVE_UP_S:
            results = [_given_up(result) for result in results]
        answered = self._answers.apply(zip(intents, results, strict=True), now)
        self._again_when_stale(answered, now)
        if answered.soonest is not None and all(_unchanged(result, receipt) for result in results):
            self._later[receipt] = answered.soonest
            answered.writes.levels.clear()
        answered.writes.attempts.append(called.attempt)
        await store_answers(out.store, out.account, answered)
        for seconds in answered.lags_s:
            out.telemetry.lag(out.account, "out", seconds)
        _log.info(
            "receipt.read",
            account=out.account,
            receipt=receipt,
            accepted=answered.accepted,
            pending=answered.pending,
            again=answered.again,
            rejected=answered.rejected,
        )
        wait = None if answered.soonest is None else moments.seconds_between(now, answered.soonest)
        return Round(done=answered.accepted + answered.rejected, wait_s=wait)

    def _again_when_stale(self, answered: Answered, now: int) -> None:
        """`Conflict` inside a queued batch: due again with a number computed then."""
        stale, answered.redo = answered.redo, []
        error = Transient("the channel's number moved while the batch was queued", code="conflict")
        results = [(intent, PushResult(intent.item, PushState.FAILED, error=error)) for intent in stale]
        once_more = self._answers.apply(results, now)
        answered.writes.merge(once_more.writes)
        answered.again += once_more.again


def _intent(row: LevelRow) -> Intent:
    item = PushItem(
        ref=ref_of(row),
        quantity=row.sent_quantity or 0,
        version=row.sent_version or 0,
        key=row.push_key or "",
        expected=row.shown_quantity,
    )
    return Intent(row, item, row.sent_seq)


def _unchanged(result: PushResult, receipt: str) -> bool:
    return result.state is PushState.PENDING and result.receipt in (None, receipt)


def _given_up(result: PushResult) -> PushResult:
    if result.state is not PushState.PENDING:
        return result
    error = Transient("the queued batch was not answered within a day", code="receipt_lost")
    return PushResult(result.item, PushState.FAILED, error=error)
