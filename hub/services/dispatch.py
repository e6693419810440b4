"""Edge work on its way out: every effect, in order per key, once in effect."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from connectors.sdk.budget import Priority
from connectors.sdk.contract import Effect, EffectResult, Envelope, SendsEffects, Settlement
from connectors.sdk.errors import Conflict, ConnectorError, InDoubt, RateLimited, Transient
from hub.delivery.decision import CONFLICT_REDOS_MAX, Action, decide
from hub.delivery.lanes import effect_order
from hub.delivery.schedule import delay_s
from hub.ports.accounts import Mode
from hub.ports.store import (
    Attempt,
    NewFailure,
    OutboxRow,
    OutboxState,
    OutboxUpdate,
    ReadSet,
    StoreUnavailable,
    WriteSet,
)
from hub.services import moments
from hub.services.calls import Called, Target
from hub.services.publish import Outward
from hub.services.receive import inputs_of
from hub.services.rounds import Round
from hub.trading.outbound import SEND_FILE

_log = structlog.get_logger(__name__)

LANE = "effect"
KIND = "effect"
CLAIM_MAX = 20
BUG_WAIT_S = 60.0
SETTLE_WAIT_MIN_S = 5.0
"""Reads lag writes: asked at once, a vendor may deny what it is about to show."""
AT_ONCE = 4
"""Effects of different keys under way at the same time for one account."""


@dataclass(frozen=True, slots=True)
class _Next:
    """What becomes of a claimed effect."""

    state: OutboxState
    attempts: int
    wait_s: float = 0.0
    result: str | None = None
    failure: ConnectorError | None = None
    heading: str = ""
    code: str = ""
    evidence: Sequence[Envelope] = ()


class Dispatcher:
    """Sends the due effects of one account. One round at a time per account."""

    def __init__(self, out: Outward, connector: SendsEffects) -> None:
        self._out = out
        self._connector = connector
        self._owed: list[WriteSet] = []
        """outcomes the store could not take; written before anything else is claimed"""

    async def send_due(self) -> Round:
        """Claim the head of each key that is due, send or settle it, store what came of it.

        In shadow mode nothing is claimed: effects wait until the account goes live. Raises
        `StoreUnavailable`; outcomes it could not take are kept and written by the next round, and
        after a crash what stands as sending is settled by reading.
        """
        out = self._out
        await self._pay()
        if not out.accounts.may_send(out.account):
            return Round(blocked=out.accounts.mode(out.account) is not Mode.SHADOW)
        if (wait := out.calls.wait_s(LANE)) > 0:
            return Round(wait_s=wait)
        rows = await out.store.claim_effects(out.account, CLAIM_MAX)
        if not rows:
            return Round()
        ordered = effect_order(rows)
        total = Round()
        for start in range(0, len(ordered), AT_ONCE):
            part = ordered[start : start + AT_ONCE]
            # Every one is finished before an error of one is raised: none may be left half told.
            for step in await asyncio.gather(*(self._one(row) for row in part), return_exceptions=True):
                if isinstance(step, BaseException):
                    self._return(ordered[start + AT_ONCE :])
                    raise step
                total = total.plus(step)
        if total.blocked or out.calls.wait_s(LANE) > 0:
            return total
        return total.more()

    async def _one(self, row: OutboxRow) -> Round:
        out = self._out
        if not out.accounts.may_send(out.account):
            await self._keep(row, self._back(row), None)
            return Round(blocked=True)
        try:
            called, following = await self._advance(row, await self._effect(row))
        except BaseException:
            # A bug, or the hub is stopping: nobody knows whether the vendor took it.
            self._owed.append(self._writes(row, _Next(OutboxState.IN_DOUBT, row.attempts, wait_s=BUG_WAIT_S), None))
            raise
        await self._keep(row, following, called.attempt if called else None)
        over = following.state in (OutboxState.DONE, OutboxState.FAILED, OutboxState.PARKED)
        return Round(done=int(over), wait_s=None if over else following.wait_s)

    async def _effect(self, row: OutboxRow) -> Effect:
        """The effect as the connector is given it; the bytes of a file are sealed until now."""
        effect = _effect(row)
        file = effect.body.get("file")
        if row.kind != SEND_FILE or not isinstance(file, str):
            return effect
        content = await self._out.store.file_content(file)
        if content is None:
            return effect
        return replace(effect, body={**effect.body, "content": base64.b64encode(content).decode("ascii")})

    async def _advance(self, row: OutboxRow, effect: Effect) -> tuple[Called[Any] | None, _Next]:
        if row.state is OutboxState.IN_DOUBT:
            return await self._settle(row, effect)
        return await self._send(row, effect)

    def _return(self, rows: Sequence[OutboxRow]) -> None:
        """Claimed but not begun: due again with the next round."""
        self._owed.extend(self._writes(row, self._back(row), None) for row in rows)

    async def _pay(self) -> None:
        while self._owed:
            writes = self._owed[0]
            await self._out.store.run(ReadSet(), lambda _, owed=writes: owed)  # type: ignore[misc]
            self._owed.pop(0)

    async def _send(self, row: OutboxRow, effect: Effect) -> tuple[Called[EffectResult] | None, _Next]:
        """Send, and once more at once when the state there moved under us."""
        called = await self._call(row, effect)
        redos = 0
        while called is not None and isinstance(called.error, Conflict):
            redos += 1
            if redos > CONFLICT_REDOS_MAX:
                break
            await self._out.store.run(ReadSet(), lambda _, done=called: WriteSet(attempts=[done.attempt]))  # type: ignore[misc]
            called = await self._call(row, effect)
        if called is None:
            return None, self._back(row)
        if called.error is None:
            return called, _done(row, called.value)
        return called, self._failed(row, called, called.error, redos)

    async def _call(self, row: OutboxRow, effect: Effect) -> Called[EffectResult] | None:
        priority = Priority.URGENT if row.deadline_at is not None else Priority.LIVE
        target = Target(LANE, row.kind, row.key, reference=row.idempotency_key, priority=priority)
        return await self._out.calls.make(target, lambda: self._connector.send(effect))

    async def _settle(self, row: OutboxRow, effect: Effect) -> tuple[Called[Settlement] | None, _Next]:
        """Ask the vendor before anything is sent again."""
        target = Target(LANE, f"settle_{row.kind}", row.key, reference=row.idempotency_key, direction="in")
        called = await self._out.calls.make(target, lambda: self._connector.settle(effect))
        if called is None:
            return None, self._back(row)
        if called.value is Settlement.APPLIED:
            return called, _Next(OutboxState.DONE, row.attempts, result=json.dumps({"note": "settled by reading"}))
        if called.value is Settlement.NOT_APPLIED:
            return called, _Next(OutboxState.PENDING, row.attempts)
        return called, self._unsettled(row, called)

    def _unsettled(self, row: OutboxRow, called: Called[Settlement]) -> _Next:
        """Still unknown, or the question failed: ask again on the schedule; at its end a person decides."""
        error = called.error or InDoubt("the vendor cannot say yet whether it was applied", code="unknown")
        if isinstance(error, RateLimited) or called.probe:
            return self._back(row)
        decision = decide(error, failed_tries=row.attempts, jitter=self._out.jitter)
        if decision.action in (Action.HOLD_ACCOUNT, Action.HOLD_LANE):
            return self._back(row)
        if decision.action is Action.STOP:
            raise error
        tries = row.attempts + 1
        wait = delay_s(tries, self._out.jitter)
        if wait is None or decision.action is Action.QUARANTINE:
            return _Next(self._refused(row), tries, failure=error, heading="InDoubt", code=error.code)
        return _Next(OutboxState.IN_DOUBT, tries, wait_s=wait)

    def _failed(self, row: OutboxRow, called: Called[EffectResult], error: ConnectorError, redos: int) -> _Next:
        keyed = self._out.plan.manifest.effect(row.kind).keyed
        if isinstance(error, InDoubt) and keyed:
            # The vendor honours the key, so a repeat is harmless and needs no settling.
            error = Transient(error.message, code=error.code, status=error.status, correlation_id=error.correlation_id)
        decision = decide(
            error, failed_tries=row.attempts, jitter=self._out.jitter, redos=redos, retry_while_open=called.probe
        )
        tries = row.attempts + decision.burns_attempt
        match decision.action:
            case Action.STOP:
                raise error
            case Action.SETTLE:
                wait = delay_s(max(tries, 1), self._out.jitter)
                if wait is None:
                    return _Next(self._refused(row), tries, failure=error, heading=decision.heading, code=decision.code)
                return _Next(OutboxState.IN_DOUBT, tries, wait_s=max(wait, SETTLE_WAIT_MIN_S))
            case Action.QUARANTINE:
                return _Next(self._refused(row), tries, failure=error, heading=decision.heading, code=decision.code)
            case Action.RETRY:
                return _Next(OutboxState.PENDING, tries, wait_s=decision.delay_s)
            case _:
                return _Next(OutboxState.PENDING, tries)

    def _refused(self, row: OutboxRow) -> OutboxState:
        """What waits for an operator: alone, or with all that follows on its key."""
        return OutboxState.PARKED if self._out.plan.manifest.effect(row.kind).alone else OutboxState.FAILED

    def _back(self, row: OutboxRow) -> _Next:
        """As it was before the claim: nothing was sent, or what was said burns nothing."""
        doubtful = row.state is OutboxState.IN_DOUBT
        return _Next(OutboxState.IN_DOUBT if doubtful else OutboxState.PENDING, row.attempts)

    async def _keep(self, row: OutboxRow, following: _Next, attempt: Attempt | None) -> None:
        out = self._out
        writes = self._writes(row, following, attempt)
        try:
            await out.store.run(ReadSet(), lambda _: writes)
        except StoreUnavailable:
            self._owed.append(writes)
            raise
        now = moments.now(out.clock)
        if following.state is OutboxState.DONE:
            out.telemetry.lag(out.account, "out", moments.seconds_between(row.occurred_at, now))
        _log.info(
            "effect.advanced",
            account=row.account,
            kind=row.kind,
            effect_id=row.id,
            state=following.state.value,
            attempt=following.attempts,
            wait_s=round(following.wait_s, 3),
        )

    def _writes(self, row: OutboxRow, following: _Next, attempt: Attempt | None) -> WriteSet:
        due_at = moments.after(moments.now(self._out.clock), following.wait_s)
        writes = WriteSet(
            outbox=[OutboxUpdate(row.id, following.state, following.attempts, due_at, following.result)],
            attempts=[attempt] if attempt else [],
        )
        if following.evidence:
            writes.inputs += inputs_of(self._out.plan, "receipt", following.evidence, self._out.clock.now())
        if following.failure is not None:
            writes.failures.append(_failure(row, following, following.failure))
        if following.state is OutboxState.DONE:
            writes.lags[row.account, "outward"] = max(0, moments.now(self._out.clock) - row.occurred_at)
            writes.resolved_failures.append((row.account, KIND, reference_of(row)))
        return writes


def reference_of(row: OutboxRow) -> str:
    """How a failure names an effect."""
    return str(row.id)


def _effect(row: OutboxRow) -> Effect:
    return Effect(
        id=str(row.id),
        kind=row.kind,
        key=row.key,
        idempotency_key=row.idempotency_key,
        body=json.loads(row.body or "{}"),
        references=json.loads(row.references or "{}"),
    )


def _done(row: OutboxRow, result: EffectResult | None) -> _Next:
    kept = {} if result is None else {"vendor_id": result.vendor_id, "note": result.note}
    told = {name: value for name, value in kept.items() if value}
    evidence = () if result is None else result.evidence
    return _Next(OutboxState.DONE, row.attempts, result=json.dumps(told), evidence=evidence)


def _failure(row: OutboxRow, following: _Next, error: ConnectorError) -> NewFailure:
    return NewFailure(
        account=row.account,
        kind=KIND,
        reference=reference_of(row),
        error=following.heading,
        code=following.code,
        path=row.kind,
        message=error.message,
        fingerprint=f"{row.account}:{KIND}:{row.kind}:{following.heading}:{following.code}",
        attempts=following.attempts,
    )
