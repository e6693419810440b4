"""The tests that stand beside the EDI mappings pass, and every sample file is mapped or refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mappings import MapContext, MappingSet, lint, run_tests
from mappings.edi.documents import documents_of
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


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_samples(path: Path, mapping: MappingSet) -> None:
    """Real files never raise: each set taken has documents, or an error that says why not."""
    with path.open("rb") as source:
        for found in documents_of(source, mapping, MapContext(None, "edi", RECEIVED)):
            for each in found.sets:
                assert each.error is None or str(each.error)
                assert len({document.id for document in each.documents}) == len(each.documents)
