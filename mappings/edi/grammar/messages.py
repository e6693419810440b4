"""Grammars of EDIFACT messages. One dictionary serves every directory; see the head of its tables."""

from __future__ import annotations

from functools import cache
from typing import Any

from mappings.edi.grammar import tables
from mappings.edi.grammar.glance import Glances
from mappings.edi.grammar.releases import SetGrammar
from mappings.edi.grammar.rules import ElementRule
from mappings.edi.grammar.segments import Composite, SegmentRule
from mappings.edi.grammar.structure import Structure


@cache
def messages() -> dict[str, dict[str, Any]]:
    """The messages as written, by type."""
    found: dict[str, dict[str, Any]] = tables.table("edifact/messages.yaml")["messages"]
    return found


@cache
def _segments() -> dict[str, SegmentRule | None]:
    written = tables.table("edifact/segments.yaml")
    words = tables.elements(written["elements"], {})
    composites: dict[str, Composite] = {}

    def find(reference: str) -> ElementRule | Composite:
        return composites[reference] if reference in composites else words[reference]

    for reference, text in written["composites"].items():
        composites[reference] = Composite(reference, *tables.layout(text, find))
    found: dict[str, SegmentRule | None] = dict.fromkeys(written["open"].split())
    for tag, text in written["segments"].items():
        found[tag] = SegmentRule(tag, *tables.layout(text, find))
    return found


@cache
def _message(kind: str) -> SetGrammar:
    written = messages()[kind]
    return SetGrammar(
        kind=kind,
        name=written["name"],
        release="",
        group="",
        hierarchical=False,
        counted=frozenset(),
        structure=Structure(written["body"], "UNH", "UNT"),
        segments=_segments(),
        glances=Glances(_segments()),
    )


def edifact_grammar(kind: str) -> SetGrammar | None:
    """The grammar of a message type; None for one this product does not know."""
    return _message(kind) if kind in messages() else None
