"""The store port on SQLite and PostgreSQL: open one with `open_store`."""

from __future__ import annotations

from hub.storage.errors import (
    FatalStoreError,
    SchemaOutdated,
    SchemaUnknown,
    StorageError,
    StoreLocked,
    StoreMissing,
    WrongKey,
)
from hub.storage.opening import open_store

__all__ = [
    "FatalStoreError",
    "SchemaOutdated",
    "SchemaUnknown",
    "StorageError",
    "StoreLocked",
    "StoreMissing",
    "WrongKey",
    "open_store",
]
