"""Paths such as `lines[0].total.amount` over JSON values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class _Missing:
    """The value of a path that leads nowhere; null is a value."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


def at_path(value: Any, path: str) -> Any:
    """What stands at `path`, or `MISSING`."""
    for name, index in _STEP.findall(path):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif name and isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return MISSING
    return value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar with its path; an empty list or object counts as one."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
