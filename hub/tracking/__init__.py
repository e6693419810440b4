"""What is known of a parcel: pure folds over carriers' events, ordered by when they happened."""

from hub.tracking.events import TrackedEvent, event_key, merged
from hub.tracking.fold import ParcelState, entered, folded
from hub.tracking.matching import Matched, Sent, matched
from hub.tracking.parcels import Parcel, ParcelKey, normalized_number, parcels_of
from hub.tracking.shipments import ShipmentProgress, linked, progress_of

__all__ = [
    "Matched",
    "Parcel",
    "ParcelKey",
    "ParcelState",
    "Sent",
    "ShipmentProgress",
    "TrackedEvent",
    "entered",
    "event_key",
    "folded",
    "linked",
    "matched",
    "merged",
    "normalized_number",
    "parcels_of",
    "progress_of",
]
