"""Judges a demo from the outside: every sale known once, every unit accounted for, nothing sold twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sdk.sandbox import Sandbox
from hub.demo.catalogue import GOODS
from hub.demo.packing import Parcel
from hub.demo.trade import Trade
from hub.demo.traffic import Traffic
from hub.ports.queries import Queries
from hub.ports.store import LevelRow, LevelState


@dataclass(frozen=True, slots=True)
class Verdict:
    """Units and orders that should not be. All zero is the promise."""

    orders_in: int
    oversold: int
    lost: int
    duplicated: int
    unproven: tuple[LevelRow, ...]
    """listings whose number has not been read back equal"""
    confirmed: int = 0
    """parcels of ours that their channel shows once, with carrier and contents"""
    unconfirmed: tuple[Parcel, ...] = ()
    complaints: tuple[str, ...] = ()
    """what trading partners found wrong with our files"""

    @property
    def well(self) -> bool:
        return self.oversold == self.lost == self.duplicated == len(self.unconfirmed) == len(self.complaints) == 0


async def known_orders(queries: Queries) -> set[tuple[str, str]]:
    """(account, vendor's id) of every order in the hub."""
    known: set[tuple[str, str]] = set()
    cursor: str | None = None
    while True:
        rows, cursor = await queries.orders(limit=500, cursor=cursor)
        known |= {(row.account, row.source_id) for row in rows}
        if cursor is None:
            return known


def sold_orders(sandboxes: Mapping[str, Sandbox]) -> set[tuple[str, str]]:
    return {(account, str(order["id"])) for account, sandbox in sandboxes.items() for order in sandbox.orders()}


async def differences(queries: Queries, traffic: Traffic) -> dict[str, int]:
    """SKU → units available beyond (+) or short of (−) what the sales leave; empty when all is right."""
    expected = traffic.expected()
    available = dict.fromkeys(expected, 0)
    for position in await queries.positions_at(list(expected), None):
        available[position.sku] += position.available
    return {sku: available[sku] - expected[sku] for sku in expected if available[sku] != expected[sku]}


async def judge(queries: Queries, sandboxes: Mapping[str, Sandbox], traffic: Traffic, trade: Trade) -> Verdict:
    """The verdict once traffic has stopped and the hub is quiet."""
    known, sold = await known_orders(queries), sold_orders(sandboxes) | trade.orders()
    off = await differences(queries, traffic) | await trade.differences()
    levels, _ = await queries.levels(limit=500)
    return Verdict(
        orders_in=len(known),
        oversold=sum(max(0, -left) for left in traffic.expected().values()) + trade.oversold(),
        lost=len(sold - known) + sum(units for units in off.values() if units > 0),
        duplicated=len(known - sold) + sum(-units for units in off.values() if units < 0),
        unproven=tuple(level for level in levels if level.state is not LevelState.VERIFIED),
        confirmed=traffic.packing.confirmed(sandboxes),
        unconfirmed=tuple(traffic.packing.unconfirmed(sandboxes)),
        complaints=tuple(trade.complaints()),
    )


def doubt(level: LevelRow) -> dict[str, Any]:
    """What there is to know of a number that is not proven: what was sent, what is shown, and what went wrong."""
    return {
        "account": level.account,
        "listing": level.listing_id,
        "sku": level.sku,
        "state": level.state.value,
        "attempts": level.attempts,
        "unsent": level.dirty_seq > level.sent_seq,
        "sent": level.sent_quantity,
        "shown": level.shown_quantity,
        "receipt": level.receipt,
        "error": level.error,
    }


def is_under_way(level: LevelRow) -> bool:
    """Not proven, and the hub will do something about it by itself: send it, or read it back."""
    return level.state not in (LevelState.VERIFIED, LevelState.REJECTED)


def opening_stock() -> list[dict[str, Any]]:
    """The counted stock the hub starts from."""
    return [{"sku": good.sku, "location": "main", "on_hand": good.stock} for good in GOODS if not good.parts]
