"""The catalogue file and the SKU table made from it: loaded at the start, followed while the hub runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

import config
from config import ConfigurationInvalid
from hub.ports.store import SkuRow, Store, StoreUnavailable
from hub.runtime.drain import Drain

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
"""A change is taken once the file has stayed the same for this long, so that none is read half-written."""

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
        """Load again whenever the file changes, until the hub stops. A faulty file changes nothing and is logged."""
        seen, owed = self._loaded, False
        while not drain.stopping:
            await drain.pause(LOOK_EVERY_S)
            before, seen = seen, self._stamp()
            if seen is None or seen == self._loaded or seen != before:
                continue
            try:
                owed = await self.load() or owed
                if owed:
                    _log.info("catalogue.loaded", file=self._path.name)
                    await changed()
                    owed = False
            except StoreUnavailable:
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
        return rows, digest
