"""Which carrier moves a parcel: what was stated, then what an operator rules, then what the number says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mappings.carriers.detection import Candidate, candidates, compact

Ground = Literal["label", "override", "stated", "number", "ambiguous", "unknown"]

_SHARED = frozenset({"s10", "usps_impb_n", "usps_impb_c", "usps_legacy"})
"""Formats of posts that other carriers' parcels bear too, because the post makes the last mile."""


@dataclass(frozen=True, slots=True)
class Override:
    """An operator's rule: numbers of this shape (a regular expression over the whole number) are this carrier's."""

    pattern: str
    carrier: str

    def matches(self, number: str) -> bool:
        return re.fullmatch(self.pattern, number, re.ASCII | re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Identity:
    """`carrier` is null when nothing decides. `warning` is a sentence for a person, null when all is well."""

    carrier: str | None
    ground: Ground
    candidates: tuple[Candidate, ...]
    warning: str | None = None


def identify(
    number: str, *, label: str | None = None, stated: str | None = None, overrides: Sequence[Override] = ()
) -> Identity:
    """The carrier of a number, and on what ground.

    A number no format knows is accepted with a warning, and so is a stated carrier whose formats the
    number does not have: carriers bring out formats faster than tables learn of them.

    Args:
        number: As given, spaces and all.
        label: Carrier of the label that was bought; nobody knows better.
        stated: Carrier the channel or the warehouse named, as a canonical code.
        overrides: The operator's rules, the first that matches counts.
    """
    text = compact(number)
    found = candidates(number)
    if label:
        return Identity(label, "label", found, _doubt(text, label, found))
    ruled = next((override.carrier for override in overrides if override.matches(text)), None)
    if ruled is not None:
        return Identity(ruled, "override", found)
    if stated and stated != "unknown":
        return Identity(stated, "stated", found, _doubt(text, stated, found))
    carriers = list(dict.fromkeys(candidate.carrier for candidate in _best(found)))
    if len(carriers) == 1:
        return Identity(carriers[0], "number", found)
    if not carriers:
        return Identity(None, "unknown", found, f"no known carrier has numbers like {text[:40]!r}")
    listed = ", ".join(carriers)
    return Identity(None, "ambiguous", found, f"the number {text[:40]!r} may be of {listed}; state the carrier")


def _best(found: Sequence[Candidate]) -> list[Candidate]:
    """Those as telling as the first: a check digit behind a mark beats one alone, and that beats a shape."""
    return [one for one in found if (one.is_checked, one.is_marked) == (found[0].is_checked, found[0].is_marked)]


def _doubt(number: str, carrier: str, found: Sequence[Candidate]) -> str | None:
    if not found:
        return f"no known carrier has numbers like {number[:40]!r}"
    if any(_family(one.carrier) == _family(carrier) or one.format in _SHARED for one in found):
        return None
    others = ", ".join(dict.fromkeys(candidate.carrier for candidate in found))
    return f"the number {number[:40]!r} looks like one of {others}, not of {carrier}"


def _family(carrier: str) -> str:
    """The company: its services share its numbers (`fedex_ground_economy` and `fedex`)."""
    return carrier.split("_", 1)[0]
