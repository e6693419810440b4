"""Shipments told by somebody else than the channel that sold the goods, brought home to their order.

The order was found (`hub.services.homes`). `bring_home` stores the shipment beside it in the order's own terms, moves
the stock where it left, and has the channel told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.orders import content
from hub.orders.articles import key_of
from hub.orders.echoes import Parcels, shown_units
from hub.orders.facts import SHIPPED, DocumentFacts, LineFacts, Move
from hub.orders.shipped import SHIPS, Kits, Unplaceable, laid_over, named_packages, names_of, told_before
from hub.orders.tally import NOTHING, TALLY, told_per_line, with_document
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.store import Micros, OrderKey, OrderRow, ReadSet
from hub.services.apply_order import apply_document, settle_again
from hub.services.apply_tracking import reads_for_packages
from hub.services.batch import Batch
from hub.services.confirm import EffectTeller, Teller, Told, told_by
from hub.services.homes import SHIPMENT, Lane, lanes_of, name_at_home, shipper_of
from hub.services.partners.notices import PARTNERS, PartnerTeller
from hub.services.places import ours
from hub.tracking.parcels import normalized_number
from mappings.carriers import Crosswalk

Json = dict[str, Any]


class Tellers:
    """Who tells whom: by connector; trading partners by documents, everybody else by effects."""

    def __init__(self, crosswalk: Crosswalk | None = None, special: Mapping[str, Teller] | None = None) -> None:
        self._effects: Teller = EffectTeller(crosswalk or Crosswalk())
        self._special: dict[str, Teller] = {PARTNERS: PartnerTeller(), **(special or {})}

    def of(self, plan: AccountPlan) -> Teller:
        return self._special.get(plan.connector, self._effects)


def reads_at_home(reads: ReadSet, facts: DocumentFacts, home: OrderKey) -> None:
    """What `bring_home` needs. The teller's own reads come on top."""
    name, shipper = name_at_home(facts, home), shipper_of(facts)
    reads.orders.add(home)
    reads.documents |= {(home[0], TALLY, home[1]), (home[0], SHIPMENT, name)}
    reads_for_packages(reads, facts._replace(account=home[0], source_id=name))
    for package in json.loads(facts.document).get("packages") or ():
        for line in package.get("lines") or ():
            reads.skus |= {key_of(account, name) for name in names_of(line) for account in (shipper, home[0])}


def bring_home(
    batch: Batch,
    plans: Mapping[str, AccountPlan],
    tellers: Tellers,
    facts: DocumentFacts,
    home: OrderKey,
    kept: Micros | None = None,
    heard_in: Lane | None = None,
) -> Json:
    """Store a shipment beside its order, ship the units, tell the channel. Told again it changes nothing.

    Args:
        facts: As mapped, in the shipper's terms.
        kept: How long personal data stays.
        heard_in: The input it came by, whose raw payload is forgotten with the order's person.

    Returns:
        The shipment as stored.

    Raises:
        Unplaceable: The order has no such line, or less of it left; nothing of the shipment is written.
    """
    order = batch.state.orders.get(home)
    if order is None:
        raise Unplaceable("order_unknown", "order", f"order {home[1]} of {home[0]} is not known")
    name, shipper = name_at_home(facts, home), shipper_of(facts)
    stored = batch.state.documents.get((home[0], SHIPMENT, name))
    before = content.load(stored.document) if stored else None
    if stored is not None and compare(facts.version, stored.version) < 0:
        if heard_in is not None:
            batch.outcome.stale += 1
            return before or {}
        # Stated just now, by whoever waits for the answer: a clock that was set back makes it no older.
        facts = facts._replace(version=stored.version)
    told = content.load(facts.document)
    shipment = _in_terms_of(batch, plans, order, shipper, told if before is None else told_before(told, before), name)
    shipment["id"] = stored.id if stored else facts.id
    if told_by(before):
        shipment["attributes"]["told_by"] = told_by(before)
    lanes = dict.fromkeys([*lanes_of(before), *([heard_in] if heard_in else ())])
    if lanes:
        shipment["attributes"]["heard_in"] = [list(lane) for lane in lanes]
    moves = _moves(shipment)
    at_home = facts._replace(
        id=shipment["id"],
        account=home[0],
        source_id=name,
        order_source_id=home[1],
        moves=moves,
        document=content.dump(shipment),
        ours=True,
    )
    moved = apply_document(batch, at_home, kept)
    if moved is not None:
        settle_again(batch, plans[home[0]], home, facts.occurred_at)
    revision = (stored.rev if stored else 0) + 1
    effects = len(batch.writes.effects)
    told_now = tellers.of(plans[home[0]]).tell(batch, plans[home[0]], order, shipment, before, revision)
    if told_now is not None and told_now != told_by(before):
        _keep_told(batch, home, name, shipment, told_now)
    if len(batch.writes.effects) > effects:
        batch.outcome.effects.add(home[0])
    return shipment


