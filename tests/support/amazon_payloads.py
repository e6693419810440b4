"""Amazon payloads for tests; people and shops are invented."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[2] / "mappings" / "amazon" / "fixtures"


@cache
def _read(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_bytes())


def fixture(name: str) -> Any:
    """A fresh copy of a payload that stands beside the mappings."""
    return copy.deepcopy(_read(name))


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def coded_order() -> dict[str, Any]:
    """Partly cancelled for a stated reason and partly gone out by a named carrier: every code at once."""
    found: dict[str, Any] = fixture("order_shipped")
    found["orderItems"] += fixture("order_cancelled")["orderItems"]
    return found
