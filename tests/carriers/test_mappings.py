"""Carriers' payloads become tracking updates that say what the carrier said and nothing more."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from canonical import MappingError, TrackingUpdate
from canonical.codes import Condition, Milestone
from hub.tracking import folded, merged, parcels_of
from mappings import SHIPPED, MapContext, MappingSet, lint, names, run_tests

CARRIERS = ("aftership", "dhl", "easypost", "fedex", "shipengine", "shippo", "shipstation", "ups", "usps")
SAMPLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "samples" / "carriers"
MILESTONES = {*get_args(Milestone), ""}
CONDITIONS = {*get_args(Condition), ""}


def mapped(carrier: str, payload: Any, topic: str = "tracking") -> list[TrackingUpdate]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    context = MapContext(None, carrier, datetime(2026, 11, 21, tzinfo=UTC))
    documents = MappingSet.load(carrier).map(topic, body, context)
    assert all(isinstance(document, TrackingUpdate) for document in documents)
    return [document for document in documents if isinstance(document, TrackingUpdate)]


def fixture(carrier: str, name: str) -> Any:
    return json.loads((SHIPPED / carrier / "fixtures" / name).read_text())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_shipped_mappings_are_without_fault_and_pass_their_own_tests(carrier: str) -> None:
    """Each reads `tracking`, and no test beside a mapping fails."""
    assert carrier in names()
    assert lint(carrier) == []
    assert "tracking" in MappingSet.load(carrier).topics
    results = run_tests(carrier)
    assert results
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("carrier", CARRIERS)
def test_tables_use_the_models_words(carrier: str) -> None:
    """Every row of every code table names a milestone and a condition there are, or none, once per code."""
    tables = [path for path in (SHIPPED / carrier).glob("*.csv") if path.name not in ("carriers.csv", "us_zones.csv")]
    assert tables
    for path in tables:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["milestone"] for row in rows} <= MILESTONES, path
        assert {row["condition"] for row in rows} <= CONDITIONS, path
        assert len({row["code"] for row in rows}) == len(rows), path


@pytest.mark.parametrize("carrier", CARRIERS)
def test_direct_and_evaluated_mappings_agree(carrier: str) -> None:
    """The compiled way, which carries the load, gives what the evaluator gives."""
    maps = MappingSet.load(carrier)
    program = maps.program("tracking")
    assert all(part.direct is not None for part in program.parts)
    source = {"connector": carrier, "account": None, "received_at": "2026-11-21T00:00:00Z"}
    values = {"account": None, "currency": None, "time_zone": None, "occurred_at": None, "locations": {}}
    bindings = {**values, "received_at": source["received_at"]}
    used = {name: bindings[name] for name in program.used}
    for path in (SHIPPED / carrier / "fixtures").glob("*.json"):
        payload = json.loads(path.read_text())
        assert program.map(payload, used, dict(source)) == program.map_evaluated(payload, used, dict(source)), path


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_is_no_tracking_is_refused(carrier: str) -> None:
    """A payload of something else is an error that says what is missing, never an empty answer."""
    with pytest.raises(MappingError, match=r"is in the payload|is not in the payload"):
        mapped(carrier, {"subscription": "ok"})


@pytest.mark.parametrize("carrier", CARRIERS)
def test_told_twice_is_told_once(carrier: str) -> None:
    """The same history gives the same ids, and folds as if heard once."""
    for path in sorted((SHIPPED / carrier / "fixtures").glob("*.json")):
        first, again = mapped(carrier, path.read_bytes()), mapped(carrier, path.read_bytes())
        assert [update.id for update in first] == [update.id for update in again]
        assert len({update.id for update in first}) == len(first)
        assert folded([*first, *again]) == folded(first)


def test_an_unknown_code_keeps_the_milestone_and_is_named() -> None:
    """For UPS, FedEx and USPS alike."""
    ups = fixture("ups", "track.json")
    ups["trackResponse"]["shipment"][0]["package"][0]["activity"][0]["status"]["statusCode"] = "999"
    assert [u.attributes["unknown_code"] for u in mapped("ups", ups) if "unknown_code" in u.attributes] == ["999"]
    fedex = fixture("fedex", "track.json")
    fedex["output"]["completeTrackResults"][0]["trackResults"][0]["scanEvents"][1]["eventType"] = "QQ"
    assert [u.milestone for u in mapped("fedex", fedex) if u.attributes.get("unknown_code") == "QQ"] == [None]
    usps = fixture("usps", "track.json")
    usps["trackingEvents"][1]["eventCode"] = "Q9"
    assert [u.milestone for u in mapped("usps", usps) if u.attributes.get("unknown_code") == "Q9"] == [None]


FEDEX = {"trackingNumberInfo": {"trackingNumber": "1"}, "latestStatusDetail": {"code": "OC", "derivedCode": "OC"}}
NO_SCANS: list[tuple[str, str, Any]] = [
    ("fedex", "scanEvents", {"output": {"completeTrackResults": [{"trackResults": [FEDEX]}]}}),
    ("usps", "trackingEvents", {"trackingNumber": "1", "statusCategory": "Accepted"}),
    ("easypost", "tracking_details", {"id": "trk_1", "tracking_code": "1", "carrier": "UPS", "status": "unknown"}),
    ("shippo", "tracking_history", {"tracking_number": "1", "carrier": "usps", "tracking_status": None}),
    ("aftership", "checkpoints", {"data": {"tracking": {"id": "x", "tracking_number": "1", "slug": "ups"}}}),
    ("shipengine", "events", {"tracking_number": "1", "status_code": "UN"}),
    ("dhl", "events", {"shipments": [{"id": "1", "service": "express", "status": {"statusCode": "transit"}}]}),
    (
        "ups",
        "activity",
        {"trackResponse": {"shipment": [{"package": [{"trackingNumber": "1", "currentStatus": {"code": "003"}}]}]}},
    ),
]


@pytest.mark.parametrize("scans", [None, [], ...])
@pytest.mark.parametrize(("carrier", "member", "payload"), NO_SCANS)
def test_no_scans_are_no_events(carrier: str, member: str, payload: Any, scans: Any) -> None:
    """Whether the list is null, empty or left out, there is the latest status and nothing beside it."""

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        inner = {name: filled(item) for name, item in value.items()}
        is_holder = any(name in value for name in HOLDERS[carrier])
        return {**inner, member: scans} if is_holder and scans is not ... else inner

    assert [update.current for update in mapped(carrier, filled(payload))] == [True]


HOLDERS = {
    "fedex": ("latestStatusDetail",), "usps": ("statusCategory",), "easypost": ("tracking_code",),
    "shippo": ("tracking_status",), "aftership": ("slug",), "shipengine": ("status_code",), "dhl": ("service",),
    "ups": ("currentStatus",),
}  # fmt: skip
"""A member of the object that holds the list of scans."""


def test_a_push_and_a_poll_tell_of_one_event() -> None:
    """Track Alert and Track describe a scan's place in different detail; it is one document and one event."""
    alert = fixture("ups", "alert.json")
    track = fixture("ups", "track.json")
    newest = track["trackResponse"]["shipment"][0]["package"][0]["activity"][0]
    newest["status"].update({"type": "D", "statusCode": "011"})
    newest["location"]["address"].update({"city": "Albany", "stateProvince": "NY"})
    newest.update({"date": "20261105", "time": "095004", "gmtOffset": "-05:00"})
    (pushed,) = mapped("ups", alert, "track_alert")
    polled = next(update for update in mapped("ups", track) if update.code_raw == "011" and not update.current)
    assert (pushed.id, pushed.at) == (polled.id, polled.at)
    assert len(merged([pushed, polled])) == 1


