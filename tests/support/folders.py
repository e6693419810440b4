"""A hub's folder as an operator would write it: configuration, catalogue, data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOWHERE = "http://127.0.0.1:9"
"""The discard port: connections are refused at once, so a vendor there is down."""


def shopify(base_url: str = NOWHERE, **more: Any) -> dict[str, Any]:
    """A Shopify account whose webhooks `bench.payloads` signs."""
    return {
        "connector": "shopify",
        "base_url": base_url,
        "credentials": {"access_token": "shpat_invented", "webhook_secret": "bench-secret"},
        "options": {"shop": "bench-shop.myshopify.com"},
        "locations": {"gid://shopify/Location/1": "main"},
        **more,
    }


def walmart(base_url: str = NOWHERE, **more: Any) -> dict[str, Any]:
    return {
        "connector": "walmart",
        "base_url": base_url,
        "credentials": {"client_id": "id", "client_secret": "not-a-real-secret", "webhook_secret": "hook"},
        "locations": {"1000005050": "main"},
        **more,
    }


def write(
    folder: Path,
    accounts: Mapping[str, Any],
    skus: Sequence[str] | str = ("MUG", "BOX"),
    hub: Mapping[str, Any] | None = None,
) -> Path:
    """Write the folder; gives the configuration's path. JSON is YAML."""
    config = folder / "config" / "hub.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    text = skus if isinstance(skus, str) else "sku\n" + "".join(f"{sku}\n" for sku in skus)
    (folder / "skus.csv").write_text(text, encoding="utf-8")
    document = {
        "hub": {
            "database": "sqlite:///data/hub.db",
            "listen": "127.0.0.1:0",
            "log": {"level": "error"},
            **(hub or {}),
        },
        "locations": {"main": {"name": "Main"}, "back": {"name": "Back room"}},
        "accounts": dict(accounts),
        "skus": "skus.csv",
    }
    config.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return config
