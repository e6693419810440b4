"""The Trading API for listings made in Seller Hub: XML in, XML out, and HTTP 200 whatever happened.

Source: Trading API reference, ReviseInventoryStatus, GetItem, GetMyeBaySelling, compatibility level
1193 (read 2026-11): four listings a call; `Quantity` on reading counts what was sold too, on writing
it is what is left to sell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aiohttp import web

from connectors.ebay.fake.replies import CURRENCY, iso
from connectors.sdk.ports import Clock

NAMESPACE: Final = "urn:ebay:apis:eBLBaseComponents"
STATUSES_MAX: Final = 4
INVALID_ITEM: Final = ("17", "The item has been deleted or is not yours.")


@dataclass
class Variation:
    """One variation of a listing, or the listing itself where it has none (`sku` may be empty then)."""

    sku: str
    quantity: int
    sold: int = 0


@dataclass
class HubListing:
    """A listing the Inventory API does not see."""

    number: str
    title: str
    price: Decimal
    variations: list[Variation] = field(default_factory=list)
    varied: bool = False


class TradingFault(Exception):
    """An answer with `Ack` Failure."""

    def __init__(self, code: str, message: str, *, classification: str = "RequestError") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.classification = classification


class TradingWire:
    """One seller's listings outside the Inventory API."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.listings: dict[str, HubListing] = {}

    def list(self, title: str, variations: Iterable[tuple[str, int]], *, varied: bool) -> HubListing:
        """Make a listing as the seller would in Seller Hub; `variations` are (SKU, quantity)."""
        number = str(190_000_000_000 + len(self.listings) + 1)
        rows = [Variation(sku, quantity) for sku, quantity in variations]
        made = HubListing(number, title, Decimal("14.99"), rows, varied)
        self.listings[number] = made
        return made

    async def call(self, request: web.Request) -> web.Response:
        """POST /ws/api.dll."""
        name = request.headers.get("X-EBAY-API-CALL-NAME", "")
        try:
            body = self._answer(name, _admitted(request, name, await request.read()))
        except TradingFault as fault:
            return self.failure(name, fault)
        return self._reply(name, "Success", body)

    def failure(self, name: str, fault: TradingFault) -> web.Response:
        text = escape(fault.message)
        body = (
            f"<Errors><ShortMessage>{text}</ShortMessage><LongMessage>{text}</LongMessage>"
            f"<ErrorCode>{fault.code}</ErrorCode><SeverityCode>Error</SeverityCode>"
            f"<ErrorClassification>{fault.classification}</ErrorClassification></Errors>"
        )
        return self._reply(name or "Unknown", "Failure", body)

    def _answer(self, name: str, root: ET.Element) -> str:
        if name == "ReviseInventoryStatus":
            return self._revise(root)
        if name == "GetItem":
            return _item(self._listing(_text(root, "ItemID")))
        if name == "GetMyeBaySelling":
            return self._active(root)
        raise TradingFault("2", f"Unsupported API call {name}")

    def _revise(self, root: ET.Element) -> str:
        rows = [row for row in root if _local(row) == "InventoryStatus"]
        if not 1 <= len(rows) <= STATUSES_MAX:
            raise TradingFault("21916684", "The number of InventoryStatus nodes is not between 1 and 4")
        changes: list[tuple[Variation, int]] = []
        for row in rows:
            quantity = _text(row, "Quantity")
            if not quantity.isdigit():
                raise TradingFault("37", "Input data for tag Quantity is invalid or missing")
            changes.append((self._variation(row), int(quantity)))
        for variation, left in changes:
            variation.quantity = left
        return "".join(
            f"<InventoryStatus><ItemID>{_text(row, 'ItemID')}</ItemID><Quantity>{left}</Quantity></InventoryStatus>"
            for row, (_, left) in zip(rows, changes, strict=True)
        )

    def _variation(self, row: ET.Element) -> Variation:
        listing = self._listing(_text(row, "ItemID"))
        sku = _text(row, "SKU")
        if not listing.varied:
            return listing.variations[0]
        for variation in listing.variations:
            if variation.sku == sku:
                return variation
        raise TradingFault("21916799", "SKU does not exist in the listing.")

    def _listing(self, number: str) -> HubListing:
        if number not in self.listings:
            raise TradingFault(*INVALID_ITEM)
        return self.listings[number]

    def _active(self, root: ET.Element) -> str:
        pages = [node for node in root.iter() if _local(node) == "Pagination"]
        size = int(_text(pages[0], "EntriesPerPage") or 25) if pages else 25
        page = int(_text(pages[0], "PageNumber") or 1) if pages else 1
        rows = list(self.listings.values())
        shown = rows[(page - 1) * size : page * size]
        total = -(-len(rows) // size)
        items = "".join(_item(listing) for listing in shown)
        return (
            f"<ActiveList><ItemArray>{items}</ItemArray><PaginationResult>"
            f"<TotalNumberOfPages>{total}</TotalNumberOfPages><TotalNumberOfEntries>{len(rows)}</TotalNumberOfEntries>"
            "</PaginationResult></ActiveList>"
        )

    def _reply(self, name: str, ack: str, body: str) -> web.Response:
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}Response xmlns="{NAMESPACE}">'
            f"<Timestamp>{iso(self._clock.now())}</Timestamp><Ack>{ack}</Ack><Version>1193</Version>{body}</{name}Response>"
        )
        return web.Response(text=text, content_type="text/xml")


def _item(listing: HubListing) -> str:
    price = f'<StartPrice currencyID="{CURRENCY}">{listing.price}</StartPrice>'
    head = f"<ItemID>{listing.number}</ItemID><Title>{escape(listing.title)}</Title>"
    status = "<ListingStatus>Active</ListingStatus>"
    if listing.varied:
        rows = "".join(f"<Variation>{_counts(each)}{price}{_sold(each)}</Variation>" for each in listing.variations)
        return f"<Item>{head}<SellingStatus>{status}</SellingStatus><Variations>{rows}</Variations></Item>"
    (only,) = listing.variations
    return f"<Item>{head}{_counts(only)}{price}{_sold(only, status)}</Item>"


def _counts(each: Variation) -> str:
    sku = f"<SKU>{escape(each.sku)}</SKU>" if each.sku else ""
    return f"{sku}<Quantity>{each.quantity + each.sold}</Quantity>"


def _sold(each: Variation, status: str = "") -> str:
    return f"<SellingStatus><QuantitySold>{each.sold}</QuantitySold>{status}</SellingStatus>"


def _admitted(request: web.Request, name: str, body: bytes) -> ET.Element:
    """The request's root, once its headers are right."""
    for header in ("X-EBAY-API-COMPATIBILITY-LEVEL", "X-EBAY-API-SITEID"):
        if not request.headers.get(header, "").isdigit():
            raise TradingFault("10012", f"Invalid value for header {header}")
    root = _parsed(body)
    if _local(root) != f"{name}Request":
        raise TradingFault("10013", "The call name and the request do not agree")
    return root


def _parsed(body: bytes) -> ET.Element:
    if b"<!" in body:
        raise TradingFault("5", "XML Parse error: a document type is not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314  # document types are refused above
    except ET.ParseError:
        raise TradingFault("5", "XML Parse error.") from None


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _text(node: ET.Element, name: str) -> str:
    found = next((child for child in node if _local(child) == name), None)
    return (found.text or "").strip() if found is not None else ""


def facts_of(listing: HubListing) -> Mapping[str, int]:
    """What shoppers may buy, by SKU, or by the listing's number where it has none."""
    return {each.sku or listing.number: each.quantity for each in listing.variations}
