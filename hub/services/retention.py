"""Forgetting in time: raw payloads, personal data and old attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from connectors.sdk.ports import Clock
from hub.ports.store import Store
from hub.services import moments

_log = structlog.get_logger(__name__)

DAY_S = 86_400.0
DEDUPE_DAYS_MIN = 30.0
"""Raw payloads may be asked for again while vendors still redeliver; a shorter keep is refused."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept, in days.

    Personal data has its own date per order, counted from the order's end, so there is no span
    for it here.
    """

    payload_days: float = 90.0
    attempt_days: float = 400.0

    def __post_init__(self) -> None:
        if self.payload_days < DEDUPE_DAYS_MIN:
            raise ValueError(f"payloads are kept for at least {DEDUPE_DAYS_MIN:g} days; got {self.payload_days:g}")
        if self.attempt_days <= 0:
            raise ValueError(f"attempts are kept for a positive number of days; got {self.attempt_days:g}")


class Retention:
    """Prunes; safe to run at any time and again."""

    def __init__(self, store: Store, clock: Clock, keep: Keep) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep

    async def prune(self) -> Mapping[str, int]:
        """Drop what is due; counts per kind. Raises `StoreUnavailable`."""
        now = moments.now(self._clock)
        dropped = await self._store.prune(
            payloads_before=moments.after(now, -self._keep.payload_days * DAY_S),
            attempts_before=moments.after(now, -self._keep.attempt_days * DAY_S),
            personal_due=now,
        )
        if any(dropped.values()):
            _log.info("retention.pruned", **{f"{name}_count": count for name, count in sorted(dropped.items())})
        return dropped
