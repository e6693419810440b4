"""Shipments told by somebody else than the channel that sold the goods, brought home to their order.

A third-party warehouse, a shipping tool, a supplier or the API names an order in its own way. `Homes` finds it
among all accounts; `bring_home` stores the shipment beside the order in the order's own terms, moves the stock
where it left, and has the channel told. What has no home waits by name: its input is parked, and run again in the
moment its order comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from hub.orders import content
from hub.orders.echoes import Parcels
from hub.orders.facts import SHIPPED, DocumentFacts, LineFacts, Move
from hub.orders.references import ALIAS, WAITING, folded, spellings
from hub.orders.shipped import SHIPS, Kits, Unplaceable, laid_over, named_packages, told_before
from hub.orders.tally import NOTHING, TALLY, told_per_line, with_document
from hub.orders.versions import compare
from hub.ports.accounts import AccountPlan
from hub.ports.queries import Queries
from hub.ports.store import (
    DocumentRow,
    InboxResult,
    InboxState,
    Micros,
    OrderKey,
    OrderRow,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services.apply_order import apply_document, settle_again
from hub.services.apply_tracking import reads_for_packages
from hub.services.batch import Batch
from hub.services.confirm import EffectTeller, Teller, Told, told_by
from hub.services.partners.notices import PARTNERS, PartnerTeller
from hub.services.places import ours
from hub.services.requeue import RUN_AGAIN
from hub.services.stated_shipments import CONNECTOR
from hub.tracking.parcels import normalized_number
from mappings.carriers import Crosswalk

Json = dict[str, Any]
SHIPMENT: Final = "shipment"
API: Final = CONNECTOR
_NAMED_MAX: Final = 3


class Lost(NamedTuple):
    """Why a shipment has no home (yet): `order_unknown`, `order_ambiguous` or `order_unnamed`."""

    code: str
    message: str


Home = OrderKey | Lost


class Homes:
    """Finds orders by what others call them. Safe to share.

    Args:
        queries: None where there is no read side; orders are then found by the channel's id and by alias alone.
    """

    def __init__(self, store: Store, plans: Mapping[str, AccountPlan], queries: Queries | None) -> None:
        self._store = store
        self._plans = plans
        self._queries = queries

    async def find(self, reference: str, *, purchase_order: str | None = None, account: str | None = None) -> Home:
        """The one order that is called so.

        Our id decides, then a name we gave it (`order_alias`), then the channel's id or number. The purchase order's
        number chooses among several, and finds alone what the reference does not.

        Args:
            account: The only account to look at, where the shipper names one.
        """
        if not folded(reference):
            return Lost("order_unnamed", "the shipment names no order")
        exact = await self._exact(reference)
        if exact is not None and account in (None, exact[0]):
            return exact
        found = await self._called(reference, account)
        if purchase_order and len(found) != 1:
            bought = await self._called(purchase_order, account)
            found = (found & bought) or found or bought
        if len(found) == 1:
            return next(iter(found))
        if not found:
            where = f"account {account} has" if account else "no account has"
            return Lost(
                "order_unknown", f"{where} {'no' if account else 'an'} order {reference!r} so far; it waits for it"
            )
        named = ", ".join(f"{key[0]} {key[1]}" for key in sorted(found)[:_NAMED_MAX])
        return Lost("order_ambiguous", f"{len(found)} orders are called {reference!r} ({named}); name the account")

    async def _exact(self, reference: str) -> OrderKey | None:
        """By our id, or by a name that we gave the order ourselves."""
        row = await self._queries.order(reference.strip()) if self._queries is not None else None
        if row is not None:
            return (row.account, row.source_id)
        state = await self._look(ReadSet(documents={("", ALIAS, folded(reference))}))
        alias = next(iter(state.documents.values()), None)
        if alias is None:
            return None
        named = json.loads(alias.document)
        return (named["account"], named["order"])

    async def _called(self, reference: str, account: str | None) -> set[OrderKey]:
        accounts = [account] if account else list(self._plans)
        words = spellings(reference)
        state = await self._look(ReadSet(orders={(name, word) for name in accounts for word in words}))
        found = set(state.orders)
        for word in words if self._queries is not None else ():
            rows, _ = await self._queries.orders(account=account, number=word, limit=5)  # type: ignore[union-attr]
            found |= {(row.account, row.source_id) for row in rows}
        return found

    async def told(self, facts: DocumentFacts, home: OrderKey) -> set[str]:
        """Names of the messages that were made of this shipment so far: its next version may take them back."""
        state = await self._look(ReadSet(documents={(home[0], SHIPMENT, name_at_home(facts, home))}))
        return {
            key
            for row in state.documents.values()
            for keys in told_by(content.load(row.document)).values()
            for key in keys
        }

    async def _look(self, reads: ReadSet) -> State:
        seen: list[State] = []

        def look(state: State) -> WriteSet:
            seen.append(state)
            return WriteSet()

        await self._store.run(reads, look)
        return seen[-1]


class Tellers:
    """Who tells whom: by connector; trading partners by documents, everybody else by effects."""

    def __init__(self, crosswalk: Crosswalk | None = None, special: Mapping[str, Teller] | None = None) -> None:
        self._effects: Teller = EffectTeller(crosswalk or Crosswalk())
        self._special: dict[str, Teller] = {PARTNERS: PartnerTeller(), **(special or {})}

    def of(self, plan: AccountPlan) -> Teller:
        return self._special.get(plan.connector, self._effects)


def is_foreign(plan: AccountPlan, facts: object) -> bool:
    """A shipment told by somebody else than the channel that took the order."""
    if not isinstance(facts, DocumentFacts) or facts.type != SHIPMENT:
        return False
    return facts.ours or plan.manifest.ships_for_others or plan.manifest.trades


def shipper_of(facts: DocumentFacts) -> str:
    """The account that tells of it; what was stated by hand or by a tool has none."""
    return API if facts.ours else facts.account


def purchase_order_of(facts: DocumentFacts) -> str | None:
    stated = json.loads(facts.document).get("attributes", {}).get("purchase_order_number")
    return stated if isinstance(stated, str) else None


def name_at_home(facts: DocumentFacts, home: OrderKey) -> str:
    """A shipper's own number of a shipment, made unique beside the channel's; what is stated counts per order."""
    return f"{API}:{home[1]}/{facts.source_id}" if facts.ours else f"{facts.account}:{facts.source_id}"


def reads_at_home(reads: ReadSet, facts: DocumentFacts, home: OrderKey) -> None:
    """What `bring_home` needs. The teller's own reads come on top."""
    name, shipper = name_at_home(facts, home), shipper_of(facts)
    reads.orders.add(home)
    reads.documents |= {(home[0], TALLY, home[1]), (home[0], SHIPMENT, name)}
    reads_for_packages(reads, facts._replace(account=home[0], source_id=name))
    for package in json.loads(facts.document).get("packages") or ():
        for line in package.get("lines") or ():
            for name in (line.get("sku"), line.get("channel_sku")):
                if name:
                    reads.skus |= {(shipper, name), (home[0], name)}


