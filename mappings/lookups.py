"""Code tables: what a vendor calls a thing, and what it is called here."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.comments import CommentedMap

from mappings.arithmetic import BadArgument
from mappings.faults import FaultLog
from mappings.reading import Entry, entries, plain, read_text

PREFIX: Final = "lookup_"
_KEYS: Final = ("file", "key", "value", "values", "default")
_ACTIONS: Final = ("error", "null", "keep")
_SHOWN_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table callable as `$lookup_<name>(x)`.

    `action` is what an unknown key gives: `error`, `null`, `keep` (the key itself), or `value`
    (`default`); "" where an overlay leaves it to the lookup it extends. A null or missing key gives
    null without looking. Numbers and booleans are looked up by their JSON text.
    """

    name: str
    file: str
    line: int
    table: Mapping[str, Any]
    action: str = ""
    default: Any = None
    sources: tuple[Path, ...] = field(default=(), compare=False)

    def __call__(self, key: Any = None) -> Any:
        """Raises `BadArgument` for an unknown key when the default is `error`."""
        if key is None:
            return None
        if key.__class__ is not str:
            key = _text(key, self.name)
        found = self.table.get(key, _ABSENT)
        if found is not _ABSENT:
            return found
        if self.action == "keep":
            return key
        if self.action == "null":
            return None
        if self.action == "value":
            return self.default
        shown = key if len(key) <= _SHOWN_MAX else key[:_SHOWN_MAX] + "…"
        raise BadArgument(f"{shown!r} is not in the lookup {self.name} ({self.file}:{self.line}); add it there")

    def extended_by(self, other: Lookup) -> Lookup:
        """This table with `other`'s entries over it, and its default where it states one."""
        merged = replace(other, table={**self.table, **other.table}, sources=(*self.sources, *other.sources))
        return merged if other.action else replace(merged, action=self.action, default=self.default)


_ABSENT: Final = object()


def _text(key: Any, name: str) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    raise BadArgument(f"the lookup {name} takes a code, not a list, an object or a fraction")


def parse_lookup(entry: Entry, folder: Path, file: str, log: FaultLog) -> Lookup | None:
    """A lookup from its YAML block, or null after adding faults.

    Args:
        entry: `name: {file: codes.csv, key: vendor, value: canonical, default: error}` or
            `name: {values: {UPS: ups}, default: {value: unknown}}`.
        folder: Where a relative `file` is looked for.
    """
    block = entry.value
    if not isinstance(block, CommentedMap):
        log.add(file, entry.line, f"lookups.{entry.key}", "must be {values: …} or {file: …, key: …, value: …}")
        return None
    for item in entries(block):
        if item.key not in _KEYS:
            log.add(file, item.line, f"lookups.{entry.key}.{item.key}", f"unknown key; known are {', '.join(_KEYS)}")
    if not entry.key.isidentifier():
        log.add(file, entry.line, f"lookups.{entry.key}", "a lookup's name is letters, digits and underscores")
    action, default = _default(block, entry, file, log)
    table: dict[str, Any] = {}
    sources: tuple[Path, ...] = ()
    if "file" in block:
        sources = (folder / str(block["file"]),)
        table.update(_csv_table(sources[0], block, entry, file, log))
    table.update(_inline(block, entry, file, log))
    if "file" not in block and "values" not in block and "default" not in block:
        log.add(file, entry.line, f"lookups.{entry.key}", "needs `values` or `file`")
    return Lookup(entry.key, file, entry.line, table, action, default, sources)


def _default(block: CommentedMap, entry: Entry, file: str, log: FaultLog) -> tuple[str, Any]:
    if "default" not in block:
        return "", None
    stated = plain(block["default"])
    if stated is None:
        return "null", None
    if stated in _ACTIONS:
        return str(stated), None
    if isinstance(stated, dict) and set(stated) == {"value"}:
        return "value", stated["value"]
    if isinstance(stated, dict | list | float):
        log.add(file, entry.line, f"lookups.{entry.key}.default", "must be error, null, keep, or {value: …}")
        return "error", None
    return "value", stated


def _inline(block: CommentedMap, entry: Entry, file: str, log: FaultLog) -> dict[str, Any]:
    stated = block.get("values")
    if stated is None:
        return {}
    if not isinstance(stated, CommentedMap):
        log.add(file, entry.line, f"lookups.{entry.key}.values", "must map each code to its meaning")
        return {}
    table: dict[str, Any] = {}
    for item in entries(stated):
        value = plain(item.value)
        if isinstance(value, float):
            log.add(file, item.line, f"lookups.{entry.key}.{item.key}", "write a decimal in quotes, so it stays exact")
        table[_yaml_key(item.key)] = value
    return table


def _yaml_key(key: str) -> str:
    """YAML's True and False are JSON's true and false."""
    return {"True": "true", "False": "false"}.get(key, key)


def _csv_table(path: Path, block: CommentedMap, entry: Entry, file: str, log: FaultLog) -> dict[str, Any]:
    target = f"lookups.{entry.key}"
    text = read_text(path, str(block["file"]), log)
    if text is None:
        return {}
    key, value = str(block.get("key", "")), str(block.get("value", ""))
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = reader.fieldnames or ()
    if key not in columns or value not in columns:
        log.add(
            file, entry.line, target, f"`key` and `value` must name columns of {block['file']}: {', '.join(columns)}"
        )
        return {}
    table: dict[str, Any] = {}
    for row in reader:
        if row[key] is None or row[value] is None:
            log.add(str(block["file"]), reader.line_num, target, "the row has fewer columns than the first line")
        elif row[key] in table and table[row[key]] != (row[value] or None):
            log.add(str(block["file"]), reader.line_num, target, f"{row[key]!r} has two meanings")
        else:
            table[row[key]] = row[value] or None
    return table