def _keep_told(batch: Batch, home: OrderKey, name: str, shipment: Json, told: Told) -> None:
    """Beside the shipment, so that its next version can take back what has not been sent."""
    shipment["attributes"]["told_by"] = dict(told)
    row = batch.state.documents[home[0], SHIPMENT, name]
    batch.put_document(replace(row, document=content.dump(shipment)))


def _in_terms_of(
    batch: Batch, plans: Mapping[str, AccountPlan], order: OrderRow, shipper: str, told: Json, name: str
) -> Json:
    """The order's ids for lines, our name for the place, and by whom it was told."""
    document = content.load(order.document)
    plan = plans.get(shipper)
    place = told.get("ship_from")
    if plan is not None:
        place = ours(plan, place, told.get("ship_from_raw"))
    if told.get("state") in SHIPS:
        state = batch.state

        def resolve(sku: str) -> str | None:
            return state.resolved.get(key_of(shipper, sku)) or state.resolved.get(key_of(order.account, sku))

        shipment = laid_over(told, document, _left(batch, order, document, told, name), _kits(order), resolve)
    else:
        shipment = named_packages(told)
    attributes = {
        **told.get("attributes", {}),
        "shipped_by": shipper,
        "known_as": name,
        "order_reference": told["order"],
    }
    return {**shipment, "order": order.source_id, "ship_from": place, "attributes": attributes}


def _left(batch: Batch, order: OrderRow, document: Json, told: Json, name: str) -> dict[str, int]:
    """Units of each line that this shipment may hold: what it held before counts as free again."""
    key = f"{SHIPMENT}/{name}"
    tally = batch.tally((order.account, order.source_id))
    own = tally.told.get(key, ())
    numbers = tuple(str(one["tracking_number"]) for one in told.get("packages") or () if one.get("tracking_number"))
    # With no line of the order in it, the stand-in makes the channel's own word on these numbers an echo.
    known = with_document(tally, key, own or (Move("", SHIPPED, "", 1),), Parcels(True, _normalized(numbers)))
    lines = content.lines_in(document)
    per_line = told_per_line(known, lines)
    whole = any(package.get("lines") for package in told.get("packages") or ())
    if order.state == "cancelled":
        return {}
    shown = {} if whole else shown_units(tally.told, tally.parcels, _normalized(numbers))
    if shown and shown.keys() <= {line.id for line in lines}:
        # Which units these are the channel has said: they left by its own word, and not once more.
        return shown
    return {line.id: _open(line, per_line.get(line.id, NOTHING), own, counted=not whole) for line in lines}


def _open(line: LineFacts, told: Any, own: Sequence[Move], *, counted: bool) -> int:
    held = sum(move.quantity for move in own if move.line == line.id)
    gone = sum(told.shipped.values()) - held
    if counted:
        # Nobody has said which units these are: what the channel counts as gone is gone.
        gone = max(gone, line.fulfilled - held)
    return 0 if told.whole else line.quantity - max(line.cancelled, told.cancelled) - gone


def _normalized(numbers: Sequence[str]) -> tuple[str, ...]:
    return tuple(normalized_number(number) for number in numbers)


def _kits(order: OrderRow) -> Kits:
    return {
        one.line_id: tuple((sku, each) for sku, _, each in one.parts)
        for one in order.allocations
        if len(one.parts) > 1 or any(sku != one.sku for sku, _, _ in one.parts)
    }


def _moves(shipment: Json) -> tuple[Move, ...]:
    if shipment["state"] not in SHIPS:
        return ()
    return tuple(
        Move(line["line_id"], SHIPPED, shipment["ship_from"] or "", line["quantity"])
        for package in shipment["packages"]
        for line in package["lines"]
    )
