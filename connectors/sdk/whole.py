"""Whole numbers out of answers in which numbers and texts both occur."""

from __future__ import annotations

import re
from typing import Final

_WHOLE: Final = re.compile(r"(-?[0-9]{1,18})(\.0*)?")


def whole(value: object) -> int | None:
    """A count: `12`, `"12"` and `12.0` are 12; None for anything else, since a fraction of a piece does not exist."""
    if value is None or isinstance(value, bool):
        return None
    found = _WHOLE.fullmatch(str(value).strip())
    return int(found.group(1)) if found else None
