"""Which acknowledgement an interchange gets, and when none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.trading.duplicates import Seen
from mappings.edi import Code, Level, Problem, Stamp, acknowledge
from mappings.edi.acknowledge import GroupVerdict, InterchangeVerdict, Status
from mappings.edi.partners import PartnerProfile


def answer(
    verdict: InterchangeVerdict, groups: Sequence[GroupVerdict], seen: Seen, partner: PartnerProfile, *, first: bool
) -> Callable[[Stamp], bytes | None] | None:
    """The bytes by their numbers; None when nothing is to be answered.

    Args:
        groups: those to answer for: neither parked nor answered before.
        seen: whether the interchange's number came before.
        first: nothing of it was answered yet, so that the envelope itself (TA1) may be.
    """
    again = partner.agreed.duplicates.interchange
    if seen is not Seen.NEW and again == "drop":
        return None
    told = _refused(verdict) if seen is not Seen.NEW and again == "reject" else replace(verdict, groups=list(groups))
    if not first:
        told = replace(told, acknowledgement_requested=False)
        if not told.groups:
            return None
    if verdict.syntax == "edifact" and not told.groups and told.status is not Status.REJECTED:
        return None
    return lambda stamp: acknowledge(told, stamp, partner.judging)


def _refused(verdict: InterchangeVerdict) -> InterchangeVerdict:
    """Its number came before, and the partner wants to hear that as a refusal."""
    text = f"interchange {verdict.control} was received before"
    problem = Problem(Code.INTERCHANGE_DUPLICATE, Level.INTERCHANGE, text, value=verdict.control)
    return replace(verdict, status=Status.REJECTED, groups=[], told=(problem,), rejected_for=problem)
