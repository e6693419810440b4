"""A disk that keeps what was synced and as much of the rest as it pleases: what a power cut may leave.

Fed with the system calls of a traced program, it can give the files as they may be found after a
cut at that moment. What was synced is there. Of what was not, any subset is, each write torn at
512 bytes; names not yet synced with their directory may be missing or may be back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig.strace import Call

SECTOR = 512


@dataclass(slots=True)
class Change:
    """A write at an offset or, without content, a new length."""

    offset: int
    content: bytes | None

    def apply(self, image: bytearray) -> None:
        if self.content is None:
            if self.offset < len(image):
                del image[self.offset :]
            else:
                image.extend(bytes(self.offset - len(image)))
            return
        end = self.offset + len(self.content)
        if len(image) < end:
            image.extend(bytes(end - len(image)))
        image[self.offset : end] = self.content

    def tear(self, image: bytearray, rng: random.Random) -> None:
        """Some of its sectors arrive, some do not, and one may have been under the head."""
        if self.content is None:
            self.apply(image)
            return
        garbled = rng.random() < 0.1
        start = 0
        while start < len(self.content):
            stop = min(len(self.content), (self.offset + start) // SECTOR * SECTOR + SECTOR - self.offset)
            if rng.random() < 0.5:
                part = self.content[start:stop]
                if garbled:
                    part, garbled = rng.randbytes(len(part)), False
                Change(self.offset + start, part).apply(image)
            start = stop


@dataclass(slots=True, eq=False)
class File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)


@dataclass
class Disk:
    """The files of one folder. `rng` decides the fate of writes whose sync failed."""

    folder: str
    rng: random.Random
    names: dict[str, File] = field(default_factory=dict)
    """as the running program sees them"""
    synced_names: dict[str, File] = field(default_factory=dict)
    pending_names: list[dict[str, File | None]] = field(default_factory=list)
    _syncing: dict[tuple[int, str], int] = field(default_factory=dict)

    def hold(self, name: str, content: bytes) -> None:
        """A file that was there, synced, before the program began."""
        self.names[name] = self.synced_names[name] = File(bytearray(content))

    def entered(self, call: Call) -> None:
        """Syncs cover what was pending when they began."""
        if call.name in {"fsync", "fdatasync"}:
            self._syncing[(call.thread, call.path)] = self._pending(call.path)

    def left(self, call: Call) -> bool:
        """Take a finished call into account; True when the disk may now be in another state."""
        if call.name in {"fsync", "fdatasync"}:
            return self._sync(call, self._syncing.pop((call.thread, call.path)))
        if call.result is None or call.result < 0:
            return False
        name = self._name(call.path)
        if name is None:
            return False
        match call.name:
            case "openat":
                return self._made(name, call.flags)
            case "pwrite64":
                assert call.result == len(call.content), f"{name}: a short write, or contents not recorded"
                return self._changed(name, Change(call.numbers[-1], call.content))
            case "ftruncate":
                return self._changed(name, Change(call.numbers[-1], None))
            case "unlink":
                self._renamed({name: None})
            case "rename":
                self._renamed({name: None, str(self._name(call.other)): self.names[name]})
        return True

    def _name(self, path: str) -> str | None:
        folder, _, name = path.rpartition("/")
        return name if folder == self.folder else None

    def _made(self, name: str, flags: str) -> bool:
        if name in self.names or "O_CREAT" not in flags:
            assert "O_TRUNC" not in flags, "this disk does not know O_TRUNC"
            return False
        self._renamed({name: File()})
        return True

    def _renamed(self, change: dict[str, File | None]) -> None:
        self.pending_names.append(change)
        _rename(self.names, change)

    def _changed(self, name: str, change: Change) -> bool:
        if name not in self.names:
            return False
        self.names[name].pending.append(change)
        return True

    def _pending(self, path: str) -> int:
        if path == self.folder:
            return len(self.pending_names)
        name = self._name(path)
        return len(self.names[name].pending) if name in self.names else 0

    def _sync(self, call: Call, covered: int) -> bool:
        if call.path == self.folder:
            assert call.result == 0
            for change in self.pending_names[:covered]:
                _rename(self.synced_names, change)
            del self.pending_names[:covered]
            return covered > 0
        name = self._name(call.path)
        if name is None or name not in self.names:
            return False
        file = self.names[name]
        for change in file.pending[:covered]:
            # After a failed sync the system may have thrown a page away, and no later sync will write it.
            if call.result == 0 or self.rng.random() < 0.5:
                change.apply(file.synced)
        del file.pending[:covered]
        return covered > 0

    def cut(self, rng: random.Random) -> dict[str, bytes]:
        """Name → content as found after a power cut now."""
        manner = rng.choice(("nothing", "everything", "some", "some", "torn", "torn", "last torn"))
        share = 1.0 if manner in {"everything", "last torn"} else 0.0 if manner == "nothing" else rng.uniform(0.1, 0.9)
        names = dict(self.synced_names)
        for change in self.pending_names:
            if rng.random() < share:
                _rename(names, change)
        return {name: self._found(file, manner, share, rng) for name, file in names.items()}

    def _found(self, file: File, manner: str, share: float, rng: random.Random) -> bytes:
        image = bytearray(file.synced)
        for change in file.pending:
            if rng.random() >= share:
                continue
            if manner == "torn" or (manner == "last torn" and change is file.pending[-1]):
                change.tear(image, rng)
            else:
                change.apply(image)
        return bytes(image)


def _rename(names: dict[str, File], change: dict[str, File | None]) -> None:
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def put(found: dict[str, bytes], folder: Path, rng: random.Random) -> None:
    """Write such files into a folder; now and then with a shared index full of nonsense, which must not matter."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in found.items():
        if not name.endswith(("-shm", ".lock")):
            (folder / name).write_bytes(content)
    if rng.random() < 0.2 and "hub.db" in found:
        (folder / "hub.db-shm").write_bytes(rng.randbytes(32768))
