"""What a trading partner is told it may sell of each article (846): the numbers channels get, by another way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hub.inventory.availability import DueInTime, pool_of, published_quantity
from hub.ports.accounts import AccountPlan
from hub.ports.store import Position, SkuRow


@dataclass(frozen=True, slots=True)
class Stated:
    """One article as the partner knows it, and what it may sell of it. `version` is the position's."""

    sku: str
    channel_sku: str | None
    gtin: str | None
    quantity: int
    version: int


class Article(NamedTuple):
    row: SkuRow
    channel_sku: str | None


def article_of(account: str, row: SkuRow) -> Article:
    """The article with the partner's own number for it, where it has one."""
    return Article(row, next((name for owner, name in row.aliases if owner == account), None))


def parts_of(articles: Sequence[Article]) -> list[str]:
    """SKUs whose positions decide what these articles have."""
    found = (sku for one in articles for sku in ([part for part, _ in one.row.components] or [one.row.sku]))
    return list(dict.fromkeys(found))


def stated(
    plan: AccountPlan, articles: Sequence[Article], positions: Iterable[Position], due: DueInTime | None = None
) -> list[Stated]:
    """The account's number for each article, by its policy, over all its locations at once.

    Args:
        due: Units on order that count already.
    """
    # A partner is told one number, however many places of its own the account maps.
    whole = replace(plan, locations={}, policy=replace(plan.policy, locations=pool_of(plan)))
    at: dict[str, list[Position]] = {}
    for row in positions:
        at.setdefault(row.sku, []).append(row)
    return [_one(whole, one, at, due) for one in articles]


def _one(plan: AccountPlan, one: Article, at: Mapping[str, Sequence[Position]], due: DueInTime | None) -> Stated:
    parts = [part for part, _ in one.row.components] or [one.row.sku]
    positions = [row for part in parts for row in at.get(part, ())]
    fall = published_quantity(plan, one.row.sku, positions, one.row.components, due=due)
    return Stated(one.row.sku, one.channel_sku, one.row.gtin, fall.quantity, fall.version)
