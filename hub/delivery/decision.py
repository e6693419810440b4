"""What an error means for the work that met it: the errors table of docs/architecture.md as code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from canonical.errors import InvariantBroken, MappingError
from connectors.sdk.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    InDoubt,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.sdk.ports import Jitter
from hub.delivery.schedule import delay_s, refusal_hold_s

CONFLICT_REDOS_MAX = 3


class Action(StrEnum):
    """What to do with the work. Exactly one of them per error."""

    RETRY = "retry"
    HOLD_LANE = "hold_lane"
    HOLD_ACCOUNT = "hold_account"
    QUARANTINE = "quarantine"
    SETTLE = "settle"
    REDO = "redo"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Decision:
    """`delay_s` is the wait before the work (RETRY) or the whole lane (HOLD_LANE) goes on.

    `burns_attempt`: this call counts against the retry schedule. `heading` names the error class
    an operator finds the work under when it is quarantined; `code` is the vendor's, or ours.
    """

    action: Action
    delay_s: float = 0.0
    burns_attempt: bool = False
    heading: str = ""
    code: str = ""


# One row per class; TargetMissing stands before Rejected because it is one.
_FIXED: tuple[tuple[type[Exception], Action], ...] = (
    (AuthFailed, Action.HOLD_ACCOUNT),
    (TargetMissing, Action.QUARANTINE),
    (Rejected, Action.QUARANTINE),
    (MappingError, Action.QUARANTINE),
    (InDoubt, Action.SETTLE),
    (InvariantBroken, Action.STOP),
)


def decide(
    error: Exception,
    *,
    failed_tries: int,
    jitter: Jitter,
    redos: int = 0,
    refusals_in_a_row: int = 1,
    retry_while_open: bool = False,
) -> Decision:
    """The decision for one error.

    Args:
        error: What was raised, or the error of one item of a batch.
        failed_tries: Tries of this work that failed before this one.
        jitter: Spreads retries.
        redos: Redos after `Conflict` already done in this round.
        refusals_in_a_row: `RateLimited` answers without a wait, this one included.
        retry_while_open: The breaker is open and this was its probe: the schedule is not used up by it.
    """
    if isinstance(error, Transient):
        return _scheduled(error, failed_tries, jitter, burn=not retry_while_open)
    if isinstance(error, RateLimited):
        hold = refusal_hold_s(error.retry_after_s, refusals_in_a_row)
        return Decision(Action.HOLD_LANE, delay_s=hold, heading="RateLimited", code=error.code)
    if isinstance(error, Conflict):
        if redos < CONFLICT_REDOS_MAX:
            return Decision(Action.REDO, heading="Conflict", code=error.code)
        # Somebody else keeps writing there: the schedule spaces us out instead of racing them.
        return _scheduled(error, failed_tries, jitter, burn=True)
    for kind, action in _FIXED:
        if isinstance(error, kind):
            return Decision(
                action,
                burns_attempt=action in (Action.QUARANTINE, Action.SETTLE),
                heading=kind.__name__,
                code=str(getattr(error, "code", "")),
            )
    # A connector may raise only its contract's errors; anything else is our own bug.
    return Decision(Action.STOP, heading=type(error).__name__)


def _scheduled(error: ConnectorError, failed_tries: int, jitter: Jitter, *, burn: bool) -> Decision:
    heading = type(error).__name__
    tries = failed_tries + 1 if burn else max(failed_tries, 1)
    wait = delay_s(tries, jitter)
    if wait is None:
        return Decision(Action.QUARANTINE, burns_attempt=burn, heading=heading, code=error.code or "schedule_used_up")
    return Decision(Action.RETRY, delay_s=wait, burns_attempt=burn, heading=heading, code=error.code)
