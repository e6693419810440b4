"""The table of what channels can be told is what their manifests say and what the page shows."""

from __future__ import annotations

from pathlib import Path

from connectors import registry
from connectors.amazon.vendor import CONNECTOR as VENDOR
from mappings.carriers import CHANNELS
from mappings.carriers.confirmations import as_markdown, confirmations

PAGE = Path(__file__).resolve().parents[2] / "docs" / "shipments.md"
_MANIFESTS = {name: registry.get(name).manifest for name in registry.names()} | {"amazon_vendor": VENDOR.manifest}


def test_the_page_shows_the_table() -> None:
    """The page's table is the data's, row by row."""
    assert as_markdown() in PAGE.read_text(encoding="utf-8")


def test_every_channel_that_is_told_has_a_row_and_every_built_row_a_channel() -> None:
    """A channel that confirms stands in the table; EDI is told by documents instead."""
    told = {name for name, manifest in _MANIFESTS.items() if manifest.confirms is not None}
    channels = {name for name, manifest in _MANIFESTS.items() if manifest.is_channel}
    assert channels <= told
    assert {row.channel for row in confirmations() if row.built} == told | {"edi"}
    assert {row.channel for row in confirmations() if not row.built} == {"magento", "woocommerce"}


def test_the_abilities_are_those_of_the_manifests() -> None:
    """Corrections, cancellations, several numbers, whole shipments: the words follow the declaration."""
    for row in confirmations():
        confirms = _MANIFESTS[row.channel].confirms if row.channel in _MANIFESTS else None
        if confirms is None:
            continue
        kinds = {kind.name: kind for kind in _MANIFESTS[row.channel].effects}
        assert confirms.channel in CHANNELS
        assert all(kinds[name].alone for name in (confirms.effect, confirms.correct, confirms.cancel) if name)
        assert (row.correction != "no") == bool(confirms.correct), row.channel
        assert (row.cancellation != "no") == bool(confirms.cancel), row.channel
        assert ("lines too" in row.correction) == confirms.corrects_lines, row.channel
        assert row.one_message_holds.startswith("a shipment") == confirms.whole_shipments, row.channel
        assert row.several_parcels_of_one_line.startswith("all") == confirms.several_numbers, row.channel
        assert row.source
        assert row.where_it_cannot
