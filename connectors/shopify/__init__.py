"""Shopify: Admin GraphQL API 2026-10 and signed webhooks."""

from __future__ import annotations

from typing import Any, Final

from connectors.sdk.contract import ConnectorType
from connectors.shopify.connector import open_account
from connectors.shopify.manifest import MANIFEST

__all__ = ["CONNECTOR"]


def _sandbox(**options: Any) -> Any:
    """The fake shop; imported where it is wanted, since it brings a GraphQL server with it."""
    from connectors.shopify.sandbox import ShopifySandbox

    return ShopifySandbox(**options)


CONNECTOR: Final = ConnectorType(manifest=MANIFEST, open=open_account, sandbox=_sandbox)
