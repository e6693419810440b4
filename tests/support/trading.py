"""Canonical documents on their way to a partner, and the segments they become."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import canonical
from canonical import DOCUMENT_TYPES, Document
from mappings import MappingSet
from mappings.edi import Stamp, envelop, judge_all, read
from mappings.edi.acknowledge import Status
from mappings.edi.partners import PartnerProfile, find_partner
from mappings.edi.rendering import render

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
STAMP = Stamp(501, 77, AT)


def document(type_: str, /, **fields: Any) -> Document:
    """A document of ours with what a test says of it."""
    head = {
        "type": type_,
        "id": canonical.document_id(type_, 0, "test"),
        "source": {"connector": "hub", "kind": type_, "id": "test"},
    }
    found: Any = DOCUMENT_TYPES[type_].model_validate({**head, **fields})
    return found  # type: ignore[no-any-return]


def sent(kind: str, made: Document, partner: PartnerProfile | str, mapping: MappingSet) -> list[str]:
    """The set as segments, without its envelope. What was written is read, and nothing in it is to be told."""
    profile = find_partner(partner) if isinstance(partner, str) else partner
    content = envelop([render(kind, made, mapping, profile, AT)], profile, STAMP).content
    (verdict,) = judge_all(read(content))
    assert [each.told for group in verdict.groups for each in group.sets] == [()]
    assert verdict.status is Status.ACCEPTED
    mark = profile.agreed.envelope.separators.segment
    charset = "utf-8" if profile.agreed.envelope.syntax == "x12" else "latin-1"
    lines = [line.strip() for line in content.decode(charset).split(mark)]
    return lines[3:-4]
