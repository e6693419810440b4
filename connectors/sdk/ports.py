"""Time, chance and secrets are passed in, so that tests never sleep and a seed replays a failure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol


class Clock(Protocol):
    """Wall time for facts, monotonic time for intervals."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, or in a test move the clock."""
        ...


class Ids(Protocol):
    """Fresh identifiers. `uuid` is for vendors' idempotency and correlation headers."""

    def uuid(self) -> str: ...


class Jitter(Protocol):
    """A number in [0, 1) spreading retries."""

    def __call__(self) -> float: ...


class Secret:
    """A credential that never shows itself in repr, str or a log; read it with `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class TokenStore(Protocol):
    """Keeps tokens over a restart, encrypted by the hub. Keys are per account."""

    async def load(self, name: str) -> Mapping[str, str] | None: ...

    async def save(self, name: str, token: Mapping[str, str]) -> None: ...
