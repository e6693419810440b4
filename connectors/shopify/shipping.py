"""Confirming shipments: fulfilment orders in, one fulfilment per location and carrier out.

`fulfillmentCreate` has no idempotency key, so nothing is sent before reading: what the order already
shows under a parcel's tracking numbers is left out, and a lost answer is settled by the same reading.
A parcel that leaves from two locations is two calls, so its numbers may stand there with only half of it.
Source: mutation fulfillmentCreate and FulfillmentInput of the 2026-10 schema, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connectors.sdk.contract import Effect, EffectResult, Settlement
from connectors.sdk.errors import Rejected, TargetMissing
from connectors.sdk.paging import PageGuard
from connectors.shopify import ids
from connectors.shopify.errors import texts, user_errors
from connectors.shopify.graphql import GraphQL

KIND: Final = "shipment.confirm"
CARRIERS: Final[Mapping[str, str]] = {
    "ups": "UPS",
    "usps": "USPS",
    "fedex": "FedEx",
    "dhl_express": "DHL Express",
    "dhl_ecommerce": "DHL eCommerce",
    "dhl": "DHL",
    "canada_post": "Canada Post",
    "royal_mail": "Royal Mail",
    "australia_post": "Australia Post",
    "dpd": "DPD",
    "gls": "GLS",
    "evri": "Evri",
    "ontrac": "OnTrac",
    "lasership": "LaserShip",
    "purolator": "Purolator",
    "postnl": "PostNL",
    "la_poste": "La Poste",
    "colissimo": "Colissimo",
}
"""Names Shopify knows and makes links for.

Source: FulfillmentTrackingInfo.company of the 2026-10 schema, read 2026-11-20.
"""

_OPEN: Final = frozenset({"OPEN", "IN_PROGRESS", "SCHEDULED", "INCOMPLETE"})
_DEAD: Final = frozenset({"CANCELLED", "ERROR", "FAILURE"})


@dataclass(slots=True)
class Parcel:
    """What leaves together: quantities by order line, with the numbers they travel under."""

    company: str
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Remaining:
    """A fulfilment order's line with something left to ship."""

    owner: str
    id: str
    location: str
    line: str
    quantity: int


