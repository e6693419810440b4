"""What the envelope of an X12 interchange must hold, and the problems when it does not.

Source: ASC X12.5 and X12.6, interchange and group control structures, 004010 and 005010.
"""

from __future__ import annotations

from datetime import datetime

from mappings.edi.cursor import SPAN_MAX
from mappings.edi.model import Group, Interchange, TransactionSet
from mappings.edi.problems import VALUE_MAX, Code, Level, Problem
from mappings.edi.x12.isa import WIDTHS, Header

_CONTROL_MAX = 9
_SET_CONTROL_MIN = 4


def header(found: Header, offset: int) -> list[Problem]:
    """Problems of the ISA, each naming its element."""
    problems: list[Problem] = []

    def tell(code: Code, position: int, message: str, value: str) -> None:
        given = value[:VALUE_MAX]
        place = {"tag": "ISA", "element_position": position, "value": given, "offset": offset}
        problems.append(Problem(code, Level.INTERCHANGE, message, **place))  # type: ignore[arg-type]

    for position, (text, width) in enumerate(zip(found.elements, WIDTHS, strict=False), 1):
        if len(text) != width:
            tell(Code.HEADER_WIDTH, position, f"ISA{position:02d} has {len(text)} characters, not {width}", text)
    given = [each.strip() for each in found.elements]
    if not _parses(given[8], "%y%m%d"):
        tell(Code.INTERCHANGE_DATE, 9, "ISA09 is no date YYMMDD", given[8])
    if not _parses(given[9], "%H%M"):
        tell(Code.INTERCHANGE_TIME, 10, "ISA10 is no time HHMM", given[9])
    if len(given[11]) != 5 or not (given[11].isascii() and given[11].isdigit()):
        tell(Code.INTERCHANGE_VERSION, 12, "ISA12 is no version number", given[11])
    if not _number(given[12]):
        tell(Code.INTERCHANGE_CONTROL, 13, "ISA13 is no number of up to nine digits", given[12])
    if given[13] not in {"0", "1"}:
        tell(Code.HEADER_VALUE, 14, "ISA14 is neither 0 nor 1", given[13])
    if given[14] not in {"P", "T", "I"}:
        tell(Code.TEST_INDICATOR, 15, "ISA15 is neither P nor T", given[14])
    marks = [found.separators.element, found.separators.component, found.separators.segment]
    if len(set(marks)) < len(marks):
        tell(Code.HEADER_SEPARATOR, 16, "two separators are the same character", found.separators.component)
    return problems


def trailer(found: Interchange, row: list[str]) -> list[Problem]:
    """IEA against ISA and the groups that were there."""
    problems = []
    count, control = [*row[1:3], "", ""][:2]
    if not _same_number(count, found.count):
        text = f"IEA01 says {count or 'nothing'}, counted {found.count} groups"
        problems.append(_envelope(Code.INTERCHANGE_COUNT, Level.INTERCHANGE, "IEA", 1, text, count))
    if control != found.control:
        text = f"IEA02 is {control or 'empty'}, ISA13 is {found.control or 'empty'}"
        problems.append(_envelope(Code.INTERCHANGE_CONTROL_MISMATCH, Level.INTERCHANGE, "IEA", 2, text, control))
    if not found.count and not found.acknowledgements:
        problems.append(Problem(Code.INTERCHANGE_EMPTY, Level.INTERCHANGE, "no group and no TA1"))
    return problems


def group_header(control: str, offset: int) -> list[Problem]:
    """GS06 is a number of up to nine digits."""
    if _number(control):
        return []
    text = "GS06 is no number of up to nine digits"
    place = Problem(Code.GROUP_CONTROL, Level.GROUP, text, "GS", None, 6, value=control[:VALUE_MAX], offset=offset)
    return [place]


def group_trailer(group: Group, row: list[str]) -> list[Problem]:
    """GE against GS and the sets that were there."""
    problems = []
    count, control = [*row[1:3], "", ""][:2]
    if not _same_number(count, group.count):
        text = f"GE01 says {count or 'nothing'}, counted {group.count} sets"
        problems.append(_envelope(Code.GROUP_COUNT, Level.GROUP, "GE", 1, text, count))
    if not (control == group.control or (_number(control) and _same_number(group.control, int(control)))):
        text = f"GE02 is {control or 'empty'}, GS06 is {group.control or 'empty'}"
        problems.append(_envelope(Code.GROUP_CONTROL_MISMATCH, Level.GROUP, "GE", 2, text, control))
    return problems


