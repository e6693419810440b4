"""The bytes that answer an interchange, in its own syntax."""

from __future__ import annotations

from mappings.edi.acknowledge import contrl, x12
from mappings.edi.acknowledge.stamps import Stamp
from mappings.edi.acknowledge.verdicts import InterchangeVerdict
from mappings.edi.grammar.profile import STANDARD, Profile

__all__ = ["Stamp", "acknowledge"]


def acknowledge(verdict: InterchangeVerdict, stamp: Stamp, profile: Profile = STANDARD) -> bytes | None:
    """One interchange that answers the judged one; None when nothing is to be answered.

    The same verdict, stamp and profile give the same bytes.
    """
    answer = x12.answer if verdict.syntax == "x12" else contrl.answer
    return answer(verdict, stamp, profile)
