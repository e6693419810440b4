"""What can be wrong with an interchange, as typed problems that a TA1, 997, 999 or CONTRL can be made from.

`Code` is this product's own word for a defect and stays stable; `ANSWERS` says which standard code
tells it to the partner, per acknowledgement element. Codes a standard does not know are absent there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    INTERCHANGE = "interchange"
    GROUP = "group"
    SET = "set"
    SEGMENT = "segment"
    ELEMENT = "element"


class Code(StrEnum):
    """A defect. Names say what is wrong, not what is done about it: that is the partner's setting."""

    # Interchange
    HEADER_WIDTH = "header_width"
    HEADER_VALUE = "header_value"
    HEADER_SEPARATOR = "header_separator"
    INTERCHANGE_DATE = "interchange_date"
    INTERCHANGE_TIME = "interchange_time"
    INTERCHANGE_VERSION = "interchange_version"
    INTERCHANGE_CONTROL = "interchange_control"
    INTERCHANGE_CONTROL_MISMATCH = "interchange_control_mismatch"
    INTERCHANGE_COUNT = "interchange_count"
    INTERCHANGE_UNFINISHED = "interchange_unfinished"
    INTERCHANGE_DUPLICATE = "interchange_duplicate"
    INTERCHANGE_EMPTY = "interchange_empty"
    TEST_INDICATOR = "test_indicator"
    CHARSET_DIFFERS = "charset_differs"
    DATA_OUTSIDE = "data_outside"
    # Group
    GROUP_MISSING = "group_missing"
    GROUP_CONTROL = "group_control"
    GROUP_CONTROL_MISMATCH = "group_control_mismatch"
    GROUP_COUNT = "group_count"
    GROUP_UNFINISHED = "group_unfinished"
    GROUP_VERSION = "group_version"
    GROUP_UNKNOWN = "group_unknown"
    GROUP_DUPLICATE = "group_duplicate"
    # Set or message
    SET_KIND = "set_kind"
    SET_CONTROL = "set_control"
    SET_CONTROL_MISMATCH = "set_control_mismatch"
    SET_COUNT = "set_count"
    SET_UNFINISHED = "set_unfinished"
    SET_UNSUPPORTED = "set_unsupported"
    SET_DUPLICATE = "set_duplicate"
    SET_UNDER_GROUP = "set_under_group"
    SET_TOO_LARGE = "set_too_large"
    SET_SEGMENTS_IN_ERROR = "set_segments_in_error"
    # Segment
    SEGMENT_UNKNOWN = "segment_unknown"
    SEGMENT_UNEXPECTED = "segment_unexpected"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_LOOP_LIMIT = "segment_loop_limit"
    SEGMENT_LIMIT = "segment_limit"
    SEGMENT_NOT_IN_SET = "segment_not_in_set"
    SEGMENT_SEQUENCE = "segment_sequence"
    SEGMENT_ELEMENTS = "segment_elements"
    SEGMENT_OUTSIDE = "segment_outside"
    SEGMENT_TAG = "segment_tag"
    # Element
    ELEMENT_MISSING = "element_missing"
    ELEMENT_CONDITION = "element_condition"
    ELEMENT_SURPLUS = "element_surplus"
    ELEMENT_SHORT = "element_short"
    ELEMENT_LONG = "element_long"
    ELEMENT_CHARACTER = "element_character"
    ELEMENT_VALUE = "element_value"
    ELEMENT_DATE = "element_date"
    ELEMENT_TIME = "element_time"
    ELEMENT_EXCLUSION = "element_exclusion"
    ELEMENT_REPETITIONS = "element_repetitions"
    ELEMENT_COMPONENTS = "element_components"
    BINARY_LENGTH = "binary_length"


@dataclass(frozen=True, slots=True)
class Answer:
    """The standards' codes for one defect.

    Source: ASC X12 004010 and 005010, elements I18 (TA105), 716 (AK905), 718 (AK502), 720 (AK304),
    723 (AK403); ISO 9735 service code list, element 0085 (`contrl`). General knowledge of the
    standards as of 2026-11; a partner's guide may ask for others. A defect between interchanges is
    told to nobody: it belongs to no sender's envelope.
    """

    ta1: str | None = None
    ak905: str | None = None
    ak502: str | None = None
    ak304: str | None = None
    ak403: str | None = None
    contrl: str | None = None