def plausible(kind: str, control: str) -> bool:
    """Whether ST01 and ST02 can be what they have to be."""
    return len(kind) == 3 and kind.isalnum() and _SET_CONTROL_MIN <= len(control) <= _CONTROL_MAX and control.isalnum()


def set_header(found: TransactionSet) -> list[Problem]:
    """ST01 has three characters, ST02 four to nine letters or digits."""
    problems = []
    if len(found.kind) != 3 or not found.kind.isalnum():
        text = "ST01 is no set identifier of three characters"
        problems.append(_in_set(Code.SET_KIND, "ST", 1, 1, text, found.kind))
    if not (_SET_CONTROL_MIN <= len(found.control) <= _CONTROL_MAX and found.control.isalnum()):
        text = "ST02 is no control number of four to nine letters or digits"
        problems.append(_in_set(Code.SET_CONTROL, "ST", 1, 2, text, found.control))
    return problems


def set_trailer(found: TransactionSet, tail: list[str]) -> list[Problem]:
    """SE01 counts the segments, ST and SE included; SE02 is ST02 as text."""
    problems = []
    last = len(found.segments)
    count, control = [*tail[1:3], "", ""][:2]
    if not _same_number(count, last):
        text = f"SE01 says {count or 'nothing'}, counted {last} segments"
        problems.append(_in_set(Code.SET_COUNT, "SE", last, 1, text, count))
    if control.strip() != found.control.strip():
        text = f"SE02 is {control or 'empty'}, ST02 is {found.control or 'empty'}"
        problems.append(_in_set(Code.SET_CONTROL_MISMATCH, "SE", last, 2, text, control))
    return problems


def unfinished(raw: bytes, segments: int, offset: int) -> Problem:
    """A set whose trailer never came, or came too late."""
    if len(raw) > SPAN_MAX:
        text = f"no SE within {SPAN_MAX >> 20} MiB; the set is cut there"
        return Problem(Code.SET_TOO_LARGE, Level.SET, text, segment_position=segments, offset=offset)
    return Problem(Code.SET_UNFINISHED, Level.SET, "no SE", segment_position=segments, offset=offset)


def binary_segments(found: TransactionSet) -> list[Problem]:
    """A length that is no number, or data shorter than its length, cannot be relied on."""
    problems = []
    for segment in found.segments:
        field = {"BIN": 1, "BDS": 2}.get(segment.tag)
        if field is None:
            continue
        given = segment.raw(field)
        if not (given.isascii() and given.isdigit() and len(given) <= 2 * _CONTROL_MAX):
            text = f"{segment.tag}{field:02d} is no length; the data was taken up to the next terminator"
            problems.append(_in_set(Code.BINARY_LENGTH, segment.tag, segment.position, field, text, given))
        elif len(segment.raw(field + 1)) != int(given):
            text = f"{segment.tag}{field:02d} says {given} bytes, counted {len(segment.raw(field + 1))}"
            problems.append(_in_set(Code.BINARY_LENGTH, segment.tag, segment.position, field, text, given))
    return problems


def _envelope(code: Code, level: Level, tag: str, element: int, text: str, value: str) -> Problem:
    return Problem(code, level, text, tag=tag, element_position=element, value=value[:VALUE_MAX])


def _in_set(code: Code, tag: str, position: int, element: int, text: str, value: str) -> Problem:
    return Problem(code, Level.SET, text, tag, position, element, value=value[:VALUE_MAX])


def _number(text: str) -> bool:
    return 0 < len(text) <= _CONTROL_MAX and text.isascii() and text.isdigit()


def _same_number(text: str, number: int) -> bool:
    text = text.strip()
    return len(text) <= 2 * _CONTROL_MAX and text.isascii() and text.isdigit() and int(text) == number


def _parses(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it can be one is asked
    except ValueError:
        return False
    return True
