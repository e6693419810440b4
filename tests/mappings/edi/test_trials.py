"""The tests that stand beside the EDI mappings pass, and every sample file is mapped or refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mappings import SHIPPED, MapContext, MappingSet, lint, run_tests
from mappings.edi.documents import documents_of
from mappings.payload import decode
from tests.support.interchanges import samples

RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)


def test_trials_beside_the_mappings() -> None:
    """`mapping test edi` has nothing to tell."""
    results = run_tests("edi")
    assert results
    assert [(each.file, each.line, each.problems) for each in results if not each.passed] == []
    assert lint("edi") == []


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


FIXTURES = sorted((SHIPPED / "edi" / "fixtures").glob("*.json"))
CONTEXT = {"account": "a", "currency": "USD", "time_zone": "America/New_York", "locations": {"3PL01": "east"}}
SOURCE = {"connector": "edi", "account": "a", "received_at": "2026-11-21T00:00:00Z", "digest": "0", "mapping": "edi@0"}


@pytest.mark.parametrize(
    "path", [each for each in FIXTURES if "no_number" not in each.stem], ids=lambda path: path.stem
)
def test_both_ways_of_evaluation_agree(path: Path, mapping: MappingSet) -> None:
    """Usual sets take the compiled way, none of them the slow one, and get what the evaluator gives."""
    program = mapping.program(path.stem.split("_")[0])
    value = decode(path.read_bytes())
    bindings = {name: CONTEXT.get(name) for name in program.used}
    program.shaped_directly(value, bindings)
    assert all(part.direct(value, bindings) is not None for part in program.parts)
    assert program.map(value, bindings, SOURCE) == program.map_evaluated(value, bindings, SOURCE)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_samples(path: Path, mapping: MappingSet) -> None:
    """Real files never raise: each set taken has documents, or an error that says why not."""
    with path.open("rb") as source:
        for found in documents_of(source, mapping, MapContext(None, "edi", RECEIVED)):
            for each in found.sets:
                assert each.error is None or str(each.error)
                assert len({document.id for document in each.documents}) == len(each.documents)