class Shipping:
    """Sends shipment confirmations for one account."""

    def __init__(self, graphql: GraphQL) -> None:
        self._graphql = graphql

    async def send(self, effect: Effect) -> EffectResult:
        """Confirm what the order does not show yet. Sent again it adds nothing.

        Raises:
            InDoubt: The answer to a confirmation was lost.
            Rejected: Nothing left to ship, the order is on hold, or Shopify refuses.
            TargetMissing: No such order.
        """
        state = await self.read(effect)
        parcels = await self._outstanding(parcels_of(effect), state)
        if not parcels:
            return EffectResult(note="the order shows these tracking numbers already")
        made: list[str] = []
        correlation_id: str | None = None
        for request in _requests(parcels, state):
            reply = await self._graphql.run("fulfillment_create", {"fulfillment": request}, kind=KIND, write=True)
            payload = reply.data.get("fulfillmentCreate")
            correlation_id = reply.correlation_id
            refused = user_errors(payload)
            if refused:
                # These errors have no code; what counts is what the order shows now.
                if await self._shows_all(effect):
                    continue
                raise Rejected(f"{KIND}: {texts(refused)}"[:300], code="user_error", correlation_id=correlation_id)
            made.append(ids.number((payload or {}).get("fulfillment", {}).get("id")))
        return EffectResult(vendor_id=made[0] if made else None, correlation_id=correlation_id, note=",".join(made))

    async def settle(self, effect: Effect) -> Settlement:
        """Ask the order. Without tracking numbers only an untouched or an exhausted order is an answer."""
        state = await self.read(effect)
        parcels = parcels_of(effect)
        if all(parcel.numbers for parcel in parcels):
            return Settlement.NOT_APPLIED if await self._outstanding(parcels, state) else Settlement.APPLIED
        left = _left(state)
        wanted = _sum_lines(parcels)
        if any(left.get(line, 0) < quantity for line, quantity in wanted.items()):
            return Settlement.APPLIED
        return Settlement.UNKNOWN if living(state) else Settlement.NOT_APPLIED

    async def _shows_all(self, effect: Effect) -> bool:
        parcels = parcels_of(effect)
        if not all(parcel.numbers for parcel in parcels):
            return False
        return not await self._outstanding(parcels, await self.read(effect))

    async def _outstanding(self, parcels: Iterable[Parcel], state: Mapping[str, Any]) -> list[Parcel]:
        """What is still to be said: parcels the order does not show, and of those it shows what is missing and open."""
        left = _left(state)
        found = []
        for parcel in parcels:
            if not _shown(parcel, state):
                found.append(parcel)
            elif any(left.get(line) for line in parcel.lines):
                held = await self._held(parcel, state)
                rest = {
                    line: min(quantity - held.get(line, 0), left.get(line, 0))
                    for line, quantity in parcel.lines.items()
                }
                rest = {line: quantity for line, quantity in rest.items() if quantity > 0}
                if rest:
                    found.append(replace(parcel, lines=rest))
        return found

    async def _held(self, parcel: Parcel, state: Mapping[str, Any]) -> dict[str, int]:
        """Units by order line in the fulfilments that show one of the parcel's numbers."""
        held: dict[str, int] = {}
        for owner in living(state):
            if not numbers_of(owner) & set(parcel.numbers):
                continue
            guard = PageGuard(f"lines of {owner['id']}")
            after: str | None = None
            while True:
                guard.enter(after)
                variables = {"id": owner["id"], "after": after}
                reply = await self._graphql.run("fulfillment_lines", variables, kind="shipment.read_lines")
                items = (reply.data.get("owner") or {}).get("items")
                if not isinstance(items, dict):
                    raise TargetMissing(f"{owner['id']} went away while it was read", code="NOT_FOUND")
                for node in items["nodes"]:
                    line = ids.number(node["lineItem"]["id"])
                    held[line] = held.get(line, 0) + int(node["quantity"] or 0)
                if not items["pageInfo"]["hasNextPage"]:
                    break
                after = items["pageInfo"]["endCursor"]
        return held

    async def read(self, effect: Effect) -> Mapping[str, Any]:
        """The effect's order with its fulfilments and fulfilment orders. Raises `TargetMissing`."""
        order_id = _order_id(effect)
        variables = {"id": ids.gid("Order", order_id)}
        reply = await self._graphql.run("order_fulfillment", variables, kind="shipment.read")
        order = reply.data.get("order")
        if not isinstance(order, dict):
            raise TargetMissing(f"order {order_id} is not there", code="NOT_FOUND", correlation_id=reply.correlation_id)
        return order


def _order_id(effect: Effect) -> str:
    found = ids.number(effect.references.get("order") or effect.body.get("order"))
    if not found:
        raise Rejected(f"{KIND}: the shipment names no Shopify order", code="order_unknown")
    return found


def parcels_of(effect: Effect) -> list[Parcel]:
    """The shipment's packages, one parcel per carrier.

    A fulfilment has one company for all its numbers; which number holds what cannot be told there.
    """
    packages = effect.body.get("packages") or ()
    parcels: dict[str, Parcel] = {}
    told = any(package.get("lines") for package in packages)
    company = ""
    for package in packages:
        if package.get("lines") or not told or not company:
            # A package without lines beside others holds more of the same goods: its number joins theirs.
            company = _company(package)
        parcel = parcels.setdefault(company, Parcel(company))
        if package.get("tracking_number"):
            parcel.numbers.append(str(package["tracking_number"]))
        if url := _url(package):
            parcel.urls.append(url)
        for line in package.get("lines") or ():
            number = ids.number(line.get("line_id"))
            if not number:
                raise Rejected(f"{KIND}: a package line names no order line", code="line_unknown")
            parcel.lines[number] = parcel.lines.get(number, 0) + int(line["quantity"])
    found = [parcel for parcel in parcels.values() if parcel.lines or parcel.numbers]
    if not found:
        raise Rejected(f"{KIND}: the shipment has no packages", code="packages_missing")
    return found


def _company(package: Mapping[str, Any]) -> str:
    told = package.get("told")
    if isinstance(told, Mapping):
        return str(told.get("code") or told.get("name") or "")
    carrier = str(package.get("carrier") or "")
    return CARRIERS.get(carrier) or str(package.get("carrier_raw") or carrier)


