"""The code tables of the mappings say what the reviewed map of carriers' codes says, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from canonical.codes import Condition
from mappings import SHIPPED

STATUS_MAP = Path(__file__).resolve().parents[2] / ".." / "shared" / "contracts" / "carrier_status_map.csv"
MILESTONE = "canonical_status (blank = keep current)"
UPS_CODE = "currentStatus.code | activity.status.statusCode | webhook descriptionCode"
TABLES = {
    ("AfterShip", "subtag"): "aftership/subtags",
    ("AfterShip", "tag"): "aftership/tags",
    ("DHL Express", "eventCode/ServiceEvent"): "dhl/express",
    ("DHL Unified", "status.statusCode"): "dhl/status",
    ("EasyPost", "status_detail"): "easypost/details",
    ("EasyPost", "tracker.status"): "easypost/status",
    ("FedEx", "latestStatusDetail.derivedCode"): "fedex/derived",
    ("FedEx", "scanEvents.eventType"): "fedex/events",
    ("FedEx", "scanEvents.exceptionCode | ancillaryDetails.reason"): "fedex/exceptions",
    ("ShipEngine/ShipStation v2", "status_code"): "shipengine/status",
    ("Shippo", "substatus.code"): "shippo/substatus",
    ("Shippo", "tracking_status.status"): "shippo/status",
    ("UPS", "activity.status.type"): "ups/types",
    ("UPS", UPS_CODE): "ups/status",
    ("USPS", "statusCategory"): "usps/categories",
    ("USPS", "trackingEvents.eventCode"): "usps/events",
}
"""What the map calls a field → our table. UPS's two-letter codes mean several things and have none."""
NO_CONDITIONS = {"pickup_failed", "pickup_scheduled", "pickup_voided"}
"""Said of the carrier's own way to the shipper, of which a parcel knows nothing."""


def rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.skipif(not STATUS_MAP.exists(), reason="the map is not at hand")
@pytest.mark.parametrize(("source", "table"), TABLES.items(), ids=TABLES.values())
def test_every_row_of_the_map_is_a_row_of_the_table(source: tuple[str, str], table: str) -> None:
    """The same milestone and condition for every code; a condition our model does not have is none."""
    ours = {row["code"]: (row["milestone"], row["condition"]) for row in rows(SHIPPED / f"{table}.csv")}
    wanted = {}
    for row in rows(STATUS_MAP):
        if (row["source"], row["field"]) == source:
            condition = row["condition"]
            assert condition in {"", *get_args(Condition), *NO_CONDITIONS}
            wanted[row["code"]] = (row[MILESTONE], "" if condition in NO_CONDITIONS else condition)
    assert wanted
    assert {code: ours.get(code) for code in wanted} == wanted
