"""Paths and queries in which every reserved character is escaped.

httpx leaves some characters of a value as they are, and a seller's SKU may hold any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote


def escaped(text: str) -> str:
    """A SKU or id as part of a path or a query: every reserved character, "/", "@" and "{" included."""
    return quote(text, safe="")


def encoded(params: Mapping[str, str | int]) -> str:
    """A whole query, names and values escaped, in the order given."""
    return "&".join(f"{escaped(name)}={escaped(str(value))}" for name, value in params.items())
