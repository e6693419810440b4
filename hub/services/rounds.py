"""What one round of a use case did, and when the next one makes sense."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Round:
    """`wait_s`: nothing can happen sooner than that; None: nothing is known to come by itself.

    `again`: more may be due right now. `blocked`: the account is held or paused.
    """

    done: int = 0
    wait_s: float | None = None
    again: bool = False
    blocked: bool = False

    def plus(self, other: Round) -> Round:
        waits = [wait for wait in (self.wait_s, other.wait_s) if wait is not None]
        return Round(
            self.done + other.done, min(waits, default=None), self.again or other.again, self.blocked or other.blocked
        )

    def more(self) -> Round:
        return replace(self, again=True)