ANSWERS: Mapping[Code, Answer] = {
    Code.HEADER_WIDTH: Answer(ta1="022", contrl="12"),
    Code.HEADER_VALUE: Answer(ta1="024", contrl="12"),
    Code.HEADER_SEPARATOR: Answer(ta1="026", contrl="22"),
    Code.INTERCHANGE_DATE: Answer(ta1="014", contrl="12"),
    Code.INTERCHANGE_TIME: Answer(ta1="015", contrl="12"),
    Code.INTERCHANGE_VERSION: Answer(ta1="017", contrl="2"),
    Code.INTERCHANGE_CONTROL: Answer(ta1="018", contrl="12"),
    Code.INTERCHANGE_CONTROL_MISMATCH: Answer(ta1="001", contrl="28"),
    Code.INTERCHANGE_COUNT: Answer(ta1="021", contrl="29"),
    Code.INTERCHANGE_UNFINISHED: Answer(ta1="023", contrl="13"),
    Code.INTERCHANGE_EMPTY: Answer(ta1="024", contrl="32"),
    Code.TEST_INDICATOR: Answer(ta1="020", contrl="25"),
    Code.CHARSET_DIFFERS: Answer(contrl="46"),
    Code.DATA_OUTSIDE: Answer(),
    Code.INTERCHANGE_DUPLICATE: Answer(ta1="025", contrl="26"),
    Code.GROUP_MISSING: Answer(ta1="022", contrl="33"),
    Code.GROUP_CONTROL: Answer(ak905="6", contrl="12"),
    Code.GROUP_CONTROL_MISMATCH: Answer(ak905="4", contrl="28"),
    Code.GROUP_COUNT: Answer(ak905="5", contrl="29"),
    Code.GROUP_UNFINISHED: Answer(ak905="3", contrl="13"),
    Code.GROUP_VERSION: Answer(ak905="2", contrl="14"),
    Code.GROUP_UNKNOWN: Answer(ak905="1", contrl="14"),
    Code.GROUP_DUPLICATE: Answer(ak905="19", contrl="26"),
    Code.SET_KIND: Answer(ak502="6", contrl="12"),
    Code.SET_CONTROL: Answer(ak502="7", contrl="12"),
    Code.SET_CONTROL_MISMATCH: Answer(ak502="3", contrl="28"),
    Code.SET_COUNT: Answer(ak502="4", contrl="29"),
    Code.SET_UNFINISHED: Answer(ak502="2", contrl="13"),
    Code.SET_UNSUPPORTED: Answer(ak502="1", contrl="14"),
    Code.SET_DUPLICATE: Answer(ak502="23", contrl="26"),
    Code.SET_UNDER_GROUP: Answer(ak502="6", contrl="14"),
    Code.SET_TOO_LARGE: Answer(ak502="2", contrl="18"),
    Code.SET_SEGMENTS_IN_ERROR: Answer(ak502="5", contrl="18"),
    Code.SEGMENT_UNKNOWN: Answer(ak304="1", ak502="5", contrl="15"),
    Code.SEGMENT_UNEXPECTED: Answer(ak304="2", ak502="5", contrl="15"),
    Code.SEGMENT_MISSING: Answer(ak304="3", ak502="5", contrl="13"),
    Code.SEGMENT_LOOP_LIMIT: Answer(ak304="4", ak502="5", contrl="36"),
    Code.SEGMENT_LIMIT: Answer(ak304="5", ak502="5", contrl="35"),
    Code.SEGMENT_NOT_IN_SET: Answer(ak304="6", ak502="5", contrl="15"),
    Code.SEGMENT_SEQUENCE: Answer(ak304="7", ak502="5", contrl="15"),
    Code.SEGMENT_ELEMENTS: Answer(ak304="8", ak502="5", contrl="18"),
    Code.SEGMENT_OUTSIDE: Answer(ta1="022", contrl="33"),
    Code.SEGMENT_TAG: Answer(ak304="1", ak502="5", contrl="12"),
    Code.ELEMENT_MISSING: Answer(ak403="1", contrl="13"),
    Code.ELEMENT_CONDITION: Answer(ak403="2", contrl="13"),
    Code.ELEMENT_SURPLUS: Answer(ak403="3", contrl="16"),
    Code.ELEMENT_SHORT: Answer(ak403="4", contrl="40"),
    Code.ELEMENT_LONG: Answer(ak403="5", contrl="39"),
    Code.ELEMENT_CHARACTER: Answer(ak403="6", contrl="21"),
    Code.ELEMENT_VALUE: Answer(ak403="7", contrl="12"),
    Code.ELEMENT_DATE: Answer(ak403="8", contrl="12"),
    Code.ELEMENT_TIME: Answer(ak403="9", contrl="12"),
    Code.ELEMENT_EXCLUSION: Answer(ak403="10", contrl="15"),
    Code.ELEMENT_REPETITIONS: Answer(ak403="12", contrl="35"),
    Code.ELEMENT_COMPONENTS: Answer(ak403="13", contrl="16"),
    Code.BINARY_LENGTH: Answer(ak304="8", ak502="5", ak403="6", contrl="12"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect and where it is.

    Args:
        message: a sentence for an operator, without personal data beyond `value`.
        tag: the segment's tag, where one segment is meant.
        segment_position: within the set, ST or UNH counting as 1 (AK302, 0096).
        element_position: 1-based within the segment; `component_position` and `repetition` likewise.
        value: the offending text as received, already cut to 99 characters (AK404, IK404).
        syntax_note: the conditional rule that was broken, such as `R0304`.
        loop: the loop the segment is in, by the standard's loop identifier (AK303).
        element_reference: the standard's data element number (AK402), such as `355`.
        offset: byte offset in the source where it was met.
    """

    code: Code
    level: Level
    message: str
    tag: str | None = None
    segment_position: int | None = None
    element_position: int | None = None
    component_position: int | None = None
    repetition: int | None = None
    value: str | None = None
    syntax_note: str | None = None
    loop: str | None = None
    element_reference: str | None = None
    offset: int | None = None

    @property
    def answer(self) -> Answer:
        """How the standards tell this defect."""
        return ANSWERS[self.code]

    @property
    def place(self) -> str:
        """Where it is, for people: `PO1[5] element 4 component 2`; empty for an envelope."""
        parts = []
        if self.tag:
            parts.append(self.tag if self.segment_position is None else f"{self.tag}[{self.segment_position}]")
        elif self.segment_position is not None:
            parts.append(f"segment {self.segment_position}")
        if self.element_position is not None:
            parts.append(f"element {self.element_position}")
        if self.component_position is not None:
            parts.append(f"component {self.component_position}")
        if self.repetition is not None:
            parts.append(f"repetition {self.repetition}")
        return " ".join(parts)

    def as_json(self) -> dict[str, object]:
        """The public form: absent facts are left out."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in given.items() if value is not None}


VALUE_MAX = 99
"""Characters of a bad value that an acknowledgement may copy (element 724)."""
