"""The act of moving stock between locations, put together from its use case (`hub.api.transfers.Moves`)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from hub.api.backend import BadRequest
from hub.bootstrap.desk import Desk
from hub.ports.store import StoreConflict
from hub.services.transfers import TransferConflict, TransferRefused, Transfers

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moving:
    """Acts on the desk's database; a refusal becomes the answer it is."""

    desk: Desk

    async def transfer(self, body: Json, *, key: str, actor: str) -> Json:
        desk = self.desk
        if desk.store is None:
            raise BadRequest("The database is open for reading only.", status=409)
        transfers = Transfers(desk.store, desk.plans, tuple(desk.settings.locations))
        try:
            done = await transfers.create(body, key=key or os.urandom(16).hex(), actor=actor)
        except TransferConflict as error:
            raise BadRequest(str(error), status=409) from None
        except TransferRefused as error:
            raise BadRequest(str(error)) from None
        except StoreConflict:
            raise BadRequest("The stock changed at the same moment; ask again.", status=409) from None
        if desk.running is not None:
            desk.running.changed()
        return asdict(done)
