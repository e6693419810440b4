"""Listings the Inventory API does not see: made in Seller Hub or by the Trading API, served in XML.

`ReviseInventoryStatus` sets the number shoppers may still buy, four listings a call. What `GetItem` and
`GetMyeBaySelling` call Quantity counts what was sold too, so that is taken off.

Source: Trading API reference, ReviseInventoryStatus, GetItem, GetMyeBaySelling, error codes page,
compatibility level 1193 (read 2026-11); captured error bodies (2021-10). A listing that was migrated to
the Inventory API refuses Trading revisions and is served there instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from connectors.ebay import xml
from connectors.ebay.api import Api
from connectors.ebay.settings import Settings
from connectors.sdk.contract import ListingRef, PushItem
from connectors.sdk.errors import (
    AuthFailed,
    AuthReason,
    ConnectorError,
    RateLimited,
    Rejected,
    TargetMissing,
    Transient,
)
from connectors.sdk.http import Answer
from connectors.sdk.whole import whole

COMPATIBILITY_LEVEL: Final = "1193"
ITEMS_PER_CALL: Final = 4
PAGE_MAX: Final = 100
ENDED: Final = frozenset({"Completed", "Ended"})

# What a Trading error code means; anything not listed is `Rejected`, or by its class below.
BY_CODE: Final[Mapping[str, type[ConnectorError]]] = {
    "17": TargetMissing,  # item deleted, or not yours
    "35": TargetMissing,  # invalid item id
    "291": TargetMissing,  # the auction has ended
    "518": RateLimited,  # calls of the hour or day
    "841": AuthFailed,  # the user is suspended
    "930": AuthFailed,  # no token
    "931": AuthFailed,  # invalid token
    "932": AuthFailed,  # expired token
    "10007": Transient,  # internal error of the application
    "16110": AuthFailed,  # token expired or revoked
    "17470": AuthFailed,  # log in again
    "21916984": AuthFailed,  # invalid IAF token
    "21917053": AuthFailed,  # expired IAF token
    "21916750": TargetMissing,  # fixed price listing ended
    "21916799": TargetMissing,  # no such SKU in the listing
}

TOKEN_CODES: Final = frozenset({"931", "932", "21916984", "21917053"})
"""The token is no longer good. With 200 as its status, so that the transport, which renews after a 401, cannot know."""


class Trading:
    """One account's Trading calls."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    async def revise(self, items: Sequence[PushItem]) -> dict[ListingRef, ConnectorError | None]:
        """Set numbers, four a call. A call refused in part is repeated item by item to learn whose fault it is."""
        outcomes: dict[ListingRef, ConnectorError | None] = {}
        for start in range(0, len(items), ITEMS_PER_CALL):
            part = items[start : start + ITEMS_PER_CALL]
            try:
                await self._revise(part)
                outcomes.update({item.ref: None for item in part})
            except Rejected as error:
                outcomes.update({part[0].ref: error} if len(part) == 1 else await self._singly(part))
        return outcomes

    async def available(self, ref: ListingRef) -> int | None:
        """What shoppers may still buy of a listing or one of its variations; None when it is gone."""
        content = {"ItemID": item_id(ref), "DetailLevel": "ItemReturnAttributes", "IncludeWatchCount": "false"}
        try:
            root = await self._call("GetItem", content, write=False)
        except TargetMissing:
            return None
        except Rejected as error:
            raise Transient(error.message, code=error.code, correlation_id=error.correlation_id) from error
        for row in rows_of(root, ("Item",)):
            if row["variationSku"] not in (None, ref.channel_sku) or row["listingStatus"] in ENDED:
                continue
            return whole(row["quantityAvailable"])
        return None

    async def active(self, page: int) -> tuple[list[dict[str, Any]], bool]:
        """One page of active listings, a row per variation, and whether there are more. Pages count from 1."""
        content: dict[str, xml.Content] = {
            "ActiveList": {
                "Include": "true",
                "Pagination": {"EntriesPerPage": str(PAGE_MAX), "PageNumber": str(page)},
            },
            "DetailLevel": "ReturnAll",
        }
        root = await self._call("GetMyeBaySelling", content, write=False)
        pages = whole(xml.text(root, "ActiveList", "PaginationResult", "TotalNumberOfPages")) or 0
        return list(rows_of(root, ("ActiveList", "ItemArray", "Item"))), page < pages

    async def _singly(self, items: Sequence[PushItem]) -> dict[ListingRef, ConnectorError | None]:
        outcomes: dict[ListingRef, ConnectorError | None] = {}
        for item in items:
            try:
                await self._revise([item])
                outcomes[item.ref] = None
            except Rejected as error:
                outcomes[item.ref] = error
        return outcomes

    async def _revise(self, items: Sequence[PushItem]) -> None:
        content: dict[str, xml.Content] = {"InventoryStatus": [status_of(item) for item in items]}
        await self._call("ReviseInventoryStatus", content, write=True)

    async def _call(self, call: str, content: Mapping[str, xml.Content], *, write: bool) -> ET.Element:
        headers = {
            "x-ebay-api-compatibility-level": COMPATIBILITY_LEVEL,
            "x-ebay-api-siteid": str(self._settings.site_id),
        }
        body = xml.request(call, content)
        token = await self._api.token()
        root, fault = await self._once(call, body, headers, write=write)
        if fault is not None and fault.code in TOKEN_CODES:
            # Nothing was carried out; a renewed token earns one more try, as after a 401.
            self._api.token_refused(token)
            root, fault = await self._once(call, body, headers, write=write)
        if fault is not None:
            raise fault
        return root

    async def _once(
        self, call: str, body: bytes, headers: Mapping[str, str], *, write: bool
    ) -> tuple[ET.Element, ConnectorError | None]:
        answer = await self._api.trading(call, body, headers, write=write)
        try:
            root = xml.parse(answer.content)
        except xml.NotXml as error:
            raise Transient(f"trading.{call}: {error}", **answer.facts("not_xml")) from error
        return root, failure(root, answer)


