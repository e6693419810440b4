"""The catalogue file and the SKU table made from it: loaded at the start, followed while the hub runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

import config
from config import ConfigurationInvalid
from hub.orders.articles import EVERYBODY, gtin_name
from hub.ports.store import SkuRow, Store, StoreConflict, StoreUnavailable
from hub.runtime.drain import Drain

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
"""A change is taken once the file has stayed the same for this long, so that none is read half-written."""

_FORM = 2
"""Part of the digest: what is made of the same file has changed."""
_Stamp = tuple[int, int] | None


class Catalogue:
    """The configuration's `skus` file. For one event loop; the file is read in a thread."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path = path
        self._store = store
        self._loaded: _Stamp = None

    async def load(self) -> bool:
        """Make the SKU table equal to the file; True when that changed it. Raises `ConfigurationInvalid`."""
        self._loaded = self._stamp()
        rows, digest = await asyncio.to_thread(self._read)
        return await self._store.replace_catalogue(rows, digest)

    async def follow(self, changed: Callable[[], Awaitable[None]], drain: Drain) -> None:
        """Load again whenever the file changes, until the hub stops. A faulty file changes nothing and is logged.

        `changed` is called also where another process was first to load the same file: it may be one that judges none.
        """
        seen = self._loaded
        while not drain.stopping:
            await drain.pause(LOOK_EVERY_S)
            before, seen = seen, self._stamp()
            if seen is None or seen == self._loaded or seen != before:
                continue
            try:
                await self.load()
                _log.info("catalogue.loaded", file=self._path.name)
                await self._store.settled()
                await changed()
            except (StoreUnavailable, StoreConflict):
                self._loaded = None
            except ConfigurationInvalid as error:
                reason, count = str(error.faults[0]), len(error.faults)
                _log.error("catalogue.refused", file=self._path.name, reason=reason, count=count)

    def _stamp(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[list[SkuRow], str]:
        digest = config.skus_digest(self._path)
        rows = [
            SkuRow(e.sku, e.gtin, e.title, e.brand, e.tags, e.packs, e.components, e.aliases)
            for e in config.read_skus(self._path)
        ]
        return with_gtins(rows), f"{digest}:{_FORM}"


def with_gtins(rows: Sequence[SkuRow]) -> list[SkuRow]:
    """The same, each found by its article number too, where no other has that one."""
    names = [gtin_name(row.gtin) for row in rows]
    times = Counter(names)
    return [
        replace(row, aliases=(*row.aliases, (EVERYBODY, name))) if name and times[name] == 1 else row
        for row, name in zip(rows, names, strict=True)
    ]
