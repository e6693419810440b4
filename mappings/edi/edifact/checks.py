"""What the envelope of an EDIFACT interchange must hold, and the problems when it does not.

Source: ISO 9735-1:2002, service segments UNB, UNG, UNH, UNT, UNE, UNZ.
"""

from __future__ import annotations

from datetime import datetime

from mappings.edi.cursor import SPAN_MAX
from mappings.edi.model import Group, Interchange, TransactionSet
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem

_KIND_LENGTH = 6
_REFERENCE_MAX = 14
_DIGITS_MAX = 18


def header(control: str, date: str, time: str, offset: int) -> list[Problem]:
    """UNB: a reference of up to fourteen characters, a date and a time."""
    problems = []
    if not 0 < len(control) <= _REFERENCE_MAX:
        text = "UNB05 is no reference of up to 14 characters"
        problems.append(
            _problem(Code.INTERCHANGE_CONTROL, Level.INTERCHANGE, "UNB", None, 5, None, text, control, offset)
        )
    if not (_parses(date, "%y%m%d") or _parses(date, "%Y%m%d")):
        text = "UNB04 begins with no date"
        problems.append(_problem(Code.INTERCHANGE_DATE, Level.INTERCHANGE, "UNB", None, 4, 1, text, date, offset))
    if not _parses(time, "%H%M"):
        text = "UNB04 ends with no time HHMM"
        problems.append(_problem(Code.INTERCHANGE_TIME, Level.INTERCHANGE, "UNB", None, 4, 2, text, time, offset))
    return problems


def trailer(found: Interchange, number: int, count: str, control: str) -> list[Problem]:
    """UNZ: the number of groups, or of messages where there are no groups, and UNB's reference."""
    problems = []
    if not _same_number(count, number):
        text = f"UNZ01 says {count or 'nothing'}, counted {number}"
        problems.append(_problem(Code.INTERCHANGE_COUNT, Level.INTERCHANGE, "UNZ", None, 1, None, text, count, None))
    if control != found.control:
        text = f"UNZ02 is {control or 'empty'}, UNB05 is {found.control or 'empty'}"
        code = Code.INTERCHANGE_CONTROL_MISMATCH
        problems.append(_problem(code, Level.INTERCHANGE, "UNZ", None, 2, None, text, control, None))
    if not number:
        problems.append(Problem(Code.INTERCHANGE_EMPTY, Level.INTERCHANGE, "no message"))
    return problems


def group_trailer(group: Group, count: str, control: str) -> list[Problem]:
    """UNE against UNG and the messages that were there."""
    problems = []
    if not _same_number(count, group.count):
        text = f"UNE01 says {count or 'nothing'}, counted {group.count} messages"
        problems.append(_problem(Code.GROUP_COUNT, Level.GROUP, "UNE", None, 1, None, text, count, None))
    if control != group.control:
        text = f"UNE02 is {control or 'empty'}, UNG05 is {group.control or 'empty'}"
        problems.append(_problem(Code.GROUP_CONTROL_MISMATCH, Level.GROUP, "UNE", None, 2, None, text, control, None))
    return problems


def message_header(found: TransactionSet) -> list[Problem]:
    """UNH: a reference, and a message type of up to six characters."""
    problems = []
    if not 0 < len(found.control) <= _REFERENCE_MAX:
        text = "UNH01 is no reference of up to 14 characters"
        problems.append(_problem(Code.SET_CONTROL, Level.SET, "UNH", 1, 1, None, text, found.control, None))
    if not (0 < len(found.kind) <= _KIND_LENGTH and found.kind.isalnum()):
        text = "UNH02 begins with no message type"
        problems.append(_problem(Code.SET_KIND, Level.SET, "UNH", 1, 2, 1, text, found.kind, None))
    return problems


def message_trailer(found: TransactionSet, count: str, control: str) -> list[Problem]:
    """UNT01 counts the segments, UNH and UNT included; UNT02 is UNH01."""
    problems = []
    last = len(found.segments)
    if not _same_number(count, last):
        text = f"UNT01 says {count or 'nothing'}, counted {last} segments"
        problems.append(_problem(Code.SET_COUNT, Level.SET, "UNT", last, 1, None, text, count, None))
    if control != found.control:
        text = f"UNT02 is {control or 'empty'}, UNH01 is {found.control or 'empty'}"
        problems.append(_problem(Code.SET_CONTROL_MISMATCH, Level.SET, "UNT", last, 2, None, text, control, None))
    return problems


def unfinished(raw: bytes, segments: int, offset: int) -> Problem:
    """A message whose trailer never came, or came too late."""
    if len(raw) > SPAN_MAX:
        text = f"no UNT within {SPAN_MAX >> 20} MiB; the message is cut there"
        return Problem(Code.SET_TOO_LARGE, Level.SET, text, segment_position=segments, offset=offset)
    return Problem(Code.SET_UNFINISHED, Level.SET, "no UNT", segment_position=segments, offset=offset)


def _problem(
    code: Code,
    level: Level,
    tag: str,
    position: int | None,
    element: int,
    component: int | None,
    text: str,
    value: str,
    offset: int | None,
) -> Problem:
    return Problem(code, level, text, tag, position, element, component, value=value[:VALUE_MAX], offset=offset)


def _same_number(text: str, number: int) -> bool:
    return len(text) <= _DIGITS_MAX and text.isascii() and text.isdigit() and int(text) == number


def _parses(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it can be one is asked
    except ValueError:
        return False
    return True
