"""CONTRL: the answer to an EDIFACT interchange.

The answer is written with the standard's own separators, which need no service string advice. CONTRL cannot say
"accepted with errors": an error told about a message means its rejection, so errors of accepted ones are kept.

Source: ISO 9735 (1988, amended 1992) and its CONTRL message D.3, UN: action codes 4 (this and all lower levels
rejected) and 7 (acknowledged, lower levels acknowledged unless rejected); in UCD the segment's tag is position 1.
General knowledge, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from mappings.edi.acknowledge.stamps import Stamp
from mappings.edi.acknowledge.verdicts import GroupVerdict, InterchangeVerdict, SetVerdict, Status
from mappings.edi.acknowledge.writing import COPIED_MAX
from mappings.edi.grammar.profile import Profile
from mappings.edi.model import Party
from mappings.edi.problems import Level, Problem

_SPECIAL: Final = re.compile(r"([?+:'])")
_SYNTAX: Final = re.compile(r"UNO[A-Z]:[1-9]")
"""UNB01 that can be answered in kind; another one is no reader's."""
_TERMINATOR: Final = "'"
_SEGMENTS_MAX: Final = 999
_ELEMENTS_MAX: Final = 99
"""UCS per message and UCD per segment that CONTRL has room for."""


def answer(verdict: InterchangeVerdict, stamp: Stamp, profile: Profile) -> bytes | None:
    """The answering interchange; None for an interchange of acknowledgements only."""
    groups = [group for group in verdict.groups if group.answerable]
    if verdict.groups and not groups:
        return None
    body = [_joined("UNH", "1", _composite("CONTRL", "D", "3", "UN")), _uci(verdict)]
    if verdict.status is not Status.REJECTED:
        for group in groups:
            body += _group(group, profile)
    body.append(_joined("UNT", str(len(body) + 1), "1"))
    reference = str(stamp.interchange)
    syntax, _, version = verdict.version.partition(":")
    if not _SYNTAX.fullmatch(verdict.version):
        syntax, version = "UNOA", "3"
    day = f"{stamp.at:%Y%m%d}" if version >= "4" else f"{stamp.at:%y%m%d}"
    test = ["", "", "", "", "", "1"] if verdict.test else []
    head = _joined(
        "UNB", _composite(syntax, version), _party(verdict.receiver), _party(verdict.sender),
        _composite(day, f"{stamp.at:%H%M}"), reference, *test,
    )  # fmt: skip
    return "".join(f"{each}{_TERMINATOR}" for each in (head, *body, _joined("UNZ", "1", reference))).encode("ascii")


def _uci(verdict: InterchangeVerdict) -> str:
    """The original parties, not exchanged."""
    parties = _party(verdict.sender), _party(verdict.receiver)
    action, *code = _action(verdict.status, verdict.told)
    return _joined("UCI", _escaped(verdict.control), *parties, action, *code)


def _group(group: GroupVerdict, profile: Profile) -> list[str]:
    lines: list[str] = []
    if not group.implicit:
        action, *code = _action(group.status if group.told else Status.ACCEPTED, group.told)
        parties = _escaped(group.sender), _escaped(group.receiver)
        lines.append(_joined("UCF", _escaped(group.control), *parties, action, *code))
    elif group.status is Status.REJECTED and group.told:
        # Without a group segment its defects are told for each message.
        return [_joined("UCM", *_message(each), *_action(group.status, group.told)) for each in group.sets]
    if group.status is Status.REJECTED and group.told:
        return lines
    for each in group.sets:
        if each.status is Status.REJECTED or (profile.detail == "every" and group.status is not Status.REJECTED):
            lines += _ucm(each)
    return lines


def _ucm(each: SetVerdict) -> list[str]:
    own = [problem for problem in each.told if problem.segment_position is None or problem.level is Level.SET]
    placed = sorted((problem for problem in each.told if problem not in own), key=_position)
    lines = [_joined("UCM", *_message(each), *_action(each.status, own))]
    if each.status is not Status.REJECTED:
        return lines
    for told, (position, found) in enumerate(groupby(placed, key=_position)):
        if told == _SEGMENTS_MAX:
            break
        problems = list(found)
        whole = next((one for one in problems if one.level is Level.SEGMENT), None)
        lines.append(_joined("UCS", str(position), *([_code(whole)] if whole is not None else [])))
        elements = [one for one in problems if one.level is Level.ELEMENT and one.element_position is not None]
        lines += [_joined("UCD", _code(one), _place(one)) for one in elements[:_ELEMENTS_MAX]]
    return lines


def _place(problem: Problem) -> str:
    element = str((problem.element_position or 0) + 1)
    return element if problem.component_position is None else _composite(element, str(problem.component_position))


def _action(status: Status, told: Iterable[Problem]) -> list[str]:
    """Action code, and for a rejection the first defect's code."""
    if status is not Status.REJECTED:
        return ["7"]
    return ["4", *[_code(problem) for problem in told][:1]]


def _code(problem: Problem) -> str:
    """Element 0085; 18 is the standard's unspecified error."""
    return problem.answer.contrl or "18"


def _message(each: SetVerdict) -> tuple[str, str]:
    version, _, release = each.version.partition(".")
    kind = _composite(*map(_escaped, (each.kind, version, release, "UN", each.implementation)))
    return _escaped(each.control), kind


def _position(problem: Problem) -> int:
    return problem.segment_position or 0


def _party(party: Party) -> str:
    return _composite(*map(_escaped, (party.id, party.qualifier, party.internal)))


def _composite(*components: str) -> str:
    return _trimmed(":".join(components), ":")


def _joined(*elements: str) -> str:
    return _trimmed("+".join(elements), "+")


def _trimmed(text: str, mark: str) -> str:
    """Without empty parts at the end; a released mark there is data and stays."""
    while text.endswith(mark) and not text.endswith(f"?{mark}"):
        text = text[:-1]
    return text


def _escaped(text: str) -> str:
    """Foreign text in ASCII, its special characters released."""
    plain = "".join(char if char.isprintable() and char.isascii() else "?" for char in text[:COPIED_MAX])
    return _SPECIAL.sub(r"?\1", plain)
