"""The vendor's search syntax, as far as the fake understands it: terms joined by AND.

Source: shopify.dev/docs/api/usage/search-syntax, read 2026-11-20. A field it does not know is an
invalid query and is ignored there with a warning; here it is refused, so that a typo shows.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from graphql import GraphQLError

_TERM: Final = re.compile(
    r"""\s*(?:AND\s+)?(?P<field>[a-z_]+):(?P<sign>>=|<=|>|<)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s]+))"""
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}


def matcher(query: str | None, fields: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], bool]:
    """A test for objects; `fields` gives each searchable field's value.

    Raises:
        GraphQLError: Not a query, or a field that cannot be searched.
    """
    terms = [(fields[name], compare, wanted) for name, compare, wanted in _terms(query or "", fields)]
    return lambda thing: all(_holds(value(thing), compare, wanted) for value, compare, wanted in terms)


def _terms(query: str, fields: Mapping[str, Any]) -> list[tuple[str, Callable[[Any, Any], bool], str]]:
    at, found = 0, []
    while query[at:].strip():
        term = _TERM.match(query, at)
        if term is None or term["field"] not in fields:
            raise GraphQLError(
                f"Invalid search query near '{query[at:].strip()[:40]}'", extensions={"code": "BAD_REQUEST"}
            )
        text = next(part for part in (term["single"], term["double"], term["bare"]) if part is not None)
        found.append((term["field"], _COMPARE[term["sign"] or ""], text))
        at = term.end()
    return found


def _holds(value: Any, compare: Callable[[Any, Any], bool], wanted: str) -> bool:
    if isinstance(value, datetime):
        try:
            at = datetime.fromisoformat(wanted)
        except ValueError:
            raise GraphQLError(
                f"Invalid timestamp in query: {wanted[:40]}", extensions={"code": "BAD_REQUEST"}
            ) from None
        return compare(value, at if at.tzinfo else at.replace(tzinfo=UTC))
    if isinstance(value, int):
        return compare(value, int(wanted)) if wanted.isdigit() else False
    return compare(str(value).lower(), wanted.lower())
