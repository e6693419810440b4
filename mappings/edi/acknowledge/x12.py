"""TA1, 997 and 999: the answer to an X12 interchange.

One 997 or 999 answers one group; those to the same application addresses and version share a group of the answer.

Source: ASC X12 004010 and 005010, sets 997 and 999 and the TA1 segment; element codes stand in
`mappings.edi.problems.ANSWERS`. General knowledge of the standards, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from mappings.edi.acknowledge.stamps import Stamp
from mappings.edi.acknowledge.verdicts import GroupVerdict, InterchangeVerdict, SetVerdict, Status
from mappings.edi.acknowledge.writing import Writer, writer_for
from mappings.edi.grammar.profile import Profile
from mappings.edi.grammar.releases import release_of
from mappings.edi.problems import Level, Problem

_LETTERS: Final = {Status.ACCEPTED: "A", Status.WITH_ERRORS: "E", Status.PARTIAL: "P", Status.REJECTED: "R"}
_CODES_MAX: Final = 5
"""Codes that AK5, IK5 and AK9 have places for."""
_BEFORE_5010: Final = {
    ("ak502", "23"): "7",
    ("ak905", "19"): "6",
    ("ak403", "12"): "3",
    ("ak403", "13"): "3",
}
"""Codes that came with 005010, and the nearest ones before it."""
_NEWER: Final = "005010"
_COUNT_DIGITS_MAX: Final = 6
_HIGHEST: Final = 999_999_999
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_VERSION_MAX: Final = 12
_GUIDE_999: Final = "005010X231A1"


def answer(verdict: InterchangeVerdict, stamp: Stamp, profile: Profile) -> bytes | None:
    """The answering interchange; None when neither a TA1 nor a group is due."""
    writer = writer_for(verdict.separators)
    groups = [group for group in verdict.groups if group.answerable]
    ta1 = _ta1_due(verdict, profile)
    if not groups and not ta1:
        return None
    writer.isa(verdict, stamp)
    if ta1:
        _write_ta1(writer, verdict)
    written = 0
    addresses = groupby(groups, key=lambda group: (group.receiver, group.sender, _answer_version(group, profile)))
    for (sender, receiver, version), answered in addresses:
        control = (stamp.group + written - 1) % _HIGHEST + 1
        writer.segment("GS", "FA", *map(writer.clean, (sender, receiver)), f"{stamp.at:%Y%m%d}", f"{stamp.at:%H%M}",
                       str(control), "X", version)  # fmt: skip
        sets = 0
        for group in answered:
            sets += 1
            _write_set(writer, group, profile, f"{sets:04d}")
        writer.segment("GE", str(sets), str(control))
        written += 1
    writer.segment("IEA", str(written), f"{stamp.interchange:09d}")
    return writer.bytes()


def _answer_version(group: GroupVerdict, profile: Profile) -> str:
    if profile.form == "999":
        return _GUIDE_999
    release, stated = release_of(group.version)
    sound = stated and group.version.isalnum() and group.version.isascii() and len(group.version) <= _VERSION_MAX
    return group.version if sound else release


def _ta1_due(verdict: InterchangeVerdict, profile: Profile) -> bool:
    rejected = verdict.status is Status.REJECTED
    if verdict.acknowledges_only or profile.ta1 == "never":
        return False
    if profile.ta1 == "always" or rejected:
        return True
    return profile.ta1 == "requested" and verdict.acknowledgement_requested


def _write_ta1(writer: Writer, verdict: InterchangeVerdict) -> None:
    """TA105 has room for one defect: the first that asks for the status given."""
    letter = _LETTERS[verdict.status]
    note = next((problem.answer.ta1 for problem in verdict.told if problem.answer.ta1), "000")
    if verdict.rejected_for is not None:
        note = verdict.rejected_for.answer.ta1 or note
    # TA101 has nine digits also where the header's number had lost its leading zeros.
    quoted = (f"{verdict.control:0>9}", verdict.date, verdict.time)
    writer.segment("TA1", *map(writer.clean, quoted), letter, note)


def _write_set(writer: Writer, group: GroupVerdict, profile: Profile, control: str) -> None:
    newer = release_of(group.version)[0] >= _NEWER
    start = writer.count
    if profile.form == "999":
        writer.segment("ST", "999", control, _GUIDE_999)
    else:
        writer.segment("ST", "997", control)
    clean = writer.clean
    writer.segment(
        "AK1", clean(group.functional_id), _group_number(group.control), clean(group.version) if newer else ""
    )
    for each in group.sets:
        if _answered_alone(each, group, profile):
            _write_set_answer(writer, each, profile, newer)
    declared = group.declared or ""
    readable = declared.isascii() and declared.isdigit() and len(declared) <= _COUNT_DIGITS_MAX
    stated = declared if readable else str(group.received)
    codes = _codes(group.told, "ak905", newer)
    writer.segment("AK9", _LETTERS[group.status], stated, str(group.received), str(group.accepted), *codes)
    writer.segment("SE", str(writer.count - start + 1), control)


def _group_number(received: str) -> str:
    """GS06 for AK102, which is a number: what is none is told by its leading digits, or 0."""
    found = _DIGITS.match(received)
    return found[0] if found is not None else "0"


def _answered_alone(each: SetVerdict, group: GroupVerdict, profile: Profile) -> bool:
    """Whether a set gets its own AK2. A set cannot be called accepted inside a rejected group."""
    if group.status is Status.REJECTED and each.status is not Status.REJECTED:
        return False
    return profile.detail == "every" or bool(each.told)


def _write_set_answer(writer: Writer, each: SetVerdict, profile: Profile, newer: bool) -> None:
    ours = profile.form == "999"
    clean = writer.clean
    writer.segment("AK2", clean(each.kind), clean(each.control), clean(each.implementation) if newer else "")
    if not each.told:
        writer.segment("IK5" if ours else "AK5", _LETTERS[each.status])
        return
    in_segments = False
    told = sorted((problem for problem in each.told if _has_place(problem)), key=_order)
    for (_, on_elements), problems in groupby(told, key=lambda one: (one.segment_position, _is_element(one))):
        in_segments = True
        if on_elements:
            _write_elements(writer, list(problems), ours, newer)
            continue
        for problem in problems:
            code = problem.answer.ak304 or "8"
            writer.segment("IK3" if ours else "AK3", *_where(writer, problem), code)
    codes = _codes(each.told, "ak502", newer)
    if in_segments and "5" not in codes:
        codes = [*codes[: _CODES_MAX - 1], "5"]
    writer.segment("IK5" if ours else "AK5", _LETTERS[each.status], *codes)


def _write_elements(writer: Writer, problems: Sequence[Problem], ours: bool, newer: bool) -> None:
    """AK3 with code 8, and an AK4 for each element in error of one segment."""
    writer.segment("IK3" if ours else "AK3", *_where(writer, problems[0]), "8")
    for problem in problems:
        place = [str(problem.element_position)]
        if problem.component_position is not None or (newer and problem.repetition is not None):
            place.append(str(problem.component_position or ""))
        if newer and problem.repetition is not None:
            place.append(str(problem.repetition))
        reference = problem.element_reference or ""
        code = _told_as("ak403", problem.answer.ak403 or "7", newer)
        value = problem.value if problem.value is not None and writer.carries(problem.value) else ""
        writer.segment(
            "IK4" if ours else "AK4",
            writer.separators.component.join(place), reference if reference.isdigit() else "", code, value,
        )  # fmt: skip


def _where(writer: Writer, problem: Problem) -> Iterator[str]:
    yield writer.clean(problem.tag or "")[:3]
    yield str(problem.segment_position)
    yield writer.clean(problem.loop or "")


def _codes(problems: Sequence[Problem], name: str, newer: bool) -> list[str]:
    """Distinct codes in the order met, as many as there are places for."""
    found = dict.fromkeys(
        _told_as(name, code, newer)
        for problem in problems
        if not _has_place(problem) and (code := getattr(problem.answer, name)) is not None
    )
    return list(found)[:_CODES_MAX]


def _told_as(name: str, code: str, newer: bool) -> str:
    return code if newer else _BEFORE_5010.get((name, code), code)


def _has_place(problem: Problem) -> bool:
    """Told by AK3 and AK4 rather than by AK5."""
    return problem.level in {Level.SEGMENT, Level.ELEMENT} and problem.segment_position is not None


def _is_element(problem: Problem) -> bool:
    return problem.level is Level.ELEMENT and problem.element_position is not None


def _order(problem: Problem) -> tuple[int, bool, int, int]:
    place = problem.element_position or 0, problem.component_position or 0
    return problem.segment_position or 0, _is_element(problem), *place
