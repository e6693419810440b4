"""Reading one block of settings: every error begins with the dotted key it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
W = TypeVar("W", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keys:
    """A block of the configuration. `place` is where it stands, for messages.

    Every method raises `ValueError` for a value of the wrong kind.
    """

    place: str
    given: Mapping[str, Any]

    def refuse_unknown(self, known: Sequence[str]) -> None:
        for name in self.given:
            if name not in known:
                raise self.wrong(str(name), f"unknown; known are {', '.join(known)}")

    def wrong(self, name: str, problem: str) -> ValueError:
        return ValueError(f"{self.place}.{name}: {problem}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text; missing is an error unless there is a default."""
        value = self.given.get(name, default)
        if value is None:
            raise self.wrong(name, "missing")
        if not isinstance(value, str) or (not value.strip() and value != default):
            raise self.wrong(name, "must be a text that is not empty; put digits in quotes")
        return value.strip()

    def texts(self, name: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """One text, or a list of them."""
        value = self.given.get(name, default)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or not all(isinstance(each, str) and each.strip() for each in listed):
            raise self.wrong(name, "must be a text or a list of texts")
        return tuple(each.strip() for each in listed)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.given.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(name, f"must be a whole number from {low} to {high}")
        return value

    def seconds(self, name: str, default: str) -> float:
        """A span such as `10s` or `2m`."""
        value = self.given.get(name, default)
        found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise self.wrong(name, "must be a span of time such as 500ms, 10s or 2m")
        return float(found[1]) * _SECONDS[found[2]]

    def word(self, name: str, words: type[W], default: W) -> W:
        """One of a closed list."""
        value = self.given.get(name, default.value)
        try:
            return words(value)
        except ValueError:
            raise self.wrong(name, f"{value!r} is not one of {', '.join(words)}") from None

    def words(self, name: str, words: type[W], default: Sequence[W]) -> tuple[W, ...]:
        """A list out of a closed list."""
        value = self.given.get(name)
        if value is None:
            return tuple(default)
        if not isinstance(value, list | tuple):
            raise self.wrong(name, f"must be a list of {', '.join(words)}")
        try:
            return tuple(words(each) for each in value)
        except ValueError:
            raise self.wrong(name, f"must be a list of {', '.join(words)}") from None

    def made(self, make: Callable[[], T]) -> T:
        """What a constructor refuses, told with the place of this block."""
        try:
            return make()
        except ValueError as error:
            if str(error).startswith(self.place):
                raise
            raise ValueError(f"{self.place}: {error}") from error


def path_under(root: Path | None, named: str) -> Path:
    """A path of the configuration: relative ones start from its folder, `~` is the home folder."""
    return (root or Path()) / Path(named).expanduser()
