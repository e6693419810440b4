"""The canonical model: what every payload becomes, and the only thing the hub reasons about.

Values and documents are frozen; lists are tuples. Nothing here does I/O, reads a clock or knows a
vendor's word.
"""

from __future__ import annotations

from canonical import documents as _documents
from canonical.amounts import exact_unit_price, residual, with_residual
from canonical.documents import *  # noqa: F403
from canonical.errors import InvariantBroken, MappingError
from canonical.ids import PREFIXES, document_id
from canonical.json_form import dump, json_schema, parse_document, parse_documents
from canonical.personal import join_personal, split_personal
from canonical.quantities import EACHES_PER_UNIT, UnknownUnit, eaches, open_quantity, remaining_quantity
from canonical.scalars import instant_of, instant_text
from canonical.states import fulfillment_of, is_cancelled
from canonical.values import Address, Hold, Money, Place, Problem, Source, Value, Weight

__all__ = [  # noqa: PLE0604
    *_documents.__all__,
    "EACHES_PER_UNIT", "PREFIXES", "Address", "Hold", "InvariantBroken", "MappingError", "Money", "Place", "Problem",
    "Source", "UnknownUnit", "Value", "Weight", "document_id", "dump", "eaches", "exact_unit_price", "fulfillment_of",
    "instant_of", "instant_text", "is_cancelled", "join_personal", "json_schema", "open_quantity", "parse_document",
    "parse_documents", "remaining_quantity", "residual", "split_personal", "with_residual",
]  # fmt: skip
