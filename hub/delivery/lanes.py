"""Which work goes first when an account's budget does not reach for all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from connectors.sdk.manifest import Budget
from hub.ports.store import LevelRow, OutboxRow

REPLAY_SHARE = 0.25
"""Replays take at most this part of a vendor's budget, so that live traffic is not delayed."""

UNDECLARED_RATE = 2.0
"""Calls a second assumed where a manifest declares no budget."""


def is_urgent(quantity: int, row: LevelRow) -> bool:
    """A number that stops sales, or one that shrinks, is wrong in the costly direction."""
    if quantity == 0:
        return True
    return row.sent_quantity is not None and quantity < row.sent_quantity


def publish_order(items: Iterable[tuple[LevelRow, int]]) -> list[tuple[LevelRow, int]]:
    """Zeroes first, then numbers that shrink, then the oldest cause."""

    def rank(item: tuple[LevelRow, int]) -> tuple[int, int, int]:
        row, quantity = item
        kind = 0 if quantity == 0 else 1 if is_urgent(quantity, row) else 2
        return (kind, row.dirty_at if row.dirty_at is not None else 0, row.dirty_seq)

    return sorted(items, key=rank)


def effect_order(rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """What has a deadline first, by deadline; then by cause. Rows hold one head per key."""
    return sorted(rows, key=lambda row: (row.deadline_at is None, row.deadline_at or 0, row.occurred_at, row.id))


def replay_rate(budgets: Iterable[Budget], named: Collection[str] = ()) -> float:
    """Replayed items a second for a vendor: its share of the tightest declared budget, or of those named."""
    rates = [budget.rate for budget in budgets if budget.rate > 0 and (not named or budget.name in named)]
    return REPLAY_SHARE * min(rates, default=UNDECLARED_RATE)