def status_of(item: PushItem) -> dict[str, xml.Content]:
    """One `InventoryStatus`. A listing without a SKU is known by its own id, which then stands for the SKU."""
    number = item_id(item.ref)
    own = {} if item.ref.channel_sku == number else {"SKU": item.ref.channel_sku}
    return {"ItemID": number, **own, "Quantity": str(item.quantity)}


def item_id(ref: ListingRef) -> str:
    """The listing's number. Variations share one, so the address of theirs is "number/SKU"."""
    return ref.listing_id.partition("/")[0]


def failure(root: ET.Element, answer: Answer) -> ConnectorError | None:
    """The error an answer carries; warnings are none. Trading says 200 whatever happened."""
    if xml.text(root, "Ack") in ("Success", "Warning"):
        return None
    rows = [row for row in xml.children(root, "Errors") if xml.text(row, "SeverityCode") != "Warning"]
    code = xml.text(rows[0], "ErrorCode") if rows else "no_ack"
    said = (xml.text(rows[0], "ShortMessage") or xml.text(rows[0], "LongMessage")) if rows else "no acknowledgement"
    system = bool(rows) and xml.text(rows[0], "ErrorClassification") == "SystemError"
    kind = BY_CODE.get(code) or (Transient if system or not rows else Rejected)
    message = f"eBay's Trading API refused: {said}"
    if kind is AuthFailed:
        return AuthFailed(message, reason=AuthReason.CREDENTIALS, **answer.facts(code))
    return kind(message, **answer.facts(code))


def rows_of(root: ET.Element, path: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Listings as JSON rows, one per variation; what is absent is null."""
    for item in xml.children(root, *path):
        variations = list(xml.children(item, "Variations", "Variation"))
        for node in variations or [item]:
            yield _row(item, node, variation=bool(variations))


def _row(item: ET.Element, node: ET.Element, *, variation: bool) -> dict[str, Any]:
    total, sold = whole(xml.text(node, "Quantity")), whole(xml.text(node, "SellingStatus", "QuantitySold"))
    stated = None if variation else whole(xml.text(item, "QuantityAvailable"))
    counted = None if total is None else max(0, total - (sold or 0))
    price = next(
        (
            found
            for at in (("StartPrice",), ("SellingStatus", "CurrentPrice"), ("BuyItNowPrice",))
            if (found := next(xml.children(node, *at), None)) is not None
        ),
        None,
    )
    return {
        "itemId": xml.text(item, "ItemID") or None,
        "sku": xml.text(item, "SKU") or None,
        "variationSku": (xml.text(node, "SKU") or None) if variation else None,
        "title": xml.text(item, "Title") or None,
        "quantity": total,
        "quantityAvailable": counted if stated is None else stated,
        "quantitySold": sold,
        "price": (price.text or "").strip() or None if price is not None else None,
        "currency": price.get("currencyID") if price is not None else None,
        "listingStatus": xml.text(item, "SellingStatus", "ListingStatus") or "Active",
    }
