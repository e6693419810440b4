"""Every connector that ships, by name. A folder is imported when its connector is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Final

from connectors.sdk.contract import ConnectorType

_MODULES: Final[Mapping[str, str]] = {
    "aftership": "connectors.aftership",
    "amazon": "connectors.amazon",
    "amazon_vendor": "connectors.amazon.vendor",
    "dhl": "connectors.dhl",
    "easypost": "connectors.easypost",
    "ebay": "connectors.ebay",
    "edi": "connectors.edi",
    "fedex": "connectors.fedex",
    "shipengine": "connectors.shipengine",
    "shippo": "connectors.shippo",
    "shipstation": "connectors.shipstation",
    "shopify": "connectors.shopify",
    "ups": "connectors.ups",
    "usps": "connectors.usps",
    "walmart": "connectors.walmart",
}
"""A flavour of a vendor's connector (retail beside marketplace) lives in a folder below that vendor's."""


class UnknownConnector(LookupError):
    """No connector has this name; the message lists those there are."""


def names() -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted(_MODULES))


@cache
def get(name: str) -> ConnectorType:
    """The connector of that name.

    Raises:
        UnknownConnector: The name is none of `names()`.
    """
    module = _MODULES.get(name)
    if module is None:
        raise UnknownConnector(f"no connector is called {name!r}; known are: {', '.join(names())}")
    exported = getattr(import_module(module), "CONNECTOR", None)
    if not isinstance(exported, ConnectorType):
        raise UnknownConnector(f"{module} exports no CONNECTOR of type ConnectorType")
    if exported.manifest.name != name:
        raise UnknownConnector(f"{module} calls itself {exported.manifest.name!r} in its manifest")
    return exported