def test_leading_zeros_of_codes_are_kept() -> None:
    """011 is delivered; 11 is nothing UPS knows."""
    alert = fixture("ups", "alert.json")
    (delivered,) = mapped("ups", alert, "track_alert")
    assert (delivered.code_raw, delivered.milestone) == ("011", "delivered")
    alert["activityStatus"]["descriptionCode"] = "11"
    (unknown,) = mapped("ups", alert, "track_alert")
    assert (unknown.milestone, unknown.attributes["unknown_code"]) == (None, "11")


def test_one_number_used_twice_is_two_parcels() -> None:
    """FedEx answers with several results for a recycled number, each with a parcel id of its own."""
    payload = fixture("fedex", "track.json")
    (results,) = payload["output"]["completeTrackResults"]
    older = json.loads(json.dumps(results["trackResults"][0]))
    older["trackingNumberInfo"]["trackingNumberUniqueId"] = "1~393541943382~FX"
    older["latestStatusDetail"] = {"code": "DL", "derivedCode": "DL"}
    older["additionalTrackingInfo"] = {}
    results["trackResults"].append(older)
    states = {parcel.key.parcel: folded(parcel.updates).milestone for parcel in parcels_of(mapped("fedex", payload))}
    assert states == {"2460943000~393541943382~FX": "returning", "1~393541943382~FX": "delivered"}


