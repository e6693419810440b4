"""Files in a folder both sides reach: a share, a VAN's client, another program on this machine.

Inward, a file is read whole when it has stopped changing, stored, and only then moved to the
archive. Outward, it is written under a temporary name, synced, and appears under its own name at
once and whole. Nothing is ever overwritten.

Source: POSIX.1-2017 `rename`, `link`, `fsync` for what is atomic and what survives a power cut (2018-01).
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
from connectors.sdk.errors import AuthFailed, AuthReason, ConnectorError, Rejected, Transient
from connectors.sdk.ports import Clock

_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without hard links (FAT, some shares) answer to `link`."""


class StillChanging(Exception):
    """The file was written to while it was read."""


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """Folders of one partner. They exist already: a typing error must not create an empty mailbox nobody writes to.

    Args:
        archive: Where stored files go, below a folder per day (UTC).
    """

    inbox: Path | None = None
    archive: Path | None = None
    outbox: Path | None = None
    rules: MailboxRules = field(default_factory=MailboxRules)

    def __post_init__(self) -> None:
        if self.inbox is None and self.outbox is None:
            raise ValueError("a folder transport has an inbox, an outbox or both")
        if (self.inbox is None) != (self.archive is None):
            raise ValueError("inbox and archive go together: what is stored is moved, never deleted")
        places = [place for place in (self.inbox, self.archive, self.outbox) if place is not None]
        if len({place.resolve() for place in places}) != len(places):
            raise ValueError("inbox, archive and outbox are three different folders")


