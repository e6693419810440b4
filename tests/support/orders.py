"""Orders, documents and accounts for tests: canonical documents built directly, no vendor in sight."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import canonical
from canonical import Document
from connectors.sdk.manifest import Capability, Control, EffectKind, Manifest, QuantityMeaning, Topic
from hub.orders.facts import Facts
from hub.ports.accounts import AccountPlan, AvailabilityPolicy, Mode
from hub.ports.store import Bucket, InboxItem, NewInput, Posting
from hub.services.apply import Apply
from hub.services.batch import Outcome
from hub.services.extract import facts_of
from hub.services.interpreted import Interpreted
from tests.support.memory_store import MemoryStore

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def manifest(**changes: Any) -> Manifest:
    topics = (
        Topic("orders"),
        Topic("changed", hint=True),
        Topic("silence", ignored=True),
        Topic("forget", control=Control.REDACT_ORDERS, orders="orders"),
        Topic("ask", control=Control.DATA_REQUEST, orders="orders"),
        Topic("forget-all", control=Control.REDACT_ACCOUNT),
        Topic("forget-person", control=Control.REDACT_BUYER, people=("who.name", "who.id")),
        Topic("gone", control=Control.UNINSTALLED),
    )
    fields: dict[str, Any] = {"capabilities": frozenset({Capability.PULL, Capability.READ_BACK}), "topics": topics}
    return Manifest(name="toy", title="Toy", **{**fields, **changes})


def acknowledging() -> Manifest:
    return manifest(
        acknowledges_orders=True, acknowledge_within_s=4 * 3600.0, effects=(EffectKind("acknowledge_order"),)
    )


def plan(account: str = "shop", **changes: Any) -> AccountPlan:
    fields: dict[str, Any] = {
        "connector": "toy",
        "manifest": manifest(),
        "mode": Mode.LIVE,
        "policy": AvailabilityPolicy(("east",)),
        "locations": {"L1": "east"},
        "routing": ("east",),
        "currency": "USD",
    }
    return AccountPlan(account=account, **{**fields, **changes})


def input_plan(account: str = "market", **changes: Any) -> AccountPlan:
    return plan(account, manifest=manifest(quantity_meaning=QuantityMeaning.INPUT), locations={}, **changes)


def instant(version: int) -> str:
    """Versions are minutes after the start."""
    return canonical.instant_text(START + timedelta(minutes=version))


def source(kind: str, name: str, version: int, account: str = "shop", digest: str = "") -> dict[str, Any]:
    return {
        "connector": "toy",
        "account": account,
        "kind": kind,
        "id": name,
        "version": instant(version),
        "occurred_at": instant(version),
        "digest": digest or f"d{next(_numbers)}",
    }


def line(name: str, sku: str | None, quantity: int, **fields: Any) -> dict[str, Any]:
    return {"id": name, "channel_sku": sku, "quantity": quantity, **fields}


def order(
    name: str, lines: Sequence[Mapping[str, Any]], *, version: int = 1, account: str = "shop", **fields: Any
) -> Document:
    return parse(
        {
            "type": "order",
            "id": canonical.document_id("order", 0, account, "order", name),
            "source": source("order", name, version, account),
            "number": f"#{name}",
            "state": "open",
            "placed_at": instant(0),
            "updated_at": instant(version),
            "lines": list(lines),
            **fields,
        }
    )


def document(
    kind: str, name: str, order: str | None = None, *, version: int = 1, account: str = "shop", **fields: Any
) -> Document:
    body = {"type": kind, "id": canonical.document_id(kind, 0, account, kind, name), **fields}
    body["source"] = source(kind, name, version, account)
    if order is not None:
        body["order"] = order
    return parse(body)


def shipment(name: str, order: str, lines: Sequence[tuple[str, int]], **fields: Any) -> Document:
    packed = [{"lines": [{"line_id": one, "quantity": quantity} for one, quantity in lines]}]
    return document("shipment", name, order, **{"state": "shipped", "packages": packed, **fields})


def refund(name: str, order: str, lines: Sequence[tuple[str, int, str]], **fields: Any) -> Document:
    named = [{"line_id": one, "quantity": quantity, "restock": restock} for one, quantity, restock in lines]
    return document("refund", name, order, lines=named, **fields)


def returned(name: str, order: str, lines: Sequence[tuple[str, int, str]], **fields: Any) -> Document:
    named = [{"line_id": one, "quantity": quantity, "disposition": how} for one, quantity, how in lines]
    return document("return", name, order, **{"state": "received", "lines": named, **fields})


def report(
    name: str, levels: Sequence[Mapping[str, Any]], *, at: int, account: str = "shop", **fields: Any
) -> Document:
    body = {"location": "east", "as_of": instant(at), "levels": list(levels), **fields}
    return document("stock_report", name, version=at, account=account, **body)


def parse(body: Mapping[str, Any]) -> Document:
    return canonical.parse_document(json.dumps(body))


def at(version: int) -> int:
    """Microseconds of `instant(version)`."""
    return round((START + timedelta(minutes=version)).timestamp() * 1_000_000)


def facts(documents: Sequence[Document], account: str) -> tuple[Facts, ...]:
    found = (facts_of(document, account, at(0)) for document in documents)
    return tuple(one for one in found if one is not None)


class Hub:
    """A memory store with `Apply` on it; every delivery is received, claimed and applied like a real one."""

    def __init__(self, *plans: AccountPlan, **options: Any) -> None:
        self.clock = at(1000)
        self.store = MemoryStore(lambda: self.clock)
        self.plans = {one.account: one for one in plans or (plan(),)}
        self.apply = Apply(self.store, self.plans, **options)

    def stock(self, sku: str, on_hand: int, location: str = "east", **fields: Any) -> None:
        if sku not in self.store.tables.catalogue:
            self.store.seed_sku(sku, **fields)
        event = f"seed:{next(_numbers)}"
        self.store._post([Posting(event, sku, location, Bucket.ON_HAND, on_hand, "seed", 0)])

    async def item(self, account: str = "shop", key: str | None = None, **fields: Any) -> InboxItem:
        number = next(_numbers)
        given = {"topic": "orders", "payload": b"{}", **fields}
        new = NewInput(account, "toy", "webhook", dedupe_key=f"k{number}", ordering_key=key or f"o{number}",
                       digest="x", received_at=self.clock, **given)  # fmt: skip
        await self.store.receive([new])
        (claimed,) = await self.store.claim_inbox(1)
        return claimed

    async def deliver(self, *documents: Document, account: str = "shop") -> Outcome:
        """One payload holding these documents."""
        item = await self.item(account)
        return await self.apply.apply([(item, Interpreted(item.seq, facts(documents, account)))])

    async def deliver_each(self, payloads: Sequence[Sequence[Document]], account: str = "shop") -> Outcome:
        """Several payloads in one batch."""
        pairs = []
        for documents in payloads:
            item = await self.item(account)
            pairs.append((item, Interpreted(item.seq, facts(documents, account))))
        return await self.apply.apply(pairs)

    def row(self, name: str, account: str = "shop") -> Any:
        return self.store.tables.orders[account, name]

    def buckets(self, sku: str, location: str = "east") -> tuple[int, int, int]:
        """(on hand, reserved, quarantine)"""
        row = self.store.position(sku, location)
        return row.on_hand, row.reserved, row.quarantine
