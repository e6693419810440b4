"""Rows to port objects and back: the one place that knows the order of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import orjson

from hub.ports.store import (
    Allocation,
    DocumentRow,
    Expectation,
    FileRow,
    FileSet,
    LevelRow,
    LevelState,
    OrderRow,
    OutboxRow,
    OutboxState,
    Position,
    SeenNumber,
    SkuRow,
)

T = TypeVar("T")
Row = Any
"""A row as either driver gives it: values in the order of the columns asked for."""

ORDER: Final = (
    "id", "account", "source_id", "version", "number", "state", "placed_at", "updated_at", "allocations", "holds",
    "unresolved", "rev", "document",
)  # fmt: skip
DOCUMENT: Final = (
    "id", "type", "account", "source_id", "version", "order_source_id", "occurred_at", "rev", "document",
)  # fmt: skip
POSITION: Final = ("sku", "location", "on_hand", "reserved", "incoming", "quarantine", "version", "counted_at")
LEVEL: Final = (
    "account", "listing_id", "location", "channel_sku", "sku", "variant_id", "state", "dirty_seq", "sent_seq",
    "dirty_at", "due_at", "attempts", "sent_quantity", "sent_version", "sent_at", "push_key", "receipt",
    "shown_quantity", "verified_quantity", "verified_at", "error",
)  # fmt: skip
OUTBOX: Final = (
    "id", "account", "kind", "key", "idempotency_key", "body", "refs", "state", "attempts", "due_at", "occurred_at",
    "created_at", "deadline_at", "result",
)  # fmt: skip
EXPECTATION: Final = (
    "account", "kind", "reference", "subject", "ours", "opened_at", "due_at", "state", "settled_at", "detail",
)  # fmt: skip
FILE: Final = (
    "id", "account", "direction", "name", "control", "digest", "size", "at", "state", "test", "sets", "done", "sends",
    "input", "detail", "rev",
)  # fmt: skip
FILE_SET: Final = (
    "file", "place", "account", "direction", "interchange", "functional_id", "group_control", "kind", "control",
    "digest", "state", "lane", "subject", "input", "problems",
)  # fmt: skip
NUMBER: Final = ("account", "key", "digest", "file", "place", "at")
SKU: Final = ("sku", "gtin", "title", "brand", "tags", "packs", "components", "aliases")


def columns(names: Sequence[str], prefix: str = "") -> str:
    """`a, b, c` for a statement, each with its table's short name when given."""
    return ", ".join(f"{prefix}.{name}" if prefix else name for name in names)


def json_text(value: object) -> str:
    return orjson.dumps(value).decode()


def allocations_text(allocations: Sequence[Allocation]) -> str:
    return json_text([[a.line_id, a.parts, a.reserved, a.shipped, a.restocked, a.sku] for a in allocations])


def allocations_from(text: str) -> tuple[Allocation, ...]:
    if text == "[]":
        return ()
    return tuple(
        Allocation(line, tuple((sku, location, units) for sku, location, units in parts), *progress)
        for line, parts, *progress in orjson.loads(text)
    )


def names_from(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(orjson.loads(text))


def order_values(row: OrderRow, rev: int) -> tuple[Any, ...]:
    """In the order of `ORDER`, with the revision it will have."""
    return (
        row.id, row.account, row.source_id, row.version, row.number, row.state, row.placed_at, row.updated_at,
        allocations_text(row.allocations), json_text(row.holds) if row.holds else "[]",
        json_text(row.unresolved) if row.unresolved else "[]", rev, row.document,
    )  # fmt: skip


def order_from(row: Row) -> OrderRow:
    return OrderRow(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[12],
        allocations_from(row[8]), names_from(row[9]), names_from(row[10]), row[11],
    )  # fmt: skip


def document_values(row: DocumentRow, rev: int) -> tuple[Any, ...]:
    return (
        row.id, row.type, row.account, row.source_id, row.version, row.order_source_id, row.occurred_at, rev,
        row.document,
    )  # fmt: skip


def document_from(row: Row) -> DocumentRow:
    return DocumentRow(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[8], row[7])


def position_from(row: Row) -> Position:
    return Position(*row)


def level_from(row: Row) -> LevelRow:
    account, listing_id, location, channel_sku, sku, variant_id, state, *push = row
    return LevelRow(account, listing_id, location, channel_sku, sku, variant_id, LevelState(state), *push)


def outbox_from(row: Row) -> OutboxRow:
    id_, account, kind, key, idempotency_key, body, references, state, *progress = row
    return OutboxRow(id_, account, kind, key, idempotency_key, body, references, OutboxState(state), *progress)


def sku_values(row: SkuRow) -> tuple[Any, ...]:
    """In the order of `SKU`; equal rows give equal tuples."""
    packs = {name: row.packs[name] for name in sorted(row.packs)}
    return (
        row.sku, row.gtin, row.title, row.brand, json_text(row.tags), json_text(packs), json_text(row.components),
        json_text(row.aliases),
    )  # fmt: skip


def sku_from(row: Row) -> SkuRow:
    return SkuRow(
        row[0], row[1], row[2], row[3], names_from(row[4]), orjson.loads(row[5]),
        tuple((sku, quantity) for sku, quantity in orjson.loads(row[6])),
        tuple((account, channel_sku) for account, channel_sku in orjson.loads(row[7])),
    )  # fmt: skip


def expectation_from(row: Row) -> Expectation:
    account, kind, reference, subject, ours, *rest = row
    return Expectation(account, kind, reference, subject, bool(ours), *rest)


def expectation_values(row: Expectation) -> tuple[Any, ...]:
    return (
        row.account, row.kind, row.reference, row.subject, int(row.ours), row.opened_at, row.due_at, row.state,
        row.settled_at, row.detail,
    )  # fmt: skip


def file_from(row: Row) -> FileRow:
    return FileRow(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], bool(row[9]), row[10], row[11], row[12],
        row[13], row[14], row[15],
    )  # fmt: skip


def file_values(row: FileRow, rev: int) -> tuple[Any, ...]:
    return (
        row.id, row.account, row.direction, row.name, row.control, row.digest, row.size, row.at, row.state,
        int(row.test), row.sets, row.done, row.sends, row.input, row.detail, rev,
    )  # fmt: skip


def file_set_from(row: Row) -> FileSet:
    return FileSet(*row)


def file_set_values(row: FileSet) -> tuple[Any, ...]:
    return (
        row.file, row.place, row.account, row.direction, row.interchange, row.functional_id, row.group, row.kind,
        row.control, row.digest, row.state, row.lane, row.subject, row.input, row.problems,
    )  # fmt: skip


def number_values(row: SeenNumber) -> tuple[Any, ...]:
    return row.account, row.key, row.digest, row.file, row.place, row.at
