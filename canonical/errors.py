"""Errors that belong to no vendor."""

from __future__ import annotations


class MappingError(Exception):
    """A payload unlike its mapping. The input is quarantined, kept, and can be replayed after a fix.

    Args:
        message: What is wrong, one sentence, without values that may be personal.
        target: Canonical field path being filled (`lines[2].quantity`), "" when none.
        path: Payload path or expression it was read from.
        file: Mapping file, relative to its root.
        line: Line in that file, 1-based.
        code: A vendor's error code when the payload was an error body; else a short word of ours.
    """

    def __init__(
        self,
        message: str,
        *,
        target: str = "",
        path: str = "",
        file: str = "",
        line: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.target = target
        self.path = path
        self.file = file
        self.line = line
        self.code = code

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        target = f"{self.target}: " if self.target else ""
        source = f" (from {self.path})" if self.path else ""
        return f"{where}{target}{self.message}{source}"


class InvariantBroken(Exception):
    """Our own bug. The unit of work stops, loudly, and nothing of it is stored."""
