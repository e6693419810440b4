"""A set that is good at a glance is one that validation finds good, and nothing that is wrong is taken by a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.edi.grammar import glance
from mappings.edi.grammar.glance import Glances
from mappings.edi.grammar.releases import SetGrammar, x12_grammar
from mappings.edi.grammar.validation import validate
from mappings.edi.model import TransactionSet
from mappings.edi.reading import read
from tests.support.edi_answers import ORDER, x12, x12_set

NOTICE = [
    "BSN*00*S-1*20261121*1130",
    "HL*1**S",
    "HL*2*1*O",
    "PRF*PO-1",
    "HL*3*2*I",
    "LIN**VN*MUG",
    "SN1**3*EA",
    "CTT*3",
]
WRONG = st.sampled_from(["", "X", "0", "99999999999", "20261399", "EA>1", "-1.5", "é", "\x01", "AA", "1" * 90])


def fresh(kind: str) -> SetGrammar:
    """A grammar that has seen nothing, and remembers for itself."""
    known = x12_grammar(kind, "004010")
    assert known is not None
    return replace(known, glances=Glances(known.segments))


def sets(kind: str, group: str, *bodies: Sequence[str]) -> list[TransactionSet]:
    text = x12([x12_set(kind, body, f"{at:04d}") for at, body in enumerate(bodies, 1)], group=group)
    return [found for each in read(text) for every in each.groups for found in every.sets]


def test_the_second_of_two_sets_is_known() -> None:
    """What was found good once is recognised, other values and all; a mistake in it is told as ever."""
    grammar = fresh("850")
    other = [row.replace("PO-1", "PO-2") for row in ORDER]
    first, second = sets("850", "PO", ORDER, other)
    texts = (second.segments.texts, second.segments.separators)
    assert grammar.glances.likeness(*texts) is None
    assert validate(first, grammar) == []
    alike = grammar.glances.likeness(*texts)
    assert alike is not None
    assert list(alike.tags) == second.segments.tags()


@given(
    kind=st.sampled_from([("850", "PO", ORDER), ("856", "SH", NOTICE)]),
    changes=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), WRONG), max_size=3),
    moved=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_glance_never_changes_a_verdict(
    kind: tuple[str, str, Sequence[str]], changes: list[tuple[int, int, str]], moved: tuple[int, int]
) -> None:
    """A grammar that has learned tells the same problems as one that has not, whatever was done to the set."""
    name, group, body = kind
    rows = [row.split("*") for row in body]
    rows.insert(moved[0] % len(rows), rows.pop(moved[1] % len(rows)))
    for at, place, value in changes:
        row = rows[at % len(rows)]
        row[1:] = [value if number == place % len(row) else each for number, each in enumerate(row[1:], 1)]
    learned = fresh(name)
    changed = ["*".join(row) for row in rows]
    for found in sets(name, group, body, changed, body, changed):
        assert validate(found, learned) == validate(found, fresh(name))


def test_what_is_remembered_is_bounded() -> None:
    """Neither shapes nor orders grow with the file."""
    grammar = fresh("850")
    bodies = [[*ORDER[:1], *["REF*DP*1"] * number, *ORDER[1:]] for number in range(glance.ORDERS_MAX // 8)]
    for found in sets("850", "PO", *bodies):
        validate(found, grammar)
    known = grammar.glances
    assert len(known._orders) <= glance.ORDERS_MAX
    assert known._count <= glance.PATTERNS_MAX
    assert all(len(each) <= glance.SHAPES_MAX for shapes in known._shapes.values() for each in shapes.values())


def test_separators_that_values_could_hold_are_never_guessed() -> None:
    """With a point or a letter between elements every set is looked at in full."""
    grammar = fresh("850")
    for mark in ("x", ".", "-"):
        text = x12([x12_set("850", ORDER)]).replace(b"*", mark.encode())
        for found in (found for each in read(text) for group in each.groups for found in group.sets):
            validate(found, grammar)
    assert grammar.glances._shapes == {}
