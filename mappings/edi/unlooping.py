"""Loops as JSON back to segments: the shape `loops` gives, written in the order of the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mappings.edi.grammar import SetGrammar
from mappings.edi.grammar.structure import Loop, Slot
from mappings.edi.writing import Composite, Element, NotWritable, Repeated

_POSITION: Final = re.compile(r"0[1-9]|[1-9]\d")
_FRAME: Final = frozenset({"ST", "SE", "UNH", "UNT"})


def rows_of_content(content: Mapping[str, Any], grammar: SetGrammar) -> list[list[Element]]:
    """Segments between header and trailer, which are the envelope's.

    A segment or loop that has a second place in its loop (ALC of an INVOIC, before the lines and behind them) is
    written at its first; `TAG_2` and `TAG_loop_2` stand for the second. Nothing, null and blank text are absent
    elements; a segment without any element is left out. HL levels are numbered, with their parents, in the order
    written.

    Raises:
        NotWritable: a segment, loop or element that the set has no place for.
    """
    return list(_Writer(grammar).loop(grammar.structure.root, content, ""))


class _Writer:
    def __init__(self, grammar: SetGrammar) -> None:
        self._kind = grammar.kind
        self._levels = 0

    def loop(self, loop: Loop, content: Mapping[str, Any], parent: str) -> Iterator[list[Element]]:
        """The segments of one repetition. `parent` is the HL above."""
        keys = _keys_of(loop)
        unknown = sorted(set(content) - set(keys) - _FRAME - ({"HL_loop"} if loop.name == "HL" else set()))
        if unknown:
            where = f"the loop {loop.name}" if loop.name else "it"
            raise NotWritable(f"{self._kind}: {where} has no {unknown[0]}")
        number = ""
        for item, key in zip(loop.items, keys, strict=True):
            if isinstance(item, Loop):
                for each in _several(content.get(key)):
                    yield from self.loop(item, each, parent)
            elif item.tag not in _FRAME:
                for each in _several(content.get(key)):
                    stated = each
                    if item.tag == "HL":
                        self._levels += 1
                        number = str(self._levels)
                        stated = {**each, "01": number, "02": parent}
                    row = self._row(item.tag, stated)
                    if len(row) > 1:
                        yield row
        if loop.name == "HL":
            for each in _several(content.get("HL_loop")):
                yield from self.loop(loop, each, number)

    def _row(self, tag: str, segment: Any) -> list[Element]:
        if not isinstance(segment, Mapping):
            raise NotWritable(f"{self._kind}: {tag} must be an object of elements")
        places: dict[int, Element] = {}
        for position, value in segment.items():
            if not _POSITION.fullmatch(position):
                raise NotWritable(f"{self._kind}: {tag} has no element {position!r}; positions are 01 to 99")
            element = self._element(f"{tag}{position}", value)
            if element:
                places[int(position)] = element
        return [tag, *(places.get(at, "") for at in range(1, max(places, default=0) + 1))]

    def _element(self, place: str, value: Any) -> Element:
        if isinstance(value, Mapping):
            parts = {int(at): self._text(place, part) for at, part in value.items() if _POSITION.fullmatch(at)}
            filled = [parts.get(at, "") for at in range(1, max(parts, default=0) + 1)]
            return Composite(tuple(filled)) if any(filled) else ""
        if isinstance(value, list):
            given = [self._element(place, each) for each in value]
            plain = tuple(each for each in given if each and not isinstance(each, Repeated))
            return Repeated(plain) if plain else ""
        return self._text(place, value)

    def _text(self, place: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise NotWritable(f"{self._kind}: {place} must be text or a whole number")
        return str(value).strip()


def _keys_of(loop: Loop) -> list[str]:
    """Under what each place of a loop stands in the content, in order."""
    found: list[str] = []
    for item in loop.items:
        name = item.tag if isinstance(item, Slot) else f"{item.name}_loop"
        times = sum(1 for key in found if key == name or (key.startswith(f"{name}_") and key != f"{name}_loop"))
        found.append(name if not times else f"{name}_{times + 1}")
    return found


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
