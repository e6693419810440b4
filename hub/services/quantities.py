"""The number one level should show now, from what a unit of work has read."""

from __future__ import annotations

from hub.inventory.availability import pool_of, published_quantity
from hub.ports.accounts import AccountPlan
from hub.ports.store import LevelRow, State
from hub.services.expected_days import due_in_time


def quantify(plan: AccountPlan, row: LevelRow, state: State) -> tuple[int, int] | None:
    """(quantity, position version); None when nothing may be sent to the level's location.

    A channel location the account does not map has no stock of ours behind it: any number there
    would be invented.
    """
    places = plan.channel_locations()
    if row.location not in places and (row.location or len(places) > 1):
        return None
    components = state.kits.get(row.sku, ())
    skus = [component for component, _ in components] or [row.sku]
    positions = [state.position(sku, location) for sku in skus for location in pool_of(plan)]
    due = due_in_time(plan, skus, state.documents, state.now)
    waterfall = published_quantity(plan, row.sku, positions, components, state.own_open, row.location, due)
    return waterfall.quantity, waterfall.version
