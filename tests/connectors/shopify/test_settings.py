"""A wrong section is refused before anything connects, naming the key and what belongs there."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sdk.clock import ManualClock
from connectors.shopify import ids
from connectors.shopify.connector import open_account
from connectors.shopify.settings import read
from tests.support.shopify_rig import context

GOOD = {"access_token": "shpat_x", "webhook_secret": "hush"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {}}, "options.shop"),
        ({"options": {"shop": "https://example.myshopify.com"}}, "options.shop"),
        ({"options": {"shop": "example.com"}}, "myshopify.com"),
        ({"options": {"shop": "example.myshopify.com", "api_version": "2025-10"}}, "too old"),
        ({"options": {"shop": "example.myshopify.com", "api_version": 2026}}, "api_version"),
        ({"options": {"shop": "example.myshopify.com", "shpo": 1}}, "shpo"),
        ({"credentials": {}}, "access_token"),
        ({"credentials": {"client_id": "x"}}, "client_secret"),
        ({"credentials": {"client_secret": "x"}}, "client_id"),
        ({"credentials": {**GOOD, "token": "x"}}, "credentials.token"),
        ({"credentials": {**GOOD, "access_token": " "}}, "empty"),
        ({"credentials": {**GOOD, "webhook_secret": "a b\n"}}, "webhook_secret"),
        ({"locations": {"east": "main"}}, "gid://shopify/Location"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], words: str) -> None:
    """`ValueError` with the key, before any connection."""
    with pytest.raises(ValueError, match=words) as caught:
        open_account(context(ManualClock(), **changes))
    assert "shpat_x" not in str(caught.value)


def test_defaults_and_both_spellings_of_a_location() -> None:
    """The shop's own address, the current version, numbers of locations in their order."""
    settings = read(context(ManualClock(), locations={"gid://shopify/Location/7": "east", "8": "west"}))
    assert settings.base_url == "https://example.myshopify.com"
    assert settings.graphql_path == "/admin/api/2026-10/graphql.json"
    assert settings.locations == ("7", "8")


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("gid://shopify/Order/820982911946154508", "820982911946154508"),
        ("gid://shopify/InventoryLevel/1?inventory_item_id=2", "1"),
        (820982911946154508, "820982911946154508"),
        ("12", "12"),
        ("", ""),
        (None, ""),
        (True, ""),
        (1.0, ""),
        (-1, ""),
        ("gid://shopify/Order/x", ""),
        ("http://shopify/Order/1", ""),
    ],
)
def test_ids_are_numbers_as_text(value: object, digits: str) -> None:
    """REST number and gid are one id, exact at any size; anything else is none."""
    assert ids.number(value) == digits
