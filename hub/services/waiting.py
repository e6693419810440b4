"""Inputs that wait for an order to come: parked by the order's name, run again in the moment it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from hub.orders.references import WAITING
from hub.ports.store import DocumentRow, InboxState, ReadSet
from hub.services.batch import Batch
from hub.services.requeue import called_up


def reads_waiting(reads: ReadSet, names: Sequence[str]) -> None:
    reads.documents |= {("", WAITING, name) for name in names}


def let_wait(batch: Batch, names: Sequence[str], seq: int) -> None:
    """Have an input run again when an order of one of these folded names comes."""
    for name in names:
        stored = batch.state.documents.get(("", WAITING, name))
        inputs = json.loads(stored.document)["inputs"] if stored else []
        if seq not in inputs:
            batch.put_document(_waiting(name, [*inputs, seq], stored))


def call_waiting(batch: Batch, names: Sequence[str]) -> None:
    """Run again what waits for an order, under any of its folded names."""
    # What this very unit settles is held until it ends: parked by it, an input runs again; done, it does not.
    settled = {result.seq: result.state for result in batch.writes.inbox}
    for name in names:
        stored = batch.state.documents.get(("", WAITING, name))
        if stored is None or not (inputs := json.loads(stored.document)["inputs"]):
            continue
        called = [called_up(seq, batch.state.now) for seq in inputs]
        batch.writes.inbox += [one for one in called if one.seq not in settled]
        parked = [one for one in called if settled.get(one.seq) is InboxState.FAILED]
        batch.writes.inbox += [replace(one, if_parked=False) for one in parked]
        batch.put_document(_waiting(name, [], stored))


def _waiting(name: str, inputs: list[int], stored: DocumentRow | None) -> DocumentRow:
    body = json.dumps({"inputs": inputs}, separators=(",", ":"))
    return DocumentRow(f"{WAITING}:{name}", WAITING, "", name, "", None, None, body, stored.rev if stored else 0)
