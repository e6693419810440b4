"""The rows of applied orders as plain tuples, for floors: everything decided, nothing left to compute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import canonical
from bench import payloads, world
from hub.workers.inbox import BATCH
from mappings import MapContext, MappingSet

Row = tuple[Any, ...]
_AT = 1_763_700_000_000_000


@dataclass(slots=True)
class Batch:
    """Rows of up to a hundred orders, per table."""

    first: int
    last: int
    inputs: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    levels: list[Row] = field(default_factory=list)


def document() -> str:
    """The canonical order our side stores, personal data left out as there."""
    maps = MappingSet.load("shopify")
    context = MapContext(world.SHOP, "shopify", datetime(2026, 11, 20, tzinfo=UTC))
    body = payloads.body(1, [(world.sku(number), 1) for number in range(world.LINES)])
    found = next(each for each in maps.map("orders/create", body, context) if each.type == "order")
    return canonical.split_personal(found)[0]


def batches(orders: int, skus: int) -> Iterator[Batch]:
    """The orders `world.deliveries` sells."""
    text = document()
    sold = world.sample_skus(orders, skus)
    for start in range(1, orders + 1, BATCH):
        batch = Batch(start, min(start + BATCH - 1, orders))
        for number in range(batch.first, batch.last + 1):
            _add(batch, number, sold[number - 1], text)
        yield batch


def _add(batch: Batch, number: int, skus: Iterator[str] | Any, text: str) -> None:
    identity = f"ord_{number:026d}"
    batch.inputs.append((number,))
    batch.orders.append((identity, world.SHOP, str(5_000_000_000 + number), "2026-11-20T09:00:00Z", text))
    for place, name in enumerate(skus):
        batch.lines.append((identity, place, name, 1))
        batch.postings.append((f"{identity}/1", name, world.LOCATION, "reserved", 1, _AT))
        batch.positions.append((1, name, world.LOCATION))
        batch.levels.extend((_AT, channel, name) for channel in world.CHANNELS)
