"""A partner told of shipments of its order: 856, and the 810 that bills them, in the unit that stores the shipment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import structlog

from hub.orders import content
from hub.orders.noticing import invoice_fields, notice_fields, packages_told, units_of
from hub.orders.telling import groups_of, tellings
from hub.ports.accounts import AccountPlan
from hub.ports.store import DocumentRow, Expectation, Micros, OrderRow, ReadSet
from hub.services.batch import Batch
from hub.services.moments import moment
from hub.services.partners.documents import deadline, made, parties_of, sent
from mappings.edi.partners import PartnerProfile
from mappings.trade_outward import sscc18

Json = dict[str, Any]

PARTNERS: Final = "edi"
"""the connector whose accounts are told by this teller"""
NOTICES: Final = "trade_notices"
"""document type of what a partner was told of one order's shipments, keyed by the order's source id"""
NOTICE: Final = "856"
INVOICE: Final = "810"
_INVOICES: Final = ("", "invoice")
"""the counter of invoices: one row of numbers for all partners, without gaps"""
_SSCC_DIGITS: Final = 16
_PURPOSE: Final = {"confirm": "00", "cancel": "01", "correct": "05"}

_log = structlog.get_logger()


def _cartons(prefix: str) -> tuple[str, str]:
    """The counter of cartons under one company prefix, whoever they go to."""
    return ("", f"sscc:{prefix}")


class PartnerTeller:
    """How accounts of trading partners are told (`hub.services.confirm.Teller`)."""

    def reads(self, reads: ReadSet, plan: AccountPlan, order_source_id: str) -> None:
        reads.documents.add((plan.account, NOTICES, order_source_id))
        reads.personal.add((plan.account, order_source_id))
        if plan.partner is not None and plan.partner.sends(INVOICE):
            reads.counters.add(_INVOICES)
        prefix = plan.partner.agreed.asn.sscc_prefix if plan.partner is not None else None
        if prefix is not None:
            reads.counters.add(_cartons(prefix))

    def tell(
        self, batch: Batch, plan: AccountPlan, order: OrderRow, shipment: Json, before: Json | None, revision: int
    ) -> None:
        """Write the notice of what is new, changed or taken back, and bill or credit it."""
        if plan.partner is not None and tellings(before, shipment):
            ship_notice_for(batch, plan, order, shipment, before, revision)


def ship_notice_for(
    batch: Batch, plan: AccountPlan, order: OrderRow, shipment: Json, before: Json | None, revision: int
) -> None:
    """Everything a partner hears of one shipment as it is now; `before` is what it heard last."""
    partner = plan.partner
    if partner is None:
        return
    told, now = bool(groups_of(before)), bool(groups_of(shipment))
    word = "confirm" if now and not told else "correct" if now else "cancel"
    known = _known(batch, order)
    memory: Json = known["shipments"].setdefault(shipment["id"], {"numbers": {}, "units": {}, "invoice": None})
    document = content.load(order.document)
    source = shipment if now else before or shipment
    _number_cartons(batch, partner, source, memory)
    packages = packages_told(source, document, memory["numbers"])
    if partner.sends(NOTICE) and packages:
        _notice(batch, plan, partner, order, document, source, packages, word, revision)
    if partner.sends(INVOICE):
        _bill(batch, plan, order, document, known, memory, shipment["id"], units_of(packages) if now else {})
    _keep(batch, order, known)


def _notice(
    batch: Batch,
    plan: AccountPlan,
    partner: PartnerProfile,
    order: OrderRow,
    document: Json,
    shipment: Json,
    packages: list[Json],
    word: str,
    revision: int,
) -> None:
    at = batch.state.now
    carriers = partner.agreed.tables["carrier"].outward if "carrier" in partner.agreed.tables else {}
    fields = notice_fields(shipment, document, packages, carriers)
    person = json.loads(batch.state.personal.get(order.id) or "{}")
    number = str(shipment["id"])
    fields |= {
        "number": number,
        "state": "cancelled" if word == "cancel" else "shipped",
        "ship_to": person.get("ship_to"),
        "attributes": {"purpose": _PURPOSE[word], "parties": parties_of(document)},
    }
    notice = made("ship_notice", f"{order.account}/{number}", at, fields)
    batch.writes.inputs.append(sent(plan, NOTICE, notice, order, f"{number}:{revision}", at))
    if word == "confirm":
        _expect(batch, plan, order, NOTICE, number)
    _log.info("ship_notice.written", account=plan.account, order=order.id, reference=number, change=word)


def _number_cartons(batch: Batch, partner: PartnerProfile, shipment: Json, memory: Json) -> None:
    """Give every carton without a number one, once and for all: a label is printed only once."""
    rules = partner.agreed.asn
    if rules.sscc_prefix is None:
        return
    counter = _cartons(rules.sscc_prefix)
    for package in shipment["packages"]:
        if package.get("sscc") or not package.get("lines") or package["id"] in memory["numbers"]:
            continue
        serial = batch.state.counters.get(counter, 0) + 1
        batch.state.counters[counter] = batch.writes.counters[counter] = serial
        memory["numbers"][package["id"]] = carton_number(rules.sscc_extension, rules.sscc_prefix, serial)


def carton_number(extension: str, prefix: str, serial: int) -> str:
    """The SSCC of a serial number that never starts over: when the digits are used up, the next extension digit."""
    room = 10 ** (_SSCC_DIGITS - len(prefix))
    turns, rest = divmod(serial, room)
    return sscc18(str((int(extension) + turns) % 10), prefix, rest)


def _bill(
    batch: Batch,
    plan: AccountPlan,
    order: OrderRow,
    document: Json,
    known: Json,
    memory: Json,
    shipment: str,
    units: dict[str, int],
) -> None:
    """An invoice over what left; where that turns out otherwise, the first is credited whole and another written."""
    if units == memory["units"]:
        return
    if memory["invoice"] is not None:
        credited = {**memory["invoice"], "kind": "credit"}
        _send_bill(batch, plan, order, credited, f"{shipment}:credit:{credited['attributes']['number']}")
        memory["invoice"] = None
    others = _billed(known, shipment)
    memory["units"] = units
    if not units:
        return
    fields = invoice_fields(document, units, others)
    number = _send_bill(batch, plan, order, {**fields, "kind": "invoice"}, shipment)
    fields["attributes"] |= {"number": number}
    memory["invoice"] = fields
    _expect(batch, plan, order, INVOICE, number)


def _billed(known: Json, but: str) -> dict[str, int]:
    """Units of each line that invoices of other shipments hold."""
    sums: dict[str, int] = {}
    for name, memory in known["shipments"].items():
        for line, units in memory["units"].items() if name != but else ():
            sums[line] = sums.get(line, 0) + units
    return sums


def _send_bill(batch: Batch, plan: AccountPlan, order: OrderRow, fields: Mapping[str, Any], name: str) -> str:
    """Number and send an invoice or a credit; its number."""
    at = batch.state.now
    serial = batch.state.counters.get(_INVOICES, 0) + 1
    batch.state.counters[_INVOICES] = batch.writes.counters[_INVOICES] = serial
    number = f"{serial:08d}"
    stated = {**fields, "number": number, "invoiced_on": _day(at)}
    if fields["kind"] == "credit":
        # What it takes back, by number.
        attributes = dict(stated["attributes"])
        stated["attributes"] = attributes | {"references": {**attributes["references"], "IV": attributes.pop("number")}}
    invoice = made("invoice", f"{order.account}/{number}", at, stated)
    batch.writes.inputs.append(sent(plan, INVOICE, invoice, order, f"{name}:{number}", at))
    _log.info("invoice.written", account=plan.account, order=order.id, reference=number, kind=fields["kind"])
    return number


def _day(at: Micros) -> str:
    return moment(at).date().isoformat()


def _expect(batch: Batch, plan: AccountPlan, order: OrderRow, kind: str, reference: str) -> None:
    now = batch.state.now
    awaited = Expectation(plan.account, kind, reference, order.id, True, now, deadline(plan, kind, now))
    batch.writes.expectations.append(awaited)


def _known(batch: Batch, order: OrderRow) -> Json:
    row = batch.state.documents.get((order.account, NOTICES, order.source_id))
    if row is None:
        return {"shipments": {}}
    known: Json = json.loads(row.document)
    return known


def _keep(batch: Batch, order: OrderRow, known: Json) -> None:
    key = (order.account, NOTICES, order.source_id)
    row = batch.state.documents.get(key)
    text = json.dumps(known, separators=(",", ":"))
    if row is None or row.document != text:
        name = f"{NOTICES}:{order.account}:{order.source_id}"
        rev = row.rev if row else 0
        batch.put_document(
            DocumentRow(name, NOTICES, order.account, order.source_id, "", None, batch.state.now, text, rev)
        )
