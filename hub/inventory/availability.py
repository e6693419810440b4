"""From positions to the number a channel is sent, every step kept so that it can be shown.

What is available is on hand less reserved, and where the account's policy allows it what is due in time besides. The
account's number is `clamp(⌊share × max(0, ATP over its locations − buffer)⌋, 0, cap)`, 0 below
`minimum`, replaced by `fixed`. A kit counts location by location, because its parts leave in one
parcel: parts lying in two warehouses make no kit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from connectors.sdk.manifest import QuantityMeaning
from hub.ports.accounts import AccountPlan, AvailabilityPolicy
from hub.ports.store import Position

OwnOpen = Mapping[tuple[str, str, str], int]
"""(account, sku as ordered, location) -> units this account's own orders hold reserved"""

DueInTime = Mapping[tuple[str, str], int]
"""(SKU, our location) -> units on order that are due within the time the policy names"""

Components = Sequence[tuple[str, int]]
"""(component SKU, quantity in one kit); empty for a plain SKU"""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the waterfall: what was done and the value after it, in units of the SKU."""

    number: int
    name: str
    value: int
    detail: str = ""
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The number and how it came about.

    `quantity` is what to send to `channel_location` ("" where the channel has none) and is never
    negative. `version` grows with every change of any position it was computed from.
    """

    account: str
    sku: str
    channel_location: str
    quantity: int
    version: int
    steps: tuple[Step, ...]


def pool_of(plan: AccountPlan) -> tuple[str, ...]:
    """Our locations whose stock the account may promise, in the account's order, each once."""
    named = plan.policy.locations or plan.routing or tuple(plan.locations.values())
    return tuple(dict.fromkeys(named))


def published_quantity(
    plan: AccountPlan,
    sku: str,
    positions: Iterable[Position],
    components: Components = (),
    own_open: OwnOpen | None = None,
    channel_location: str = "",
    due: DueInTime | None = None,
) -> Waterfall:
    """What to send for one listing at one channel location, now.

    Args:
        plan: The account; its pool, policy, and what its channel understands by the number.
        sku: Ours, as listed.
        positions: Of the SKU, or of the components of a kit; others are ignored.
        components: Of a kit, with their quantities.
        own_open: Units the account's own orders still hold; used only where the channel
            subtracts its own open orders itself.
        channel_location: One of `plan.channel_locations()`.
        due: Units on order that count already; used only where the policy names a time.
    """
    rows = {(row.sku, row.location): row for row in positions}
    steps = _Steps()
    pool = pool_of(plan)
    counted = (due or {}) if plan.policy.incoming_within_s is not None else None
    at = {location: _available(sku, location, components, rows, counted, steps) for location in pool}
    total = _policy(plan.policy, sum(at.values()), steps)
    quantity = total
    places = plan.channel_locations()
    if len(places) > 1:
        quantity = _share_of(channel_location, total, plan.locations, at)
        steps.add("distributed", quantity, f"of {total} over {len(places)} channel locations", channel_location)
    if plan.quantity_meaning is QuantityMeaning.INPUT:
        own = _own_units(plan, sku, own_open or {}, channel_location)
        quantity += own
        steps.add("added_back", quantity, f"{own} in the channel's own open orders, which it subtracts itself")
    wanted = {component for component, _ in components} or {sku}
    version = sum(rows[key].version for key in rows if key[0] in wanted and key[1] in at)
    return Waterfall(plan.account, sku, channel_location, quantity, version, tuple(steps.rows))


class _Steps:
    """Collects numbered steps."""

    def __init__(self) -> None:
        self.rows: list[Step] = []

    def add(self, name: str, value: int, detail: str = "", location: str | None = None) -> None:
        self.rows.append(Step(len(self.rows) + 1, name, value, detail, location))


def _available(
    sku: str,
    location: str,
    components: Components,
    rows: Mapping[tuple[str, str], Position],
    due: DueInTime | None,
    steps: _Steps,
) -> int:
    """Available units at one location; for a kit the number of whole kits its parts make there.

    `due` None: nothing on order counts. What counts is shown as a step of its own, also where there is none of it.
    """
    if not components:
        row = rows.get((sku, location)) or Position(sku, location)
        steps.add("available", row.available, f"{row.on_hand} on hand - {row.reserved} reserved", location)
        if due is None:
            return row.available
        coming = due.get((sku, location), 0)
        steps.add("incoming", row.available + coming, f"{coming} of {row.incoming} on order are due in time", location)
        return row.available + coming
    kits: list[int] = []
    for component, each in components:
        row = rows.get((component, location)) or Position(component, location)
        coming = (due or {}).get((component, location), 0)
        kits.append((row.available + coming) // each)
        units = f"{row.on_hand} on hand - {row.reserved} reserved" + (f" + {coming} due in time" if coming else "")
        steps.add("component", kits[-1], f"{component}: {units}, {each} in one kit", location)
    steps.add("available", min(kits), "the scarcest component", location)
    return min(kits)


def _policy(policy: AvailabilityPolicy, pooled: int, steps: _Steps) -> int:
    steps.add("pool", pooled, "over the account's locations")
    value = max(0, pooled - policy.buffer)
    steps.add("buffer", value, f"{policy.buffer} kept back")
    value = int((policy.share * value).to_integral_value(ROUND_FLOOR))
    steps.add("share", value, f"{_plain(policy.share)} of it, rounded down")
    if policy.cap is not None:
        value = min(value, policy.cap)
        steps.add("cap", value, f"at most {policy.cap}")
    if value < policy.minimum:
        value = 0
    steps.add("minimum", value, f"0 when below {policy.minimum}")
    value = max(0, value)
    if policy.fixed is not None:
        value = max(0, policy.fixed)
        steps.add("fixed", value, "set by the operator, whatever the stock")
    return value


def _plain(share: Decimal) -> str:
    return format(share, "f")


def _share_of(wanted: str, total: int, mapped: Mapping[str, str], at: Mapping[str, int]) -> int:
    """One channel location's part of the account's number.

    Each takes at most what its own location still has, in the account's order. What no mapped
    location holds (stock pooled from elsewhere, a fixed number) stands at the first one, so that
    the parts always add up to the number.
    """
    left = dict(at)
    given: dict[str, int] = {}
    rest = total
    for place, ours in mapped.items():
        given[place] = min(rest, max(0, left.get(ours, 0)))
        rest -= given[place]
        left[ours] = left.get(ours, 0) - given[place]
    first = next(iter(mapped))
    given[first] += rest
    return given.get(wanted, 0)


def _own_units(plan: AccountPlan, sku: str, own_open: OwnOpen, channel_location: str) -> int:
    """The account's open units the channel counts at this location; unmapped ones at its first."""
    own = {place: units for (account, what, place), units in own_open.items() if (account, what) == (plan.account, sku)}
    places = plan.channel_locations()
    if len(places) == 1:
        return max(0, sum(own.values()))
    counted_at: dict[str, str] = {}
    for place, ours in plan.locations.items():
        counted_at.setdefault(ours, place)
    return max(0, sum(units for ours, units in own.items() if counted_at.get(ours, places[0]) == channel_location))
