"""Published interchanges of many senders are read without an exception, with the defects they are known to have.

They are not part of the product; where they are absent nothing is tested here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.edi import Code, inspection
from tests.support.interchanges import SAMPLES, codes, read_whole, samples

KNOWN: dict[str, set[Code]] = {
    "x12/940_bad_se01.edi": {Code.SET_COUNT},
    "x12/940_wrong_counts.edi": {
        Code.GROUP_COUNT, Code.INTERCHANGE_COUNT, Code.INTERCHANGE_CONTROL_MISMATCH,
    },
    "x12/940_multi_isa_gs.edi": {Code.INTERCHANGE_CONTROL_MISMATCH},
    "x12/210_schenker_dot_term.edi": {Code.GROUP_CONTROL_MISMATCH},
    "x12/856_libedi_bad.edi": {Code.SET_CONTROL_MISMATCH, Code.HEADER_WIDTH, Code.INTERCHANGE_TIME},
    "x12/860_oop_short_isa.edi": {Code.SET_COUNT, Code.HEADER_WIDTH},
    "x12/850_gozer_walmart.edi": {Code.SET_COUNT},
    "x12/850_two_isa.edi": {Code.INTERCHANGE_DUPLICATE},
    "x12/865_tyco.edi": {Code.INTERCHANGE_CONTROL_MISMATCH},
    "x12/bin_nonnumeric.edi": {Code.BINARY_LENGTH},
    "x12/214_utf8_ellipsis_term.edi": set(),
    "x12/810_850_mixed_versions.edi": set(),
    "x12/997_three_isa.edi": set(),
    "x12/999_pyx12_4st.edi": set(),
    "x12/820_backslash.edi": set(),
    "edifact/INVOIC_wrapped80_una.edi": set(),
    "edifact/INVOIC_smooks.edi": set(),
    "edifact/ORDERS_d03b_bad.edi": {Code.SET_COUNT},
    "edifact/ORDRSP_edinet.edi": {
        Code.SET_COUNT, Code.SET_CONTROL_MISMATCH, Code.INTERCHANGE_CONTROL_MISMATCH,
    },
    "edifact/DESADV_utf8_php.edi": {Code.CHARSET_DIFFERS},
    "edifact/ORDERS_pydifact1.edi": {Code.INTERCHANGE_UNFINISHED},
}  # fmt: skip
SEVERAL = {"x12/214_canadapost_19st.edi": 19, "x12/940_multi_isa_gs.edi": 6, "x12/856_2001_two_st.edi": 2}


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_every_published_file_is_read_and_shown(path: Path) -> None:
    """At least one set, every segment with a tag and an offset where it stands, and a tree of them."""
    source = path.read_bytes()
    sets = [found for _, each, _ in read_whole(source) for found in each]
    assert sets
    for found in sets:
        for segment in found.segments:
            assert source[segment.offset : segment.offset + 1] == segment.tag[:1].encode()
            assert all(isinstance(part, str) for at in range(1, 4) for part in segment.components(at))
    assert sum(1 for _ in inspection.tree(source)) > len(sets)
    assert "".join(inspection.json_lines(source)).startswith("[{")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_defects_are_found(name: str) -> None:
    """No more and no fewer than the file has."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the published files are not here")
    assert codes(path.read_bytes()) == KNOWN[name]


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_every_set_of_a_file_is_found(name: str) -> None:
    """Across groups and interchanges."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the published files are not here")
    assert sum(len(sets) for _, sets, _ in read_whole(path.read_bytes())) == SEVERAL[name]
