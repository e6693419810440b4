"""Rules of one segment: its elements in order, its composites, its syntax notes.

Checking is two-tiered. For each shape (which elements are present) one regular expression is made that good
segments of that shape match; only a segment that does not match is looked at element by element. Real traffic
has few shapes, so most segments cost one match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mappings.edi.grammar.notes import Note
from mappings.edi.grammar.rules import TELLING, ElementRule
from mappings.edi.model import Separators
from mappings.edi.problems import VALUE_MAX, Code
from mappings.edi.splitting import parts_of, plain

_UNIT: Final = "\x1f"
_SHAPES_MAX: Final = 512
"""Shapes remembered per segment: more than any partner uses. Segments of further shapes are looked at element by
element, so that hostile input costs neither memory nor compiling."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One defect inside a segment; positions are 1-based."""

    code: Code
    element: int
    message: str
    component: int | None = None
    repetition: int | None = None
    value: str | None = None
    note: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite element: its components in order, and the notes among them."""

    reference: str
    places: tuple[Place, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a segment or composite. `repeats` is how often its value may be repeated there."""

    rule: ElementRule | Composite
    mandatory: bool = False
    repeats: int = 1


@dataclass(slots=True, eq=False)
class SegmentRule:
    """What a segment may hold. One instance serves every file; `check` may be called from several threads,
    which at worst compile a shape twice."""

    tag: str
    places: tuple[Place, ...]
    notes: tuple[Note, ...] = ()
    _shapes: dict[tuple[bool, ...], re.Pattern[str] | None] = field(default_factory=dict, repr=False)
    _composite: bool = False

    def __post_init__(self) -> None:
        self._composite = any(isinstance(place.rule, Composite) for place in self.places)

    def check(self, elements: Sequence[str], separators: Separators) -> list[Flaw]:
        """Every flaw of a segment's elements (the tag not among them); empty when it is good."""
        if self._good(elements, separators):
            return []
        flaws = list(self._flaws_of_presence(elements))
        for position, (text, place) in enumerate(zip(elements, self.places, strict=False), 1):
            if text:
                flaws += _check_place(place, position, text, separators)
        return sorted(flaws, key=lambda flaw: (flaw.element, flaw.component or 0))

    def _good(self, elements: Sequence[str], separators: Separators) -> bool:
        """Known good at a glance; False says nothing."""
        if self._composite or separators.release is not None:
            return False
        shape = tuple(map(bool, elements))
        try:
            pattern = self._shapes[shape]
        except KeyError:
            if len(self._shapes) >= _SHAPES_MAX:
                return False
            pattern = self._shapes[shape] = self._pattern(shape)
        if pattern is None:
            return False
        text = _UNIT.join(filter(None, elements))
        if separators.component in text or (separators.repetition is not None and separators.repetition in text):
            return False
        return pattern.fullmatch(text) is not None

    def _pattern(self, shape: tuple[bool, ...]) -> re.Pattern[str] | None:
        """What the present elements of a good segment match; None when the shape itself is a flaw."""
        if next(self._flaws_of_presence(["x" if there else "" for there in shape]), None) is not None:
            return None
        rules = [place.rule for place, there in zip(self.places, shape, strict=False) if there]
        # A digit is one of 0 to 9 and no other script's.
        return re.compile(_UNIT.join(rule.pattern for rule in rules if isinstance(rule, ElementRule)), re.ASCII)

    def patterns(self, shape: Sequence[bool]) -> list[str] | None:
        """A regular expression per element of good segments of a shape, empty where it is absent.

        None when the shape is a flaw, or one whose elements are looked at one by one.
        """
        if len(shape) > len(self.places):
            return None
        if next(self._flaws_of_presence(["x" if there else "" for there in shape]), None) is not None:
            return None
        found = [_pattern_of(place.rule) if there else "" for place, there in zip(self.places, shape, strict=False)]
        return None if None in found else [each or "" for each in found]

    def _flaws_of_presence(self, elements: Sequence[str]) -> Iterator[Flaw]:
        for position, place in enumerate(self.places, 1):
            if place.mandatory and (position > len(elements) or not elements[position - 1]):
                message = "is mandatory and missing"
                yield Flaw(Code.ELEMENT_MISSING, position, message, reference=place.rule.reference)
        if len(elements) > len(self.places) and any(elements[len(self.places) :]):
            at = next(at for at in range(len(self.places), len(elements)) if elements[at])
            message = f"is one more than the {len(self.places)} elements of {self.tag}"
            yield Flaw(Code.ELEMENT_SURPLUS, at + 1, message, value=elements[at][:VALUE_MAX])
        yield from _flaws_of_notes(self.notes, self.places, elements)


