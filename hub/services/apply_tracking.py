"""Carriers' events, and the numbers on packages, taken into the books of a unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import structlog

from connectors.sdk.tracking_envelopes import UNNAMED
from hub.orders import content
from hub.orders.facts import DocumentFacts, Facts, TrackingFacts
from hub.ports.parcels import ParcelLink
from hub.ports.store import InboxItem, Micros, ReadSet
from hub.services.batch import Batch
from hub.services.books import PIECE, Moved
from hub.services.interpreted import Refusal
from hub.services.moments import micros, stated
from hub.services.tracked_people import is_forgotten
from hub.tracking import normalized_number

ASKED = "parcel:"
"""How inputs about a parcel are ordered (`connectors.sdk.tracking`); the number they answer for stands behind it."""
PUSHED = "webhook"
_NAMING = frozenset({"shipment", "return"})

_log = structlog.get_logger()


def reads_for_tracking(reads: ReadSet, item: InboxItem, facts: TrackingFacts) -> None:
    reads.tracked |= {number_of(item, facts), asked_about(item), facts.return_number, facts.master} - {""}


def reads_for_packages(reads: ReadSet, facts: DocumentFacts) -> None:
    if facts.type in _NAMING:
        reads.tracked.update(package.number for package in facts.packages)
        reads.shipped |= {(facts.account, kind, facts.source_id) for kind in (facts.type, PIECE)}


def number_of(item: InboxItem, facts: TrackingFacts) -> str:
    """The number told of; of an answer that does not repeat it, the one that was asked about. "" for none."""
    return facts.number or asked_about(item)


def asked_about(item: InboxItem) -> str:
    """The number whose answer or push this input is; "" where its lane names none."""
    lane = item.ordering_key
    is_named = lane.startswith(ASKED) and not lane.startswith(UNNAMED)
    return normalized_number(lane.removeprefix(ASKED)) if is_named else ""


def unnumbered(item: InboxItem, facts: Sequence[Facts]) -> Refusal | None:
    """Why an input that tells of no parcel in particular cannot be applied."""
    for each in facts:
        if isinstance(each, TrackingFacts) and not number_of(item, each):
            message = "the payload tells of a parcel without its tracking number; nothing says which one it was"
            return Refusal("MappingError", "number_missing", "tracking_number", message)
    return None


def apply_tracking(batch: Batch, item: InboxItem, facts: TrackingFacts) -> None:
    """Whether the parcel is ours does not matter yet: one nobody knows is kept, and found when its shipment comes."""
    number = number_of(item, facts)
    batch.books.tell(number, facts, pushed=item.origin == PUSHED)
    for lead in {asked_about(item), facts.master} - {"", number}:
        batch.books.piece(lead, number)
    if is_forgotten(batch.state.books.get(number)):
        # Who signed may stand in the payload, and the person asked to be forgotten.
        batch.writes.forgotten_inputs.append(item.seq)
    batch.outcome.applied += 1
    if facts.unknown_code:
        codes = batch.outcome.unknown_codes
        codes[facts.account] = codes.get(facts.account, 0) + 1


def name_packages(batch: Batch, facts: DocumentFacts) -> None:
    """State the numbers of a stored shipment or return; those its older version had and this one lacks are let go."""
    if facts.type not in _NAMING or facts.order_source_id is None:
        return
    key = (facts.account, facts.type, facts.source_id)
    left = _left(facts) if facts.packages else facts.occurred_at
    links = [
        ParcelLink(package.number, *key, facts.order_source_id, package.carrier, left) for package in facts.packages
    ]
    warnings = {package.number: package.warning for package in facts.packages if package.warning}
    batch.books.name(key, links, warnings)
    if warnings:
        odd = batch.outcome.odd_numbers
        odd[facts.account] = odd.get(facts.account, 0) + len(warnings)


def _left(facts: DocumentFacts) -> Micros:
    """When the parcels set out; of a mere day its first moment, since scans of that day are theirs."""
    shipped = content.load(facts.document).get("shipped_at")
    return facts.occurred_at if shipped is None else micros(stated(shipped, UTC))


def tell_moves(moves: Sequence[Moved]) -> None:
    """One line per parcel and milestone; the number itself leads to a person and stays out of the log."""
    for moved in moves:
        row = moved.parcel
        _log.info(
            "parcel.moved",
            parcel=row.id,
            carrier=row.carrier,
            milestone=row.milestone,
            condition=row.condition,
            orphan=row.orphan,
            orders=[link.order for link in moved.links][:3],
        )
