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
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings import MapContext, MappingSet
from mappings.edi import acknowledge, grammar_for, inspection, judge_all, read, validate, write
from mappings.edi.documents import documents_of
from mappings.edi.grammar.glance import Glances
from tests.support.edi_answers import ORDER, STAMP, edifact, message, x12, x12_set
from tests.support.interchanges import EDIFACT, X12, isa, samples, sets_of

SECONDS = float(os.environ.get("TRUNKLINE_EDI_FUZZ_S", "0"))
SEEDS = [X12, EDIFACT, (isa(version="00501", repeats="^") + "ST*275*0001~BIN*5*a~b*c~SE*3*0001~").encode()]
CONTEXT = MapContext("a", "edi", datetime(2026, 11, 21, tzinfo=UTC), currency="USD", time_zone="UTC")
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


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.one_of(pieces, damaged(), st.binary(max_size=300)))
def test_any_input_is_read_and_written_back(source: bytes) -> None:
    """Damaged, doubled, spliced and random bytes."""
    look_at_everything(source)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
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


DESPATCH = (
    "BGM+351+DA-1+9", "DTM+11:20261120:102", "RFF+ON:4501", "NAD+DP+4000002000011::9++Store 12+1 Main+Koeln++50667+DE",
    "CPS+1", "CPS+2+1", "PAC+1++201", "PCI+33E", "GIN+BJ+340000010000000013", "LIN+1++4000001000005:EN", "PIA+1+MUG:SA",
    "QTY+12:12:PCE", "RFF+BT:L-1", "CNT+2:1",
)  # fmt: skip
RESPONSE = (
    "BGM+231+SO-9+4", "DTM+137:20261121:102", "RFF+ON:OUR-1", "LIN+1+3+4000001000005:EN", "QTY+21:24", "QTY+113:20",
    "QTY+83:4", "DTM+67:20261215:102", "PRI+AAA:3,95", "UNS+S", "CNT+2:1",
)  # fmt: skip
ACTIVITY = ("XQ*H*20261114*20261120", "N1*ST*STORE*92*0042", "LIN**UP*012345678905", "ZA*QS*4*EA", "CTT*1")
STATUS = ("B10*PRO-1*BOL-1*FXFE", "LX*1", "AT7*X6*NS***20261119*1230*LT", "MS1*BRATTLEBORO*VT")
MORE = [
    edifact([message("DESADV", DESPATCH)]),
    edifact([message("ORDRSP", RESPONSE)]),
    x12([x12_set("852", ACTIVITY)], group="PD"),
    x12([x12_set("214", STATUS)], group="QM"),
    x12([x12_set("850", ORDER), x12_set("850", ORDER, "0002")]),
]


def judge_and_map(source: bytes, mapping: MappingSet) -> tuple[int, int]:
    """Every set becomes documents or is refused with a reason, every interchange is answered: how many of both."""
    documents = refused = 0
    for found in documents_of(source, mapping, CONTEXT):
        documents += sum(len(each.documents) for each in found.sets)
        refused += sum(each.error is not None for each in found.sets)
    for verdict in judge_all(read(source)):
        answer = acknowledge(verdict, STAMP)
        assert answer is None or len(list(judge_all(read(answer)))) == 1
    return documents, refused


def same_at_a_glance(source: bytes) -> None:
    """A grammar that has met a million sets tells of this one what one that has met none does."""
    for interchange in read(source):
        for group in interchange.groups:
            for found in group.sets:
                grammar = grammar_for(found.kind, found.version or group.version)
                if grammar is not None:
                    unknowing = replace(grammar, glances=Glances(grammar.segments))
                    assert validate(found, grammar) == validate(found, unknowing)


@pytest.mark.on_demand
@pytest.mark.skipif(not SECONDS, reason="set TRUNKLINE_EDI_FUZZ_S to the seconds it shall run")
@pytest.mark.timeout(0)
def test_for_long() -> None:
    """Mutations of every known file, read, written back, judged, answered and mapped for as long as asked.

    The seed and the counts are printed, and the input of a failure.
    """
    seed = random.randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    known = [*SEEDS, *MORE, *(path.read_bytes() for path in samples())]
    mapping = MappingSet.load("edi")
    until = time.monotonic() + SECONDS
    runs = size = documents = refused = 0
    while time.monotonic() < until:
        source = bytearray(chance.choice(known))
        for _ in range(chance.randrange(8)):
            at = chance.randrange(len(source) + 1)
            stop = at + chance.randrange(20)
            source[at:stop] = chance.choice([b"", chance.choice(PIECES), chance.randbytes(3), bytes(source[:stop])])
        began = time.monotonic()
        try:
            look_at_everything(bytes(source))
            same_at_a_glance(bytes(source))
            made = judge_and_map(bytes(source), mapping)
            assert time.monotonic() - began < 30
        except BaseException:
            sys.stdout.write(f"run {runs}: {bytes(source)!r}\n")
            raise
        runs, size = runs + 1, size + len(source)
        documents, refused = documents + made[0], refused + made[1]
    resource = pytest.importorskip("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"{runs} inputs, {size} bytes, {documents} documents, {refused} sets refused, peak {peak} MiB\n")
    assert runs
