"""Sending a file again: the same bytes under the same control numbers, because a person asked for it."""

from __future__ import annotations

import json
from dataclasses import replace

from hub.ports.queries import Queries
from hub.ports.store import AuditEntry, FileRow, Micros, OutboxState, ReadSet, State, Store, WriteSet
from hub.trading.outbound import effect_of, sending_key


class CannotResend(Exception):
    """The sentence says why, and what to do instead."""


class UnknownFile(LookupError):
    """No file has this id."""


class Resending:
    def __init__(self, store: Store, queries: Queries) -> None:
        self._store = store
        self._queries = queries

    async def resend(self, file: str, *, now: Micros, actor: str) -> FileRow:
        """Queue one more sending; the file as it is then.

        Raises:
            UnknownFile: no such file.
            CannotResend: it is not ours, its bytes are forgotten, or an earlier sending is not over, that of somebody
                who asked at the same moment included.
        """
        row = await self._queries.file(file)
        if row is None:
            raise UnknownFile(f"there is no file {file}")
        if row.direction != "out":
            raise CannotResend(f"{file} was received; only files made here can be sent again")
        await self._require_free(row)
        if await self._store.file_content(file) is None:
            raise CannotResend(f"the bytes of {file} are forgotten; have its documents rendered again instead")
        lane = str(json.loads(row.detail).get("lane", ""))

        def decide(state: State) -> WriteSet:
            known = state.files[file]
            if known.sends != row.sends:
                raise CannotResend(f"{file} is on its way already: somebody else asked for it at this moment")
            again = replace(known, sends=known.sends + 1)
            entry = AuditEntry(actor, "edi.resent", file, json.dumps({"name": row.name, "control": row.control}))
            return WriteSet(files=[again], effects=[effect_of(again, lane, now, now)], audit=[entry])

        written = await self._store.run(ReadSet(files={file}), decide)
        return written.files[0]

    async def _require_free(self, row: FileRow) -> None:
        sendings = await self._queries.sendings([sending_key(row.id, number) for number in range(1, row.sends + 1)])
        for one in sendings:
            if one.state is OutboxState.FAILED:
                raise CannotResend(
                    f"an earlier sending of {row.id} failed (effect {one.id}); replay that failure, or discard it first"
                )
            if one.state not in {OutboxState.DONE, OutboxState.CANCELLED}:
                raise CannotResend(f"{row.id} is still on its way (effect {one.id} is {one.state.value})")
