"""Today's payload key of this process, and the others as they are met."""

from __future__ import annotations

import asyncio

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.store import Micros
from hub.storage.instants import DAY
from hub.storage.postgres.connection import Pool, fetch, first
from hub.storage.vault import SealBroken, Vault


class PayloadKeys:
    """Each process seals with a key of its own per day; any process opens what another sealed."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault
        self._day: Micros | None = None
        self._id = 0
        self._ciphers: dict[int, AESGCM] = {}
        self._making = asyncio.Lock()

    async def today(self, now: Micros) -> tuple[int, AESGCM]:
        """The key is committed before the first payload sealed with it."""
        day = now // DAY
        async with self._making:
            if self._day != day:
                cipher, wrapped = self._vault.new_payload_key(day)
                rows = await fetch(
                    self._pool, "INSERT INTO payload_keys (day, wrapped) VALUES ($1, $2) RETURNING id", day, wrapped
                )
                self._day, self._id = day, rows[0][0]
                self._ciphers[self._id] = cipher
        return self._id, self._ciphers[self._id]

    async def of(self, key_id: int) -> AESGCM:
        """Raises SealBroken when that key was shredded."""
        if key_id not in self._ciphers:
            row = await first(self._pool, "SELECT day, wrapped FROM payload_keys WHERE id = $1", key_id)
            if row is None:
                raise SealBroken(f"payload key {key_id} is gone")
            self._ciphers[key_id] = self._vault.payload_key(row[0], row[1])
        return self._ciphers[key_id]

    def forget(self) -> None:
        """After shredding: nothing is sealed or opened with a key that may be gone."""
        self._day = None
        self._ciphers.clear()