def bring_home(
    batch: Batch,
    plans: Mapping[str, AccountPlan],
    tellers: Tellers,
    facts: DocumentFacts,
    home: OrderKey,
    kept: Micros | None = None,
) -> Json:
    """Store a shipment beside its order, ship the units, tell the channel. Told again it changes nothing.

    Args:
        facts: As mapped, in the shipper's terms.
        kept: How long personal data stays.

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
        batch.outcome.stale += 1
        return before or {}
    told = content.load(facts.document)
    shipment = _in_terms_of(batch, plans, order, shipper, told if before is None else told_before(told, before), name)
    shipment["id"] = stored.id if stored else facts.id
    if told_by(before):
        shipment["attributes"]["told_by"] = told_by(before)
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
            return state.resolved.get((shipper, sku)) or state.resolved.get((order.account, sku))

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


# --- what waits for its order -----------------------------------------------------------------


def reads_waiting(reads: ReadSet, names: Sequence[str]) -> None:
    reads.documents |= {("", WAITING, name) for name in names}


def let_wait(batch: Batch, reference: str, seq: int) -> None:
    """Have an input run again when an order of this name comes."""
    name = folded(reference)
    stored = batch.state.documents.get(("", WAITING, name))
    inputs = json.loads(stored.document)["inputs"] if stored else []
    if seq not in inputs:
        batch.put_document(_waiting(name, [*inputs, seq], stored))


def call_waiting(batch: Batch, names: Sequence[str]) -> None:
    """Run again what waits for an order, under any of its folded names."""
    for name in names:
        stored = batch.state.documents.get(("", WAITING, name))
        if stored is None or not (inputs := json.loads(stored.document)["inputs"]):
            continue
        due = batch.state.now
        batch.writes.inbox += [InboxResult(seq, InboxState.PENDING, due, RUN_AGAIN) for seq in inputs]
        batch.put_document(_waiting(name, [], stored))


def _waiting(name: str, inputs: list[int], stored: DocumentRow | None) -> DocumentRow:
    body = json.dumps({"inputs": inputs}, separators=(",", ":"))
    return DocumentRow(f"{WAITING}:{name}", WAITING, "", name, "", None, None, body, stored.rev if stored else 0)
