"""Kinds of value with a meaning of their own: databases, addresses to listen on, keys, connector sections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from config.document import Items, Node, Scalar, Table
from config.reading import BAD, Bad, Reading, or_reference, shown
from config.settings import KeyFile, Listen
from connectors.sdk.ports import Secret

_DATABASES: Final = "sqlite:///data/hub.db or postgresql://user@host/name"
_POSTGRES: Final = ("postgresql", "postgres", "postgresql+asyncpg")
_KEY: Final = "[0-9A-Fa-f]{64}"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database URL. A relative SQLite path is made absolute; memory would lose everything and is refused."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        try:
            parts = urlsplit(value.text)
            _ = parts.port
        except ValueError:
            return reading.fault(value.line, key, "is no usable database URL", f"write {_DATABASES}")
        if parts.scheme in _POSTGRES:
            if not parts.path.strip("/"):
                return reading.fault(value.line, key, "names no database", "write postgresql://user@host/name")
            return "postgresql" + value.text[len(parts.scheme) :]
        if parts.scheme not in ("sqlite", "sqlite+aiosqlite"):
            return reading.fault(value.line, key, "is neither SQLite nor PostgreSQL", f"write {_DATABASES}")
        path = value.text.partition("://")[2]
        if not path.startswith("/") or path in ("/", "/:memory:") or "?" in path:
            return reading.fault(value.line, key, "names no database file", "write sqlite:/// and a path")
        return f"sqlite:///{reading.path(path[1:])}"

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "pattern": "^(sqlite:///.+|postgres(ql)?(\\+asyncpg)?://.+/.+)$"})


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """`host:port`, an IPv6 address in brackets."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", value.text)
        if found is None or int(found[3]) > 65535:
            remedy = "write host:port, for example 127.0.0.1:8700"
            return reading.fault(value.line, key, f"{shown(value)} is no address to listen on", remedy)
        return Listen(found[1] or found[2], int(found[3]))

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "pattern": "^.+:[0-9]{1,5}$"})


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """`{file: PATH}` is a key file the hub makes itself, so it need not be there; any other value is the key in hex."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        if isinstance(node, Table) and set(node.entries) == {"file"}:
            path = reading.scalar(node.entries["file"], f"{key}.file")
            if isinstance(path, Bad):
                return BAD
            try:
                return KeyFile(reading.path(path.text))
            except RuntimeError:
                return reading.fault(path.line, key, "names no usable path", "write {file: data/hub.key}")
        value = reading.scalar(node, key)
        if isinstance(value, Bad):
            return BAD
        if re.fullmatch(_KEY, value.text) is None:
            remedy = "write 64 hexadecimal digits (`openssl rand -hex 32`), or {file: data/hub.key}"
            return reading.fault(value.line, key, "is no key", remedy)
        return Secret(value.text)

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": "string", "pattern": f"^{_KEY}$"})


@dataclass(frozen=True, slots=True)
class SecretText:
    """A credential: the text as written, never shown."""

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        value = reading.scalar(node, key)
        return BAD if isinstance(value, Bad) else Secret(value.text)

    def schema(self) -> dict[str, Any]:
        return or_reference({"type": ["string", "number"]})


@dataclass(frozen=True, slots=True)
class Free:
    """A connector's own section: any tree, judged by the connector.

    Whole numbers, true, false and null are read as such. Other numbers stay the text they are
    written with, because a version `1.10` and a price are both no floats.
    """

    def read(self, node: Node, key: str, reading: Reading) -> Any:
        if isinstance(node, Table) and set(node.entries) != {"file"}:
            return self._table(node, key, reading)
        if isinstance(node, Items):
            return self._items(node, key, reading)
        if isinstance(node, Scalar) and node.kind == "null":
            return None
        value = reading.scalar(node, key)
        return BAD if isinstance(value, Bad) else _plain(value)

    def _table(self, node: Table, key: str, reading: Reading) -> dict[str, Any]:
        values = {}
        for name, inner in node.entries.items():
            reading.lines[f"{key}.{name}"] = node.key_lines[name]
            values[name] = self.read(inner, f"{key}.{name}", reading)
        return {name: value for name, value in values.items() if value is not BAD}

    def _items(self, node: Items, key: str, reading: Reading) -> list[Any]:
        values = []
        for at, inner in enumerate(node.nodes):
            reading.lines[f"{key}[{at}]"] = inner.line
            values.append(self.read(inner, f"{key}[{at}]", reading))
        return [value for value in values if value is not BAD]

    def schema(self) -> dict[str, Any]:
        return {}


def _plain(value: Scalar) -> str | int | bool:
    if value.kind == "bool":
        return value.text.lower() == "true"
    if value.kind == "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", value.text):
        return int(value.text)
    return value.text
