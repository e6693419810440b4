"""From canonical documents to sets: the outward mapping of a kind, written in the order of its grammar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import canonical
from canonical import Document
from canonical.errors import MappingError
from mappings.edi.enveloping import OutgoingSet
from mappings.edi.grammar import grammar_for
from mappings.edi.partners.model import PartnerProfile
from mappings.edi.unlooping import rows_of_content
from mappings.edi.writing import NotWritable
from mappings.engine import MappingSet


def render(kind: str, document: Document, mapping: MappingSet, partner: PartnerProfile, at: datetime) -> OutgoingSet:
    """One set of a kind (`855`), ready to be enveloped.

    Args:
        kind: a file of `mappings/edi/out`.
        document: the canonical document the mapping of that kind reads.
        mapping: the set `edi` with the account's overlay.
        partner: whose terms hold.
        at: the moment it is made, which it may state; the caller keeps it, so that a resend is the same bytes.

    Raises:
        MappingError: no such kind, a document of another type's shape, or a rule that refuses (`code` says why).
    """
    stated: Mapping[str, Any] = json.loads(canonical.dump(document))
    terms = dict(partner.terms)
    if partner.agreed.identities is not None:
        terms["identities"] = partner.agreed.identities.model_dump(mode="json", include={"us", "them"})
    content = mapping.render(kind, stated, {"partner": terms, "at": at.isoformat()})
    grammar = grammar_for(kind, partner.version_of(kind))
    if grammar is None:
        raise MappingError(f"no grammar of {kind} is known", code="unknown_kind")
    try:
        return OutgoingSet(kind, rows_of_content(content, grammar))
    except NotWritable as problem:
        raise MappingError(str(problem), file=f"edi/out/{kind}.yaml", code="segment") from None
