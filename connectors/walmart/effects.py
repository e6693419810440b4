"""Edge work at Walmart: acknowledge, confirm a shipment, cancel.

Walmart has no idempotency keys. Acknowledging twice answers like the first time; shipping the same
parcel twice is refused with 400 and cancelling twice cancels more. So shipping and cancelling read
the order first and send only what is missing, and a lost answer is settled by reading again.

Source: Walmart orders OpenAPI document (2026-06); developer.walmart.com "ship an order",
"acknowledge a created order"; operators' reports on double shipping (2025).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.sdk.addressing import order_of
from connectors.sdk.contract import AccountContext, Effect, EffectResult, Settlement
from connectors.sdk.errors import Rejected
from connectors.sdk.instants import read_instant
from connectors.sdk.queries import escaped
from connectors.walmart import manifest, orders, shipping
from connectors.walmart.api import Api
from connectors.walmart.orders import lines_of, units
from connectors.walmart.shipping import Piece
from connectors.walmart.wire import from_millis

CLOCK_SKEW: Final = timedelta(minutes=5)


class Effects:
    """One account's edge work. The engine never runs two effects of one order at once."""

    def __init__(self, ctx: AccountContext, api: Api) -> None:
        self._ctx = ctx
        self._api = api

    async def send(self, effect: Effect) -> EffectResult:
        """Carry one effect out.

        Raises:
            Rejected: Walmart or the order as it stands does not allow it, or the kind is unknown.
            InDoubt: The answer was lost; ask `settle`.
        """
        number = order_of(effect)
        if effect.kind == manifest.ACKNOWLEDGE:
            return await self._acknowledge(number)
        order = await orders.read(self._api, number)
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            return await self._ship(number, order, effect)
        if effect.kind == manifest.CANCEL:
            return await self._cancel(number, order, effect)
        known = ", ".join(kind.name for kind in manifest.MANIFEST.effects)
        raise Rejected(f"Walmart knows no effect {effect.kind!r}; known are {known}", code="unknown_effect")

    async def settle(self, effect: Effect) -> Settlement:
        """Whether an effect whose answer was lost was carried out, by reading the order."""
        order = await orders.read(self._api, order_of(effect))
        if effect.kind == manifest.ACKNOWLEDGE:
            return Settlement.NOT_APPLIED if _created(order) else Settlement.APPLIED
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            # What is partly there is sent again for the rest only, so "not applied" is safe to say.
            missing = _missing(shipping.pieces(order, effect.body))
            return Settlement.NOT_APPLIED if missing else Settlement.APPLIED
        if effect.kind == manifest.CANCEL:
            return _settle_cancel(order, effect.body)
        return Settlement.UNKNOWN

    async def _acknowledge(self, number: str) -> EffectResult:
        path = f"{orders.PATH}/{escaped(number)}/acknowledge"
        try:
            answer = await self._api.send("POST", path, kind="orders.acknowledge", budget="acknowledge", keyed=True)
        except Rejected as error:
            # A line that moved on (shipped, cancelled) needs no acknowledgement any more.
            if error.status != 400 or _created(await orders.read(self._api, number)):
                raise
            return EffectResult(number, error.correlation_id, "nothing was left to acknowledge")
        return EffectResult(number, answer.correlation_id)

    async def _ship(self, number: str, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        _refuse_wfs(order)
        missing = _missing(shipping.pieces(order, effect.body))
        if not missing:
            return EffectResult(number, note="Walmart already had this shipment")
        shipped_at = read_instant(effect.body.get("shipped_at")) or self._ctx.clock.now()
        seller_order_id = effect.references.get("seller_order_id") or number
        body = shipping.shipping_body(order, missing, shipped_at, seller_order_id)
        if _created(order):
            # Only acknowledged lines can be shipped.
            await self._acknowledge(number)
        path = f"{orders.PATH}/{escaped(number)}/shipping"
        try:
            answer = await self._api.send("POST", path, kind="orders.ship", budget="shipping", json=body)
        except Rejected as error:
            # The read before may have been late: the same parcel twice is refused with 400.
            if error.status != 400 or _missing(shipping.pieces(await orders.read(self._api, number), effect.body)):
                raise
            return EffectResult(number, error.correlation_id, "Walmart already had this shipment")
        return EffectResult(missing[0].tracking_number, answer.correlation_id)

    async def _cancel(self, number: str, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        _refuse_wfs(order)
        body = shipping.cancel_body(order, effect.body)
        path = f"{orders.PATH}/{escaped(number)}/cancel"
        answer = await self._api.send("POST", path, kind="orders.cancel", budget="cancel", json=body)
        return EffectResult(number, answer.correlation_id)


def _created(order: Mapping[str, Any]) -> bool:
    return any(units(line, "Created") for line in lines_of(order))


def _missing(wanted: Sequence[Piece]) -> list[Piece]:
    return [piece for piece in wanted if piece.shipped < piece.quantity]


def _refuse_wfs(order: Mapping[str, Any]) -> None:
    if (order.get("shipNode") or {}).get("type") == "WFSFulfilled":
        raise Rejected("Walmart ships and cancels WFS orders itself", code="wfs_order")


def _settle_cancel(order: Mapping[str, Any], cancellation: Mapping[str, Any]) -> Settlement:
    """Read off the lines. A line untouched since the cancellation was written was not cancelled by it."""
    wanted = shipping.cancelled_units(order, cancellation)
    if not wanted:
        return Settlement.APPLIED
    at = read_instant(cancellation.get("at"))
    verdicts = {_line_cancelled(line, quantity, at) for line, quantity in wanted}
    return verdicts.pop() if len(verdicts) == 1 else Settlement.UNKNOWN


def _line_cancelled(line: Mapping[str, Any], quantity: int, at: datetime | None) -> Settlement:
    changed = from_millis(line.get("statusDate"))
    if at is not None and changed is not None and changed < at - CLOCK_SKEW:
        return Settlement.NOT_APPLIED
    cancelled = units(line, "Cancelled")
    if cancelled < quantity:
        return Settlement.NOT_APPLIED
    if cancelled == quantity or not units(line, "Created", "Acknowledged"):
        return Settlement.APPLIED
    # More is cancelled than asked for and something is still open: an earlier cancellation hides ours.
    return Settlement.UNKNOWN
