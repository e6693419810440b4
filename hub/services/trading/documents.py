"""Documents for partners become files: rendered outside the unit, numbered, enveloped and queued inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from canonical.errors import MappingError
from hub.ports.queries import Queries
from hub.ports.store import (
    InboxItem,
    InboxResult,
    InboxState,
    NewFailure,
    ReadSet,
    State,
    Store,
    WriteSet,
)
from hub.services.interpret import Corrected, unchanging
from hub.trading import composing
from hub.trading.outbound import local
from hub.trading.parking import INBOUND
from hub.trading.replies import REJECTED
from mappings import MappingSet
from mappings.edi import NotWritable
from mappings.edi.partners import PartnerProfile

_ON_LOOP_MAX: Final = 256 * 1024

_log = structlog.get_logger(__name__)


class Documents:
    """Composes `outgoing` inputs. Each becomes one file, once; a refused one becomes another when replayed.

    Args:
        maps: The account's mapping set, by account.
    """

    def __init__(
        self, store: Store, queries: Queries, maps: Mapping[str, MappingSet], corrected: Corrected = unchanging
    ) -> None:
        self._store = store
        self._queries = queries
        self._maps = maps
        self._corrected = corrected

    async def send(self, item: InboxItem, partner: PartnerProfile, now: int) -> bool:
        """True when a file was queued. What cannot be written is parked with its field."""
        if await self._sent_before(item):
            await self._store.run(ReadSet(), lambda _: WriteSet(inbox=[InboxResult(item.seq, InboxState.DONE)]))
            return False
        if item.attempts:
            self._corrected(item.account)
        try:
            wanted = composing.wanted_of(item)
            mapping, at = self._maps[item.account], local(now, partner)
            if len(item.payload) <= _ON_LOOP_MAX:
                one = composing.written(wanted, mapping, partner, at)
            else:
                one = await asyncio.to_thread(composing.written, wanted, mapping, partner, at)
            written = await self._store.run(
                composing.reads_of(item), lambda state: composing.compose(state, item, wanted, one, partner)
            )
        except MappingError as error:
            await self._park(item, error.code, error.target or error.path, str(error))
            return False
        except NotWritable as error:
            await self._park(item, "not_writable", "", str(error))
            return False
        for row in written.files:
            _log.info(
                "file.made", account=row.account, file=row.id, kind=wanted.kind, control=row.control, size=row.size
            )
        return bool(written.effects)

    async def _sent_before(self, item: InboxItem) -> bool:
        """Whether a file was made of this input and the partner has not refused it."""
        seen: list[str] = []

        def look(state: State) -> WriteSet:
            seen[:] = [number.file for number in state.numbers.values()]
            return WriteSet()

        await self._store.run(ReadSet(numbers={(item.account, composing.made_key(item.seq))}), look)
        for file in seen:
            return not any(row.state == REJECTED for row in await self._queries.file_sets(file))
        return False

    async def _park(self, item: InboxItem, code: str, path: str, message: str) -> None:
        failure = NewFailure(
            account=item.account,
            kind=INBOUND,
            reference=str(item.seq),
            error="MappingError",
            code=code,
            path=path,
            message=f"not sent: {message}",
            fingerprint=f"{item.account}:outgoing:{code}:{path}",
            attempts=item.attempts + 1,
            origin=item.origin,
        )
        result = InboxResult(item.seq, InboxState.FAILED, attempts=item.attempts + 1)
        await self._store.run(ReadSet(), lambda _: WriteSet(inbox=[result], failures=[failure]))
        _log.warning("document.quarantined", account=item.account, seq=item.seq, code=code)
