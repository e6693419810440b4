"""X12 and EDIFACT: bytes to segments and back.

`read` streams interchanges of either syntax out of bytes or a binary file; `write` gives the bytes
back, equal to what was read wherever nothing was changed. Defects are `Problem`s, never exceptions.
"""

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
    "Party",
    "Problem",
    "Repeated",
    "Segment",
    "Segments",
    "Separators",
    "TransactionSet",
    "encode",
    "read",
    "rewrite",
    "write",
]
