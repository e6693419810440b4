"""A document of ours becomes a file: written by the partner's profile, numbered and queued in one unit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

import canonical
from canonical import Document
from canonical.errors import MappingError
from hub.ports.store import FileRow, InboxItem, InboxResult, InboxState, ReadSet, SeenNumber, State, WriteSet
from hub.trading.outbound import Asked, Outbound, counters_of
from hub.trading.parking import INBOUND
from mappings import MappingSet
from mappings.edi import OutgoingSet, envelop
from mappings.edi.partners import PartnerProfile
from mappings.edi.rendering import render


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an `outgoing` input asks for. `subject` is our id of what it is about."""

    kind: str
    document: Document
    about: Mapping[str, str]

    @property
    def subject(self) -> str:
        return next(iter(self.about.values()), "")


def wanted_of(item: InboxItem) -> Wanted:
    """Raises: MappingError: the input is not what `hub.services.trading.outgoing` writes."""
    try:
        asked: Any = json.loads(item.payload, parse_float=str)
        kind, stated, about = asked["set"], asked["document"], asked["about"]
        (document,) = canonical.parse_documents(json.dumps([stated]))
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        # The values of a document may be personal: only where it is wrong is told.
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) if isinstance(error, ValidationError) else ""
        message = f"the document asked for cannot be read: {type(error).__name__}{f' at {where}' if where else ''}"
        raise MappingError(message, target=where, code="document") from None
    if not isinstance(kind, str) or not isinstance(about, dict):
        raise MappingError("the input names no set", code="document")
    return Wanted(kind, document, {str(key): str(value) for key, value in about.items()})


def written(wanted: Wanted, mapping: MappingSet, partner: PartnerProfile, at: datetime) -> OutgoingSet:
    """Raises: MappingError: no such set, or a rule of the set or the partner that refuses the document."""
    return render(wanted.kind, wanted.document, mapping, partner, at)


def made_key(seq: int) -> str:
    """The number an input's file is remembered under, so that it is made once."""
    return f"m|{seq}"


def reads_of(item: InboxItem) -> ReadSet:
    return ReadSet(counters=counters_of(item.account))


def compose(state: State, item: InboxItem, wanted: Wanted, one: OutgoingSet, partner: PartnerProfile) -> WriteSet:
    """Number, envelope and queue one set, and finish its input.

    Raises:
        NotWritable: the envelope cannot hold it; nothing is spent.
    """
    writes = WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)])
    if item.attempts:
        writes.resolved_failures.append((item.account, INBOUND, str(item.seq)))
    agreed = partner.agreed
    test = agreed.identities is not None and agreed.identities.usage == "T"
    asked = Asked(item.ordering_key, item.occurred_at or item.received_at, wanted.subject, item.seq)
    outbound = Outbound(state, writes, item.account, partner)
    row: FileRow | None = outbound.add(lambda stamp: envelop([one], partner, stamp).content, asked, test=test)
    if row is not None:
        writes.numbers.append(SeenNumber(item.account, made_key(item.seq), row.digest, row.id, 1, row.at))
    return writes
