"""An account as the engine sees it: configuration turned into decisions' inputs by `hub.bootstrap`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from connectors.sdk.manifest import Manifest, QuantityMeaning
from mappings.edi.partners import PartnerProfile


class Mode(StrEnum):
    """`SHADOW` computes and records but sends nothing."""

    LIVE = "live"
    SHADOW = "shadow"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class AvailabilityPolicy:
    """How a position becomes a published number (CANONICAL.md, Stock). Quantities in eaches.

    `share` is between 0 and 1. `incoming_within_s` adds stock on order that is due within that many
    seconds; None leaves it out.
    """

    locations: tuple[str, ...]
    buffer: int = 0
    share: Decimal = Decimal(1)
    cap: int | None = None
    minimum: int = 0
    fixed: int | None = None
    incoming_within_s: float | None = None


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One account, ready to be reasoned about.

    `locations` maps the channel's location id to ours, in the order in which orders are allocated.
    `stock_source`: this account counts stock, so its reports correct the position; otherwise
    reports only show drift of what we published.
    """

    account: str
    connector: str
    manifest: Manifest
    mode: Mode
    policy: AvailabilityPolicy
    locations: Mapping[str, str] = field(default_factory=dict)
    routing: tuple[str, ...] = ()
    """our locations an order of this account may ship from, best first"""
    time_zone: str | None = None
    currency: str | None = None
    stock_source: bool = False
    poll_s: Mapping[str, float] = field(default_factory=dict)
    partner: PartnerProfile | None = None
    """the trading partner's profile; there exactly when the manifest says `trades`"""
    warehouses: Mapping[str, str] = field(default_factory=dict)
    """our locations that somebody else runs -> the account orders to ship from there are sent to"""

    @property
    def quantity_meaning(self) -> QuantityMeaning:
        return self.manifest.quantity_meaning

    def channel_locations(self) -> tuple[str, ...]:
        """Channel location ids numbers are published to; ("",) where the channel has none."""
        return tuple(self.locations) or ("",)
