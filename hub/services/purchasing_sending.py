"""What a supplier is sent of an order, written with the decision that makes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import canonical
from hub.ports.accounts import AccountPlan
from hub.ports.store import Micros, NewInput
from hub.purchasing import documents
from hub.purchasing.lines import wanted
from hub.services.apply_purchase import CHANGE_SET, ORDER_SET
from hub.services.trading import outgoing
from hub.services.views import instant

Json = dict[str, Any]


def takes_changes(partner: AccountPlan) -> bool:
    """Whether the supplier is told of changes at all."""
    return partner.partner is None or partner.partner.sends(CHANGE_SET)


def ordering(partner: AccountPlan, order: Json, revision: str, at: Micros) -> NewInput:
    set_ = _named(partner, ORDER_SET)
    about = {"purchase_order": order["id"]}
    # What was taken off while it was a draft the supplier has never heard of.
    told = {**order, "lines": [line for line in order["lines"] if wanted(line)]}
    return outgoing(partner.account, set_, told, about=about, dedupe=f"{order['number']}:{revision}", at=at)


def changing(
    partner: AccountPlan, order: Json, told: Sequence[Json], revision: str, at: Micros, *, cancels: bool
) -> NewInput:
    change = documents.change(order, told, revision, instant(at) or "", cancels=cancels)
    document = canonical.parse_document(json.dumps(change))
    about = {"purchase_order": order["id"]}
    dedupe = f"{order['number']}:{revision}"
    return outgoing(partner.account, _named(partner, CHANGE_SET), document, about=about, dedupe=dedupe, at=at)


def _named(partner: AccountPlan, kind: str) -> str:
    return partner.partner.set_named(kind) if partner.partner is not None else kind
