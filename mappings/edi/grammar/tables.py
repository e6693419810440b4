"""Reading the grammar tables of this folder into rules.

A segment is written as `353! 92! (235 234)*10 C001 | P0304 R0203`; see the head of each YAML file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from mappings.edi.grammar.notes import Note
from mappings.edi.grammar.rules import ElementRule
from mappings.edi.grammar.segments import Composite, Place

HERE: Final = Path(__file__).parent
_RUN: Final = re.compile(r"\(([^)]*)\)\*(\d+)")
_PLACE: Final = re.compile(r"(?P<name>[A-Z0-9.:/\[\]a-z]+?)(?P<must>!?)(?:\*(?P<repeats>\d+))?\Z")


def table(name: str) -> dict[str, Any]:
    """One YAML file of this folder, by its path below it."""
    loader = YAML(typ="safe")
    found: dict[str, Any] = loader.load((HERE / name).read_text(encoding="utf-8"))
    return found


def element_rule(reference: str, text: str, codes: str | None = None) -> ElementRule:
    """`AN 1/22` as a rule."""
    kind, _, lengths = text.partition(" ")
    low, _, high = lengths.partition("/")
    return ElementRule(reference, kind, int(low), int(high), frozenset(codes.split()) if codes else None)


def elements(written: Mapping[str, str], codes: Mapping[str, str]) -> dict[str, ElementRule]:
    return {name: element_rule(name, text, codes.get(name)) for name, text in written.items()}


def layout(text: str, find: Callable[[str], ElementRule | Composite]) -> tuple[tuple[Place, ...], tuple[Note, ...]]:
    """The places and syntax notes of a segment or composite.

    Raises:
        ValueError: the text is not in the notation.
        KeyError: it names an element that is not in the dictionary.
    """
    body, _, notes = text.partition("|")
    while (run := _RUN.search(body)) is not None:
        body = body[: run.start()] + " ".join([run[1]] * int(run[2])) + body[run.end() :]
    places = []
    for word in body.split():
        match = _PLACE.match(word)
        if match is None:
            raise ValueError(f"cannot read the element {word!r}")
        places.append(Place(find(match["name"]), bool(match["must"]), int(match["repeats"] or 1)))
    return tuple(places), tuple(Note.parse(note) for note in notes.split())
