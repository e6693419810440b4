"""Time, ids, chance and token storage for a running hub, and their stand-ins for tests."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""Where a manual clock starts when nobody says otherwise; any fixed instant would do."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that moves only when told, or when somebody sleeps on it.

    Two tasks that sleep at once wake at their own instants: the clock moves to the later of its
    own time and the sleeper's target, so concurrent sleeps do not add up. `slept` keeps every
    sleep asked for, in order, for tests that assert a schedule.
    """

    def __init__(self, now: datetime = EPOCH) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock starts at an aware instant")
        self._start: Final = now.astimezone(UTC)
        self._elapsed_s = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not run backwards here")
        self._elapsed_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        target_s = self._elapsed_s + max(0.0, seconds)
        await asyncio.sleep(0)
        self._elapsed_s = max(self._elapsed_s, target_s)


class SystemIds:
    def uuid(self) -> str:
        return str(uuid.uuid4())


class SeededIds:
    """The same ids in the same order for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, never a secret

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


class SystemJitter:
    def __call__(self) -> float:
        return random.random()  # noqa: S311 - spreads retries, protects nothing


class SeededJitter:
    """The same numbers in the same order for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, never a secret

    def __call__(self) -> float:
        return self._random.random()


class FixedJitter:
    """Always the same share of the longest wait."""

    def __init__(self, value: float = 0.5) -> None:
        if not 0 <= value < 1:
            raise ValueError("jitter is a number in [0, 1)")
        self._value = value

    def __call__(self) -> float:
        return self._value


class MemoryTokens:
    """A token store that forgets with the process: tests, sandboxes, `check --offline`."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    async def load(self, name: str) -> Mapping[str, str] | None:
        kept = self._kept.get(name)
        return dict(kept) if kept is not None else None

    async def save(self, name: str, token: Mapping[str, str]) -> None:
        self._kept[name] = dict(token)
