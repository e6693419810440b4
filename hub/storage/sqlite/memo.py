"""What the writing thread remembers between units: safe because nobody else writes this file.

Every write that could change an answer forgets it, and an undone group forgets everything.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_RESOLVED_MAX = 100_000
"""About 20 MB; a catalogue that is larger is looked up again now and then."""


class Memo:
    """Resolved SKUs, whether there are kits at all, and today's payload key."""

    def __init__(self) -> None:
        self.resolved: dict[tuple[str, str], str | None] = {}
        self.any_kits: bool | None = None
        self.key_id: int | None = None
        self.key_day: int | None = None
        self.ciphers: dict[int, AESGCM] = {}
        self.success: dict[tuple[str, str], int] = {}

    def remember(self, found: Iterable[tuple[tuple[str, str], str | None]]) -> None:
        if len(self.resolved) > _RESOLVED_MAX:
            self.resolved.clear()
        self.resolved.update(found)

    def forget(self) -> None:
        self.resolved.clear()
        self.any_kits = None
        self.key_id = self.key_day = None
        self.ciphers.clear()
        self.success.clear()
