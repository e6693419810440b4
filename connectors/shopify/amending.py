"""Correcting and taking back what was confirmed: the fulfilments of an order that show the numbers told before.

Neither call has an idempotency key; both set a state, so that reading first makes a repeat harmless.
Source: mutations fulfillmentTrackingInfoUpdate and fulfillmentCancel of the 2026-10 schema, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.sdk.contract import Effect, EffectResult, Settlement
from connectors.sdk.errors import Rejected
from connectors.shopify import ids
from connectors.shopify.errors import texts, user_errors
from connectors.shopify.graphql import GraphQL
from connectors.shopify.shipping import Parcel, Shipping, living, numbers_of, parcels_of, tracking_of

CORRECT: Final = "shipment.correct"
CANCEL: Final = "shipment.cancel"


class Amending:
    """For one account; a fulfilment that was never made is confirmed by `shipping` when it is corrected."""

    def __init__(self, graphql: GraphQL, shipping: Shipping) -> None:
        self._graphql = graphql
        self._shipping = shipping

    async def correct(self, effect: Effect) -> EffectResult:
        """Put new numbers and carrier on the fulfilments that bear the old ones.

        Raises:
            InDoubt: The answer was lost.
            Rejected: Shopify refuses.
        """
        state = await self._shipping.read(effect)
        parcel = _parcel(effect)
        if _stands(parcel, state):
            return EffectResult(note="the order shows these tracking numbers already")
        bearing = _bearing(state, {*_before(effect), *parcel.numbers})
        if not bearing:
            return await self._shipping.send(effect)
        for owner in bearing:
            variables = {
                "fulfillmentId": owner["id"],
                "trackingInfoInput": tracking_of(parcel),
                "notifyCustomer": True,
            }
            await self._write("fulfillment_tracking_update", "fulfillmentTrackingInfoUpdate", variables, CORRECT)
        return EffectResult(vendor_id=ids.number(bearing[0]["id"]))

    async def cancel(self, effect: Effect) -> EffectResult:
        """Cancel the fulfilments that bear the numbers; what they held can be shipped again.

        Raises:
            InDoubt: The answer was lost.
            Rejected: Shopify refuses, or there is no number to know the fulfilment by.
        """
        bearing = _bearing(await self._shipping.read(effect), _before(effect))
        if not bearing:
            return EffectResult(note="no fulfilment of the order bears these tracking numbers")
        for owner in bearing:
            await self._write("fulfillment_cancel", "fulfillmentCancel", {"id": owner["id"]}, CANCEL)
        return EffectResult(vendor_id=ids.number(bearing[0]["id"]))

    async def settle_correction(self, effect: Effect) -> Settlement:
        """Repeating a correction does no harm, so that "not applied" is safe to say."""
        state = await self._shipping.read(effect)
        return Settlement.APPLIED if _stands(_parcel(effect), state) else Settlement.NOT_APPLIED

    async def settle_cancellation(self, effect: Effect) -> Settlement:
        bearing = _bearing(await self._shipping.read(effect), _before(effect))
        return Settlement.NOT_APPLIED if bearing else Settlement.APPLIED

    async def _write(self, query: str, field: str, variables: Mapping[str, Any], kind: str) -> None:
        reply = await self._graphql.run(query, variables, kind=kind, write=True)
        refused = user_errors(reply.data.get(field))
        if refused:
            raise Rejected(f"{kind}: {texts(refused)}"[:300], code="user_error", correlation_id=reply.correlation_id)


def _parcel(effect: Effect) -> Parcel:
    found = parcels_of(effect)
    if len(found) != 1 or not found[0].numbers:
        raise Rejected(
            f"{CORRECT}: a fulfilment without a tracking number cannot be told from others; correct it in Shopify",
            code="no_tracking",
        )
    return found[0]


def _before(effect: Effect) -> set[str]:
    numbers = {str(number) for number in effect.body.get("told_before") or ()}
    if not numbers:
        raise Rejected(
            f"{effect.kind}: what was told had no tracking number to know it by; put it right in Shopify",
            code="no_tracking",
        )
    return numbers


def _bearing(state: Mapping[str, Any], numbers: set[str]) -> list[Mapping[str, Any]]:
    return [owner for owner in living(state) if numbers_of(owner) & numbers]


def _stands(parcel: Parcel, state: Mapping[str, Any]) -> bool:
    """Whether a living fulfilment bears these numbers and no others, under this carrier."""
    for owner in living(state):
        companies = {str(each.get("company") or "") for each in owner.get("trackingInfo") or ()}
        if numbers_of(owner) == set(parcel.numbers) and companies <= {parcel.company, ""}:
            return True
    return False
