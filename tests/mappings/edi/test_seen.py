"""A number used twice is noticed whatever the order, and numbers that count up take no memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mappings.edi.seen import SeenNumbers

numbers = st.one_of(
    st.integers(0, 30).map(str), st.integers(0, 30).map(lambda n: f"{n:04d}"), st.text("01A", min_size=0, max_size=3)
)


@given(st.lists(numbers, max_size=60))
def test_it_agrees_with_a_set(given_numbers: list[str]) -> None:
    """As text, leading zeros included, and as a plain set would say."""
    seen, known = SeenNumbers(), set[str]()
    for number in given_numbers:
        assert seen.again(number) is (number in known)
        known.add(number)


def test_numbers_that_count_up_are_not_remembered_one_by_one() -> None:
    """Neither padded nor natural ones; past the width of the first they go on."""
    for padding in (0, 4):
        seen = SeenNumbers()
        assert not any(seen.again(str(number).zfill(padding)) for number in range(1, 20_000))
        assert seen.again("5".zfill(padding))
        assert len(seen._others) == 0
