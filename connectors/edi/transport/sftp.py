"""A partner's mailbox on an SFTP server: the promises of a folder, over a connection that may break at any point.

Source: draft-ietf-secsh-filexfer-02, SFTP 3, sections 6.5 and 6.8 (2001-10): `rename` does not replace.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, cast

import asyncssh

from connectors.edi.transport.arrival import (
    Arrival,
    Collected,
    Delivered,
    Keeping,
    Looked,
    Staged,
    Store,
    digest_of,
    refuse_unfit,
    stored,
)
from connectors.edi.transport.mailbox import (
    MailboxRules,
    Seen,
    StabilityWatch,
    archive_name,
    checked_name,
    temporary_name,
)
from connectors.edi.transport.sftp_login import CONNECTION_LOST, SftpLogin, session, sftp_errors
from connectors.sdk.errors import ConnectorError, InDoubt, Rejected, TargetMissing, Transient
from connectors.sdk.ports import Clock

_REGULAR: Final = frozenset({asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN})
"""Some servers tell no kind; a folder taken for a file by that fails when it is opened, and is named."""


class StillChanging(Exception):
    """The file was written to while it was fetched."""


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """One partner's mailbox. Paths are the server's, relative to the login's folder unless they begin with `/`.

    Args:
        archive: Where fetched files go on the server; must exist. Empty: they are removed, because the partner says so.
        remove: Said explicitly, so that nothing is deleted for want of a setting.
        file_timeout_s: For one step over one file.
    """

    login: SftpLogin
    inbox: str = ""
    archive: str = ""
    remove: bool = False
    outbox: str = ""
    rules: MailboxRules = field(default_factory=MailboxRules)
    file_timeout_s: float = 120.0

    def __post_init__(self) -> None:
        if not self.inbox and not self.outbox:
            raise ValueError("an SFTP transport has an inbox, an outbox or both; `.` is the login's own folder")
        if self.inbox and bool(self.archive) == self.remove:
            raise ValueError("what was fetched is either moved to the archive or removed: set one of the two")
        places = [place.rstrip("/") for place in (self.inbox, self.archive, self.outbox) if place]
        if len(set(places)) != len(places):
            raise ValueError("inbox, archive and outbox are three different folders")


class SftpTransport:
    """Remembers between looks which files have been quiet. One task at a time may be `connected`."""

    def __init__(self, settings: SftpSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.watch = StabilityWatch(settings.rules)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[SftpMailbox]:
        """Raises: ConnectorError: See `session`."""
        async with session(self.settings.login) as sftp:
            yield SftpMailbox(self, sftp)


class SftpMailbox:
    """One session on the mailbox."""

    def __init__(self, transport: SftpTransport, sftp: asyncssh.SFTPClient) -> None:
        self._settings = transport.settings
        self._clock = transport.clock
        self._watch = transport.watch
        self._sftp = sftp

    async def collect(self, store: Store) -> Collected:
        """Take every file that has stopped changing, oldest first; the next look takes what this one could not.

        A connection that breaks between storing and archiving brings the file again under the same key.

        Raises:
            ConnectorError: The inbox cannot be read, or the connection broke; what the store raises goes through.
        """
        if not self._settings.inbox:
            return Collected()
        found = self._watch.judge(await self._list(), self._clock.monotonic())
        for orphan in found.orphans:
            await self._remove_if_there(_joined(self._settings.inbox, orphan))
        kept: list[tuple[str, Keeping]] = []
        waiting = list(found.waiting)
        failed: dict[str, ConnectorError] = {}
        for seen in found.ready:
            try:
                kept.append((seen.name, await self._take(seen, store)))
                self._watch.forget(seen.name)
            except StillChanging:
                self._watch.forget(seen.name)
                waiting.append(seen.name)
            except ConnectorError as error:
                if error.code == CONNECTION_LOST:
                    raise
                failed[seen.name] = error
        return Collected(tuple(kept), tuple(waiting), failed)

    async def look(self, files_max: int, bytes_max: int) -> Looked:
        """Fetch what has stopped changing, oldest first, and leave it where it is until `put_away`.

        Args:
            bytes_max: Nothing further is fetched once this much is in memory; one file always is.

        Raises:
            ConnectorError: The inbox cannot be read, or the connection broke.
        """
        if not self._settings.inbox:
            return Looked()
        found = self._watch.judge(await self._list(), self._clock.monotonic())
        for orphan in found.orphans:
            await self._remove_if_there(_joined(self._settings.inbox, orphan))
        held: list[tuple[Seen, Arrival]] = []
        waiting = list(found.waiting)
        failed: dict[str, ConnectorError] = {}
        size = 0
        for seen in found.ready:
            if len(held) >= files_max or (held and size + seen.size > bytes_max):
                return Looked(tuple(held), tuple(waiting), failed, more=True)
            try:
                held.append((seen, await self._arrival(seen)))
                size += seen.size
            except StillChanging:
                self._watch.forget(seen.name)
                waiting.append(seen.name)
            except ConnectorError as error:
                if error.code == CONNECTION_LOST:
                    raise
                failed[seen.name] = error
        return Looked(tuple(held), tuple(waiting), failed)

    async def put_away(self, seen: Seen, digest: str) -> None:
        """Archive or remove a file that is kept. One that is gone, or that is another by now, is left alone.

        Raises:
            ConnectorError: It could not be moved; asked again later it will be.
        """
        path = _joined(self._settings.inbox, seen.name)
        there = await self._lstat(path)
        if there is not None and (there.size, _changed(there)) == (seen.size, seen.changed):
            await self._put_away(path, seen, digest)
            self._watch.forget(seen.name)

    async def deliver(self, name: str, body: bytes, staged: Staged | None = None) -> Delivered:
        """Put a file into the outbox under a temporary name, then rename it.

        Raises:
            Rejected: The name is not one for a file, is taken by other content, or there is no outbox.
            Transient: Before the renaming: nothing has appeared, send again.
            InDoubt: The connection broke while renaming: ask `settle`.
            AuthFailed: The folder does not let us write.
        """
        target, temporary = self._outbound(name)
        if await self._matches(target, body):
            return Delivered.ALREADY_THERE
        async with self._step(f"{name}: writing"):
            async with self._sftp.open(temporary, "wb") as file:
                await file.write(body)
                await _sync(file)
            written = (await self._sftp.stat(temporary)).size
        if written != len(body):
            raise Transient(f"{name}: {written} of {len(body)} bytes arrived", code="sftp_short")
        if staged is not None:
            await staged()
        try:
            async with self._step(f"{name}: renaming"):
                await self._sftp.rename(temporary, target)
        except Transient as error:
            if error.code != CONNECTION_LOST:
                raise
            raise InDoubt(f"{name}: the connection broke while renaming", code="sftp_rename") from error
        if self._settings.rules.done_suffix:
            await self._announce(target)
        return Delivered.WRITTEN

    async def settle(self, name: str, body: bytes, *, staged: bool = True) -> Delivered | None:
        """After an `InDoubt` or a crash: has the file appeared? None says that it has not, and may be sent again.

        Args:
            staged: Whether it is known to have lain complete under its temporary name.

        Raises:
            Rejected: The name holds other content.
        """
        target, temporary = self._outbound(name)
        there = await self._matches(target, body)
        if not there and (not staged or await self._lstat(temporary) is not None):
            return None
        if self._settings.rules.done_suffix:
            await self._announce(target)
        # Neither name is there: the temporary one went by the renaming, the other by the partner.
        return Delivered.WRITTEN if there else Delivered.COLLECTED

    async def check(self) -> None:
        """Every folder is there and may be listed.

        Raises:
            ConnectorError: Naming the folder.
        """
        for folder in (self._settings.inbox, self._settings.archive, self._settings.outbox):
            if folder:
                async with self._step(folder):
                    await self._sftp.listdir(folder)

    async def _list(self) -> list[Seen]:
        async with self._step("the inbox"):
            entries = await self._sftp.readdir(self._settings.inbox)
        found = []
        for entry in entries:
            name = entry.filename
            # The server's word for a name is not to be trusted with our paths.
            if not isinstance(name, str) or "/" in name or name in {".", ".."}:
                continue
            if entry.attrs.type in _REGULAR and entry.attrs.size is not None:
                found.append(Seen(name, entry.attrs.size, _changed(entry.attrs)))
        return found

    async def _take(self, seen: Seen, store: Store) -> Keeping:
        arrival = await self._arrival(seen)
        keeping = await stored(store, arrival)
        await self._put_away(_joined(self._settings.inbox, seen.name), seen, arrival.sha256)
        return keeping

    async def _arrival(self, seen: Seen) -> Arrival:
        refuse_unfit(seen, self._settings.rules.bytes_max)
        body = await self._fetch(_joined(self._settings.inbox, seen.name), seen)
        digest = await digest_of(body)
        return Arrival(
            key=f"sftp:{seen.name}:{seen.changed}:{digest}",
            name=seen.name,
            body=body,
            received_at=self._clock.now(),
            attributes={"file": seen.name, "host": self._settings.login.host},
            digest=digest,
        )

    async def _fetch(self, path: str, seen: Seen) -> bytes:
        try:
            async with self._step(f"{seen.name}: fetching"):
                body = await self._read(path, seen.size + 1)
                after = await self._sftp.stat(path)
        except TargetMissing as error:
            raise StillChanging(seen.name) from error
        if len(body) != seen.size or (after.size, _changed(after)) != (seen.size, seen.changed):
            raise StillChanging(seen.name)
        return body

    async def _put_away(self, path: str, seen: Seen, digest: str) -> None:
        if self._settings.remove:
            async with self._step(f"{seen.name}: removing"):
                await self._sftp.remove(path)
        else:
            target = _joined(self._settings.archive, seen.name)
            if await self._lstat(target) is not None:
                target = _joined(self._settings.archive, archive_name(seen.name, digest, taken=True))
            if await self._lstat(target) is not None:
                target = f"{target}.{seen.changed}"
            async with self._step(f"{seen.name}: archiving"):
                await self._sftp.rename(path, target)
        if self._settings.rules.done_suffix:
            await self._remove_if_there(path + self._settings.rules.done_suffix)

    def _outbound(self, name: str) -> tuple[str, str]:
        if not self._settings.outbox:
            raise Rejected("this partner has no outbox", code="no_outbox")
        try:
            checked = checked_name(name)
        except ValueError as error:
            raise Rejected(str(error), code="bad_file_name") from error
        return _joined(self._settings.outbox, checked), _joined(self._settings.outbox, temporary_name(checked))

    async def _matches(self, target: str, body: bytes) -> bool:
        """Is it there, with this content?

        Raises:
            Rejected: It is there with another.
        """
        status = await self._lstat(target)
        if status is None:
            return False
        content = b""
        if status.size == len(body):
            async with self._step(f"{target}: comparing"):
                content = await self._read(target, len(body) + 1)
        if status.size != len(body) or content != body:
            raise Rejected(f"{target} exists with other content", code="file_exists")
        return True

    async def _announce(self, target: str) -> None:
        done = target + self._settings.rules.done_suffix
        async with self._step(f"{done}: writing"), self._sftp.open(done, "wb"):
            pass

    async def _remove_if_there(self, path: str) -> None:
        """Done-files: some partners tidy them up themselves."""
        with contextlib.suppress(TargetMissing):
            async with self._step(f"{path}: removing"):
                await self._sftp.remove(path)

    async def _lstat(self, path: str) -> asyncssh.SFTPAttrs | None:
        try:
            async with self._step(path):
                return await self._sftp.lstat(path)
        except TargetMissing:
            return None

    async def _read(self, path: str, bytes_max: int) -> bytes:
        async with self._sftp.open(path, "rb") as file:
            # Opened as binary it gives bytes; the library's type covers text as well.
            return cast("bytes", await file.read(bytes_max))

    @asynccontextmanager
    async def _step(self, what: str) -> AsyncIterator[None]:
        with sftp_errors(what):
            async with asyncio.timeout(self._settings.file_timeout_s):
                yield


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _changed(attributes: asyncssh.SFTPAttrs) -> int:
    return (attributes.mtime or 0) * 1_000_000_000 + (attributes.mtime_ns or 0)


async def _sync(file: asyncssh.SFTPClientFile) -> None:
    """Where the server offers it; the protocol of most years has no such thing."""
    try:
        await file.fsync()
    except asyncssh.SFTPOpUnsupported:
        return
