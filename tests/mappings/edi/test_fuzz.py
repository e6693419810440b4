"""No input makes the codec crash, hang, lose a byte or keep more than it may; what it shows is the same each time.

A few hundred inputs run with every change. `TRUNKLINE_EDI_FUZZ_S=600` runs for that many seconds instead;
a failing input is printed by hypothesis as Python bytes.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.edi import inspection, read, write
from tests.support.interchanges import EDIFACT, X12, isa, samples, sets_of

SECONDS = float(os.environ.get("TRUNKLINE_EDI_FUZZ_S", "0"))
SEEDS = [X12, EDIFACT, (isa(version="00501", repeats="^") + "ST*275*0001~BIN*5*a~b*c~SE*3*0001~").encode()]
PIECES = [
    b"ISA", b"ISA*", b"IEA*1*000000001~", b"GS*", b"GE*1*17~", b"ST*850*0001~", b"SE*5*0001~", b"~", b"*", b"\n",
    b"\r\n", b"TA1*", b"BIN*", b"BIN*99999999999*", b"BIN*\xb2*", b"BDS*A*3*", b"UNA:+.? '", b"UNA", b"UNB+UNOA:1+",
    b"UNH+1+ORDERS:D:96A:UN'", b"UNT+", b"UNZ+1+1'", b"UNG+", b"UNE+", b"?", b"??", b"'", b"+", b":", b"\xff",
    b"\xe2\x80\xa6", b"\0", b" ", X12[:106],
]  # fmt: skip

pieces = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=30).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good interchange, or two, with a few spans cut out, doubled or replaced."""
    source = draw(st.sampled_from(SEEDS)) + draw(st.sampled_from([b"", *SEEDS]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(source)))
        stop = min(len(source), start + draw(st.integers(0, 40)))
        middle = draw(st.one_of(st.just(b""), pieces, st.just(source[start:stop] * 2)))
        source = source[:start] + middle + source[stop:]
    return source


def look_at_everything(source: bytes) -> None:
    """Every promise of the codec that holds for any input."""
    shown = list(inspection.tree(source))
    assert all(line.isprintable() for line in shown)
    if shown:
        assert b"".join(write(read(source))) == source
    found = sets_of(source)
    for each in found:
        assert source[each.offset : each.offset + len(each.raw)] == each.raw
        for segment in each.segments:
            assert 0 <= segment.offset <= len(source)
            for at in range(1, len(segment.elements) + 1):
                segment.components(at)
    in_chunks = sets_of(io.BytesIO(source))  # type: ignore[arg-type]
    assert [each.raw for each in in_chunks] == [each.raw for each in found]
    "".join(inspection.json_lines(source))


@settings(max_examples=150, deadline=2000, suppress_health_check=list(HealthCheck))
@given(st.one_of(pieces, damaged(), st.binary(max_size=300)))
def test_any_input_is_read_and_written_back(source: bytes) -> None:
    """Damaged, doubled, spliced and random bytes."""
    look_at_everything(source)


@settings(max_examples=60, deadline=2000, suppress_health_check=list(HealthCheck))
@given(damaged(), st.integers(1, 40))
def test_the_place_where_a_chunk_ends_changes_nothing(source: bytes, chunk: int) -> None:
    """Sets and problems are the same read at once and read by a few bytes."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            del size
            return super().read(chunk)

    whole = [(each.raw, each.problems) for each in sets_of(source)]
    assert [(each.raw, each.problems) for each in sets_of(Slow(source))] == whole  # type: ignore[arg-type]


HOSTILE = [
    b"ISA*" * 20_000,
    X12[:106] * 2_000,
    X12[:106] + b"ST*850*0001~" * 8_000,
    X12[:106] + b"GS*PO*" * 40_000,
    X12[:106] + b"GE*1*1~" * 15_000,
    X12[:106] + b"TA1*1~" * 15_000,
    X12[:106] + b"~" * 100_000,
    X12[:106] + b"\r\n" * 150_000,
    X12[:106] + (X12[:106].replace(b"*", b"|").replace(b"~", b"!") + X12[:106]) * 1_000,
    b"UNA:+.? '" * 30_000,
    b"UNB+UNOA:1+A+B+1:1+1'" * 10_000,
    b"UNB+UNOA:1+A+B+1:1+1'UNH+1+" + b"?" * 300_000,
    b"UNB+UNOA:1+A+B+1:1+1'UNH+1+" + b"?'UNT+" * 15_000,
    X12[:106] + b"ST*275*0001~" + b"BIN*9999999*" * 8_000,
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_work_grows_with_the_input_and_not_faster(source: bytes) -> None:
    """Inputs made to repeat work end within seconds, with memory of the order of the input."""
    tracemalloc.start()
    began = time.process_time()
    sum(len(each.segments) for each in sets_of(io.BytesIO(source)))  # type: ignore[arg-type]
    took, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 20
    assert peak < 120 * len(source) + 20_000_000


@pytest.mark.on_demand
@pytest.mark.skipif(not SECONDS, reason="set TRUNKLINE_EDI_FUZZ_S to the seconds it shall run")
@pytest.mark.timeout(0)
def test_for_long() -> None:
    """Mutations of every known file for as long as asked; the seed is printed."""
    seed = random.randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    known = [*SEEDS, *(path.read_bytes() for path in samples())]
    until = time.monotonic() + SECONDS
    runs = 0
    while time.monotonic() < until:
        source = bytearray(chance.choice(known))
        for _ in range(chance.randrange(8)):
            at = chance.randrange(len(source) + 1)
            stop = at + chance.randrange(20)
            source[at:stop] = chance.choice([b"", chance.choice(PIECES), chance.randbytes(3), bytes(source[:stop])])
        began = time.monotonic()
        look_at_everything(bytes(source))
        assert time.monotonic() - began < 30, bytes(source)
        runs += 1
    assert runs
