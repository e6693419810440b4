"""Code tables of a partner, both ways, checked against the closed lists of the canonical model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self, get_args

from pydantic import Field, model_validator

from canonical import codes
from mappings.edi.partners.parts import Code, Part

TableName = Literal[
    "line_status", "order_answer", "line_change", "order_kind", "movement_reason", "receipt_condition", "invoice_kind",
    "carrier", "refusal_reason",
]  # fmt: skip
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "line_status": frozenset(get_args(codes.LineStatus)),
    "order_answer": frozenset(get_args(codes.AcknowledgementState)),
    "line_change": frozenset(get_args(codes.LineChange)),
    "order_kind": frozenset(get_args(codes.OrderKind)),
    "movement_reason": frozenset(get_args(codes.MovementReason)),
    "receipt_condition": frozenset({"damaged", "short", "over", "quarantine", "ignore"}),
    "invoice_kind": frozenset(get_args(codes.InvoiceKind)),
    "refusal_reason": frozenset({"unknown_article", "out_of_stock", "order_not_whole"}),
}
"""Canonical words by table; a table that is not here takes any (carriers)."""


class Table(Part):
    """`inward` from their code to our word, `outward` from our word to their code."""

    inward: Mapping[Code, str] = Field(default_factory=dict)
    outward: Mapping[str, Code] = Field(default_factory=dict)


class Tables(Part):
    """Only where a partner differs from the standard's own meaning; the standard tables stand in the mappings."""

    tables: Mapping[TableName, Table] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_words(self) -> Self:
        for name, table in self.tables.items():
            allowed = _WORDS.get(name)
            for word in sorted({*table.inward.values(), *table.outward} - (allowed or set())) if allowed else ():
                raise ValueError(f"{name} has no word {word!r}; it knows {', '.join(sorted(allowed or ()))}")
        return self
