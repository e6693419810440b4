"""The EDI connector: one trading partner per account, over whichever transport was agreed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import ClassVar

from connectors.edi import manifest, settings
from connectors.edi.as2_link import As2Link
from connectors.edi.link import Link
from connectors.edi.mailbox_link import Mailbox, MailboxLink, Place
from connectors.edi.outward import OutgoingFile, file_of
from connectors.edi.transport.folder import FolderSettings, FolderTransport
from connectors.edi.transport.sftp import SftpSettings, SftpTransport
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
from connectors.sdk.manifest import Manifest
from mappings.edi.partners import PartnerProfile


class EdiConnector:
    """Everything the manifest declares. For one event loop; its methods may run side by side.

    It carries files and never looks into them: what is in them is the hub's business, by the same profile.
    """

    manifest: ClassVar[Manifest] = manifest.MANIFEST

    def __init__(self, ctx: AccountContext) -> None:
        self._ctx = ctx
        found = settings.read(ctx)
        self.partner: PartnerProfile = found.partner
        self._link = link_of(ctx, found.transport)

    def __repr__(self) -> str:
        return f"EdiConnector({self._ctx.account!r})"

    async def close(self) -> None:
        await self._link.close()

    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:  # noqa: ARG002 - a mailbox has no past
        """The files that are ready now; whether they are older than `since` does not matter, none is left behind."""
        if stream != manifest.FILES:
            raise Rejected(f"EDI has no stream {stream!r}; known is {manifest.FILES}", code="unknown_stream")
        return await self._link.fetch(cursor, limit)

    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply:
        return await self._link.receive(request, keeper)

    async def send(self, effect: Effect) -> EffectResult:
        if effect.kind == manifest.SEND_RECEIPT:
            return await self._link.acknowledge(effect)
        return await self._link.deliver(await _file(effect))

    async def settle(self, effect: Effect) -> Settlement:
        if effect.kind == manifest.SEND_RECEIPT:
            return await self._link.acknowledged(effect)
        return await self._link.settle(await _file(effect))

    async def check(self) -> CheckReport:
        """Folders and their rights; the server, its key and the login; certificates and whether the partner answers."""
        found = await self._link.check()
        return CheckReport(f"{self.partner.name} at {found.who}", found.detail, found.warnings)


def link_of(ctx: AccountContext, transport: settings.TransportSettings) -> Link:
    """The transport at work; nothing is connected yet."""
    if isinstance(transport, FolderSettings):
        folder = FolderTransport(transport, ctx.clock)

        @asynccontextmanager
        async def beside() -> AsyncIterator[Mailbox]:
            yield folder

        return MailboxLink(ctx, Place("folder", str(transport.inbox or transport.outbox)), beside)
    if isinstance(transport, SftpSettings):
        login = transport.login
        sftp = SftpTransport(transport, ctx.clock)
        return MailboxLink(ctx, Place("sftp", f"{login.username}@{login.host}:{login.port}"), sftp.connected)
    return As2Link(ctx, transport)


async def _file(effect: Effect) -> OutgoingFile:
    """A large file is not unpacked on the event loop."""
    return await asyncio.to_thread(file_of, _known(effect))


def _known(effect: Effect) -> Effect:
    if effect.kind != manifest.SEND_FILE:
        raise Rejected(f"EDI sends no effect {effect.kind!r}", code="unknown_effect")
    return effect
