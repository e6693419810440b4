"""What an operator may call a read is the same for every channel, whatever the channel calls it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from canonical import MappingError
from mappings import SHIPPED, MapContext, MappingSet

NAMES = {"order", "orders", "inventory", "listings", "returns"}


@pytest.mark.parametrize("channel", ["amazon", "ebay", "shopify", "walmart"])
def test_a_channel_knows_the_common_names(channel: str) -> None:
    """`trunkline normalize CHANNEL inventory FILE` needs no knowledge of the channel's own words."""
    assert MappingSet.load(channel).topics >= NAMES


@pytest.mark.parametrize(
    ("name", "topic", "kind"),
    [
        ("stock", "inventory", "stock_report"),
        ("fba_stock", "inventory", "stock_report"),
        ("return_fbm", "returns", "return"),
        ("return_fba", "returns", "return"),
    ],
)
def test_amazons_two_kinds_are_told_apart_by_their_shape(name: str, topic: str, kind: str) -> None:
    """The seller's stock and Amazon's, returns to the seller and to Amazon: one document each, and no error."""
    context = MapContext(None, "amazon", datetime(2026, 11, 21, tzinfo=UTC))
    payload = (SHIPPED / "amazon" / "fixtures" / f"{name}.json").read_bytes()
    assert [document.type for document in MappingSet.load("amazon").map(topic, payload, context)] == [kind]
    with pytest.raises(MappingError):
        MappingSet.load("amazon").map(topic, b'{"orders": []}', context)
