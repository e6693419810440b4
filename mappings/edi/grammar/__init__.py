"""Grammars of X12 sets and EDIFACT messages as data, validation against them, and sets as JSON loops."""

from functools import lru_cache

from mappings.edi.grammar.looping import loops
from mappings.edi.grammar.messages import edifact_grammar
from mappings.edi.grammar.releases import SetGrammar, x12_grammar
from mappings.edi.grammar.validation import validate


@lru_cache(maxsize=256)
def grammar_for(kind: str, version: str) -> SetGrammar | None:
    """The grammar of `850` under a GS08, or of `ORDERS` under `D.96A`; None for what is not known here."""
    return edifact_grammar(kind) if kind.isalpha() else x12_grammar(kind, version)


__all__ = ["SetGrammar", "grammar_for", "loops", "validate"]
