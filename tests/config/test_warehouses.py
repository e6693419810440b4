"""A location's warehouse names an account that trades; anything else is a fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigurationInvalid, load

TRADING = "accounts:\n  three-pl: {connector: edi}\n  shop: {connector: shopify}\n"


def written(folder: Path, locations: str) -> Path:
    path = folder / "hub.yaml"
    path.write_text(TRADING + f"locations:\n{locations}", encoding="utf-8")
    return path


def test_a_location_names_its_warehouse(tmp_path: Path) -> None:
    """The account stands beside the location; one without a warehouse is our own."""
    settings = load(written(tmp_path, "  east: {warehouse: three-pl}\n  main:\n"), {})
    assert {name: place.warehouse for name, place in settings.locations.items()} == {"east": "three-pl", "main": None}


@pytest.mark.parametrize(("named", "word"), [("three-p", "no account"), ("shop", "no account of the connector")])
def test_a_warehouse_that_cannot_be_told_is_a_fault(tmp_path: Path, named: str, word: str) -> None:
    """Unknown accounts and channels are refused, with file and line."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(written(tmp_path, f"  main:\n  east: {{warehouse: {named}}}\n"), {})
    (fault,) = caught.value.faults
    assert word in str(fault)
    assert (fault.line, fault.key) == (6, "locations.east.warehouse")
