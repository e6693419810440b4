"""Prometheus metrics: counted where things happen, measured from the database when scraped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from hub.ports.queries import AccountStatus, AwaitedCount
from hub.runtime.parcel_metrics import ParcelGauges

LAG_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0)
_ACCOUNT = ("account", "connector")


@dataclass(frozen=True, slots=True)
class Build:
    """What `trunkline_build_info` says of the running program."""

    version: str
    python: str
    store: str


class Metrics:
    """Every metric of the hub, in a registry of its own. Implements `hub.ports.telemetry.Telemetry`.

    Labels are account, connector, direction, kind and outcome only, so the number of series is
    bounded by the configuration and never by what vendors send.

    Args:
        connectors: The connector of each account; input for unknown accounts counts under "".
        build: Shown as labels of a constant 1.
        registry: Where the series live; a fresh one unless given.
    """

    def __init__(self, connectors: Mapping[str, str], build: Build, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._connectors = connectors
        self._waited: set[tuple[str, str, str]] = set()
        self._counters(self.registry)
        self._gauges(self.registry)
        self.parcels = ParcelGauges(self._names, self.registry)
        info = Gauge("trunkline_build_info", "What is running", ("version", "python", "store"), registry=self.registry)
        info.labels(build.version, build.python, build.store).set(1)

    def _counters(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "trunkline_sync_lag_seconds",
            "From when it occurred to when it was applied (in) or taken by the channel (out)",
            (*_ACCOUNT, "direction"),
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self._attempts = Counter(
            "trunkline_attempts_total", "Calls to vendors", (*_ACCOUNT, "direction", "kind", "outcome"),
            registry=registry,
        )  # fmt: skip
        self._duplicates = Counter(
            "trunkline_duplicates_total", "Inputs that were already stored", _ACCOUNT, registry=registry
        )
        self._rejected = Counter(
            "trunkline_webhooks_rejected_total", "Webhooks refused before they were stored", (*_ACCOUNT, "outcome"),
            registry=registry,
        )  # fmt: skip
        self._waits = Counter(
            "trunkline_rate_limit_wait_seconds_total", "Rest that vendors' limits have asked for", _ACCOUNT,
            registry=registry,
        )  # fmt: skip
        self._oversold = Counter(
            "trunkline_oversold_units_total", "Units sold that no location had", _ACCOUNT, registry=registry
        )
        self._unknown_codes = Counter(
            "trunkline_tracking_unknown_codes_total", "Carriers' codes that no table knows", _ACCOUNT, registry=registry
        )
        self._odd_numbers = Counter(
            "trunkline_tracking_odd_numbers_total", "Tracking numbers accepted with a warning", _ACCOUNT,
            registry=registry,
        )  # fmt: skip
        self._replayed = Counter(
            "trunkline_replayed_total", "Failures replayed or discarded", (*_ACCOUNT, "kind", "outcome"),
            registry=registry,
        )  # fmt: skip

    def _gauges(self, registry: CollectorRegistry) -> None:
        self._circuit = Gauge("trunkline_circuit_open", "1 while a vendor is only probed", _ACCOUNT, registry=registry)
        named = {
            "inbox_oldest_age": ("trunkline_inbox_oldest_age_seconds", "Age of the oldest input not yet applied"),
            "outbox_oldest_age": ("trunkline_outbox_oldest_age_seconds", "Age of the oldest outward work not yet done"),
            "inbox_pending": ("trunkline_inbox_pending", "Inputs not yet applied"),
            "outbox_pending": ("trunkline_outbox_pending", "Outward work not yet done"),
            "watermark": ("trunkline_watermark_timestamp_seconds", "Everything up to this instant has been read"),
            "failures": ("trunkline_failures", "Open failures"),
            "verified": ("trunkline_availability_verified_ratio", "Published numbers proven by reading back"),
            "drift": ("trunkline_drift_units", "Units by which channels show other than they were sent"),
        }
        self._measured = {key: Gauge(name, about, _ACCOUNT, registry=registry) for key, (name, about) in named.items()}
        self._awaited = Gauge(
            "trunkline_edi_awaited", "Answers awaited in trading", (*_ACCOUNT, "kind"), registry=registry
        )
        self._overdue = Gauge(
            "trunkline_edi_overdue", "Of those awaited, past their deadline", (*_ACCOUNT, "kind"), registry=registry
        )
        for account in self._connectors:
            self._circuit.labels(*self._names(account)).set(0)

    # --- told by the use cases -------------------------------------------------------------------

    def lag(self, account: str, direction: str, seconds: float) -> None:
        self._lag.labels(*self._names(account), direction).observe(seconds)

    def attempt(self, account: str, direction: str, kind: str, outcome: str) -> None:
        self._attempts.labels(*self._names(account), direction, kind, outcome).inc()

    def rate_limit_wait(self, account: str, seconds: float) -> None:
        self._waits.labels(*self._names(account)).inc(max(0.0, seconds))

    def duplicates(self, account: str, count: int) -> None:
        self._duplicates.labels(*self._names(account)).inc(count)

    def rejected(self, account: str, reason: str) -> None:
        self._rejected.labels(*self._names(account), reason).inc()

    def oversold(self, account: str, units: int) -> None:
        self._oversold.labels(*self._names(account)).inc(units)

    def drift(self, account: str, units: int) -> None:
        """Findings are logged where they are made; the gauge is measured from the database."""

    def replayed(self, account: str, kind: str, outcome: str, count: int) -> None:
        self._replayed.labels(*self._names(account), kind, outcome).inc(count)

    def circuit(self, account: str, *, is_open: bool) -> None:
        self._circuit.labels(*self._names(account)).set(1 if is_open else 0)

    def unknown_codes(self, account: str, count: int) -> None:
        self._unknown_codes.labels(*self._names(account)).inc(count)

    def odd_numbers(self, account: str, count: int) -> None:
        self._odd_numbers.labels(*self._names(account)).inc(count)

    # --- asked by the status page and the scraper ------------------------------------------------

    def measure(self, rows: Sequence[AccountStatus]) -> None:
        """Take the database's view into the gauges. A number that is unknown is absent, not zero."""
        for gauge in self._measured.values():
            gauge.clear()
        for row in rows:
            names = self._names(row.account)
            for key, value in _measures(row).items():
                if value is not None:
                    self._measured[key].labels(*names).set(value)

    def measure_awaited(self, counts: Sequence[AwaitedCount]) -> None:
        """Take what is awaited into the gauges, whoever owes it. What is awaited no more is 0 until the next start."""
        found: dict[tuple[str, str, str], tuple[int, int]] = dict.fromkeys(self._waited, (0, 0))
        for row in counts:
            key = (*self._names(row.account), row.kind)
            waiting, late = found.get(key, (0, 0))
            found[key] = (waiting + row.open, late + row.overdue)
        self._waited |= found.keys()
        for key, (waiting, late) in found.items():
            self._awaited.labels(*key).set(waiting)
            self._overdue.labels(*key).set(late)

    def render(self) -> tuple[bytes, str]:
        """The exposition and its content type."""
        return generate_latest(_WithoutBirthdays(self.registry)), CONTENT_TYPE_LATEST

    def _names(self, account: str) -> tuple[str, str]:
        connector = self._connectors.get(account)
        return (account, connector) if connector is not None else ("", "")


def _measures(row: AccountStatus) -> dict[str, float | None]:
    ratio = row.levels_verified / row.levels if row.levels else None
    return {
        "inbox_oldest_age": row.inward.oldest_age_s or 0.0,
        "outbox_oldest_age": row.outward.oldest_age_s or 0.0,
        "inbox_pending": row.inward.pending,
        "outbox_pending": row.outward.pending,
        "watermark": None if row.oldest_watermark is None else row.oldest_watermark / 1_000_000,
        "failures": row.failures,
        "verified": ratio,
        "drift": row.drift_units,
    }


class _WithoutBirthdays(CollectorRegistry):
    """A view that leaves out the `_created` series the client library adds to every counter."""

    def __init__(self, source: Collector) -> None:
        super().__init__()
        self._source = source

    def collect(self) -> Iterator[Metric]:
        yield from _samples(self._source.collect())


def _samples(metrics: Iterable[Any]) -> Iterator[Metric]:
    for metric in metrics:
        kept = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        kept.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        yield kept
