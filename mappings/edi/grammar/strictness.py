"""What is done about each class of problem: rejected, accepted with errors, or not told to the partner at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mappings.edi.problems import Code, Problem


class Action(StrEnum):
    REJECT = "reject"
    ACCEPT = "accept"
    """Taken, and the defect is told in the acknowledgement (accepted with errors)."""
    IGNORE = "ignore"
    """Taken, and the acknowledgement is silent; validation still lists it."""


class Class(StrEnum):
    """Classes of problems that a partner profile decides on."""

    ENVELOPE_WIDTH = "envelope_width"
    ENVELOPE = "envelope"
    CHARSET = "charset"
    DATA_OUTSIDE = "data_outside"
    CONTROL_NUMBERS = "control_numbers"
    COUNTS = "counts"
    UNFINISHED = "unfinished"
    """A set that breaks off."""
    TRAILER_MISSING = "trailer_missing"
    """A group or an interchange that breaks off after whole sets: GE, IEA, UNE or UNZ never came."""
    DUPLICATES = "duplicates"
    TEST_INDICATOR = "test_indicator"
    VERSION = "version"
    GROUP = "group"
    SET_UNKNOWN = "set_unknown"
    SET_UNDER_GROUP = "set_under_group"
    SEGMENT_UNKNOWN = "segment_unknown"
    SEGMENT_ORDER = "segment_order"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_REPEATS = "segment_repeats"
    ELEMENT_MISSING = "element_missing"
    ELEMENT_CONDITION = "element_condition"
    ELEMENT_SURPLUS = "element_surplus"
    ELEMENT_LENGTH = "element_length"
    ELEMENT_CHARACTER = "element_character"
    ELEMENT_CODE = "element_code"
    ELEMENT_DATE = "element_date"
    HIERARCHY = "hierarchy"
    TOTALS = "totals"


_CLASSES: Final[Mapping[Code, Class]] = {
    Code.HEADER_WIDTH: Class.ENVELOPE_WIDTH,
    Code.HEADER_VALUE: Class.ENVELOPE,
    Code.HEADER_SEPARATOR: Class.ENVELOPE,
    Code.INTERCHANGE_DATE: Class.ELEMENT_DATE,
    Code.INTERCHANGE_TIME: Class.ELEMENT_DATE,
    Code.INTERCHANGE_VERSION: Class.VERSION,
    Code.INTERCHANGE_CONTROL: Class.CONTROL_NUMBERS,
    Code.INTERCHANGE_CONTROL_MISMATCH: Class.CONTROL_NUMBERS,
    Code.INTERCHANGE_COUNT: Class.COUNTS,
    Code.INTERCHANGE_UNFINISHED: Class.TRAILER_MISSING,
    Code.INTERCHANGE_EMPTY: Class.ENVELOPE,
    Code.INTERCHANGE_DUPLICATE: Class.DUPLICATES,
    Code.TEST_INDICATOR: Class.TEST_INDICATOR,
    Code.CHARSET_DIFFERS: Class.CHARSET,
    Code.DATA_OUTSIDE: Class.DATA_OUTSIDE,
    Code.GROUP_MISSING: Class.GROUP,
    Code.GROUP_CONTROL: Class.CONTROL_NUMBERS,
    Code.GROUP_CONTROL_MISMATCH: Class.CONTROL_NUMBERS,
    Code.GROUP_COUNT: Class.COUNTS,
    Code.GROUP_UNFINISHED: Class.TRAILER_MISSING,
    Code.GROUP_VERSION: Class.VERSION,
    Code.GROUP_UNKNOWN: Class.GROUP,
    Code.GROUP_DUPLICATE: Class.DUPLICATES,
    Code.SET_KIND: Class.SET_UNKNOWN,
    Code.SET_CONTROL: Class.CONTROL_NUMBERS,
    Code.SET_CONTROL_MISMATCH: Class.CONTROL_NUMBERS,
    Code.SET_COUNT: Class.COUNTS,
    Code.SET_UNFINISHED: Class.UNFINISHED,
    Code.SET_UNSUPPORTED: Class.SET_UNKNOWN,
    Code.SET_UNDER_GROUP: Class.SET_UNDER_GROUP,
    Code.SET_DUPLICATE: Class.DUPLICATES,
    Code.SET_TOO_LARGE: Class.UNFINISHED,
    Code.SEGMENT_UNKNOWN: Class.SEGMENT_UNKNOWN,
    Code.SEGMENT_UNEXPECTED: Class.SEGMENT_UNKNOWN,
    Code.SEGMENT_NOT_IN_SET: Class.SEGMENT_UNKNOWN,
    Code.SEGMENT_TAG: Class.SEGMENT_UNKNOWN,
    Code.SEGMENT_OUTSIDE: Class.ENVELOPE,
    Code.SEGMENT_MISSING: Class.SEGMENT_MISSING,
    Code.SEGMENT_LOOP_LIMIT: Class.SEGMENT_REPEATS,
    Code.SEGMENT_LIMIT: Class.SEGMENT_REPEATS,
    Code.SEGMENT_SEQUENCE: Class.SEGMENT_ORDER,
    Code.ELEMENT_MISSING: Class.ELEMENT_MISSING,
    Code.ELEMENT_CONDITION: Class.ELEMENT_CONDITION,
    Code.ELEMENT_EXCLUSION: Class.ELEMENT_CONDITION,
    Code.ELEMENT_SURPLUS: Class.ELEMENT_SURPLUS,
    Code.ELEMENT_REPETITIONS: Class.ELEMENT_SURPLUS,
    Code.ELEMENT_COMPONENTS: Class.ELEMENT_SURPLUS,
    Code.ELEMENT_SHORT: Class.ELEMENT_LENGTH,
    Code.ELEMENT_LONG: Class.ELEMENT_LENGTH,
    Code.ELEMENT_CHARACTER: Class.ELEMENT_CHARACTER,
    Code.ELEMENT_VALUE: Class.ELEMENT_CODE,
    Code.ELEMENT_DATE: Class.ELEMENT_DATE,
    Code.ELEMENT_TIME: Class.ELEMENT_DATE,
    Code.BINARY_LENGTH: Class.ELEMENT_CHARACTER,
}

STANDARD_ACTIONS: Final[Mapping[Class, Action]] = MappingProxyType(
    {
        # Trimmed padding of the ISA is read safely, and one file in seven has it.
        Class.ENVELOPE_WIDTH: Action.ACCEPT,
        Class.CHARSET: Action.IGNORE,
        # What stands between interchanges belongs to no sender's envelope.
        Class.DATA_OUTSIDE: Action.IGNORE,
        Class.SET_UNDER_GROUP: Action.ACCEPT,
        Class.SEGMENT_UNKNOWN: Action.ACCEPT,
        Class.ELEMENT_SURPLUS: Action.ACCEPT,
        Class.ELEMENT_LENGTH: Action.ACCEPT,
        Class.ELEMENT_CODE: Action.ACCEPT,
        # CTT is wrong so often, and so seldom matters, that telling it is noise to most partners.
        Class.TOTALS: Action.IGNORE,
    }
)
"""A standard profile's deviations from `reject`."""


def class_of(problem: Problem) -> Class:
    """The class that a profile decides on."""
    if problem.tag == "HL" and problem.code is Code.ELEMENT_VALUE:
        return Class.HIERARCHY
    if problem.tag in {"CTT", "CNT"} and problem.element_position is not None:
        return Class.TOTALS
    return _CLASSES.get(problem.code, Class.ENVELOPE)


def weigh(problems: Iterable[Problem], actions: Mapping[Class, Action]) -> Action:
    """The gravest action any of the problems asks for; IGNORE when none is told."""
    gravest = Action.IGNORE
    for problem in problems:
        action = actions[class_of(problem)]
        if action is Action.REJECT:
            return Action.REJECT
        if action is Action.ACCEPT:
            gravest = Action.ACCEPT
    return gravest
