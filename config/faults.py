"""What is wrong with a configuration, one line per fault, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `line` is 1-based, 0 when the file as a whole is meant; `key` is a dotted path."""

    file: str
    line: int
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.key, self.problem, self.remedy) if part)


class ConfigurationInvalid(Exception):
    """A configuration that cannot be used; `faults` are in the order of their lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = tuple(sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.key)))
        super().__init__("\n".join(map(str, self.faults)))


def suggestion(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word: the nearest known one, else all of them."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use one of {', '.join(words)}" if words else "remove it"
