"""How large a run is: full for figures, quick for a look, tiny to prove that every bench still runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Size(StrEnum):
    FULL = "full"
    QUICK = "quick"
    TINY = "tiny"


@dataclass(frozen=True, slots=True)
class Options:
    """`folder` is scratch space that outlives one bench; `peers_python` runs other projects' software."""

    size: Size
    folder: Path
    peers_python: str

    def pick(self, full: T, quick: T, tiny: T) -> T:
        return {Size.FULL: full, Size.QUICK: quick, Size.TINY: tiny}[self.size]

    @property
    def rounds(self) -> int:
        """Interleaved repetitions of every side."""
        return self.pick(5, 3, 1)

    def place(self, name: str) -> Path:
        """A fresh empty folder."""
        for number in range(1_000_000):
            path = self.folder / f"{name}-{number}"
            if not path.exists():
                path.mkdir(parents=True)
                return path
        raise RuntimeError(f"no free name for {name}")
