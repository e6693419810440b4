"""Small invented interchanges, whole, and the published samples when they are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mappings.edi import Code, Interchange, Problem, TransactionSet, read

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "edi"


def samples() -> list[Path]:
    """Real interchanges, when they lie beside the repository."""
    return sorted(SAMPLES.glob("*/*.edi"))


def isa(control: str = "000000001", *, version: str = "00401", repeats: str = "U", test: str = "P") -> str:
    return (
        f"ISA*00*          *00*          *ZZ*INVENTEDBUYER  *ZZ*INVENTEDSELLER "
        f"*261120*1200*{repeats}*{version}*{control}*0*{test}*>~"
    )


GS = "GS*PO*BUYER*SELLER*20261120*1200*17*X*004010~"
ORDER = "ST*850*0001~BEG*00*SA*4500001**20261120~PO1*1*12*EA*9.95**UP*012345678905~CTT*1~SE*5*0001~"
END = "GE*1*17~IEA*1*000000001~"
X12 = (isa() + GS + ORDER + END).encode()

MESSAGE = (
    "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20261120:102'"
    "FTX+AAI+++Half price?: 5?+1 pcs??'LIN+1++4000000000006:SRV'QTY+21:12'UNS+S'UNT+8+1'"
)
UNB = "UNB+UNOC:3+4000000000006:14+4000000000013:14+261120:1200+REF1'"
EDIFACT = ("UNA:+.? '" + UNB + MESSAGE + "UNZ+1+REF1'").encode()


def sets_of(source: bytes) -> list[TransactionSet]:
    return [found for interchange in read(source) for group in interchange.groups for found in group.sets]


def read_whole(source: bytes) -> list[tuple[Interchange, list[TransactionSet], list[Problem]]]:
    """Each interchange with its sets and all problems, of every level."""
    out: list[tuple[Interchange, list[TransactionSet], list[Problem]]] = []
    for interchange in read(source):
        sets: list[TransactionSet] = []
        problems: list[Problem] = []
        for group in interchange.groups:
            for found in group.sets:
                sets.append(found)
                problems += found.problems
            problems += group.problems
        out.append((interchange, sets, problems))
    return [(interchange, sets, [*interchange.problems, *problems]) for interchange, sets, problems in out]


def codes(source: bytes) -> set[Code]:
    return {problem.code for _, _, problems in read_whole(source) for problem in problems}


def texts(found: TransactionSet) -> Iterator[str]:
    yield from ("*".join([segment.tag, *segment.elements]) for segment in found.segments)
