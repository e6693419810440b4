"""Every connector that ships, by name. A folder is imported when its connector is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from connectors.sdk.contract import ConnectorType

_NAMES: Final = ("ebay", "shopify", "walmart")


class UnknownConnector(LookupError):
    """No connector has this name; the message lists those there are."""


def names() -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted(_NAMES))


@cache
def get(name: str) -> ConnectorType:
    """The connector of that name.

    Raises:
        UnknownConnector: The name is none of `names()`.
    """
    if name not in _NAMES:
        raise UnknownConnector(f"no connector is called {name!r}; known are: {', '.join(names())}")
    exported = getattr(import_module(f"connectors.{name}"), "CONNECTOR", None)
    if not isinstance(exported, ConnectorType):
        raise UnknownConnector(f"connectors/{name} exports no CONNECTOR of type ConnectorType")
    if exported.manifest.name != name:
        raise UnknownConnector(f"connectors/{name} calls itself {exported.manifest.name!r} in its manifest")
    return exported
