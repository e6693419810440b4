"""Sets that are good at a glance: every segment of a shape met before, in an order met before.

Validation looks at a set element by element. Once a set was found good, each of its segments becomes a regular
expression over the segment's own text, separators included, and its order of tags is remembered; the next set of
that making costs one match a segment and is not even split. Whatever does not match is validated in full, so
nothing is ever told or taken by a glance that validation would not have taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import call
from typing import Final, cast

from mappings.edi.grammar.rules import END, TEXT
from mappings.edi.grammar.segments import SegmentRule
from mappings.edi.model import Separators

SHAPES_MAX: Final = 12
"""Shapes remembered per tag and kind of separators: partners use two or three."""
ORDERS_MAX: Final = 512
"""Orders of tags remembered: one per number of lines, times what comes and goes. Also sets remembered as a guess."""
PATTERNS_MAX: Final = 600
"""Shapes remembered of one grammar in all, so that files made to be unlike one another cost no memory."""
TAGS_MAX: Final = 400
"""Segments of a set whose order is worth remembering."""
_SEPARATORS_MAX: Final = 16
_PLAIN: Final = re.compile(r"[^\w\s.,+-]", re.ASCII)
"""A separator that no number, date or code can hold."""

_Marks = tuple[str, str, str | None]
_Match = Callable[[str], re.Match[str] | None]


@dataclass(slots=True, eq=False)
class Likeness:
    """What the last good set of so many segments looked like: a match per segment, their tags, and its totals.

    `whole` once a set of these tags, in this order and with these totals, was found good altogether.
    """

    matches: Sequence[_Match] = ()
    tags: Sequence[str] = ()
    totals_at: int = -1
    totals: str = ""
    whole: bool = False


@dataclass(slots=True, eq=False)
class Glances:
    """What is known good of one grammar. Several threads may use it: at worst one learns what another knows."""

    segments: Mapping[str, SegmentRule | None]
    _shapes: dict[_Marks, dict[str, list[_Match]]] = field(default_factory=dict)
    _count: int = 0
    _orders: set[tuple[str, ...]] = field(default_factory=set)
    _last: dict[tuple[_Marks, int], Likeness] = field(default_factory=dict)

    def likeness(self, rows: Sequence[str | list[str]], separators: Separators) -> Likeness | None:
        """What a set looks like all of whose segments are good by themselves; None when that is not known."""
        marks = (separators.element, separators.component, separators.repetition)
        known = self._shapes.get(marks)
        if known is None or list in map(type, rows):
            return None
        texts = cast("Sequence[str]", rows)
        # The last set of this many segments is the best guess for the shape of this one.
        last = self._last.get((marks, len(texts)))
        if last is not None and all(map(call, last.matches, texts)):
            if last.totals_at < 0 or texts[last.totals_at] == last.totals:
                return last
            return _like(last.matches, last.tags, texts)
        matches, tags, mark = [], [], separators.element
        for text in texts:
            tag = text.partition(mark)[0]
            for match in known.get(tag, ()):
                if match(text):
                    break
            else:
                return None
            matches.append(match)
            tags.append(tag)
        found, key = _like(matches, tags, texts), (marks, len(texts))
        if len(texts) <= TAGS_MAX and (key in self._last or len(self._last) < ORDERS_MAX):
            self._last[key] = found
        return found

    def in_order(self, tags: Sequence[str]) -> bool:
        return tuple(tags) in self._orders

    def learn_order(self, tags: Sequence[str]) -> None:
        """From a set whose segments all had their place."""
        if len(self._orders) < ORDERS_MAX and len(tags) <= TAGS_MAX:
            self._orders.add(tuple(tags))

    def learn(self, rows: Sequence[Sequence[str]], separators: Separators) -> None:
        """From the split rows of a set that was good in every way."""
        marks = (separators.element, separators.component, separators.repetition)
        if separators.release is not None or any(mark and not _PLAIN.fullmatch(mark) for mark in marks):
            return
        if marks not in self._shapes and len(self._shapes) >= _SEPARATORS_MAX:
            return
        known = self._shapes.setdefault(marks, {})
        for row in rows:
            found = known.setdefault(row[0], []) if row[0] in self.segments else []
            text = separators.element.join(row)
            if self._count >= PATTERNS_MAX:
                return
            if row[0] not in self.segments or len(found) >= SHAPES_MAX or any(each(text) for each in found):
                continue
            if (pattern := _pattern(self.segments[row[0]], row, separators)) is not None:
                found.append(pattern.fullmatch)
                self._count += 1


def _like(matches: Sequence[_Match], tags: Sequence[str], texts: Sequence[str]) -> Likeness:
    at = tags.index("CTT") if "CTT" in tags else -1
    return Likeness(matches, tags, at, texts[at] if at >= 0 else "")


def _pattern(rule: SegmentRule | None, row: Sequence[str], separators: Separators) -> re.Pattern[str] | None:
    """What a good segment of this row's shape matches; None when its shape is not one to recognise."""
    mark = re.escape(separators.element)
    if rule is None:
        return re.compile(re.escape(row[0]) + rf"(?:{mark}.*)?", re.DOTALL)
    elements = rule.patterns([bool(text) for text in row[1:]])
    if elements is None:
        return None
    # Values end at the element separator here, and hold none of the separators.
    kept_out = "".join(re.escape(each) for each in (separators.component, separators.repetition or ""))
    end, text = rf"(?={mark}|\Z)", TEXT[:-1] + mark + kept_out + "]"
    told = [each.replace(END, end).replace(TEXT, text) for each in elements]
    return re.compile(mark.join([re.escape(row[0]), *told]), re.ASCII)
