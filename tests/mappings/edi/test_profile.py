"""A profile is read strictly: every fault is named by its key, and what is left out keeps the standard's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.edi.grammar.profile import STANDARD, ProfileInvalid, read_profile
from mappings.edi.grammar.strictness import Action, Class, class_of
from mappings.edi.problems import Code, Level, Problem


def written(folder: Path, text: str) -> Path:
    path = folder / "big-box.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_profile(tmp_path: Path) -> None:
    """Everything a profile may say is taken as said."""
    text = """
name: Big Box
strictness: {counts: accept, totals: reject}
versions: ["004010VICS", "005010"]
sets: ["850", "860"]
codes: {"850": {BEG01: ["00", "05"]}}
acknowledge: {form: 999, detail: errors, ta1: always}
"""
    profile = read_profile(written(tmp_path, text))
    assert (profile.name, profile.form, profile.detail, profile.ta1) == ("Big Box", "999", "errors", "always")
    assert profile.actions[Class.COUNTS] is Action.ACCEPT
    assert profile.actions[Class.TOTALS] is Action.REJECT
    assert profile.codes == {"850": {"BEG01": frozenset({"00", "05"})}}
    assert [profile.speaks(version) for version in ("004010VICS", "004010", "005010X1")] == [True, False, True]


def test_what_is_left_out_is_the_standard(tmp_path: Path) -> None:
    """An empty mapping is the standard profile under the file's name."""
    profile = read_profile(written(tmp_path, "{}"))
    assert profile.name == "big-box"
    assert profile.actions == STANDARD.actions
    assert [profile.speaks(version) for version in ("004010VICS", "005010", "003050", "")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("strictnes: {}", "strictnes is no key of a profile; did you mean strictness?"),
        ("strictness: {count: accept}", "strictness.count is no class of problems; did you mean counts?"),
        ("strictness: {counts: refuse}", "strictness.counts must be one of reject, accept, ignore"),
        ("strictness: [counts]", "strictness must be a mapping"),
        ("versions: [4010]", "versions must be a list of texts"),
        ("sets: 850", "sets must be a list of texts"),
        ('codes: {"850": {BEG1: ["00"]}}', "codes.850.BEG1 is no segment and position"),
        ('codes: {"850": {BEG01: [0]}}', "codes.850.BEG01 must be a list of texts"),
        ('codes: {"850": [BEG01]}', "codes.850 must be a mapping"),
        ("acknowledge: {form: 998}", "acknowledge.form must be one of 997, 999"),
        ("acknowledge: {forms: 997}", "acknowledge.forms is unknown; did you mean form?"),
        ("- a list", "a profile is a mapping of keys"),
        ("a: [", "big-box.yaml: "),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    """A mistyped key or value is refused, with the key and what would be right."""
    with pytest.raises(ProfileInvalid) as caught:
        read_profile(written(tmp_path, text))
    assert len(caught.value.faults) == 1
    assert fault in caught.value.faults[0]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Nobody has to run it once per mistake."""
    with pytest.raises(ProfileInvalid) as caught:
        read_profile(written(tmp_path, "sets: 850\nversions: 4010\nstrictness: {count: accept}\n"))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("code", list(Code))
def test_every_defect_has_a_class_and_an_action(code: Code) -> None:
    """No defect the codec or a grammar can find is left to chance."""
    found = class_of(Problem(code, Level.SET, "something"))
    assert STANDARD.actions[found] in set(Action)
    assert (found is Class.ENVELOPE) == (
        code
        in {Code.HEADER_VALUE, Code.HEADER_SEPARATOR, Code.INTERCHANGE_EMPTY, Code.SEGMENT_OUTSIDE}
        | {Code.SET_SEGMENTS_IN_ERROR, Code.SEGMENT_ELEMENTS}
    )
