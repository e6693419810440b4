"""Gauges of parcels and of what is late, measured from the database when scraped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Gauge

from hub.ports.late import LateCounts
from hub.services.parcel_figures import Figures

_ACCOUNT = ("account", "connector")
_ASKING = {
    "open": ("trunkline_parcels_open", "Open parcels the account asks about"),
    "due": ("trunkline_parcels_due", "Of those, to be asked about by now"),
    "oldest": ("trunkline_parcels_oldest_due_seconds", "How long the one due longest has waited"),
    "left": ("trunkline_tracking_calls_left", "Calls left of the vendor's quota"),
    "wanted": ("trunkline_tracking_calls_wanted_per_day", "Calls a day that all open parcels deserve"),
    "unaffordable": ("trunkline_tracking_calls_unaffordable_per_day", "Of those, what the quota does not cover"),
}
_LATE = {
    "unshipped": ("trunkline_orders_late_to_ship", "Orders past their promised ship-by"),
    "unscanned": ("trunkline_parcels_unscanned", "Parcels shipped two days ago and not scanned yet"),
    "delivered_late": (
        "trunkline_parcels_delivered_late",
        "Parcels of the last 30 days delivered after the promised day",
    ),
}


class ParcelGauges:
    """A number that is unknown is absent, not zero; what is late is zero where nothing is."""

    def __init__(self, names: Callable[[str], tuple[str, str]], registry: CollectorRegistry) -> None:
        self._names = names
        self._asking = {key: Gauge(name, about, _ACCOUNT, registry=registry) for key, (name, about) in _ASKING.items()}
        self._late = {key: Gauge(name, about, _ACCOUNT, registry=registry) for key, (name, about) in _LATE.items()}
        self._orphans = Gauge("trunkline_parcels_orphaned", "Parcels no shipment of ours names", registry=registry)
        self._unasked = Gauge("trunkline_parcels_unasked", "Open parcels no account can ask about", registry=registry)

    def measure(self, figures: Figures, late: Sequence[LateCounts]) -> None:
        self._orphans.set(figures.orphans)
        self._unasked.set(figures.unasked)
        for gauge in (*self._asking.values(), *self._late.values()):
            gauge.clear()
        for account, row in figures.asking.items():
            values = {
                "open": row.open, "due": row.due, "oldest": row.oldest_due_s or 0.0, "left": row.left,
                "wanted": row.wanted, "unaffordable": None if row.affordable is None else row.unaffordable,
            }  # fmt: skip
            for key, value in values.items():
                if value is not None:
                    self._asking[key].labels(*self._names(account)).set(value)
        for counts in late:
            for key, gauge in self._late.items():
                gauge.labels(*self._names(counts.account)).set(getattr(counts, key))
