"""A set as JSON for the mapping language: segments by tag, loops as arrays.

    {"ST": {"01": "850", "02": "0001"}, "BEG": {"01": "00", "03": "PO-7"},
     "REF": [{"01": "DP", "02": "016"}],
     "N1_loop": [{"N1": {"01": "ST", "04": "0123"}, "N3": [...], "N4": {...}}],
     "PO1_loop": [{"PO1": {"01": "1", "02": "12"}, "PID_loop": [...]}], ...}

A segment the grammar lets stand once is an object, one that may repeat is an array, also when it came once; a loop
is always an array under `TAG_loop`. Elements are keyed by two-digit position and absent when empty; a composite is
an object keyed by component (`{"01": ..., "02": ...}`), a repeated element an array. Values are text as received;
that of a simple X12 element stays whole when the component separator stands in it.
HL loops form a tree: the children of a level are its own `HL_loop`. Segments without a place stand in `_unplaced`,
in order, as `{"tag", "position", "after", ...elements}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mappings.edi.grammar.releases import SetGrammar
from mappings.edi.grammar.rules import ElementRule
from mappings.edi.grammar.segments import Composite, SegmentRule
from mappings.edi.grammar.structure import Loop
from mappings.edi.grammar.walk import Deviation, Walk
from mappings.edi.model import Separators, TransactionSet
from mappings.edi.splitting import parts_of, plain

Json = dict[str, Any]
UNPLACED: Final = "_unplaced"
_LEVELS: Final = "SOTPQIF"
"""HL levels from the outermost in, for files that name no parents."""
_DEPTH_MAX: Final = 12
"""Levels of HL below one another; deeper ones stand at the root, so that no file makes JSON too deep to write."""


def loops(transaction: TransactionSet, grammar: SetGrammar) -> Json:
    """The JSON form of a set, see above. Never fails: what has no place is kept aside."""
    separators = transaction.segments.separators
    walk = Walk(grammar)
    root: Json = {}
    open_at: dict[int, Json] = {grammar.structure.root.number: root}
    for position, row in enumerate(transaction.segments.rows(), 1):
        tag = row[0]
        rule = grammar.segments.get(tag)
        segment = elements_json(row, rule, separators)
        deviations: list[Deviation] = []
        after = walk.slot.tag
        move = walk.step(tag, deviations) if position > 1 else None
        if move is None and position > 1:
            root.setdefault(UNPLACED, []).append({"tag": tag, "position": position, "after": after, **segment})
            continue
        slot = walk.slot
        if move is not None and move.opens is not None:
            _open(move.opens, open_at)
        home = open_at[slot.loop.number]
        # A trigger stands once per repetition; a segment sent more often than allowed is not lost either.
        if slot.most == 1 and tag not in home:
            home[tag] = segment
        else:
            held = home.setdefault(tag, [])
            if isinstance(held, dict):
                held = home[tag] = [held]
            held.append(segment)
    if grammar.hierarchical and "HL_loop" in root:
        root["HL_loop"] = _tree(root["HL_loop"])
    return root


def elements_json(row: Sequence[str], rule: SegmentRule | None, separators: Separators) -> Json:
    """The elements of one row (the tag first) by two-digit position."""
    places = rule.places if rule is not None else ()
    found: Json = {}
    for at, text in enumerate(row[1:], 1):
        if not text:
            continue
        found[f"{at:02d}"] = _value(text, places[at - 1].rule if at <= len(places) else None, separators)
    return found


def _value(text: str, rule: ElementRule | Composite | None, separators: Separators) -> Any:
    mark = separators.repetition
    if mark is not None and mark in text and len(texts := parts_of(text, mark, separators.release)) > 1:
        return [_single(each, rule, separators) for each in texts]
    return _single(text, rule, separators)


def _single(text: str, rule: ElementRule | Composite | None, separators: Separators) -> Any:
    composite = isinstance(rule, Composite)
    # X12 has no escape: a colon in a note is a colon, also where it separates the components of other elements.
    whole = isinstance(rule, ElementRule) and separators.release is None
    if not composite and (whole or separators.component not in text):
        return plain(text, separators.release)
    parts = parts_of(text, separators.component, separators.release)
    if not composite and len(parts) == 1:
        return plain(text, separators.release)
    return {f"{at:02d}": plain(part, separators.release) for at, part in enumerate(parts, 1) if part}


def _open(loop: Loop, open_at: dict[int, Json]) -> None:
    fresh: Json = {}
    parent = loop.parent
    assert parent is not None  # noqa: S101 - only the root has none, and nothing opens it
    open_at[parent.number].setdefault(f"{loop.name}_loop", []).append(fresh)
    open_at[loop.number] = fresh


def _tree(levels: list[Json]) -> list[Json]:
    """HL loops under their parents. Without any HL02, the order of levels says who belongs to whom."""
    named = any("02" in level["HL"] for level in levels)
    by_id: dict[str, tuple[int, Json]] = {}
    path: list[tuple[int, Json]] = []
    roots: list[Json] = []
    for level in levels:
        head = level["HL"]
        if named:
            depth, parent = by_id.get(_plain(head, "02"), (0, None))
        else:
            rank = _LEVELS.find(_plain(head, "03")[:1])
            while path and path[-1][0] >= rank:
                path.pop()
            depth, parent = len(path), path[-1][1] if path else None
            path.append((rank, level))
        if parent is None or depth >= _DEPTH_MAX:
            depth = 0
            roots.append(level)
        else:
            parent.setdefault("HL_loop", []).append(level)
        if name := _plain(head, "01"):
            by_id.setdefault(name, (depth + 1, level))
    return roots


def _plain(segment: Json, position: str) -> str:
    """A simple element's text; empty when absent, or when it came in parts, as an id never does."""
    found = segment.get(position, "")
    return found if isinstance(found, str) else ""
