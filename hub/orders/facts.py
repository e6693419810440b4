"""A canonical document reduced to what decisions need: plain tuples that cross processes cheaply.

Instants are microseconds since the epoch, quantities eaches. `document` is canonical JSON without
personal data, `personal` the JSON of the rest or None.
"""

from __future__ import annotations

from typing import NamedTuple


class LineFacts(NamedTuple):
    """One order line. `sku` is what the channel calls it ("" when it has no SKU at all).

    `stocked`: a physical thing the merchant ships; everything else never touches our stock.
    `cancelled`, `fulfilled` and `returned` are the order's own counts. `ship_from` is a location of ours or
    the channel's id of one.
    """

    id: str
    sku: str
    quantity: int
    cancelled: int
    fulfilled: int
    returned: int
    stocked: bool
    ship_from: str | None
    others: tuple[str, ...] = ()
    """further names of the article, best first, for when `sku` says nothing to us"""


class OrderFacts(NamedTuple):
    """One state of one order. `holds` are the mapping's own; `partial` reads never shrink."""

    id: str
    account: str
    source_id: str
    version: str
    digest: str
    number: str
    state: str
    placed_at: int | None
    updated_at: int | None
    occurred_at: int
    partial: bool
    lines: tuple[LineFacts, ...]
    holds: tuple[str, ...]
    document: str
    personal: str | None
    buyer: str = ""
    """what the channel calls the buyer, to find their orders by; personal, never logged"""


class Move(NamedTuple):
    """What one document says happened to units of one order line.

    `line` is the vendor's line id, or "sku:" and the SKU where the document names no line. `kind`
    is one of the constants below. `location` is "" where the document does not say.
    """

    line: str
    kind: str
    location: str
    quantity: int


CANCELLED = "cancelled"
CANCELLED_WHOLE = "cancelled_whole"
SHIPPED = "shipped"
REFUND_SELLABLE = "refund_sellable"
REFUND_DAMAGED = "refund_damaged"
RETURN_SELLABLE = "return_sellable"
RETURN_DAMAGED = "return_damaged"
BY_SKU = "sku:"


class PackageFacts(NamedTuple):
    """A number on a package, normalised. `carrier` is ours, "" where nobody knows; `warning` a sentence or ""."""

    number: str
    carrier: str
    warning: str


class TrackingFacts(NamedTuple):
    """One thing a carrier, or somebody who asks carriers, told of a parcel.

    `number` is normalised, "" where the answer does not repeat it. `document` is canonical JSON without personal
    data and without what is at its default. `unknown_code`: no table has the code, so nothing moved.
    """

    account: str
    carrier: str
    number: str
    received_at: int
    return_number: str
    unknown_code: bool
    document: str
    master: str = ""
    """the number the carrier gives all pieces of the shipment, normalised"""


class DocumentFacts(NamedTuple):
    """Any document that is not an order. `moves` are empty unless it moves an order's units.

    `packages` are the tracking numbers a shipment or return names, each once.
    """

    id: str
    type: str
    account: str
    source_id: str
    version: str
    digest: str
    order_source_id: str | None
    occurred_at: int
    moves: tuple[Move, ...]
    document: str
    personal: str | None
    numbers: tuple[str, ...] = ()
    """tracking numbers of a shipment, normalized"""
    ours: bool = False
    """a shipment brought home: told by somebody else than the channel that sold the goods"""
    packages: tuple[PackageFacts, ...] = ()


class LevelFacts(NamedTuple):
    """One stated level. Absent numbers are None, never 0. `sku` is ours or the channel's, "" if neither."""

    item_id: str
    sku: str
    on_hand: int | None
    available: int | None
    reserved: int | None
    damaged: int | None


class ReportFacts(NamedTuple):
    """A stock report: one location, correct as of its time.

    `location` is ours where it is mapped, `location_raw` the channel's id.
    """

    id: str
    account: str
    source_id: str
    digest: str
    location: str | None
    location_raw: str | None
    as_of: int
    complete: bool
    levels: tuple[LevelFacts, ...]
    uncounted: tuple[str, ...] = ()
    """levels stated in units of no known size"""


class ListingFacts(NamedTuple):
    """A channel's offer. `location` is ours where mapped, `location_raw` the channel's; both None is everywhere."""

    account: str
    listing_id: str
    variant_id: str | None
    sku: str
    title: str | None
    state: str
    fulfilled_by: str
    location: str | None
    location_raw: str | None


class StockLine(NamedTuple):
    """One change of stock at a location, from a document that is not an order."""

    sku: str
    location: str
    bucket: str
    delta: int
    reason: str


class StockFacts(NamedTuple):
    """A document that moves stock by itself: stock_movement, warehouse_receipt.

    `document` carries it whole; it is applied once, when first seen, and a later version by its
    difference.
    """

    document: DocumentFacts
    lines: tuple[StockLine, ...]
    uncounted: tuple[str, ...] = ()
    """quantities in a unit nobody knows the size of, in words: nothing of the document can be posted"""


Facts = OrderFacts | DocumentFacts | ReportFacts | ListingFacts | StockFacts | TrackingFacts
