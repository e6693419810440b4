"""Edge work of a vendor: acknowledge an order, confirm a shipment.

Both are submissions: an answer of 202 opens a transaction, and `send` says yes only once it ended in Success. A
transaction that takes longer, or an answer that was lost, is settled by asking the transaction where its id is
known and the order otherwise. Acknowledging again replaces the earlier acknowledgement, so one that does not show
may be sent again; a shipment that does not show may still come, and is never confirmed twice unasked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.amazon import moments
from connectors.amazon.api import Api
from connectors.amazon.vendor import acknowledging, manifest, shipping, transactions
from connectors.amazon.vendor.orders import Orders, VendorOrder
from connectors.amazon.vendor.settings import VendorSettings
from connectors.amazon.vendor.transactions import State, Transaction
from connectors.sdk.contract import AccountContext, Effect, EffectResult, Settlement
from connectors.sdk.errors import Rejected, TargetMissing

RETAIL_ACKNOWLEDGEMENTS: Final = "/vendor/orders/v1/acknowledgements"
DIRECT_ACKNOWLEDGEMENTS: Final = "/vendor/directFulfillment/orders/2021-12-28/acknowledgements"
RETAIL_CONFIRMATIONS: Final = "/vendor/shipping/v1/shipmentConfirmations"
DIRECT_CONFIRMATIONS: Final = "/vendor/directFulfillment/shipping/2021-12-28/shipmentConfirmations"
SHIPMENTS: Final = "/vendor/shipping/v1/shipments"
REMEMBERED_MAX: Final = 1_000
UNCONFIRMED: Final = "UNCONFIRMED"


class Effects:
    """One account's edge work. The engine never runs two effects of one order at once.

    Ids of transactions under way are remembered to ask about them sooner; forgetting them loses nothing but time.
    """

    def __init__(self, ctx: AccountContext, api: Api, orders: Orders, settings: VendorSettings) -> None:
        self._ctx = ctx
        self._api = api
        self._orders = orders
        self._settings = settings
        self._under_way: OrderedDict[str, Transaction] = OrderedDict()

    async def send(self, effect: Effect) -> EffectResult:
        """Carry one effect out.

        Raises:
            Rejected: Amazon refused the transaction, the order does not allow it, or the kind is unknown.
            InDoubt: The answer was lost or the transaction is still under way; ask `settle`.
        """
        order = await self._order(effect)
        now = moments.text(self._ctx.clock.now())
        if effect.kind == manifest.ACKNOWLEDGE:
            if await self._acknowledged(order):
                return EffectResult(order.number, note="Amazon already has an acknowledgement")
            build = acknowledging.direct if order.direct else acknowledging.retail
            path = DIRECT_ACKNOWLEDGEMENTS if order.direct else RETAIL_ACKNOWLEDGEMENTS
            operation = "direct.submitAcknowledgement" if order.direct else "submitAcknowledgement"
            return await self._submit(effect, order, path, operation, build(order, effect.body, now))
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            if await self._shipped(order, effect.body) is Settlement.APPLIED:
                return EffectResult(order.number, note="Amazon already has this shipment")
            if order.direct:
                body = shipping.direct(order, effect.body, now)
                return await self._submit(
                    effect, order, DIRECT_CONFIRMATIONS, "direct.submitShipmentConfirmations", body
                )
            body = shipping.retail(order, effect.body, self._warehouse(effect.body), now)
            return await self._submit(effect, order, RETAIL_CONFIRMATIONS, "SubmitShipmentConfirmations", body)
        known = ", ".join(kind.name for kind in manifest.MANIFEST.effects)
        raise Rejected(f"Amazon knows no effect {effect.kind!r} of a vendor; known are {known}", code="unknown_effect")

    async def settle(self, effect: Effect) -> Settlement:
        """Whether an effect in doubt was carried out: its transaction where it is known, the order otherwise."""
        transaction = self._under_way.get(effect.idempotency_key)
        if transaction is not None:
            current = await transactions.look(self._api, transaction)
            if current.state is not State.PROCESSING:
                self._under_way.pop(effect.idempotency_key, None)
            if current.state is State.SUCCESS:
                return Settlement.APPLIED
            # Sending a refused one again gives the refusal itself, with Amazon's reasons.
            return Settlement.NOT_APPLIED if current.state is State.FAILURE else Settlement.UNKNOWN
        order = await self._order(effect)
        if effect.kind == manifest.ACKNOWLEDGE:
            return Settlement.APPLIED if await self._acknowledged(order) else Settlement.NOT_APPLIED
        if effect.kind == manifest.CONFIRM_SHIPMENT:
            return await self._shipped(order, effect.body)
        return Settlement.UNKNOWN

    async def _submit(
        self, effect: Effect, order: VendorOrder, path: str, operation: str, body: Mapping[str, Any]
    ) -> EffectResult:
        answer = await self._api.request("POST", path, operation=operation, json=body, write=True)
        transaction = transactions.opened(answer, direct=order.direct)
        self._remember(effect.idempotency_key, transaction)
        current = await transactions.finished(self._ctx, self._api, transaction)
        self._under_way.pop(effect.idempotency_key, None)
        if current.state is State.FAILURE:
            raise current.refusal()
        return EffectResult(transaction.id, answer.correlation_id)

    async def _order(self, effect: Effect) -> VendorOrder:
        return await self._orders.find(order_number(effect), direct_first=_direct_first(effect.body))

    async def _acknowledged(self, order: VendorOrder) -> bool:
        """An order that says New may be old: what Amazon confirmed of its lines is looked up."""
        if order.direct:
            return order.state not in {"NEW", ""}
        if order.state not in {"New", ""}:
            return True
        confirmed = await self._orders.confirmations(order.number)
        return bool(confirmed) and UNCONFIRMED not in confirmed

    async def _shipped(self, order: VendorOrder, shipment: Mapping[str, Any]) -> Settlement:
        if order.direct:
            return Settlement.APPLIED if order.state == "SHIPPED" else Settlement.UNKNOWN
        name = shipping.identifier(order, shipment)
        params: dict[str, str | int | Sequence[str]] = {"vendorShipmentIdentifier": name, "limit": 1}
        try:
            answer = await self._api.request("GET", SHIPMENTS, operation="GetShipmentDetails", params=params)
        except TargetMissing:
            return Settlement.UNKNOWN
        body = answer.json()
        payload = body.get("payload", body) if isinstance(body, Mapping) else {}
        rows = payload.get("shipments") if isinstance(payload, Mapping) else None
        found = any(isinstance(row, Mapping) and row.get("vendorShipmentIdentifier") == name for row in rows or ())
        return Settlement.APPLIED if found else Settlement.UNKNOWN

    def _warehouse(self, shipment: Mapping[str, Any]) -> str:
        """Where it ships from, in Amazon's words: the warehouse of our location, or the vendor code's own."""
        ours = shipment.get("ship_from")
        theirs = next((name for name, mine in self._ctx.locations.items() if mine == ours and ours), None)
        raw = shipment.get("ship_from_raw")
        return str(theirs or raw or next(iter(self._settings.warehouses), self._settings.vendor_code))

    def _remember(self, key: str, transaction: Transaction) -> None:
        self._under_way[key] = transaction
        while len(self._under_way) > REMEMBERED_MAX:
            self._under_way.popitem(last=False)


def order_number(effect: Effect) -> str:
    """The order's number: a reference, the document's `order` or purchase order number, or an order's own id.

    Raises:
        Rejected: None of them is there.
    """
    source = effect.body.get("source")
    own = source.get("id") if isinstance(source, Mapping) and effect.body.get("type") == "order" else None
    found = (
        effect.references.get("order")
        or effect.body.get("order")
        or effect.body.get("purchase_order_number")
        or own
        or effect.body.get("number")
    )
    if not found:
        raise Rejected("the effect names no order", code="no_order")
    return str(found)


def _direct_first(body: Mapping[str, Any]) -> bool:
    return body.get("kind") == "dropship"
