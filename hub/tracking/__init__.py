"""What is known of a parcel: pure folds over carriers' events, ordered by when they happened."""

from hub.tracking.events import TrackedEvent, event_key, merged
from hub.tracking.fold import ParcelState, entered, folded
from hub.tracking.parcels import Parcel, ParcelKey, normalized_number, parcels_of
from hub.tracking.shipments import ShipmentProgress, linked, progress_of

__all__ = [
    "Parcel",
    "ParcelKey",
    "ParcelState",
    "ShipmentProgress",
    "TrackedEvent",
    "entered",
    "event_key",
    "folded",
    "linked",
    "merged",
    "normalized_number",
    "parcels_of",
    "progress_of",
]
