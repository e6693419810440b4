"""Edge work at Amazon: confirm a shipment, cancel lines, give money back.

The order is read first: what is there is not sent again, and what may not be sent is refused here. Cancelling
and refunding go by feed; see `order_feeds`.

Source: orders_2026-01-01 and ordersV0 (2026-08): a PENDING order is reserved and never shipped, Amazon ships its
own orders itself; a repeat of a package may answer 400 although it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.amazon import cancelling, manifest, moments, order_reading, refunding, shipping, xmlfeeds
from connectors.amazon.api import Api, escaped
from connectors.amazon.feeds import Feeds
from connectors.amazon.order_feeds import OrderFeeds, Verdict, Work
from connectors.amazon.settings import Settings
from connectors.amazon.shipping import Parcel
from connectors.sdk.contract import AccountContext, Effect, EffectResult, Settlement
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, Transient

FEED_TYPES: Final[Mapping[str, str]] = {
    manifest.CANCEL: xmlfeeds.ACKNOWLEDGEMENT,
    manifest.REFUND: xmlfeeds.ADJUSTMENT,
}
CANCEL_SHOWS_AFTER: Final = timedelta(minutes=30)
"""A cancellation whose feed ended and that the order does not show by then is sent again: once more does no harm."""


class Effects:
    """One account's edge work. The engine never runs two effects of one order at once."""

    def __init__(self, ctx: AccountContext, settings: Settings, api: Api, feeds: Feeds) -> None:
        self._ctx = ctx
        self._settings = settings
        self._api = api
        self._feeds = OrderFeeds(ctx, feeds)
        self._ended_at: dict[str, datetime] = {}

    async def send(self, effect: Effect) -> EffectResult:
        """Carry one effect out.

        Raises:
            Rejected: Amazon or the order as it stands does not allow it, or the kind is unknown.
            Transient: Not yet: the order is not paid.
            InDoubt: The answer was lost or has not come yet; ask `settle`.
        """
        if effect.kind not in {kind.name for kind in manifest.MANIFEST.effects}:
            known = ", ".join(kind.name for kind in manifest.MANIFEST.effects)
            raise Rejected(f"Amazon knows no effect {effect.kind!r}; known are {known}", code="unknown_effect")
        order = await order_reading.read(self._api, order_id(effect))
        order_reading.refuse_amazons(order)
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            return await self._ship(order, effect)
        if effect.kind == manifest.CANCEL:
            return await self._cancel(order, effect)
        return await self._refund(order, effect)

    async def settle(self, effect: Effect) -> Settlement:
        """Whether an effect whose answer was lost was carried out, by reading.

        Raises:
            Rejected: It was refused, and the report says why.
        """
        if effect.kind == manifest.REFUND:
            order: Mapping[str, Any] = {}
        else:
            order = await order_reading.read(self._api, order_id(effect))
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            # A package sent again under its own reference is edited to what it is: "not applied" is safe to say.
            left = shipping.missing(shipping.parcels(order, effect.body), order_reading.packages_of(order))
            return Settlement.NOT_APPLIED if left else Settlement.APPLIED
        if effect.kind == manifest.CANCEL:
            return await self._settle_cancel(order, effect)
        if effect.kind == manifest.REFUND:
            return await self._settle_refund(effect)
        return Settlement.UNKNOWN

    async def _ship(self, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        number = str(order["orderId"])
        wanted = shipping.parcels(order, effect.body)
        left = shipping.missing(wanted, order_reading.packages_of(order))
        again = [parcel for parcel in shipping.put_right(wanted, effect.body) if parcel not in left]
        left += again
        if not left:
            return EffectResult(wanted[0].reference, note="Amazon already had this shipment")
        refuse_unshippable(order)
        shipping.refuse_requested(order, left)
        marketplace = order_reading.marketplace_of(order) or self._settings.marketplace
        correlation = None
        for parcel in left:
            try:
                answer = await self._api.request(
                    "POST",
                    f"{shipping.PATH}/{escaped(number)}/shipmentConfirmation",
                    operation="confirmShipment",
                    json=shipping.body_of(parcel, marketplace, self._shipped_at(order, effect)),
                    write=True,
                    keyed=True,
                )
            except Rejected as error:
                # A repeat of a shipped order is refused with 400 although the package is there. Of one that is put
                # right its being there proves nothing.
                if error.status != 400 or parcel in again or not await self._arrived(number, parcel):
                    raise
                correlation = error.correlation_id
                continue
            correlation = answer.correlation_id
        return EffectResult(left[0].reference, correlation)

    def _shipped_at(self, order: Mapping[str, Any], effect: Effect) -> datetime:
        """Never in Amazon's future, where clocks differ, and never before the order, where only a day is known."""
        now = self._ctx.clock.now()
        at = min(moments.read(effect.body.get("shipped_at")) or now, now)
        created = moments.read(order.get("createdTime"))
        return max(at, created) if created is not None and created <= now else at

    async def _arrived(self, number: str, parcel: Parcel) -> bool:
        order = await order_reading.read(self._api, number)
        return not shipping.missing([parcel], order_reading.packages_of(order))

    async def _cancel(self, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        number = str(order["orderId"])
        wanted = cancelling.wanted_lines(order, effect.body)
        left = cancelling.left_to_cancel(order, wanted)
        if not left:
            return EffectResult(number, note="Amazon already had this cancellation")
        cancelling.refuse_shipped(left)
        content = cancelling.document(number, self._settings.seller_id, left, cancelling.reason_of(effect.body))
        work = self._work(effect, order)
        feed_id = await self._feeds.send(work, content)
        await self._prove_cancelled(work, effect, feed_id)
        return EffectResult(feed_id)

    async def _prove_cancelled(self, work: Work, effect: Effect, feed_id: str) -> None:
        """Raises: InDoubt: The feed ended without a word against it, but the order does not show it yet."""
        self._ended_at[work.key] = self._ctx.clock.now()
        try:
            order = await order_reading.read(self._api, work.order_id)
        except ConnectorError as error:
            raise InDoubt(
                f"feed {feed_id} ended; the order cannot be read: {error.message}", code=error.code
            ) from error
        if cancelling.left_to_cancel(order, cancelling.wanted_lines(order, effect.body)):
            raise InDoubt(f"feed {feed_id} ended; the order does not show it yet", code="not_shown_yet")
        self._over(work)

    async def _refund(self, order: Mapping[str, Any], effect: Effect) -> EffectResult:
        number = str(order["orderId"])
        made = refunding.plan(order, effect.body)
        work = self._work(effect, order)
        content = refunding.document(number, self._settings.seller_id, made, effect.idempotency_key)
        feed_id = await self._feeds.send(work, content)
        return EffectResult(feed_id, note=f"{made.total:f} {made.currency}")

    async def _settle_cancel(self, order: Mapping[str, Any], effect: Effect) -> Settlement:
        """The order is what counts. Cancelling twice cancels no more, so a feed that is not found is sent again."""
        wanted = cancelling.wanted_lines(order, effect.body)
        work = self._work(effect, order)
        if not cancelling.left_to_cancel(order, wanted):
            self._over(work)
            return Settlement.APPLIED
        verdict = await self._feeds.verdict(work)
        if verdict is Verdict.UNDER_WAY:
            return Settlement.UNKNOWN
        if verdict is Verdict.NEVER_MADE:
            self._over(work)
            return Settlement.NOT_APPLIED
        now = self._ctx.clock.now()
        since = self._ended_at.setdefault(work.key, now)
        order = await order_reading.read(self._api, work.order_id)
        if not cancelling.left_to_cancel(order, wanted_again := cancelling.wanted_lines(order, effect.body)):
            self._over(work)
            return Settlement.APPLIED
        if now - since < CANCEL_SHOWS_AFTER or not wanted_again:
            return Settlement.UNKNOWN
        self._over(work)
        return Settlement.NOT_APPLIED

    async def _settle_refund(self, effect: Effect) -> Settlement:
        """A feed that ended without a word against it paid the money; in any doubt a person decides."""
        number = order_id(effect)
        work = self._work(effect, {"orderId": number} | await self._where(number))
        verdict = await self._feeds.verdict(work)
        if verdict is Verdict.ENDED:
            self._over(work)
            return Settlement.APPLIED
        if verdict is Verdict.NEVER_MADE:
            self._over(work)
            return Settlement.NOT_APPLIED
        return Settlement.UNKNOWN

    async def _where(self, number: str) -> dict[str, Any]:
        """The order's marketplace, asked for only where the account has several."""
        if len(self._settings.marketplace_ids) == 1:
            return {}
        return dict(await order_reading.read(self._api, number))

    def _work(self, effect: Effect, order: Mapping[str, Any]) -> Work:
        marketplace = order_reading.marketplace_of(order) or self._settings.marketplace
        return Work(effect.idempotency_key, FEED_TYPES[effect.kind], str(order["orderId"]), (marketplace,))

    def _over(self, work: Work) -> None:
        self._feeds.forget(work)
        self._ended_at.pop(work.key, None)


def order_id(effect: Effect) -> str:
    """The order's id: a reference, the document's `order`, or of an order its own source id.

    Raises:
        Rejected: None of them is there.
    """
    source = effect.body.get("source")
    own = source.get("id") if isinstance(source, Mapping) and effect.body.get("type") == "order" else None
    found = effect.references.get("order") or effect.body.get("order") or own or effect.body.get("number")
    if not found:
        raise Rejected("the effect names no order", code="no_order")
    return str(found)


def refuse_unshippable(order: Mapping[str, Any]) -> None:
    """
    Raises:
        Transient: The payment is not authorised yet: the shipment is told once it is.
        Rejected: The order is cancelled or cannot be fulfilled.
    """
    status = order_reading.status_of(order)
    if status in order_reading.UNPAID:
        raise Transient(f"the order is {status}: a shipment is confirmed once it is paid", code="not_paid")
    if status in (order_reading.CANCELLED, "UNFULFILLABLE"):
        raise Rejected(f"the order is {status}", code="not_shippable")
