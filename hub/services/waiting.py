"""Inputs that wait for an order to come: parked by the order's name, run again in the moment it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hub.orders.references import WAITING, folded
from hub.ports.store import DocumentRow, InboxResult, InboxState, ReadSet
from hub.services.batch import Batch
from hub.services.requeue import RUN_AGAIN


def reads_waiting(reads: ReadSet, names: Sequence[str]) -> None:
    reads.documents |= {("", WAITING, name) for name in names}


def let_wait(batch: Batch, reference: str, seq: int) -> None:
    """Have an input run again when an order of this name comes."""
    name = folded(reference)
    stored = batch.state.documents.get(("", WAITING, name))
    inputs = json.loads(stored.document)["inputs"] if stored else []
    if seq not in inputs:
        batch.put_document(_waiting(name, [*inputs, seq], stored))


def call_waiting(batch: Batch, names: Sequence[str]) -> None:
    """Run again what waits for an order, under any of its folded names."""
    for name in names:
        stored = batch.state.documents.get(("", WAITING, name))
        if stored is None or not (inputs := json.loads(stored.document)["inputs"]):
            continue
        due = batch.state.now
        batch.writes.inbox += [InboxResult(seq, InboxState.PENDING, due, RUN_AGAIN) for seq in inputs]
        batch.put_document(_waiting(name, [], stored))


def _waiting(name: str, inputs: list[int], stored: DocumentRow | None) -> DocumentRow:
    body = json.dumps({"inputs": inputs}, separators=(",", ":"))
    return DocumentRow(f"{WAITING}:{name}", WAITING, "", name, "", None, None, body, stored.rev if stored else 0)