def test_shipstation_reads_what_shipengine_writes() -> None:
    """API v2 is one API under two names, so the two folders differ in names alone."""
    for path in (SHIPPED / "shipengine").glob("*.csv"):
        assert path.read_bytes() == (SHIPPED / "shipstation" / path.name).read_bytes(), path
    for name in ("scan.yaml", "status.yaml"):
        one, other = ((SHIPPED / vendor / name).read_text() for vendor in ("shipengine", "shipstation"))
        assert one.partition("each:")[2] == other.partition("each:")[2], name
    assert (
        MappingSet.load("shipstation").map("SHIP_NOTIFY", b"{}", MapContext(None, "shipstation", datetime.now(UTC)))
        == []
    )


OUTCOMES: dict[str, str | None] = {
    "ups/track_delivered_real": "delivered",
    "ups/track_mail_innovations": "label_created",
    "ups/trackalert_delivered": "delivered",
    "ups/warning_not_found_TW0001": "unknown",
    "fedex/track_at_destination": "in_transit",
    "fedex/track_delayed_weather": "out_for_delivery",
    "fedex/track_delivered_garage": "delivered",
    "fedex/track_exception_damaged_099A": "in_transit",
    "fedex/track_exception_undeliverable": "in_transit",
    "fedex/track_hold_ready_for_pickup_sandbox": "available_for_pickup",
    "fedex/track_in_transit_onway": "in_transit",
    "fedex/track_label_created": "label_created",
    "fedex/track_mixed_naive_aware_datetimes": "delivered",
    "fedex/track_not_found": "unknown",
    "fedex/track_omniship_full": "delivered",
    "fedex/track_out_for_delivery": "out_for_delivery",
    "fedex/track_return_event_then_delivered": "delivered",
    "fedex/track_returning_with_new_number": "returning",
    "usps/track_delivered_mailbox": "delivered",
    "usps/track_karrio_alert": "delivered",
    "dhl/mydhl_response": "delivered",
    "dhl/unified_delivered_multi_piece": "label_created",
    "easypost/event_tracker_updated_delivered": "delivered",
    "easypost/event_tracker_updated_fedex_arrived": "in_transit",
    "easypost/tracker_delivered_usps": "delivered",
    "easypost/tracker_in_transit_usps": "in_transit",
    "easypost/tracker_pre_transit": "label_created",
    "easypost/tracker_retrieve": "label_created",
    "shippo/invalid_1_201": "unknown",
    "shippo/track_create_live": "delivered",
    "shipengine/track_by_number_ingNumber200": "delivered",
    "shipengine/webhook_api_track_in_transit_ups": "in_transit",
    "aftership/tracking_created_pending": "unknown",
    "aftership/trackings_list_delivered_expired": "delivered",
}
"""Where each real answer's first parcel is; every other file is a refusal."""


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(SAMPLES.glob("*/*")) if path.parent.name in CARRIERS],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_real_answers_end_where_the_carrier_says_or_are_refused(path: Path) -> None:
    """Each captured file folds to the milestone it was captured for, or is an error with a code."""
    name = f"{path.parent.name}/{path.stem}"
    if name not in OUTCOMES:
        with pytest.raises(MappingError) as refused:
            mapped(path.parent.name, path.read_bytes())
        assert refused.value.code
        return
    parcels = parcels_of(mapped(path.parent.name, path.read_bytes()))
    assert folded(parcels[0].updates).milestone == OUTCOMES[name]
