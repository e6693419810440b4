"""Edge work at eBay: confirm a shipment, cancel an order, give money back.

eBay has no idempotency keys: what is there is read first, only what is missing is sent, and a lost
answer is settled by reading again.

Source: sell/fulfillment v1.20.7 OpenAPI document (2025-11): a program's orders that eBay ships itself
(FULFILLED_BY_EBAY) and unpaid ones may not be shipped; error ids 32100 to 34500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.ebay import cancelling, manifest, moments, refunding, shipping
from connectors.ebay.api import Api
from connectors.ebay.orders import PATH, Orders, cancel_state
from connectors.ebay.shipping import Parcel
from connectors.ebay.wire import rows_of
from connectors.sdk.addressing import order_of
from connectors.sdk.contract import AccountContext, Effect, EffectResult, Settlement
from connectors.sdk.errors import Conflict, ConnectorError, Rejected
from connectors.sdk.queries import escaped

BY_EBAY: Final = "FULFILLED_BY_EBAY"


class Effects:
    """One account's edge work. The engine never runs two effects of one order at once."""

    def __init__(self, ctx: AccountContext, api: Api, orders: Orders) -> None:
        self._ctx = ctx
        self._api = api
        self._orders = orders

    async def send(self, effect: Effect) -> EffectResult:
        """Carry one effect out.

        Raises:
            Rejected: eBay or the order as it stands does not allow it, or the kind is unknown.
            InDoubt: The answer was lost; ask `settle`.
        """
        if effect.kind not in {kind.name for kind in manifest.MANIFEST.effects}:
            known = ", ".join(kind.name for kind in manifest.MANIFEST.effects)
            raise Rejected(f"eBay knows no effect {effect.kind!r}; known are {known}", code="unknown_effect")
        order = await self._orders.read(order_of(effect))
        if effect.kind == manifest.REFUND:
            return await refunding.refund(self._api, order, effect.body)
        refuse_own(order)
        if effect.kind == manifest.CANCEL:
            return await cancelling.cancel(self._api, order, effect.body)
        return await self._ship(order, effect)

    async def settle(self, effect: Effect) -> Settlement:
        """Whether an effect whose answer was lost was carried out, by reading."""
        order = await self._orders.read(order_of(effect))
        if effect.kind == manifest.CANCEL:
            return cancelling.settle(order)
        if effect.kind == manifest.REFUND:
            return refunding.settle(order, effect.body, self._ctx.clock.now())
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            # What is partly there is sent again for the rest only, so "not applied" is safe to say.
            return Settlement.NOT_APPLIED if await self._missing(order, effect) else Settlement.APPLIED
        return Settlement.UNKNOWN

    async def _ship(self, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        left = await self._missing(order, effect)
        number = str(order["orderId"])
        if not left:
            return EffectResult(number, note="eBay already had this shipment")
        refuse_unshippable(order)
        at = moments.read(effect.body.get("shipped_at")) or self._ctx.clock.now()
        # eBay refuses a date in its future; clocks differ by seconds.
        shipped_at = min(at, self._ctx.clock.now())
        made, correlation = number, None
        for parcel in left:
            path = f"{PATH}/{escaped(number)}/shipping_fulfillment"
            body = shipping.body_of(parcel, shipped_at)
            try:
                answer = await self._api.send("POST", path, kind="orders.ship", budget="fulfillment", json=body)
            except (Rejected, Conflict) as error:
                # The read before may have been late: what eBay has by now needs no second word.
                if parcel in await self._missing(order, effect):
                    raise _plain(error) from error
                continue
            location = (answer.header("location") or "").rstrip("/").rpartition("/")[2]
            made, correlation = location or parcel.number or number, answer.correlation_id
        return EffectResult(made, correlation)

    async def _missing(self, order: Mapping[str, Any], effect: Effect) -> list[Parcel]:
        wanted = shipping.parcels(order, effect.body)
        path = f"{PATH}/{escaped(str(order['orderId']))}/shipping_fulfillment"
        answer = await self._api.get(path, kind="orders.fulfillments", budget="fulfillment")
        return shipping.missing(wanted, rows_of(answer.json(), "fulfillments"))


def refuse_own(order: Mapping[str, Any]) -> None:
    """Raises: Rejected: eBay fulfils this order itself."""
    kinds = {str(row.get("fulfillmentInstructionsType")) for row in rows_of(order, "fulfillmentStartInstructions")}
    if BY_EBAY in kinds:
        raise Rejected("eBay ships this order itself", code="fulfilled_by_ebay")


def refuse_unshippable(order: Mapping[str, Any]) -> None:
    """Raises: Rejected: The order is not paid, or somebody wants it cancelled."""
    state = str(order.get("orderPaymentStatus") or "")
    if state and state not in cancelling.PAID_STATES:
        raise Rejected(f"the order is not paid ({state})", code="not_paid")
    cancel = cancel_state(order)
    if cancel == cancelling.CANCELED or cancelling.buyers_request(order):
        raise Rejected(f"the order is being cancelled ({cancel}); answer that first", code="cancelling")


def _plain(error: ConnectorError) -> ConnectorError:
    """409 has no documented body; once reading says that it is not there, it is a refusal."""
    if isinstance(error, Conflict):
        return Rejected(error.message, code=error.code, status=error.status, correlation_id=error.correlation_id)
    return error
