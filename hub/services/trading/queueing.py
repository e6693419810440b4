"""Asking for a document to be sent to a partner, in the transaction that decides it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import canonical
from canonical.documents import DocumentBase
from hub.ports.store import Micros, NewInput
from hub.services.receive import digest_of

INTERCHANGE: Final = "interchange"
"""Topic of a partner's file as it came."""
OUTGOING: Final = "outgoing"
"""Topic of a document of ours that is to become a file."""
_CONNECTOR: Final = "edi"


def outgoing(
    account: str,
    set_: str,
    document: DocumentBase | Mapping[str, Any],
    *,
    about: Mapping[str, str],
    dedupe: str,
    at: Micros,
) -> NewInput:
    """An input for `WriteSet.inputs`: written with the decision, it is composed and sent exactly once.

    Args:
        account: an account of the connector `edi`, whose profile says how the set is written.
        set_: the kind (`855`, `ORDRSP`).
        document: the canonical document, personal data included where the set states it.
        about: what it concerns, by kind of thing (`order`, `purchase_order`: our ids). Documents about one thing
            leave in the order in which they were asked for.
        dedupe: natural key and version of what is told (`order_01…:3`): asked for twice, it is sent once.
        at: when the reason for it occurred.
    """
    stated = json.loads(canonical.dump(document)) if isinstance(document, DocumentBase) else dict(document)
    payload = json.dumps({"set": set_, "document": stated, "about": dict(about)}, separators=(",", ":")).encode()
    subject = next(iter(about.values()), set_)
    return NewInput(
        account=account,
        connector=_CONNECTOR,
        origin="hub",
        topic=OUTGOING,
        dedupe_key=f"{set_}:{dedupe}",
        ordering_key=f"out:{subject}",
        payload=payload,
        digest=digest_of(payload),
        received_at=at,
        occurred_at=at,
    )
