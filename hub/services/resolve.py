"""Hints: an input that only says where to look is replaced by what stands there now."""

from __future__ import annotations

import json
from typing import Any

import structlog

from connectors.sdk.contract import Envelope, Resolves
from connectors.sdk.errors import ConnectorError
from hub.delivery.decision import Action, decide
from hub.ports.store import InboxItem, InboxResult, InboxState, NewFailure, ReadSet, WriteSet
from hub.services import moments
from hub.services.calls import Called, Target
from hub.services.publish import Outward
from hub.services.receive import inputs_of

_log = structlog.get_logger(__name__)

LANE = "resolve"
REST_S = 1.0
"""A hint that could not be resolved now is looked at again after this long, at least."""


class Resolver:
    """Resolves hints of one account; different hints may be resolved at the same time."""

    def __init__(self, out: Outward, connector: Resolves) -> None:
        self._out = out
        self._connector = connector

    async def resolve(self, item: InboxItem) -> InboxState:
        """Fetch what the hint points at; store the result and finish the hint in one unit of work.

        A hint that cannot be resolved now goes back on the schedule. Raises `StoreUnavailable`.
        """
        out = self._out
        if not out.accounts.may_call(out.account):
            return await self._later(item, REST_S, item.attempts)
        envelope = _envelope(item)
        target = Target(LANE, f"resolve_{item.topic}", item.ordering_key, reference=str(item.seq), direction="in")
        called = await out.calls.make(target, lambda: self._connector.resolve(envelope))
        if called is None:
            return await self._later(item, max(out.calls.wait_s(LANE), REST_S), item.attempts)
        if called.error is not None:
            return await self._failed(item, called, called.error)
        writes = WriteSet(
            inputs=inputs_of(out.plan, "resolve", called.value or (), out.clock.now()),
            inbox=[InboxResult(item.seq, InboxState.DONE)],
            attempts=[called.attempt],
            resolved_failures=[(item.account, "inbound", str(item.seq))],
        )
        await out.store.run(ReadSet(), lambda _: writes)
        _log.info("hint.resolved", account=item.account, topic=item.topic, seq=item.seq, inputs=len(writes.inputs))
        return InboxState.DONE

    async def later(self, item: InboxItem) -> None:
        """Put the hint back on the schedule untouched; nothing was asked."""
        await self._later(item, REST_S, item.attempts)

    async def _later(
        self, item: InboxItem, wait_s: float, attempts: int, called: Called[Any] | None = None
    ) -> InboxState:
        out = self._out
        due_at = moments.after(moments.now(out.clock), wait_s)
        writes = WriteSet(
            inbox=[InboxResult(item.seq, InboxState.PENDING, due_at, attempts)],
            attempts=[called.attempt] if called else [],
        )
        await out.store.run(ReadSet(), lambda _: writes)
        return InboxState.PENDING

    async def _failed(self, item: InboxItem, called: Called[Any], error: ConnectorError) -> InboxState:
        out = self._out
        decision = decide(error, failed_tries=item.attempts, jitter=out.jitter, retry_while_open=called.probe)
        tries = item.attempts + decision.burns_attempt
        match decision.action:
            case Action.STOP:
                raise error
            case Action.QUARANTINE:
                return await self._park(item, called, error, decision.heading, tries)
            case Action.HOLD_LANE | Action.HOLD_ACCOUNT:
                return await self._later(item, max(decision.delay_s, REST_S), tries, called)
            case _:
                # A read that was stale or left in doubt is simply asked again.
                return await self._later(item, max(decision.delay_s, REST_S), tries, called)

    async def _park(
        self, item: InboxItem, called: Called[Any], error: ConnectorError, heading: str, tries: int
    ) -> InboxState:
        parked = NewFailure(
            account=item.account,
            kind="inbound",
            reference=str(item.seq),
            error=heading,
            code=error.code,
            path=item.topic,
            message=error.message,
            fingerprint=f"{item.account}:inbound:{item.topic}:{heading}:{error.code}",
            attempts=tries,
        )
        writes = WriteSet(
            inbox=[InboxResult(item.seq, InboxState.FAILED, attempts=tries)],
            failures=[parked],
            attempts=[called.attempt],
        )
        await self._out.store.run(ReadSet(), lambda _: writes)
        _log.warning("hint.parked", account=item.account, topic=item.topic, seq=item.seq, error=heading)
        return InboxState.FAILED


def _envelope(item: InboxItem) -> Envelope:
    return Envelope(
        topic=item.topic,
        dedupe_key="",
        ordering_key=item.ordering_key,
        payload=item.payload,
        occurred_at=None if item.occurred_at is None else moments.moment(item.occurred_at),
        headers=json.loads(item.headers or "{}"),
    )
