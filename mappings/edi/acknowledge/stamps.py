"""The numbers and the moment an answer carries; the caller allocates them, so that a resend is the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stamp:
    """Control numbers of one answer.

    Args:
        interchange: ISA13 or UNB05 of the answer, 1 to 999,999,999.
        group: GS06 of its first group; further groups count on from there.
        at: date and time in the envelope, in the sender's zone.
    """

    interchange: int
    group: int
    at: datetime

    def __post_init__(self) -> None:
        for name in ("interchange", "group"):
            if not 1 <= getattr(self, name) <= 999_999_999:
                raise ValueError(f"a control number must be 1 to 999999999, not {getattr(self, name)}")
