"""Shopify's two spellings of one id: the number of REST bodies and the gid of GraphQL.

We keep the number as text. Ids pass 2^53, so none of this may ever go through a float.
"""

from __future__ import annotations

from typing import Any, Final

PREFIX: Final = "gid://shopify/"


def number(value: Any) -> str:
    """`gid://shopify/Order/12?x=1`, `"12"` and `12` are all `"12"`; anything else is "".

    An inventory level's gid carries its item as a query, which is no part of the number.
    """
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value) if value >= 0 else ""
    if not isinstance(value, str):
        return ""
    tail = value.rpartition("/")[2].partition("?")[0] if value.startswith(PREFIX) else value
    return tail if tail.isascii() and tail.isdigit() else ""


def gid(kind: str, value: Any) -> str:
    """The GraphQL spelling.

    Raises:
        ValueError: The value is no Shopify id.
    """
    digits = number(value)
    if not digits:
        raise ValueError(f"{value!r} is no Shopify {kind} id")
    return f"{PREFIX}{kind}/{digits}"