class FolderTransport:
    """One partner's folders. One task at a time may `collect`; deliveries of different names may run beside it."""

    def __init__(self, settings: FolderSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._watch = StabilityWatch(settings.rules)

    async def collect(self, store: Store) -> Collected:
        """Take every file that has stopped changing, oldest first.

        A crash between storing and archiving brings the file again under the same key.

        Raises:
            ConnectorError: The folder itself cannot be read; what the store raises goes through.
        """
        inbox, archive = self._settings.inbox, self._settings.archive
        if inbox is None or archive is None:
            return Collected()
        listed = await asyncio.to_thread(_list, inbox)
        found = self._watch.judge(listed, self._clock.monotonic())
        for orphan in found.orphans:
            await asyncio.to_thread(_remove, inbox / orphan)
        kept: list[tuple[str, Keeping]] = []
        waiting = list(found.waiting)
        failed: dict[str, ConnectorError] = {}
        for seen in found.ready:
            try:
                kept.append((seen.name, await self._take(inbox, archive, seen, store)))
                self._watch.forget(seen.name)
            except StillChanging:
                self._watch.forget(seen.name)
                waiting.append(seen.name)
            except ConnectorError as error:
                failed[seen.name] = error
        return Collected(tuple(kept), tuple(waiting), failed)

    async def look(self, files_max: int, bytes_max: int) -> Looked:
        """Read what has stopped changing, oldest first, and leave it where it is until `put_away`.

        Args:
            bytes_max: Nothing further is read once this much is in memory; one file always is.

        Raises:
            ConnectorError: The folder itself cannot be read.
        """
        inbox = self._settings.inbox
        if inbox is None:
            return Looked()
        found = self._watch.judge(await asyncio.to_thread(_list, inbox), self._clock.monotonic())
        for orphan in found.orphans:
            await asyncio.to_thread(_remove, inbox / orphan)
        held: list[tuple[Seen, Arrival]] = []
        waiting = list(found.waiting)
        failed: dict[str, ConnectorError] = {}
        size = 0
        for seen in found.ready:
            if len(held) >= files_max or (held and size + seen.size > bytes_max):
                return Looked(tuple(held), tuple(waiting), failed, more=True)
            try:
                held.append((seen, await self._arrival(inbox, seen)))
                size += seen.size
            except StillChanging:
                self._watch.forget(seen.name)
                waiting.append(seen.name)
            except ConnectorError as error:
                failed[seen.name] = error
        return Looked(tuple(held), tuple(waiting), failed)

    async def put_away(self, seen: Seen, digest: str) -> None:
        """Archive a file that is kept. One that is gone, or that is another by now, is left alone.

        Raises:
            ConnectorError: It could not be moved; asked again later it will be.
        """
        inbox, archive = self._settings.inbox, self._settings.archive
        if inbox is None or archive is None:
            return
        day = archive / self._clock.now().strftime("%Y-%m-%d")
        if await asyncio.to_thread(_is_still, inbox / seen.name, seen):
            await asyncio.to_thread(_archive, inbox / seen.name, day, digest, self._settings.rules.done_suffix)
            self._watch.forget(seen.name)

    async def _take(self, inbox: Path, archive: Path, seen: Seen, store: Store) -> Keeping:
        arrival = await self._arrival(inbox, seen)
        keeping = await stored(store, arrival)
        day = archive / arrival.received_at.strftime("%Y-%m-%d")
        suffix = self._settings.rules.done_suffix
        await asyncio.to_thread(_archive, inbox / seen.name, day, arrival.sha256, suffix)
        return keeping

    async def _arrival(self, inbox: Path, seen: Seen) -> Arrival:
        refuse_unfit(seen, self._settings.rules.bytes_max)
        body = await asyncio.to_thread(_read, inbox / seen.name, seen)
        digest = await digest_of(body)
        return Arrival(
            # The time is part of the key: a partner that sends the same file again wants it answered again.
            key=f"folder:{seen.name}:{seen.changed}:{digest}",
            name=seen.name,
            body=body,
            received_at=self._clock.now(),
            attributes={"file": seen.name},
            digest=digest,
        )

    async def deliver(self, name: str, body: bytes, staged: Staged | None = None) -> Delivered:
        """Put a file into the outbox, durable when this returns. Trying again after any failure is harmless.

        Raises:
            Rejected: The name is not one for a file, or it is taken by other content.
            Transient: The disk is full or away.
            AuthFailed: The folder does not let us write.
        """
        outbox, checked = self._outbound(name)
        temporary = await asyncio.to_thread(_stage, outbox, checked, body)
        if staged is not None:
            await staged()
        return await asyncio.to_thread(_show, temporary, outbox / checked, body, self._settings.rules.done_suffix)

    async def settle(self, name: str, body: bytes, *, staged: bool = True) -> Delivered | None:
        """After a crash: has the file appeared? None says that it has not, and may be sent again.

        Args:
            staged: Whether it is known to have lain complete under its temporary name.

        Raises:
            Rejected: The name holds other content.
        """
        outbox, checked = self._outbound(name)
        there = await asyncio.to_thread(_holds, outbox / checked, body)
        if there:
            return await asyncio.to_thread(_announced, outbox, checked, self._settings.rules.done_suffix)
        if not staged or await asyncio.to_thread((outbox / temporary_name(checked)).exists):
            return None
        return Delivered.COLLECTED

    def _outbound(self, name: str) -> tuple[Path, str]:
        outbox = self._settings.outbox
        if outbox is None:
            raise Rejected("this partner has no outbox", code="no_outbox")
        try:
            return outbox, checked_name(name)
        except ValueError as error:
            raise Rejected(str(error), code="bad_file_name") from error

    async def check(self) -> None:
        """Every folder is there and may be used.

        Raises:
            ConnectorError: Naming the folder and what is wrong with it.
        """
        for place in (self._settings.inbox, self._settings.archive, self._settings.outbox):
            if place is not None:
                await asyncio.to_thread(_usable, place)


def _list(inbox: Path) -> list[Seen]:
    """Regular files only: a link could lead out of the folder, a pipe would block the reader for ever."""
    found = []
    try:
        with os.scandir(inbox) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # renamed between the listing and the look
                if stat.S_ISREG(status.st_mode):
                    found.append(Seen(entry.name, status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise _classified(error, inbox) from error
    return found


def _read(path: Path, seen: Seen) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode) or (before.st_size, before.st_mtime_ns) != (seen.size, seen.changed):
                raise StillChanging(path.name)
            body = file.read(seen.size + 1)
            after = os.fstat(file.fileno())
    except FileNotFoundError as error:
        raise StillChanging(path.name) from error
    except OSError as error:
        raise _classified(error, path) from error
    if len(body) != seen.size or (after.st_size, after.st_mtime_ns) != (seen.size, seen.changed):
        raise StillChanging(path.name)
    return body


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _classified(error, path) from error


def _archive(path: Path, folder: Path, digest: str, done_suffix: str) -> None:
    try:
        folder.mkdir(exist_ok=True)
        target = folder / archive_name(path.name, digest, (folder / path.name).exists())
        if target.exists():
            target = folder / f"{target.name}.{path.stat().st_mtime_ns}"
        try:
            path.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _place(folder, target.name, path.read_bytes())
            path.unlink()
        if done_suffix:
            path.with_name(path.name + done_suffix).unlink(missing_ok=True)
        for place in (folder, folder.parent, path.parent):
            _sync_folder(place)
    except OSError as error:
        raise _classified(error, folder) from error


def _is_still(path: Path, seen: Seen) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _classified(error, path) from error
    return (status.st_size, status.st_mtime_ns) == (seen.size, seen.changed)


def _stage(outbox: Path, name: str, body: bytes) -> Path:
    try:
        return _written(outbox, name, body)
    except OSError as error:
        raise _classified(error, outbox) from error


def _show(temporary: Path, target: Path, body: bytes, done_suffix: str) -> Delivered:
    try:
        outcome = _put(temporary, target, body)
        if done_suffix and outcome is Delivered.WRITTEN:
            _place(target.parent, target.name + done_suffix, b"")
        _sync_folder(target.parent)
    except OSError as error:
        raise _classified(error, target.parent) from error
    return outcome


def _announced(outbox: Path, name: str, done_suffix: str) -> Delivered:
    """The file is there; its done-file may have been left out by a crash."""
    try:
        if done_suffix:
            _place(outbox, name + done_suffix, b"")
        _sync_folder(outbox)
    except OSError as error:
        raise _classified(error, outbox) from error
    return Delivered.WRITTEN


def _holds(target: Path, body: bytes) -> bool:
    try:
        found = target.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _classified(error, target) from error
    if found != body:
        raise Rejected(f"{target.name} exists in the outbox with other content", code="file_exists")
    return True


def _place(folder: Path, name: str, body: bytes) -> Delivered:
    """Whole or not at all, and never over another file."""
    return _put(_written(folder, name, body), folder / name, body)


def _written(folder: Path, name: str, body: bytes) -> Path:
    temporary = folder / temporary_name(name)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o660)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _put(temporary: Path, target: Path, body: bytes) -> Delivered:
    try:
        _appear(temporary, target)
    except FileExistsError as error:
        temporary.unlink(missing_ok=True)
        if target.read_bytes() == body:
            return Delivered.ALREADY_THERE
        raise Rejected(f"{target.name} exists in the outbox with other content", code="file_exists") from error
    return Delivered.WRITTEN


def _appear(temporary: Path, target: Path) -> None:
    """`rename` would silently replace; `link` refuses. Where there are no links, the look before has to do."""
    try:
        os.link(temporary, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from error
        temporary.rename(target)
    else:
        temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """A new name is durable only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise  # some network file systems know no sync of folders
    finally:
        os.close(descriptor)


def _usable(place: Path) -> None:
    try:
        if not stat.S_ISDIR(place.stat().st_mode):
            raise Rejected(f"{place} is not a folder", code="not_a_folder")
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            raise AuthFailed(f"{place} may not be read and written", reason=AuthReason.SCOPE, code="folder_access")
    except OSError as error:
        raise _classified(error, place) from error


def _classified(error: OSError, place: Path) -> ConnectorError:
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return AuthFailed(f"{place}: {error.strerror}", reason=AuthReason.SCOPE, code="folder_access")
    if error.errno in {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR}:
        return Rejected(f"{place}: {error.strerror}", code="folder")
    # A missing folder is a share that is not mounted far more often than a wrong setting.
    return Transient(f"{place}: {error.strerror}", code="folder")
