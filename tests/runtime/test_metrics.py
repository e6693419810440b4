"""Metrics are exactly those of the public surface, with bounded labels and numbers from one place."""

import re

import pytest

from hub.ports.late import LateCounts
from hub.ports.queries import AccountStatus, AwaitedCount, Flow
from hub.runtime.metrics import Build, Metrics
from hub.services.parcel_figures import AskingFigure, Figures

SURFACE = {
    "trunkline_sync_lag_seconds",
    "trunkline_inbox_oldest_age_seconds",
    "trunkline_outbox_oldest_age_seconds",
    "trunkline_inbox_pending",
    "trunkline_outbox_pending",
    "trunkline_watermark_timestamp_seconds",
    "trunkline_attempts_total",
    "trunkline_failures",
    "trunkline_duplicates_total",
    "trunkline_webhooks_rejected_total",
    "trunkline_circuit_open",
    "trunkline_rate_limit_wait_seconds_total",
    "trunkline_availability_verified_ratio",
    "trunkline_drift_units",
    "trunkline_oversold_units_total",
    "trunkline_replayed_total",
    "trunkline_tracking_unknown_codes_total",
    "trunkline_tracking_odd_numbers_total",
    "trunkline_edi_awaited",
    "trunkline_edi_overdue",
    "trunkline_parcels_open",
    "trunkline_parcels_due",
    "trunkline_parcels_oldest_due_seconds",
    "trunkline_parcels_orphaned",
    "trunkline_parcels_unasked",
    "trunkline_tracking_calls_left",
    "trunkline_tracking_calls_wanted_per_day",
    "trunkline_tracking_calls_unaffordable_per_day",
    "trunkline_orders_late_to_ship",
    "trunkline_parcels_unscanned",
    "trunkline_parcels_delivered_late",
    "trunkline_build_info",
}
LABELS = {"account", "connector", "direction", "kind", "outcome"}


def status(account: str, **changes: object) -> AccountStatus:
    fields: dict[str, object] = {
        "account": account, "inward": Flow(3, 12.5, None), "outward": Flow(2, 4.0, None), "state": None, "failures": 1,
        "levels": 10, "levels_verified": 9, "drift_units": 7, "oldest_watermark": 1_700_000_000_500_000,
    }  # fmt: skip
    return AccountStatus(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({"shop": "shopify", "mart": "walmart"}, Build("0.1.0", "3.11", "sqlite"))


def tell_everything(metrics: Metrics) -> None:
    metrics.lag("shop", "out", 0.4)
    metrics.attempt("shop", "out", "publish", "ok")
    metrics.rate_limit_wait("shop", 2.5)
    metrics.duplicates("shop", 2)
    metrics.rejected("shop", "signature")
    metrics.oversold("shop", 1)
    metrics.replayed("shop", "effect", "replayed", 3)
    metrics.circuit("shop", is_open=True)
    metrics.measure([status("shop")])
    asking = AskingFigure("shop", 40, 3, 12.0, wanted=192.0, affordable=24.0, left=5)
    metrics.parcels.measure(Figures(41, 1, 0, {"shop": asking}), [LateCounts("shop", 9, unshipped=2)])


def exposition(metrics: Metrics) -> str:
    body, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    return body.decode()


def test_the_names_are_the_published_ones(metrics: Metrics) -> None:
    """Not one more and not one less, and no series the client library adds by itself."""
    tell_everything(metrics)
    text = exposition(metrics)
    assert set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)) == SURFACE
    assert "_created" not in text


def test_labels_are_bounded(metrics: Metrics) -> None:
    """Only the five labels, beside what names a build or a histogram's bucket."""
    tell_everything(metrics)
    used = set(re.findall(r'[{,](\w+)="', exposition(metrics)))
    assert used - LABELS <= {"le", "version", "python", "store"}


def test_numbers_reach_the_scrape(metrics: Metrics) -> None:
    """Counters count, gauges show the database's view."""
    tell_everything(metrics)
    text = exposition(metrics)
    for line in (
        'trunkline_attempts_total{account="shop",connector="shopify",direction="out",kind="publish",outcome="ok"} 1.0',
        'trunkline_availability_verified_ratio{account="shop",connector="shopify"} 0.9',
        'trunkline_circuit_open{account="shop",connector="shopify"} 1.0',
        'trunkline_circuit_open{account="mart",connector="walmart"} 0.0',
        'trunkline_drift_units{account="shop",connector="shopify"} 7.0',
        'trunkline_inbox_oldest_age_seconds{account="shop",connector="shopify"} 12.5',
        'trunkline_rate_limit_wait_seconds_total{account="shop",connector="shopify"} 2.5',
        'trunkline_watermark_timestamp_seconds{account="shop",connector="shopify"} 1.7000000005e+09',
        'trunkline_webhooks_rejected_total{account="shop",connector="shopify",outcome="signature"} 1.0',
    ):
        assert line in text, line


def test_an_unknown_number_is_absent_and_not_zero(metrics: Metrics) -> None:
    """No watermark yet, nothing listed yet: no series, so that alerts do not fire on invented zeros."""
    metrics.measure([status("shop", oldest_watermark=None, levels=0, levels_verified=0)])
    text = exposition(metrics)
    assert "trunkline_watermark_timestamp_seconds{" not in text
    assert "trunkline_availability_verified_ratio{" not in text


def test_made_up_accounts_make_no_series(metrics: Metrics) -> None:
    """A scanner posting to a thousand account names adds one series."""
    for number in range(1_000):
        metrics.rejected(f"guess-{number}", "unknown-account")
    assert exposition(metrics).count("trunkline_webhooks_rejected_total{") == 1


def test_two_hubs_in_one_process_share_nothing() -> None:
    """Each has a registry of its own."""
    first, second = (Metrics({"shop": "shopify"}, Build("1", "3.11", "sqlite")) for _ in range(2))
    first.duplicates("shop", 5)
    assert "trunkline_duplicates_total{" not in exposition(second)


def test_what_is_awaited_is_shown_until_it_is_awaited_no_more(metrics: Metrics) -> None:
    """Both sides of one document count together; answered, the series goes to 0 instead of standing still."""
    late = AwaitedCount("shop", "855", ours=True, open=2, overdue=1, due_at=5)
    metrics.measure_awaited([late, AwaitedCount("shop", "855", ours=False, open=1, overdue=0, due_at=None)])
    assert 'trunkline_edi_awaited{account="shop",connector="shopify",kind="855"} 3.0' in exposition(metrics)
    assert 'trunkline_edi_overdue{account="shop",connector="shopify",kind="855"} 1.0' in exposition(metrics)
    metrics.measure_awaited([])
    assert 'trunkline_edi_overdue{account="shop",connector="shopify",kind="855"} 0.0' in exposition(metrics)


def test_what_a_quota_does_not_cover_is_told(metrics: Metrics) -> None:
    """The calls a day that cannot be afforded, and what is late, each under its account; unknown is absent."""
    tell_everything(metrics)
    text = exposition(metrics)
    assert 'trunkline_tracking_calls_unaffordable_per_day{account="shop",connector="shopify"} 168.0' in text
    assert 'trunkline_orders_late_to_ship{account="shop",connector="shopify"} 2.0' in text
    free = AskingFigure("mart", 4, 0, None, wanted=20.0, affordable=None, left=None)
    metrics.parcels.measure(Figures(4, 0, 0, {"mart": free}), [])
    assert "trunkline_tracking_calls_left{" not in exposition(metrics)
