"""Payloads as vendors would never send them, made from ones they do send."""

from __future__ import annotations

import copy
from random import Random
from typing import Any, Final

_INTRUDERS: Final[tuple[Any, ...]] = (
    None, "", " ", 0, 1, -3, True, False, "x", "12.30", "2026-11-20T10:00:00Z", "2026-11-20", "gid://shopify/Order/1",
    "success", "return", "refund", "percentage", "Cancelled", "Shipped", "PRODUCT", "Ö x", "USD", [], {}, [None], [{}],
    ["a", "b"], [[1], [2]], {"a": 1}, 10**17, 1.5,
)  # fmt: skip


def mutated(random: Random, payload: Any) -> Any:
    """A copy with one to six members missing, null, wrapped, unwrapped, doubled, retyped or replaced."""
    payload = copy.deepcopy(payload)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        places = _places(payload)
        if places:
            container, key = random.choice(places)
            _change(random, container, key, random.choice(places)[0])
    return payload


def _change(random: Random, container: Any, key: Any, other: Any) -> None:
    value = container[key]
    kind = random.randrange(8)
    if kind == 0:
        del container[key]
    elif kind == 1:
        container[key] = None
    elif kind == 2:
        container[key] = [value]
    elif kind == 3 and isinstance(value, list):
        container[key] = value[0] if value else {}
    elif kind == 4:
        container[key] = value + copy.deepcopy(value) if isinstance(value, list) else [value, copy.deepcopy(value)]
    elif kind == 5 and isinstance(value, int | float):
        container[key] = str(value)
    elif kind == 6:
        container[key] = copy.deepcopy(other)
    else:
        container[key] = copy.deepcopy(random.choice(_INTRUDERS))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            found.append((value, key))
            found += _places(item)
    return found
