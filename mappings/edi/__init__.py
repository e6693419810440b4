"""X12 and EDIFACT: bytes to segments and back.

`read` streams interchanges of either syntax out of bytes or a binary file; `write` gives the bytes
back, equal to what was read wherever nothing was changed. Defects are `Problem`s, never exceptions.
`grammar_for` and `validate` judge what a set holds, `loops` shows it as JSON, `judge` decides about a whole
interchange by a partner's profile, and `acknowledge` gives the bytes that tell the partner.
"""

from mappings.edi.acknowledge import Stamp, acknowledge, judge, judge_all
from mappings.edi.enveloping import OutgoingSet, Sent, SentSet, envelop
from mappings.edi.grammar import SetGrammar, grammar_for, loops, validate
from mappings.edi.model import Group, Interchange, Party, Segment, Segments, Separators, TransactionSet
from mappings.edi.problems import ANSWERS, Answer, Code, Level, Problem
from mappings.edi.reading import read
from mappings.edi.writing import Composite, NotWritable, Repeated, encode, rewrite, write

__all__ = [
    "ANSWERS",
    "Answer",
    "Code",
    "Composite",
    "Group",
    "Interchange",
    "Level",
    "NotWritable",
    "OutgoingSet",
    "Party",
    "Problem",
    "Repeated",
    "Segment",
    "Segments",
    "Sent",
    "SentSet",
    "Separators",
    "SetGrammar",
    "Stamp",
    "TransactionSet",
    "acknowledge",
    "encode",
    "envelop",
    "grammar_for",
    "judge",
    "judge_all",
    "loops",
    "read",
    "rewrite",
    "validate",
    "write",
]
