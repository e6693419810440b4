"""Grammars of X12 transaction sets, per release; the version a group states (GS08) selects the release.

An industry's subset (`004010VICS`, `004010UCS`, `005010X218`) is read with the release it is made from: what a
partner narrows is the partner's setting, not another grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mappings.edi.grammar import tables
from mappings.edi.grammar.glance import Glances
from mappings.edi.grammar.rules import ElementRule
from mappings.edi.grammar.segments import Composite, SegmentRule
from mappings.edi.grammar.structure import Structure

RELEASES: Final = ("004010", "005010")
_RELEASE: Final = re.compile(r"(\d{6})")


@dataclass(frozen=True, slots=True, eq=False)
class SetGrammar:
    """Everything known about one transaction set or message in one release.

    Args:
        kind: `850`, `ORDERS`.
        release: `004010`, `D.96A`.
        group: the functional identifier it travels under (GS01), or empty.
        hierarchical: HL segments form a tree by their ids.
        counted: tags that CTT01 counts, any of them; empty when it counts nothing that can be checked.
        segments: rules by tag; None for a segment whose elements are not checked.
        glances: what sets of this grammar were found good before, to recognise more of them.
    """

    kind: str
    name: str
    release: str
    group: str
    hierarchical: bool
    counted: frozenset[str]
    structure: Structure
    segments: dict[str, SegmentRule | None]
    glances: Glances


@dataclass(frozen=True, slots=True)
class Release:
    """The segments of one X12 release."""

    name: str
    segments: dict[str, SegmentRule | None]


def release_of(version: str) -> tuple[str, bool]:
    """The release that reads a GS08, and whether it is the one stated (else the nearest known)."""
    stated = _RELEASE.match(version)
    if stated is None:
        return RELEASES[0], False
    nearest = max((name for name in RELEASES if name <= stated[1]), default=RELEASES[0])
    return nearest, nearest == stated[1]


@cache
def release(name: str) -> Release:
    """The dictionary of a release in `RELEASES`."""
    words = tables.table("x12/elements.yaml")
    shapes = tables.table("x12/segments.yaml")
    changed = shapes["changes"].get(name, {})
    known = tables.elements(words["elements"] | words["changes"].get(name, {}), words["codes"])
    composites: dict[str, Composite] = {}

    def find(reference: str) -> ElementRule | Composite:
        return composites[reference] if reference in composites else known[reference]

    for reference, text in (shapes["composites"] | changed.get("composites", {})).items():
        places, notes = tables.layout(text, find)
        composites[reference] = Composite(reference, places, notes)
    segments: dict[str, SegmentRule | None] = dict.fromkeys(shapes["open"].split())
    for tag, text in (shapes["segments"] | changed.get("segments", {})).items():
        places, notes = tables.layout(text, find)
        segments[tag] = SegmentRule(tag, places, notes)
    return Release(name, segments)


@cache
def x12_sets() -> dict[str, dict[str, Any]]:
    """The sets as written, by number."""
    found: dict[str, dict[str, Any]] = tables.table("x12/sets.yaml")["sets"]
    return found


@cache
def _x12(kind: str, name: str) -> SetGrammar:
    written = x12_sets()[kind]
    return SetGrammar(
        kind=kind,
        name=written["name"],
        release=name,
        group=written["group"],
        hierarchical=written.get("hierarchical", False),
        counted=frozenset(written.get("counted", "").split()),
        structure=Structure(written["body"], "ST", "SE"),
        segments=(segments := release(name).segments),
        glances=Glances(segments),
    )


def x12_grammar(kind: str, version: str) -> SetGrammar | None:
    """The grammar of a set under a GS08; None for a set this product does not know.

    A release other than those in `RELEASES` is read with the nearest older one; `release_of` tells.
    """
    if kind not in x12_sets():
        return None
    return _x12(kind, release_of(version)[0])
