"""Carriers' events, and the numbers shipments and returns name, reduced to facts."""

from __future__ import annotations

from canonical import Return, Shipment, TrackingUpdate
from hub.orders.facts import PackageFacts, TrackingFacts
from hub.tracking import normalized_number
from mappings.carriers import identify

NUMBER_MAX = 100
"""Longer ones are no tracking numbers; what was typed there instead is kept with the shipment alone."""
_VOID = frozenset({"cancelled"})


def tracking_facts(update: TrackingUpdate, account: str, received_at: int) -> TrackingFacts:
    """`signed_by` is a person's name and is not kept; it stays in the raw payload while that is."""
    number = normalized_number(update.tracking_number or "")
    kept = update
    if update.signed_by is not None or update.tracking_number not in (number, None):
        kept = update.model_copy(update={"signed_by": None, "tracking_number": number or None})
    return TrackingFacts(
        account,
        update.carrier,
        number,
        received_at,
        normalized_number(str(update.attributes.get("return_number") or "")),
        bool(update.attributes.get("unknown_code")),
        kept.model_dump_json(exclude_defaults=True),
        normalized_number(str(update.attributes.get("master_number") or "")),
    )


def packages_of(document: Shipment | Return) -> tuple[PackageFacts, ...]:
    """Numbers of the parcels goods leave or come back in, each once; none of a shipment that was called off."""
    if isinstance(document, Return):
        return _each_once([(tracking.tracking_number, tracking.carrier) for tracking in document.tracking])
    if document.state in _VOID:
        return ()
    return _each_once([(package.tracking_number, package.carrier) for package in document.packages])


def _each_once(named: list[tuple[str | None, str | None]]) -> tuple[PackageFacts, ...]:
    found: dict[str, PackageFacts] = {}
    for given, carrier in named:
        number = normalized_number(given or "")
        if not number or len(number) > NUMBER_MAX or number in found:
            continue
        identity = identify(number, stated=carrier)
        found[number] = PackageFacts(number, identity.carrier or "", identity.warning or "")
    return tuple(found.values())