def _pattern_of(rule: ElementRule | Composite) -> str | None:
    """What a good value matches; of a composite, one that is its first component and no more."""
    if isinstance(rule, ElementRule):
        return rule.pattern
    first, *others = rule.places
    alone = (
        not any(place.mandatory for place in others)
        and next(_flaws_of_notes(rule.notes, rule.places, ["x"]), None) is None
    )
    return first.rule.pattern if alone and isinstance(first.rule, ElementRule) else None


def _flaws_of_notes(notes: Sequence[Note], places: Sequence[Place], texts: Sequence[str]) -> Iterator[Flaw]:
    present = [bool(text) for text in texts]
    for note in notes:
        for code, at in note.broken(present):
            message, value = f"is required by the condition {note.text}", None
            if code is Code.ELEMENT_EXCLUSION:
                message, value = f"must not stand beside another element of {note.text}", texts[at - 1][:VALUE_MAX]
            reference = places[at - 1].rule.reference if at <= len(places) else None
            yield Flaw(code, at, message, value=value, note=note.text, reference=reference)


def _check_place(place: Place, position: int, text: str, separators: Separators) -> Iterator[Flaw]:
    mark = separators.repetition
    texts = [text] if mark is None or mark not in text else parts_of(text, mark, separators.release)
    if len(texts) > place.repeats and separators.release is None:
        reference = place.rule.reference
        message = f"is repeated {len(texts)} times, {place.repeats} at most"
        yield Flaw(
            Code.ELEMENT_REPETITIONS,
            position,
            message,
            repetition=place.repeats + 1,
            value=text[:VALUE_MAX],
            reference=reference,
        )
        texts = texts[: place.repeats]
    for number, each in enumerate(texts, 1):
        repetition = number if len(texts) > 1 else None
        if isinstance(place.rule, Composite):
            yield from _check_composite(place.rule, position, repetition, each, separators)
        else:
            yield from _check_simple(place.rule, position, repetition, each, separators)


def _check_simple(
    rule: ElementRule, position: int, repetition: int | None, text: str, separators: Separators
) -> Iterator[Flaw]:
    parts = parts_of(text, separators.component, separators.release)
    # A comma list of components behind a simple element is told once, and the first component is still judged.
    if len(parts) > 1 and any(parts[1:]):
        message = "has components although it is a simple element"
        yield Flaw(
            Code.ELEMENT_COMPONENTS,
            position,
            message,
            repetition=repetition,
            value=text[:VALUE_MAX],
            reference=rule.reference,
        )
        return
    yield from _judged(rule, plain(parts[0], separators.release), position, None, repetition)


def _check_composite(
    rule: Composite, position: int, repetition: int | None, text: str, separators: Separators
) -> Iterator[Flaw]:
    parts = [plain(part, separators.release) for part in parts_of(text, separators.component, separators.release)]
    for at, place in enumerate(rule.places, 1):
        if place.mandatory and (at > len(parts) or not parts[at - 1]):
            message = "is mandatory and missing"
            yield Flaw(Code.ELEMENT_MISSING, position, message, at, repetition, reference=place.rule.reference)
    if any(parts[len(rule.places) :]):
        at = next(at for at in range(len(rule.places), len(parts)) if parts[at])
        message = f"is one more than the {len(rule.places)} components of {rule.reference}"
        yield Flaw(Code.ELEMENT_COMPONENTS, position, message, at + 1, repetition, parts[at][:VALUE_MAX])
    for flaw in _flaws_of_notes(rule.notes, rule.places, parts):
        yield Flaw(flaw.code, position, flaw.message, flaw.element, repetition, flaw.value, flaw.note, flaw.reference)
    for at, (part, place) in enumerate(zip(parts, rule.places, strict=False), 1):
        if part and isinstance(place.rule, ElementRule):
            yield from _judged(place.rule, part, position, at, repetition)


def _judged(
    rule: ElementRule, text: str, position: int, component: int | None, repetition: int | None
) -> Iterator[Flaw]:
    if text and (code := rule.flaw(text)) is not None:
        yield Flaw(code, position, TELLING[code], component, repetition, text[:VALUE_MAX], reference=rule.reference)
