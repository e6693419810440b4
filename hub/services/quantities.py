"""The number one level should show now, from what a unit of work has read."""

from __future__ import annotations

from collections.abc import Callable

from hub.inventory.availability import pool_of, published_quantity
from hub.ports.accounts import AccountPlan
from hub.ports.store import LevelRow, State
from hub.services.expected_days import due_in_time

UNMAPPED = "the channel location is not mapped to one of ours: nothing is sent"
UNSTATED = "nobody has stated any stock of this SKU yet: nothing is sent"


def quantify(plan: AccountPlan, state: State) -> Callable[[LevelRow], tuple[int, int] | str]:
    """For a level of the account: (quantity, position version), or why nothing may be sent there.

    A channel location the account does not map has no stock of ours behind it, and of a SKU that has no
    position anywhere (of a kit: one of its components) nothing is known: any number would be invented, and
    a zero would close a shop whose stock has not been counted in yet.
    """
    places, pool = plan.channel_locations(), pool_of(plan)
    stated = {sku for sku, _ in state.positions}

    def number(row: LevelRow) -> tuple[int, int] | str:
        if row.location not in places and (row.location or len(places) > 1):
            return UNMAPPED
        components = state.kits.get(row.sku, ())
        skus = [component for component, _ in components] or [row.sku]
        if plan.policy.fixed is None and not stated.issuperset(skus):
            return UNSTATED
        positions = [state.position(sku, location) for sku in skus for location in pool]
        due = due_in_time(plan, skus, state.documents, state.now)
        waterfall = published_quantity(plan, row.sku, positions, components, state.own_open, row.location, due)
        return waterfall.quantity, waterfall.version

    return number
