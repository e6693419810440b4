"""Kinds that hold other kinds: lists, tables of named things, and sections with known keys.

The declarations of `config.shape` are made of these, so that what is read and what editors are told
cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.document import Items, Node, Scalar, Table
from config.faults import suggestion
from config.kinds import Text
from config.reading import BAD, Kind, Reading


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are all different."""

    item: Kind
    known: str = ""
    """a word for what the items name, used in messages"""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        if not isinstance(node, Items):
            return reading.fault(node.line, key, "must be a list", "write it as [one, two]")
        values = []
        for at, item in enumerate(node.nodes):
            name = f"{key}[{at}]"
            reading.lines[name] = item.line
            value = self.item.read(item, name, reading)
            if value in values and value is not BAD:
                reading.fault(item.line, name, f"{value!r} is listed twice", "keep one of them")
            elif value is not BAD:
                values.append(value)
        return tuple(values)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), "uniqueItems": True}


@dataclass(frozen=True, slots=True)
class MapOf:
    """A table with names of the operator's choosing. `name` is what a key must look like."""

    value: Kind
    name: Text | None = None

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        if isinstance(node, Scalar) and node.kind == "null":
            return {}
        if not isinstance(node, Table):
            return reading.fault(node.line, key, "must be a table of keys", "write `name: value` lines below it")
        values: dict[str, Any] = {}
        for name, inner in node.entries.items():
            path = f"{key}.{name}"
            reading.lines[path] = node.key_lines[name]
            if self.name is not None:
                self.name.read(Scalar(name, "str", node.key_lines[name]), path, reading)
            value = self.value.read(inner, path, reading)
            if value is not BAD:
                values[name] = value
        return values

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": ["object", "null"], "additionalProperties": self.value.schema()}
        if self.name is not None and self.name.pattern is not None:
            schema["propertyNames"] = {"pattern": f"^{self.name.pattern}$"}
        return schema


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section. `default` is the value itself, not its text."""

    kind: Kind
    about: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table with known keys; anything else is a fault. Reads into a dict with every key."""

    keys: Mapping[str, Key]

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        if isinstance(node, Scalar) and node.kind == "null":
            node = Table({}, {}, node.line)
        if not isinstance(node, Table):
            return reading.fault(node.line, key, "must be a table of keys", f"known keys: {', '.join(self.keys)}")
        prefix = f"{key}." if key else ""
        for name in node.entries:
            reading.lines[prefix + name] = node.key_lines[name]
            if name not in self.keys:
                reading.fault(node.key_lines[name], prefix + name, "is no known key", suggestion(name, self.keys))
        line = reading.lines.get(key, node.line)
        values = {}
        for name, known in self.keys.items():
            inner = node.entries.get(name)
            if inner is None:
                values[name] = known.default
                if known.required:
                    values[name] = reading.fault(line, prefix + name, "is missing", f"add it: {known.about}")
            else:
                values[name] = known.kind.read(inner, prefix + name, reading)
        return values

    def defaults(self) -> dict[str, Any]:
        """What an absent section reads as."""
        return {name: known.default for name, known in self.keys.items()}

    def schema(self) -> dict[str, Any]:
        properties = {name: {"description": known.about, **known.kind.schema()} for name, known in self.keys.items()}
        schema: dict[str, Any] = {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
        required = [name for name, known in self.keys.items() if known.required]
        return schema | ({"required": required} if required else {})
