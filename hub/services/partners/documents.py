"""Canonical documents of ours for a partner, complete: each with an id, a source and what the partner gets echoed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import canonical
from canonical.documents import DocumentBase
from hub.ports.accounts import AccountPlan
from hub.ports.store import Micros, NewInput, OrderRow
from hub.services.moments import moment
from hub.services.trading import outgoing

Json = dict[str, Any]


def made(type_: str, name: str, at: Micros, fields: Mapping[str, Any]) -> DocumentBase:
    """A document of ours, checked. `name` is its natural key.

    Raises:
        ValueError: The fields are no such document; a fault of ours.
    """
    stated = {
        "type": type_,
        "id": canonical.document_id(type_, at // 1000, "hub", type_, name),
        "source": {
            "connector": "hub",
            "kind": type_,
            "id": name,
            "occurred_at": canonical.instant_text(moment(at)),
        },
        **fields,
    }
    return canonical.parse_document(json.dumps(stated))


def sent(plan: AccountPlan, kind: str, document: DocumentBase, row: OrderRow, dedupe: str, at: Micros) -> NewInput:
    """The document about an order on its way to the account's partner, named as the partner's syntax does."""
    name = plan.partner.set_named(kind) if plan.partner else kind
    return outgoing(plan.account, name, document, about={"order": row.id}, dedupe=dedupe, at=at)


def parties_of(order: Mapping[str, Any]) -> Json:
    """Ids of the parties the partner named, for documents that must name them as it did."""
    parties = (order.get("attributes") or {}).get("parties")
    return dict(parties) if isinstance(parties, dict) else {}


def deadline(plan: AccountPlan, kind: str, start: Micros) -> Micros | None:
    """When the partner wants a set that is due from `start` on; None where nothing is agreed."""
    if plan.partner is None:
        return None
    agreed = plan.partner.agreed
    spans = agreed.deadlines.sets
    seconds = spans.get(kind) or spans.get(plan.partner.set_named(kind))
    if kind == "856":
        seconds = agreed.asn.within or seconds
    return None if seconds is None else start + seconds * 1_000_000
