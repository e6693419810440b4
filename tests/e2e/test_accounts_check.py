"""`trunkline accounts check` on every channel's sandbox says in one line what is wrong and what to do."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.sdk.sandbox import Sandbox
from tests.support import folders
from tests.support.cli import Done, process
from tests.support.ports import kept

CHANNELS = tuple(name for name in registry.names() if not registry.get(name).manifest.trades)
"""A trading partner is no vendor with a login page; its accounts are checked in tests/cli/test_trading_accounts.py."""
NAMED_SCOPES = {
    "aftership": ["permit Tracking", "organization.automizely.com"],
    "amazon": ["Inventory and Order Tracking", "Product Listing", "authorise again"],
    "amazon_vendor": ["Vendor Retail Procurement Orders", "authorise it again"],
    "dhl": ["not allowed to use this API", "Shipment Tracking Unified", "developer.dhl.com"],
    "ebay": ["api_scope/sell.inventory", "consent again"],
    "fedex": ["Track API", "developer.fedex.com"],
    "shopify": ["read_orders", "install the app again"],
    "ups": ["Tracking product", "developer.ups.com"],
    "usps": ["scope 'tracking'", "developers.usps.com"],
    "walmart": ["inventory", "Developer Portal"],
}
"""What lacks, and where it is given."""
SECRETS = ("client_secret", "access_token", "api_key", "api_secret")
"""What a login stands on, first one named wins."""


@pytest.fixture(params=CHANNELS)
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    build = registry.get(request.param).sandbox
    assert build is not None
    sandbox: Sandbox = build(seed=1)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def checked(folder: Path, section: dict[str, Any]) -> Done:
    """As an operator's shell runs it, in a process of its own; never more than a line of complaint."""
    config = folders.write(folder, {"acct": section})
    done = await asyncio.to_thread(process, "accounts", "check", "acct", "--config", str(config))
    if done.code:
        assert done.out == ""
        (line,) = done.err.splitlines()
        assert line.startswith("trunkline: checking acct: ")
    return done


async def test_good_credentials_are_named_and_nothing_else_is_said(vendor: Sandbox, tmp_path: Path) -> None:
    """Exit 0, as whom, and what will hurt later; nothing on stderr."""
    done = await checked(tmp_path, vendor.account_section())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("acct: credentials work, as ")


async def test_wrong_credentials_are_told_as_such(vendor: Sandbox, tmp_path: Path) -> None:
    """Exit 1, refused credentials and the place in the configuration; the secret itself is not repeated."""
    section = copy.deepcopy(vendor.account_section())
    key = next(name for name in SECRETS if name in section["credentials"])
    section["credentials"][key] = "mistyped-secret-value"
    done = await checked(tmp_path, section)
    assert done.code == 1
    assert "credentials refused: " in done.err
    assert "accounts.acct.credentials" in done.err
    assert "mistyped-secret-value" not in done.err


async def test_a_lacking_permission_is_named(vendor: Sandbox, tmp_path: Path) -> None:
    """Exit 1, which scope or role lacks and who grants it."""
    if not vendor.has_scopes:
        pytest.skip(f"{vendor.name} knows no permissions")
    vendor.drop_scope()
    done = await checked(tmp_path, vendor.account_section())
    assert done.code == 1
    assert "permission refused: " in done.err
    for words in NAMED_SCOPES[vendor.name]:
        assert words in done.err


async def test_an_authorisation_that_ended_is_told_from_a_wrong_password(vendor: Sandbox, tmp_path: Path) -> None:
    """Exit 1, and that a person has to authorise again, where the channel knows such a thing."""
    section = copy.deepcopy(vendor.account_section())
    if "refresh_token" not in section["credentials"]:
        pytest.skip(f"{vendor.name} has no authorisation that could end")
    section["credentials"]["refresh_token"] = "ended-long-ago"
    done = await checked(tmp_path, section)
    assert done.code == 1
    assert "authorisation ended: " in done.err
    assert " again" in done.err


async def test_a_vendor_that_is_away_is_not_a_wrong_password(vendor: Sandbox, tmp_path: Path) -> None:
    """Exit 1, where the hub tried to go, and that nothing is said about the credentials."""
    section = vendor.account_section()
    where = vendor.base_url
    await vendor.stop()
    with kept(int(where.rpartition(":")[2])):
        done = await checked(tmp_path, section)
    assert done.code == 1
    assert f"no connection to {where}" in done.err
    assert "credentials were not judged" in done.err
