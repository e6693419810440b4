"""Acknowledgements: an interchange is judged by a partner's profile and answered with 997, 999, TA1 or CONTRL."""

from mappings.edi.acknowledge.answering import Stamp, acknowledge
from mappings.edi.acknowledge.judging import judge, judge_all, judge_set
from mappings.edi.acknowledge.verdicts import GroupVerdict, InterchangeVerdict, SetVerdict, Status

__all__ = [
    "GroupVerdict",
    "InterchangeVerdict",
    "SetVerdict",
    "Stamp",
    "Status",
    "acknowledge",
    "judge",
    "judge_all",
    "judge_set",
]
