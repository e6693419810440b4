"""Mapping folders made for one test."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mappings import MapContext, MappingSet

FIXTURES = Path(__file__).resolve().parents[1] / "mappings" / "fixtures"
"""A connector called `shop` with mappings of a realistic size."""

ORDER_PAYLOAD = (FIXTURES / "shop" / "payloads" / "order.json").read_bytes()

MINIMAL_ORDER = """
document: order
topics: [orders/create]
fields:
  source.id: id
  number: name
  state: '"open"'
  lines[]: items
  lines[].id: id
  lines[].quantity: qty
"""


def write_folder(folder: Path, **files: str) -> Path:
    """Writes `name="…"` as `name.yaml`, dedented."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def load(root: Path, overlay: Path | None = None, **files: str) -> MappingSet:
    """A connector `shop` of these files, under `root`."""
    write_folder(root / "shop", **files)
    return MappingSet.load("shop", overlay, root=root)


def order_mapping(extra: str = "", **replaced: str) -> str:
    """`MINIMAL_ORDER` with further lines of `fields`, or `key: value` lines replaced at the top."""
    text = MINIMAL_ORDER
    for key, value in replaced.items():
        text = text.replace("fields:", f"{key}: {value}\nfields:", 1)
    added = textwrap.dedent(extra).strip("\n")
    return f"{text}{textwrap.indent(added, '  ')}\n" if added else text


def context(**given: Any) -> MapContext:
    """A context with a fixed arrival."""
    base: dict[str, Any] = {
        "account": "shop-us",
        "connector": "shop",
        "received_at": datetime(2026, 11, 21, tzinfo=UTC),
    }
    return MapContext(**{**base, **given})


def payload(**members: Any) -> bytes:
    """A payload `MINIMAL_ORDER` maps, with members added or replaced."""
    base: dict[str, Any] = {"id": 1, "name": "#1", "items": [{"id": 11, "qty": 2}]}
    return json.dumps({**base, **members}).encode()
