"""A late reading is tolerated, a lasting difference is drift, and a match is proof."""

import pytest

from hub.delivery.references import level_key, level_reference
from hub.delivery.verification import DRIFT_AGE_S, Verdict, judge, next_read_s, receipt_wait_s


@pytest.mark.parametrize(
    ("sent", "shown", "missing", "age_s", "verdict"),
    [
        (5, 5, False, 0.0, Verdict.VERIFIED),
        (0, 0, False, 500.0, Verdict.VERIFIED),
        (5, 4, False, DRIFT_AGE_S - 1, Verdict.LATE),
        (5, 4, False, DRIFT_AGE_S, Verdict.DRIFTED),
        (5, None, False, 1.0, Verdict.UNTRACKED),
        (5, None, True, 1.0, Verdict.LATE),
        (5, None, True, DRIFT_AGE_S, Verdict.MISSING),
    ],
)
def test_verdicts(sent: int, shown: int | None, missing: bool, age_s: float, verdict: Verdict) -> None:
    """Each reading has one meaning, by value and by age."""
    assert judge(sent=sent, shown=shown, missing=missing, age_s=age_s) is verdict


def test_reads_come_soon_and_then_later() -> None:
    """Three, ten, thirty and ninety seconds after the push; then every minute."""
    assert [next_read_s(age) for age in (0.0, 3.0, 10.0, 30.0, 90.0, 400.0)] == [3, 7, 20, 60, 60, 60]


def test_receipts_follow_the_vendors_rhythm() -> None:
    """The list is walked once, its last wait repeats."""
    rhythm = (15.0, 60.0, 300.0)
    assert [receipt_wait_s(rhythm, age) for age in (0.0, 15.0, 75.0, 375.0, 9_999.0)] == [15, 60, 300, 300, 300]


@pytest.mark.parametrize("location", ["", "gid://shopify/Location/1"])
@pytest.mark.parametrize("listing", ["gid://shopify/InventoryItem/7", "SKU#1", "ä b"])
def test_references_name_a_level_both_ways(listing: str, location: str) -> None:
    """A failure leads back to its level whatever the vendor's ids look like."""
    key = ("shop", listing, location)
    assert level_key("shop", level_reference(key)) == key


def test_a_reference_that_is_none_says_so() -> None:
    """A reference of another kind of failure is refused by name."""
    with pytest.raises(ValueError, match="names no published number"):
        level_key("shop", "12345")
