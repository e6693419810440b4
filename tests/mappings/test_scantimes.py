"""A scan's time says what the carrier said of it: nothing is added that nobody stated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mappings.arithmetic import BadArgument
from mappings.scantimes import expected, key, scanned, zoned_scan


@pytest.mark.parametrize(
    ("stated", "at", "local_time", "offset", "precision"),
    [
        (("20240212T152415", "-07:00"), "2024-02-12T22:24:15Z", "2024-02-12T15:24:15", "-07:00", "instant"),
        (("2024-04-23T09:50:04", "-04.00"), "2024-04-23T13:50:04Z", "2024-04-23T09:50:04", "-04:00", "instant"),
        (("2024-11-25T18:31:00", "-06:00"), "2024-11-26T00:31:00Z", "2024-11-25T18:31:00", "-06:00", "instant"),
        (("2024-11-25T18:31:00", -420), "2024-11-26T01:31:00Z", "2024-11-25T18:31:00", "-07:00", "instant"),
        (("2024-11-25T18:31:00", "330"), "2024-11-25T13:01:00Z", "2024-11-25T18:31:00", "+05:30", "instant"),
        (("2024-11-25T18:31:00", "-7:00"), "2024-11-26T01:31:00Z", "2024-11-25T18:31:00", "-07:00", "instant"),
        (("2024-11-25T18:31:00", "-0500"), "2024-11-25T23:31:00Z", "2024-11-25T18:31:00", "-05:00", "instant"),
        (("2024-11-25T18:31:00", "-420"), "2024-11-26T01:31:00Z", "2024-11-25T18:31:00", "-07:00", "instant"),
        (("2024-08-12T15:18:10 -0500",), "2024-08-12T20:18:10Z", "2024-08-12T15:18:10", "-05:00", "instant"),
        (("2025-10-03T13:05:31-04:00", "+09:00"), "2025-10-03T17:05:31Z", "2025-10-03T13:05:31", "-04:00", "instant"),
        (("2024-11-25T18:31", "-06:00"), "2024-11-26T00:31:00Z", "2024-11-25T18:31", "-06:00", "minute"),
        (("2025-07-25T10:00:00",), None, "2025-07-25T10:00:00", None, "instant"),
        (("2025-07-25T10:00:00.250Z",), "2025-07-25T10:00:00.250Z", None, None, "instant"),
        (("20240212",), None, "2024-02-12", None, "date"),
        (("2024-02-12", "-07:00"), None, "2024-02-12", None, "date"),
    ],
)
def test_times_are_kept_as_far_as_they_are_stated(
    stated: tuple[Any, ...], at: str | None, local_time: str | None, offset: str | None, precision: str
) -> None:
    """With an offset there is UTC, without one there is not, and a day has neither."""
    found = scanned(*stated)
    assert found is not None
    assert (found.get("at"), found.get("local_time"), found.get("utc_offset")) == (at, local_time, offset)
    assert found["precision"] == precision


def test_two_statements_of_one_moment_tell_the_offset() -> None:
    """Only where the difference is an offset some place has; anything else leaves it open."""
    found = scanned("20240423T095004", None, "20240423T135004")
    assert found is not None
    assert (found["at"], found["utc_offset"]) == ("2024-04-23T13:50:04Z", "-04:00")
    for utc in ("20240423T135104", "20240425T135004", "20240423", "20240423T995004"):
        assert "at" not in (scanned("20240423T095004", None, utc) or {})


@pytest.mark.parametrize("stated", [("yesterday",), ("2024-13-01",), ("2024-02-12T25:00:00",), (20240212,)])
def test_what_is_no_time_is_an_error(stated: tuple[Any, ...]) -> None:
    """It is never read as something near it."""
    with pytest.raises(BadArgument):
        scanned(*stated)


@pytest.mark.parametrize("offset", ["west", "-25:00", "-06:75", ["-06:00"]])
def test_what_is_no_offset_is_an_error(offset: Any) -> None:
    """A wrong offset would move the scan by hours."""
    with pytest.raises(BadArgument):
        scanned("2024-02-12T10:00:00", offset)


def test_nothing_stated_is_nothing() -> None:
    """Missing and blank times give null."""
    assert (scanned(), scanned(""), zoned_scan(), expected(), expected(""), key(), key(None, "")) == (None,) * 7


@pytest.mark.parametrize(
    ("local", "zones", "claimed", "at"),
    [
        ("2021-07-23T07:42:00", "America/Chicago America/Denver", "2021-07-23T12:42:00Z", "2021-07-23T12:42:00Z"),
        ("2025-10-22T16:00:00", "America/Los_Angeles", "2025-10-22T20:00:00Z", "2025-10-22T23:00:00Z"),
        ("2025-10-22T16:00:00", "America/Chicago America/Denver", "2025-10-22T20:00:00Z", None),
        ("2025-10-22T16:00:00", None, "2025-10-22T14:00:00Z", "2025-10-22T14:00:00Z"),
        ("2025-10-22T16:00:00", None, None, None),
        (None, "America/Chicago", "2025-10-22T14:00:00Z", "2025-10-22T14:00:00Z"),
    ],
)
def test_a_claimed_utc_counts_if_a_zone_agrees(
    local: str | None, zones: str | None, claimed: str | None, at: str | None
) -> None:
    """One zone decides against the claim, several leave it open, none believes it."""
    found = zoned_scan(local, zones, claimed)
    assert found is not None
    assert found.get("at") == at
    if at is not None and "local_time" in found and "utc_offset" in found:
        wall = datetime.fromisoformat(f"{found['local_time']}{found['utc_offset']}")
        assert wall == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("stated", "due"),
    [
        ("2025-10-07T00:00:00+00:00", "2025-10-07"),
        ("2014-11-27T00:00:00Z", "2014-11-27"),
        ("20191014", "2019-10-14"),
        ("2024-01-15T17:00:00", "2024-01-15"),
        ("2025-09-29T20:00:00-07:00", "2025-09-30T03:00:00Z"),
        ("2025-09-29T00:00:00-07:00", "2025-09-29T07:00:00Z"),
        ("null", None),
        ("2025-02-30", None),
        (20250101, None),
    ],
)
def test_midnight_is_how_carriers_write_a_day(stated: Any, due: str | None) -> None:
    """An estimate that cannot be read is none; it must not hide the scan it came with."""
    assert expected(stated) == due


def test_an_id_keeps_the_place_of_what_is_missing() -> None:
    """So that two things that lack different parts never share one."""
    assert key("1Z", None, 7, "a/b") == "1Z//7/a_b"
    assert key("1Z", 7) != key("1Z", None, 7)
    with pytest.raises(BadArgument):
        key(["1Z"])
