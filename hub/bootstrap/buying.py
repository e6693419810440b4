"""The acts on purchase orders, put together from the use cases (`hub.api.purchasing.Buys`)."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import Any

from hub.api.backend import BadRequest
from hub.bootstrap.desk import Desk
from hub.ports.store import Store, StoreConflict
from hub.purchasing.asking import PurchaseRefused
from hub.services.purchasing import Purchasing
from hub.services.purchasing_receipts import Receipts
from hub.services.purchasing_unit import Done, PurchaseConflict, UnknownPurchaseOrder

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Buying:
    """Acts on the desk's database; a refusal becomes the answer it is."""

    desk: Desk

    async def create(self, body: Json, actor: str) -> Json:
        return await self._done(self._acts().create(body, actor=actor))

    async def send(self, number: str, key: str, actor: str) -> Json:
        return await self._done(self._acts().send(number, key=_key(key), actor=actor))

    async def change(self, number: str, body: Json, key: str, actor: str) -> Json:
        expected = body.get("revision")
        act = self._acts().change(number, body["lines"], key=_key(key), actor=actor, expected=expected)
        return await self._done(act)

    async def receive(self, number: str, body: Json, key: str, actor: str) -> Json:
        receipts = Receipts(self._store(), self.desk.plans, tuple(self.desk.settings.locations))
        return await self._done(receipts.receive(number, body, key=_key(key), actor=actor))

    async def cancel(self, number: str, reason: str, key: str, actor: str) -> Json:
        return await self._done(self._acts().cancel(number, key=_key(key), actor=actor, reason=reason))

    async def close(self, number: str, reason: str, key: str, actor: str) -> Json:
        return await self._done(self._acts().close(number, key=_key(key), actor=actor, reason=reason))

    def _acts(self) -> Purchasing:
        return Purchasing(self._store(), self.desk.plans, tuple(self.desk.settings.locations), self.desk.queries)

    def _store(self) -> Store:
        if self.desk.store is None:
            raise BadRequest("The database is open for reading only.", status=409)
        return self.desk.store

    async def _done(self, act: Awaitable[Done]) -> Json:
        try:
            done = await act
        except UnknownPurchaseOrder as error:
            raise BadRequest(str(error), status=404) from None
        except PurchaseRefused as error:
            raise BadRequest(str(error)) from None
        except PurchaseConflict as error:
            raise BadRequest(str(error), status=409) from None
        except StoreConflict:
            raise BadRequest("The order changed at the same moment; ask again.", status=409) from None
        if self.desk.running is not None:
            self.desk.running.changed()
        return asdict(done)


def _key(given: str) -> str:
    return given or os.urandom(16).hex()
