"""Trading over a mailbox: a folder, or one on an SFTP server.

Inward, a page hands files over and takes nothing away; its cursor names them, and the next page, asked for once the
first is stored, puts them away. Outward, the journal says how far a file came: complete under its temporary name, or
there. Wherever a process is killed, a file is neither lost nor taken twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from connectors.edi.errors import one_of_many
from connectors.edi.journal import Journal
from connectors.edi.link import interchange, told
from connectors.edi.outward import OutgoingFile
from connectors.edi.transport.arrival import Delivered, Looked, Staged
from connectors.edi.transport.mailbox import Seen
from connectors.sdk.contract import (
    AccountContext,
    CheckReport,
    Cursor,
    Effect,
    EffectResult,
    Page,
    Settlement,
    WebhookReply,
    WebhookRequest,
)
from connectors.sdk.errors import Rejected
from connectors.sdk.files import Keeper

PAGE_BYTES_MAX: Final = 32 * 1024 * 1024
"""Of one page: it is in memory, and in one unit of the store."""
KEPT: Final = "kept"
STAGED: Final = "staged"
DONE: Final = "done"


class Mailbox(Protocol):
    """A folder, or an open session on a server."""

    async def look(self, files_max: int, bytes_max: int) -> Looked: ...

    async def put_away(self, seen: Seen, digest: str) -> None: ...

    async def deliver(self, name: str, body: bytes, staged: Staged | None = None) -> Delivered: ...

    async def settle(self, name: str, body: bytes, *, staged: bool = True) -> Delivered | None: ...

    async def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """What a mailbox is called, for people and records: `folder` or `sftp`, and where."""

    kind: str
    where: str


class MailboxLink:
    """For one event loop. Looks are made one after another; deliveries may run beside them."""

    def __init__(
        self, ctx: AccountContext, place: Place, connected: Callable[[], AbstractAsyncContextManager[Mailbox]]
    ) -> None:
        self._ctx = ctx
        self._place = place
        self._connected = connected
        self._journal = Journal(ctx.tokens, "deliveries")
        self._looking = asyncio.Lock()

    async def fetch(self, cursor: Cursor | None, limit: int) -> Page:
        """Put away what the cursor says is kept, then hand over what is ready.

        Raises:
            Rejected: All others are taken, but some files cannot be (too large, unreadable); names one.
        """
        async with self._looking:
            with told(self._ctx, f"{self._place.kind}.look", "GET", self._place.where):
                async with self._connected() as mailbox:
                    for seen, digest in _kept(cursor):
                        await mailbox.put_away(seen, digest)
                    looked = await mailbox.look(limit, PAGE_BYTES_MAX)
        if not looked.held and looked.failed:
            raise one_of_many(dict(looked.failed))
        kept = [[seen.name, seen.size, seen.changed, arrival.sha256] for seen, arrival in looked.held]
        envelopes = [interchange(arrival) for _, arrival in looked.held]
        return Page(envelopes, {KEPT: kept} if kept else {}, more=bool(kept))

    async def deliver(self, file: OutgoingFile) -> EffectResult:
        """Once in effect: what an earlier try has done is looked for first."""
        with told(self._ctx, f"{self._place.kind}.deliver", "PUT", f"{self._place.where}/{file.name}"):
            noted = (await self._journal.find(file.key)).get("state")
            async with self._connected() as mailbox:
                found = None
                if noted == STAGED:
                    found = await mailbox.settle(file.name, file.content)
                if found is None and noted != DONE:
                    found = await mailbox.deliver(file.name, file.content, lambda: self._note(file, STAGED))
        await self._note(file, DONE)
        return EffectResult(vendor_id=file.name, note=found.value if found is not None else "delivered before")

    async def settle(self, file: OutgoingFile) -> Settlement:
        noted = (await self._journal.find(file.key)).get("state")
        if noted == DONE:
            return Settlement.APPLIED
        with told(self._ctx, f"{self._place.kind}.settle", "GET", f"{self._place.where}/{file.name}"):
            async with self._connected() as mailbox:
                found = await mailbox.settle(file.name, file.content, staged=noted == STAGED)
        return Settlement.NOT_APPLIED if found is None else Settlement.APPLIED

    async def acknowledge(self, effect: Effect) -> EffectResult:
        raise Rejected(f"a {self._place.kind} owes no receipts; effect {effect.id} cannot be sent", code="no_receipts")

    async def acknowledged(self, effect: Effect) -> Settlement:  # noqa: ARG002 - named by the contract
        return Settlement.NOT_APPLIED

    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply:  # noqa: ARG002 - named by the contract
        return WebhookReply(404, b"This account takes no files over HTTP.\n", "text/plain")

    async def check(self) -> CheckReport:
        with told(self._ctx, f"{self._place.kind}.check", "GET", self._place.where):
            async with self._connected() as mailbox:
                await mailbox.check()
        return CheckReport(self._place.where, {"transport": self._place.kind})

    async def close(self) -> None:
        """Nothing stays open between two looks."""

    async def _note(self, file: OutgoingFile, state: str) -> None:
        await self._journal.note(file.key, {"state": state})


def _kept(cursor: Cursor | None) -> Sequence[tuple[Seen, str]]:
    """Files the page before handed over. A cursor of another shape names none: they come again under their keys."""
    rows: Any = (cursor or {}).get(KEPT, [])
    return [
        (Seen(row[0], row[1], row[2]), row[3])
        for row in rows
        if isinstance(row, list) and len(row) == 4 and isinstance(row[0], str) and _is_plain(row[0])
    ]


def _is_plain(name: str) -> bool:
    return bool(name) and "/" not in name and name not in {".", ".."}
