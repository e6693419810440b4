"""What a warehouse took in of a transfer: off what is incoming, once the receipt itself was posted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from hub.inventory.postings import postings
from hub.inventory.transfer import TRANSFER, arrived
from hub.orders.articles import key_of
from hub.orders.facts import StockFacts
from hub.ports.store import DocumentRow, ReadSet
from hub.services.batch import Batch
from hub.services.transfers import RECEIPT, transfer_row

_RECEIPTS: Final = "warehouse_receipt"


def named_by(facts: StockFacts) -> set[str]:
    """Numbers under which a receipt may speak of a transfer: what it answers, or the shipment's own."""
    if facts.document.type != _RECEIPTS:
        return set()
    stated = json.loads(facts.document.document)
    names = (stated.get("reference"), (stated.get("attributes") or {}).get("shipment"))
    return {name for name in names if isinstance(name, str) and name}


def reads_for_receipt(reads: ReadSet, facts: StockFacts) -> None:
    for name in named_by(facts):
        reads.documents.add(("", TRANSFER, name))
        reads.expectations.add((facts.document.account, RECEIPT, name))


def receive(batch: Batch, facts: StockFacts) -> None:
    """Take what a receipt holds off what is incoming, once the receipt itself was posted."""
    document = facts.document
    key = (document.account, document.type, document.source_id)
    stored = batch.state.documents.get(key)
    if stored is None or stored.version != document.version:
        return
    for name in sorted(named_by(facts)):
        row = batch.state.documents.get(("", TRANSFER, name))
        if row is not None:
            _receive(batch, facts, row)


def _receive(batch: Batch, facts: StockFacts, row: DocumentRow) -> None:
    account = facts.document.account
    units: dict[str, int] = {}
    for line in facts.lines:
        sku = batch.state.resolved.get(key_of(account, line.sku))
        if sku is not None:
            units[sku] = units.get(sku, 0) + line.delta
    transfer, changes = arrived(json.loads(row.document), f"{account}/{facts.document.source_id}", units)
    text = json.dumps(transfer, separators=(",", ":"))
    if text == row.document:
        return
    at = facts.document.occurred_at
    event = batch.event(f"transfer:{transfer['number']}:{row.rev + 1}")
    batch.post(postings(event, transfer["number"], at, changes, batch.state.position), at)
    batch.put_document(transfer_row(transfer, row))
    awaited = batch.state.expectations.get((account, RECEIPT, transfer["number"]))
    if awaited is not None and awaited.state == "open":
        batch.writes.expectations.append(replace(awaited, state="met", settled_at=batch.state.now))