def _url(package: Mapping[str, Any]) -> str | None:
    """As stated; of a carrier Shopify makes no links for, the page the hub knows."""
    told = package.get("told")
    page = told.get("url") if isinstance(told, Mapping) and told.get("other") else None
    url = package.get("tracking_url") or page
    return str(url) if url else None


def living(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in state.get("fulfillments") or () if str(each.get("status")) not in _DEAD]


def numbers_of(fulfillment: Mapping[str, Any]) -> set[str]:
    return {str(info.get("number")) for info in fulfillment.get("trackingInfo") or ()}


def _shown(parcel: Parcel, state: Mapping[str, Any]) -> bool:
    """Whether living fulfilments of the order show every number of the parcel."""
    shown = {number for each in living(state) for number in numbers_of(each)}
    return bool(parcel.numbers) and set(parcel.numbers) <= shown


def _remaining(state: Mapping[str, Any]) -> list[_Remaining]:
    found = []
    for owner in (state.get("fulfillmentOrders") or {}).get("nodes") or ():
        if owner.get("status") not in _OPEN:
            continue
        location = ids.number(((owner.get("assignedLocation") or {}).get("location") or {}).get("id"))
        for line in owner["lineItems"]["nodes"]:
            if line["remainingQuantity"] > 0:
                number = ids.number(line["lineItem"]["id"])
                found.append(_Remaining(owner["id"], line["id"], location, number, line["remainingQuantity"]))
    return found


def _left(state: Mapping[str, Any]) -> dict[str, int]:
    left: dict[str, int] = {}
    for line in _remaining(state):
        left[line.line] = left.get(line.line, 0) + line.quantity
    return left


def _sum_lines(parcels: Iterable[Parcel]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for parcel in parcels:
        for line, quantity in parcel.lines.items():
            wanted[line] = wanted.get(line, 0) + quantity
    return wanted


def _requests(parcels: Sequence[Parcel], state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One input per parcel and location: Shopify takes the fulfilment orders of one location at a time.

    Raises:
        Rejected: More than what is left to ship; the message names the line and any hold.
    """
    open_lines = _remaining(state)
    left = {line.id: line.quantity for line in open_lines}
    requests: list[dict[str, Any]] = []
    for parcel in parcels:
        taken: dict[str, dict[str, dict[str, int]]] = {}
        wanted = parcel.lines or _left(state)
        for number, quantity in wanted.items():
            missing = quantity
            for line in open_lines:
                if line.line == number and missing and left[line.id]:
                    part = min(missing, left[line.id])
                    left[line.id] -= part
                    missing -= part
                    taken.setdefault(line.location, {}).setdefault(line.owner, {})[line.id] = part
            if missing:
                raise Rejected(f"{KIND}: {missing} of line {number} cannot be shipped{_why(state)}", code="not_open")
        requests += [_request(parcel, owners) for owners in taken.values()]
    return requests


def _why(state: Mapping[str, Any]) -> str:
    states = {str(owner.get("status")) for owner in (state.get("fulfillmentOrders") or {}).get("nodes") or ()}
    return ", the order is on hold" if "ON_HOLD" in states else ", no more is open"


def tracking_of(parcel: Parcel) -> dict[str, Any]:
    """`FulfillmentTrackingInput`; links go along only where every number has one."""
    tracking: dict[str, Any] = {}
    if parcel.company:
        tracking["company"] = parcel.company
    if len(parcel.numbers) == 1:
        tracking["number"] = parcel.numbers[0]
    elif parcel.numbers:
        tracking["numbers"] = parcel.numbers
    if len(parcel.urls) == 1 and len(parcel.numbers) == 1:
        tracking["url"] = parcel.urls[0]
    elif len(parcel.urls) == len(parcel.numbers) and parcel.urls:
        tracking["urls"] = parcel.urls
    return tracking


def _request(parcel: Parcel, owners: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    tracking = tracking_of(parcel)
    request: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": owner,
                "fulfillmentOrderLineItems": [{"id": line, "quantity": part} for line, part in lines.items()],
            }
            for owner, lines in owners.items()
        ],
        "notifyCustomer": True,
    }
    return {**request, "trackingInfo": tracking} if tracking else request
