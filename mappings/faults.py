"""What is wrong with a mapping, as opposed to a payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class MappingFault:
    """One thing to correct, at a place an editor can open.

    `line` is 1-based and null where a whole file or folder is meant; `target` is the canonical
    field path or the key concerned, "" when none.
    """

    file: str
    line: int | None
    target: str
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.target}: {self.message}" if self.target else f"{where}: {self.message}"


class MappingSetInvalid(Exception):
    """A mapping set that cannot be used; `faults` holds every fault found, in order of file and line."""

    def __init__(self, faults: Sequence[MappingFault]) -> None:
        self.faults = tuple(sorted(set(faults), key=lambda fault: (fault.file, fault.line or 0, fault.target)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class FaultLog:
    """Collects faults, so that one run names them all."""

    def __init__(self) -> None:
        self.faults: list[MappingFault] = []

    def add(self, file: str, line: int | None, target: str, message: str) -> None:
        self.faults.append(MappingFault(file, line, target, message))

    def raise_if_any(self) -> None:
        """Raises `MappingSetInvalid` when something was added."""
        if self.faults:
            raise MappingSetInvalid(self.faults)
