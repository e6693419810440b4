"""Published interchanges become the documents they hold, each with the problems it is known to have and no other.

They are not part of the product; where they are absent nothing is tested here.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.cli import main
from mappings import MapContext, MappingSet
from mappings.edi.acknowledge.verdicts import Status
from mappings.edi.documents import MappedInterchange, documents_of
from mappings.edi.payloads import code_of
from tests.support.interchanges import SAMPLES, samples

CONTEXT = MapContext(None, "edi", datetime(2026, 11, 21, tzinfo=UTC))
WARNINGS = {"AK502 4", "AK905 5", "TA105 021", "TA105 023"}
"""Counts and missing trailers: told on the document, never a refusal."""
FOUND = (
    # file, documents, problems told, sets that judging took and mapping refused (where)
    ("edifact/DESADV_utf8_php.edi", "ship_notice:1", "AK403 5, charset_differs", ""),
    ("edifact/IFTMBC_multiline_php.edi", "", "AK502 1, AK502 4, TA105 015", ""),
    ("edifact/INVOIC_d97b_bad.edi", "", "AK304 5, AK403 5, AK403 6", "INVOIC lines[0].quantity"),
    ("edifact/INVOIC_pydifact.edi", "invoice:1", "", ""),
    ("edifact/INVOIC_smooks.edi", "invoice:1", "", ""),
    ("edifact/INVOIC_wrapped80_una.edi", "invoice:1", "", ""),
    ("edifact/ORDERS_as2_fixture.edi", "order:1", "", ""),
    ("edifact/ORDERS_d03b_bad.edi", "order:1", "AK304 5, AK502 4", ""),
    ("edifact/ORDERS_ok_php.edi", "", "charset_differs", "ORDERS lines[0].quantity"),
    ("edifact/ORDERS_pydifact1.edi", "order:1", "TA105 023", ""),
    ("edifact/ORDERS_pydifact2.edi", "order:1", "TA105 023", ""),
    ("edifact/ORDRSP_edinet.edi", "", "AK304 7, AK502 3, AK502 4, TA105 001", ""),
    ("edifact/RECADV_smooks.edi", "warehouse_receipt:1", "charset_differs", ""),
    ("edifact/edinet_203.edi", "", "AK304 3, AK403 6, AK502 3, AK502 4", ""),
    ("edifact/other_dialect.edi", "", "AK502 1", ""),
    ("edifact/release_char_php.edi", "", "AK502 1, AK502 4", ""),
    ("x12/204_mgctlyst.edi", "", "AK502 1, AK502 4", ""),
    ("x12/210_cn2.edi", "", "AK502 1", ""),
    ("x12/210_schenker_dot_term.edi", "", "AK502 1, AK905 4", ""),
    ("x12/214_canadapost_19st.edi", "tracking_update:19", "AK403 2", ""),
    ("x12/214_mgctlyst.edi", "tracking_update:1", "", ""),
    ("x12/214_utf8_ellipsis_term.edi", "tracking_update:2", "", ""),
    ("x12/810_2011.edi", "invoice:1", "", ""),
    ("x12/810_850_mixed_versions.edi", "invoice:2 order:1", "AK403 2, AK403 4", ""),
    ("x12/810_adobe.edi", "invoice:1", "", ""),
    ("x12/810_edinet_a.edi", "invoice:1", "TA105 022", ""),
    ("x12/810_edinet_d.edi", "invoice:1", "TA105 022", ""),
    ("x12/810_pipe_elem.edi", "invoice:1", "AK403 2", ""),
    ("x12/810_staedi.edi", "invoice:2", "", ""),
    ("x12/820_backslash.edi", "remittance:1", "AK403 4, AK403 5", ""),
    ("x12/820_edinet_140.edi", "remittance:1", "", ""),
    ("x12/820_homedepot.edi", "", "AK403 6, AK403 8, AK905 4, AK905 6", ""),
    ("x12/820_scana.edi", "remittance:1", "AK403 2, AK403 4, AK403 5", ""),
    ("x12/824_5010_partial.edi", "application_advice:1", "AK304 7", ""),
    ("x12/824_cn.edi", "application_advice:1", "", ""),
    ("x12/830_lf.edi", "", "AK502 1, TA105 022", ""),
    ("x12/832_hibcc1.edi", "listing:1", "AK304 1, AK304 7", ""),
    ("x12/832_large.edi", "listing:176", "AK304 1, AK304 3, AK403 2, AK403 6, AK502 6, TA105 022", ""),
    ("x12/850_3050_bang.edi", "order:1", "AK304 6, AK403 2, AK403 4, TA105 022", ""),
    ("x12/850_adobe_clp_bad_isa.edi", "order:1", "TA105 022", ""),
    ("x12/850_adobe_shrink_bad_isa.edi", "order:1", "TA105 022", ""),
    ("x12/850_aero_taxexempt.edi", "order:1", "AK502 6", ""),
    ("x12/850_edinet_a.edi", "", "AK403 5, TA105 001, TA105 022", ""),
    ("x12/850_gozer_walmart.edi", "order:1", "AK502 4", ""),
    ("x12/850_pgwglass.edi", "order:1", "", ""),
    ("x12/850_sln_composite.edi", "order:1", "", ""),
    ("x12/850_two_isa.edi", "order:1", "TA105 025", ""),
    ("x12/850_vics_lfterm.edi", "order:1", "", ""),
    ("x12/850_x12types_4010.edi", "order:1", "", ""),
    ("x12/852_aftermarket_3030.edi", "stock_report:2", "AK403 4", ""),
    ("x12/855_aero_changes.edi", "order_acknowledgement:1", "AK403 2, AK502 6", ""),
    ("x12/855_aero_shipdetails.edi", "order_acknowledgement:1", "AK502 6", ""),
    ("x12/855_brace_sub.edi", "order_acknowledgement:1", "", ""),
    ("x12/855_lf_fail.edi", "order_acknowledgement:1", "AK403 5, TA105 015, TA105 022", ""),
    ("x12/855_n12.edi", "order_acknowledgement:1", "", ""),
    ("x12/855_stedi_5010.edi", "order_acknowledgement:1", "", ""),
    ("x12/856_2001_two_st.edi", "ship_notice:2", "AK403 4, TA105 022", ""),
    ("x12/856_crossdock.edi", "ship_notice:1", "", ""),
    ("x12/856_libedi_bad.edi", "", "AK304 1, AK403 1, AK403 4, AK403 5, AK502 3, TA105 015, TA105 022", ""),
    ("x12/856_pipe_sub.edi", "ship_notice:1", "AK403 5", ""),
    ("x12/856_tilde_sep.edi", "ship_notice:1", "", ""),
    ("x12/856_vics_gregarican.edi", "ship_notice:1", "", ""),
    ("x12/856_x12types_4060.edi", "ship_notice:1", "", ""),
    ("x12/860_3010_bang.edi", "", "AK403 4, TA105 022", "860 lines[0].quantity"),
    ("x12/860_oop_short_isa.edi", "order_change:1", "AK403 5, AK403 8, AK502 4, TA105 022", ""),
    ("x12/862_bang.edi", "", "AK502 1, TA105 022", ""),
    ("x12/865_mclane.edi", "order_acknowledgement:1", "", ""),
    ("x12/865_tyco.edi", "", "TA105 001", ""),
    ("x12/880_simplot.edi", "", "AK502 1", ""),
    ("x12/940_2.edi", "warehouse_order:1", "", ""),
    ("x12/940_bad_se01.edi", "", "AK403 1, AK403 4, AK403 5, AK403 6, AK502 4", "940 lines[0].quantity"),
    ("x12/940_multi_isa_gs.edi", "", "TA105 001", ""),
    ("x12/940_wrong_counts.edi", "", "AK905 5, TA105 001, TA105 021", ""),
    ("x12/943_ar.edi", "ship_notice:1", "", ""),
    ("x12/944_re.edi", "warehouse_receipt:1", "", ""),
    ("x12/997_empty.edi", "", "AK304 3", "997 group.functional_id"),
    ("x12/997_extra_delims.edi", "functional_acknowledgement:1", "AK403 12, AK403 13, AK403 5, AK403 6", ""),
    ("x12/997_lf_backtick.edi", "functional_acknowledgement:1", "TA105 022", ""),
    ("x12/997_three_isa.edi", "functional_acknowledgement:3", "", ""),
    ("x12/999_dhs.edi", "functional_acknowledgement:1", "AK403 4", ""),
    ("x12/999_pyx12_4st.edi", "functional_acknowledgement:4", "", ""),
    ("x12/bin_nonnumeric.edi", "", "AK403 6, AK502 1", ""),
)  # fmt: skip


@pytest.fixture(scope="module")
def mapping() -> MappingSet:
    return MappingSet.load("edi")


def read_sample(name: str, mapping: MappingSet) -> list[MappedInterchange]:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the published files are not here")
    return list(documents_of(path.read_bytes(), mapping, CONTEXT))


@pytest.mark.parametrize(("name", "documents", "problems", "refused"), FOUND, ids=[row[0] for row in FOUND])
def test_what_a_file_holds(name: str, documents: str, problems: str, refused: str, mapping: MappingSet) -> None:
    """As many documents of each type, and the codes of the defects, that its bytes account for."""
    found = read_sample(name, mapping)
    sets = [each for interchange in found for each in interchange.sets]
    counted = Counter(document.type for each in sets for document in each.documents)
    assert " ".join(f"{kind}:{count}" for kind, count in counted.items()) == documents
    told = {code_of(problem) for interchange in found for _, problem in interchange.verdict.problems}
    assert ", ".join(sorted(told)) == problems
    assert " ".join(f"{each.kind} {each.error.target}" for each in sets if each.error) == refused


def test_every_file_is_in_the_table() -> None:
    """A file without an expectation would prove nothing."""
    assert {f"{path.parent.name}/{path.name}" for path in samples()} <= {row[0] for row in FOUND}


@pytest.mark.parametrize("name", [row[0] for row in FOUND])
def test_what_counts_wrong_is_taken_all_the_same(name: str, mapping: MappingSet) -> None:
    """A document tells its warnings; a count alone never refuses; refused sets are never printed."""
    for interchange in read_sample(name, mapping):
        told = {code_of(problem) for _, problem in interchange.verdict.problems}
        if interchange.verdict.status is Status.REJECTED:
            assert interchange.sets == ()
            assert told - WARNINGS
        for each in interchange.sets:
            for document in each.documents:
                assert document.source.test is interchange.verdict.test
                stated = {problem.code for problem in document.source.problems}
                assert (told & WARNINGS) - {"TA105 023"} <= stated or len(interchange.sets) > 1


def test_what_the_documents_say(mapping: MappingSet) -> None:
    """Numbers a person can check against the bytes: money, quantities, parties, packages."""

    def only(name: str, at: int = 0) -> Any:
        found = [
            each for interchange in read_sample(name, mapping) for one in interchange.sets for each in one.documents
        ]
        return found[at]

    invoice = only("edifact/INVOIC_pydifact.edi")
    assert (invoice.kind, invoice.currency, str(invoice.totals.grand_total.amount)) == ("credit", "EUR", "1960.29")
    assert (str(invoice.lines[0].unit_price.amount), invoice.lines[0].quantity) == ("36.301724", 54)
    wrapped = only("edifact/INVOIC_wrapped80_una.edi")
    assert [(each.channel_sku, each.quantity, str(each.total.amount)) for each in wrapped.lines] == [
        ("157870", 1020, "1202.58"),
        ("157871", 20, "410"),
    ]
    receipt = only("edifact/RECADV_smooks.edi")
    assert (receipt.lines[0].quantity, receipt.lines[0].lot, receipt.location_raw) == (200, "U23362", "GCCN33")
    payment = only("x12/820_edinet_140.edi")
    paid = sum(each.amount.amount for each in payment.references)
    assert (str(payment.amount.amount), str(paid), len(payment.references)) == ("21298.97", "21298.97", 7)
    assert (payment.errors[0].code, payment.errors[0].value) == ("59", "-143.76")
    places = [only("x12/852_aftermarket_3030.edi", at) for at in (0, 1)]
    assert [(each.location_raw, len(each.levels)) for each in places] == [("007061617", 2), ("007061618", 1)]
    status = only("x12/214_mgctlyst.edi")
    assert (status.milestone, status.local_time, status.at) == ("delivered", "2016-07-26T12:30", None)
    assert [each.group.control_number for each in (only("x12/997_three_isa.edi", at) for at in range(3))]
    item = only("x12/832_hibcc1.edi")
    assert (item.gtin, str(item.price.amount), item.source.test) == ("50387698433528", "66.50", True)


@pytest.mark.parametrize(
    ("name", "code"),
    [("x12/810_850_mixed_versions.edi", 0), ("x12/940_wrong_counts.edi", 2), ("x12/850_two_isa.edi", 2)],
)
def test_the_command_says_the_same(name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """`normalize edi -`: documents on standard output, problems on the other, 2 when anything was refused."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the published files are not here")
    assert main(["normalize", "edi", "-", str(path)]) == code
    told = capsys.readouterr()
    assert told.out.lstrip().startswith("[")
    assert bool(told.err) == any(row[0] == name and row[2] for row in FOUND)
