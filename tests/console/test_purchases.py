"""The console's table of purchase orders: units of every way, differences named, nothing where nothing is ordered."""

from __future__ import annotations

from hub.console.purchases import purchases

ROW = {
    "number": "OUR-<1>",
    "supplier": "supplier-demo",
    "state": "partially_received",
    "expected_at": "2026-12-10",
    "ordered": 20,
    "acknowledged": 18,
    "shipped": 18,
    "received": 12,
    "invoiced": 18,
    "differences": ["line 1: 18 acknowledged, 20 as ordered: 2 fewer"],
}


def test_every_way_stands_in_its_column() -> None:
    """Ordered to invoiced in order, the differences counted and readable, every text escaped."""
    shown = purchases([ROW, {**ROW, "differences": [], "state": "cancelled"}])
    assert "OUR-&lt;1&gt;" in shown
    first = shown[shown.index("<tbody>") :]
    assert [first.index(f">{units}</td>") for units in (20, 18, 12)] == sorted(
        first.index(f">{units}</td>") for units in (20, 18, 12)
    )
    assert 'title="line 1: 18 acknowledged, 20 as ordered: 2 fewer"' in shown
    assert '<span class="bad">cancelled</span>' in shown


def test_nothing_ordered_is_nothing_shown() -> None:
    """A seller who buys nothing sees no empty table."""
    assert purchases([]) == ""
