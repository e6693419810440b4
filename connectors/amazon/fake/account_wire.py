"""Small APIs about the account: marketplaces, restricted tokens, and the money of refunds.

Source: sellers, tokens_2021-03-01 and finances_2024-06-19 models (2026-08).
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from connectors.amazon.fake.marketplaces import Marketplace
from connectors.amazon.fake.replies import Refusal, answer, body_of, instant_in, invalid, iso, only
from connectors.amazon.fake.xml_feeds import Refunded, XmlFeeds

RESOURCES_MAX: Final = 50
ELEMENTS: Final = frozenset({"buyerInfo", "shippingAddress", "buyerTaxInformation"})
FINANCES: Final = frozenset(
    {
        "postedAfter", "postedBefore", "marketplaceId", "transactionStatus", "relatedIdentifierName",
        "relatedIdentifierValue", "nextToken",
    }
)  # fmt: skip


class AccountWire:
    """What Amazon knows about the seller as a business."""

    def __init__(self, market: Marketplace, seller: str, feeds: XmlFeeds) -> None:
        self._market = market
        self._seller = seller
        self._feeds = feeds
        self._tokens = 0

    async def participations(self, request: web.Request) -> web.Response:
        """GET /sellers/v1/marketplaceParticipations."""
        only(request, ())
        market = {
            "id": self._market.id,
            "name": self._market.name,
            "countryCode": self._market.country,
            "defaultCurrencyCode": self._market.currency,
            "defaultLanguageCode": self._market.language,
            "domainName": self._market.domain,
        }
        took = {"isParticipating": True, "hasSuspendedListings": False}
        return answer({"payload": [{"marketplace": market, "participation": took, "storeName": "Example Store"}]})

    async def restricted_token(self, request: web.Request) -> web.Response:
        """POST /tokens/2021-03-01/restrictedDataToken."""
        body = await body_of(request)
        resources = body.get("restrictedResources")
        fits = isinstance(resources, list) and 1 <= len(resources) <= RESOURCES_MAX
        if set(body) - {"restrictedResources", "targetApplication"} or not fits or resources is None:
            raise _bad_token(f"1 to {RESOURCES_MAX} restrictedResources are required.")
        for each in resources:
            if not isinstance(each, dict) or each.get("method") not in ("GET", "PUT", "POST", "DELETE"):
                raise _bad_token("A restricted resource has a method and a path.")
            if not str(each.get("path", "")).startswith("/") or set(each.get("dataElements", [])) - ELEMENTS:
                raise _bad_token("Resource not provided.")
        self._tokens += 1
        return answer({"restrictedDataToken": f"Atz.sprdt|sandbox-{self._tokens}", "expiresIn": 3600})

    async def transactions(self, request: web.Request) -> web.Response:
        """GET /finances/2024-06-19/transactions: refunds, newest first."""
        only(request, FINANCES)
        after, before = instant_in(request, "postedAfter"), instant_in(request, "postedBefore")
        name, value = request.query.get("relatedIdentifierName"), request.query.get("relatedIdentifierValue")
        if (name is None) != (value is None) or (after is None and name is None):
            raise invalid("postedAfter, or a related identifier's name and value, is required.")
        found = [
            self._transaction(number, each)
            for number, each in enumerate(self._feeds.refunds, 1)
            if (after is None or each.at >= after)
            and (before is None or each.at < before)
            and (name is None or (name == "ORDER_ID" and each.order == value))
        ]
        return answer({"payload": {"transactions": found[::-1]}})

    def _transaction(self, number: int, each: Refunded) -> dict[str, Any]:
        return {
            "sellingPartnerMetadata": {
                "sellingPartnerId": self._seller,
                "accountType": "Standard Orders",
                "marketplaceId": self._market.id,
            },
            "transactionType": "Refund",
            "transactionId": f"refund-{number}",
            "transactionStatus": "RELEASED",
            "description": "Refund Order",
            "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": each.order}],
            "totalAmount": {"currencyCode": each.currency, "currencyAmount": -each.amount},
            "postedDate": iso(each.at),
            "marketplaceDetails": {"marketplaceId": self._market.id, "marketplaceName": self._market.name},
            "items": [],
            "contexts": [],
            "breakdowns": [],
        }


def _bad_token(details: str) -> Refusal:
    return Refusal(400, "InvalidRequest", "Request is missing or has invalid parameters", details)
