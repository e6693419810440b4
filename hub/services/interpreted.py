"""What interpreting an input gives: plain values that cross processes and that `apply` takes."""

from __future__ import annotations

from typing import NamedTuple

from connectors.sdk.manifest import Control
from hub.orders.facts import Facts
from hub.purchasing.told import PurchaseFacts


class Refusal(NamedTuple):
    """Why an item could not be interpreted. No payload values: they may be personal."""

    error: str
    code: str
    path: str
    message: str


class Interpreted(NamedTuple):
    """What an item says. `hint` items say only that something changed and are resolved by reading."""

    seq: int
    facts: tuple[Facts, ...] = ()
    refusal: Refusal | None = None
    control: Control | None = None
    orders: tuple[str, ...] = ()
    hint: bool = False
    people: tuple[str, ...] = ()
    """Names a person goes by at the channel, for a control that concerns one; never logged."""
    purchases: tuple[PurchaseFacts, ...] = ()
    """What the item's documents say of purchase orders of ours, beside being facts themselves."""
    trade: bool = False
    """A partner's file, or a document for a partner: the trading service's business."""
