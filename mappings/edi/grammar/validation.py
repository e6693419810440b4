"""Validation of a set's content: order of segments, their elements, the HL tree and the line count.

The envelope is the codec's business; its problems stand in `TransactionSet.problems` already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mappings.edi.grammar.glance import Likeness
from mappings.edi.grammar.hierarchy import Tree
from mappings.edi.grammar.releases import SetGrammar
from mappings.edi.grammar.segments import Flaw
from mappings.edi.grammar.walk import Deviation, Walk
from mappings.edi.model import Separators, TransactionSet
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem

PROBLEMS_MAX: Final = 500
"""Problems told per set. One garbled file must not cost memory or fill an acknowledgement nobody reads."""

Allowed = Mapping[str, frozenset[str]]
"""Codes a partner allows by segment and position (`BEG01`), narrower than the standard's."""


def validate(transaction: TransactionSet, grammar: SetGrammar, allowed: Allowed | None = None) -> list[Problem]:
    """Every deviation of a set from its grammar, in order of position; at most `PROBLEMS_MAX`.

    Positions are those of the standard's acknowledgements: ST or UNH is segment 1, the first element is 1.
    """
    if not allowed and _good_at_a_glance(transaction, grammar):
        return []
    rows = transaction.segments.rows()
    walk, check = Walk(grammar), _Elements(grammar, transaction.segments.separators, allowed or {})
    tree = Tree() if grammar.hierarchical else None
    problems: list[Problem] = []
    counted = 0
    for position, row in enumerate(rows, 1):
        tag = row[0]
        if position > 1:
            deviations: list[Deviation] = []
            walk.step(tag, deviations)
            problems += [deviation.problem(position) for deviation in deviations]
        if tag in grammar.counted:
            counted += 1
        loop = walk.loop.name or None
        flaws = check(tag, row)
        if tree is not None and tag == "HL":
            flaws += tree.add(row)
        if tag == "CTT" and grammar.counted:
            flaws += _flaws_of_count(row, counted, grammar)
        problems += [_problem(flaw, tag, position, loop) for flaw in flaws]
        if len(problems) >= PROBLEMS_MAX:
            return problems[:PROBLEMS_MAX]
    if not problems:
        grammar.glances.learn(rows, transaction.segments.separators)
        grammar.glances.learn_order([row[0] for row in rows])
    return problems


def _good_at_a_glance(transaction: TransactionSet, grammar: SetGrammar) -> bool:
    """Known good; False says nothing. What depends on more than one segment is checked here all the same."""
    texts, separators = transaction.segments.texts, transaction.segments.separators
    alike = grammar.glances.likeness(texts, separators)
    if alike is None:
        return False
    if grammar.hierarchical and _levels_at_fault(alike.tags, texts, separators.element):
        return False
    if not alike.whole:
        alike.whole = _good_in_order(alike, texts, grammar, separators.element)
    return alike.whole


def _good_in_order(alike: Likeness, texts: Sequence[str | list[str]], grammar: SetGrammar, mark: str) -> bool:
    tags = alike.tags
    if grammar.counted and alike.totals_at >= 0:
        row = str(texts[alike.totals_at]).split(mark)
        # A CTT that stands elsewhere than after all that it counts is out of order, which the walk tells.
        if tags.count("CTT") > 1 or _flaws_of_count(row, sum(map(tags.count, grammar.counted)), grammar):
            return False
    if grammar.glances.in_order(tags):
        return True
    walk, deviations = Walk(grammar), list[Deviation]()
    for tag in tags[1:]:
        walk.step(tag, deviations)
    if not deviations:
        grammar.glances.learn_order(tags)
    return not deviations


def _levels_at_fault(tags: Sequence[str], texts: Sequence[str | list[str]], mark: str) -> bool:
    tree = Tree()
    return any(tree.add(str(text).split(mark)) for tag, text in zip(tags, texts, strict=True) if tag == "HL")


class _Elements:
    """Checks the elements of one segment after another of a set."""

    def __init__(self, grammar: SetGrammar, separators: Separators, allowed: Allowed) -> None:
        self._segments = grammar.segments
        self._separators = separators
        self._narrowed: dict[str, list[tuple[int, frozenset[str]]]] = {}
        for place, codes in allowed.items():
            self._narrowed.setdefault(place[:-2], []).append((int(place[-2:]), codes))

    def __call__(self, tag: str, row: Sequence[str]) -> list[Flaw]:
        rule = self._segments.get(tag)
        flaws = [] if rule is None else rule.check(row[1:], self._separators)
        for at, codes in self._narrowed.get(tag, ()):
            if at < len(row) and row[at] and row[at] not in codes:
                reference = None if rule is None or at > len(rule.places) else rule.places[at - 1].rule.reference
                message = "is none of the codes agreed with the partner"
                flaws.append(Flaw(Code.ELEMENT_VALUE, at, message, value=row[at][:VALUE_MAX], reference=reference))
        return flaws


def _flaws_of_count(row: Sequence[str], counted: int, grammar: SetGrammar) -> list[Flaw]:
    """CTT01 against what it counts; text that is no number is the element rule's to tell."""
    stated = row[1] if len(row) > 1 else ""
    digits = stated.removeprefix("-")
    # Compared as text: a number may have more digits than a conversion takes.
    if not (digits.isascii() and digits.isdigit()) or stated.lstrip("0") == (str(counted) if counted else ""):
        return []
    message = f"says {stated[:VALUE_MAX]} where there are {counted} ({' or '.join(sorted(grammar.counted))})"
    return [Flaw(Code.ELEMENT_VALUE, 1, message, value=stated[:VALUE_MAX], reference="354")]


def _problem(flaw: Flaw, tag: str, position: int, loop: str | None) -> Problem:
    where = f"{tag}{flaw.element:02d}" + (f"-{flaw.component}" if flaw.component is not None else "")
    return Problem(
        flaw.code,
        Level.ELEMENT,
        f"{where} {flaw.message}",
        tag=tag,
        segment_position=position,
        element_position=flaw.element,
        component_position=flaw.component,
        repetition=flaw.repetition,
        value=flaw.value,
        syntax_note=flaw.note,
        loop=loop,
        element_reference=flaw.reference,
    )
