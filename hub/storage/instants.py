"""The clock as rows keep it: microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.sdk.ports import Clock
from hub.ports.store import Micros

SECOND: Final[Micros] = 1_000_000
DAY: Final[Micros] = 86_400 * SECOND
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


def now_of(clock: Clock) -> Micros:
    """Exact: no float on the way."""
    return (clock.now() - _EPOCH) // _TICK
