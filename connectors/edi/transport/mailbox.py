"""Which file of a mailbox may be taken: names, temporary names, done-files, and when writing has ended.

Pure: folder and SFTP list their files and ask here. A file is ready once its size and time stayed
equal over `quiet_s`, or at once when the partner announces it by a done-file.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

TEMPORARY_SUFFIXES: Final = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".writing", ".lock", "~")
TEMPORARY_PREFIXES: Final = (".", "~", "_tmp")
"""Names under which common transfer programs write before they rename (WinSCP: `.filepart`)."""
NAME_BYTES_MAX: Final = 255
FILE_BYTES_MAX: Final = 64 * 1024 * 1024


class NameRefused(ValueError):
    """A name that could leave its folder, be taken for a temporary one, or not exist on a file system."""


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """A partner's agreement about one mailbox.

    Args:
        patterns: Shell patterns, case-sensitive; a file matching one of them is ours.
        quiet_s: Seconds for which size and time must stay equal.
        done_suffix: The partner writes `NAME + done_suffix` after the file itself; empty when it does not.
        bytes_max: Larger files stay where they are and are named as failed.
    """

    patterns: tuple[str, ...] = ("*",)
    quiet_s: float = 10.0
    done_suffix: str = ""
    bytes_max: int = FILE_BYTES_MAX

    def __post_init__(self) -> None:
        if not self.patterns:
            raise ValueError("a mailbox without patterns would never take a file")
        if self.quiet_s < 0 or self.bytes_max <= 0:
            raise ValueError("quiet_s is at least 0 and bytes_max at least 1")


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as one listing showed it. `changed` is the mailbox's own time in ns, never compared with ours."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """One listing, judged. Names are in order of their time, then their name.

    Args:
        orphans: Done-files that outlived their file. They have to go: the next file of that name would be taken
            while it is still being written.
    """

    ready: tuple[Seen, ...]
    waiting: tuple[str, ...]
    orphans: tuple[str, ...]


@dataclass(slots=True)
class StabilityWatch:
    """Remembers since when each file has not changed. One per mailbox, kept over its polls.

    It uses the hub's monotonic time, never the file's: clocks of two hosts do not agree, and a
    copied file may carry last year's date.
    """

    rules: MailboxRules
    _since: dict[str, tuple[Seen, float]] = field(default_factory=dict)
    _alone: set[str] = field(default_factory=set)

    def judge(self, listed: Sequence[Seen], now_s: float) -> Readiness:
        """What of a listing may be read now. Names that vanished are forgotten."""
        names = {seen.name for seen in listed}
        candidates = sorted((s for s in listed if self._ours(s.name)), key=lambda s: (s.changed, s.name))
        ready: list[Seen] = []
        waiting: list[Seen] = []
        since: dict[str, tuple[Seen, float]] = {}
        for seen in candidates:
            before = self._since.get(seen.name)
            unchanged = before is not None and before[0] == seen
            since[seen.name] = before if before is not None and unchanged else (seen, now_s)
            may_go = self._may_go(seen, names, now_s - since[seen.name][1], unchanged)
            (ready if may_go else waiting).append(seen)
        self._since = since
        # Two looks, because a listing is not one moment: it may miss a new file and show its done-file.
        alone = self._without_their_file(names)
        orphans, self._alone = alone & self._alone, alone
        return Readiness(tuple(ready), tuple(seen.name for seen in waiting), tuple(sorted(orphans)))

    def forget(self, name: str) -> None:
        """The file was taken, or turned out to be still changing: its quiet time starts again."""
        self._since.pop(name, None)

    def _may_go(self, seen: Seen, names: set[str], quiet_s: float, unchanged: bool) -> bool:
        if self.rules.done_suffix:
            return seen.name + self.rules.done_suffix in names
        # An empty file is what an upload looks like in its first moment; none of ours is ever empty.
        return seen.size > 0 and unchanged and quiet_s >= self.rules.quiet_s

    def _without_their_file(self, names: set[str]) -> set[str]:
        suffix = self.rules.done_suffix
        if not suffix:
            return set()
        announced = {name: name.removesuffix(suffix) for name in names if name.endswith(suffix)}
        return {name for name, file in announced.items() if file not in names and self._ours(file)}

    def _ours(self, name: str) -> bool:
        if is_temporary(name) or (self.rules.done_suffix and name.endswith(self.rules.done_suffix)):
            return False
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.rules.patterns)


def is_temporary(name: str) -> bool:
    lowered = name.lower()
    return lowered.startswith(TEMPORARY_PREFIXES) or lowered.endswith(TEMPORARY_SUFFIXES)


def temporary_name(name: str) -> str:
    """The same for every try, so that what an interrupted try left is overwritten and not piled up."""
    return f".{name}.tmp"


def checked_name(name: str) -> str:
    """A name for an outbound file.

    Raises:
        NameRefused: It has a path in it, control characters, is too long, or looks temporary.
    """
    if not name or name in {".", ".."} or any(sign in name for sign in "/\\:") or not name.isprintable():
        raise NameRefused(f"{name!r} is no plain file name")
    if len(temporary_name(name).encode()) > NAME_BYTES_MAX:
        raise NameRefused(f"the name of {len(name)} characters is too long for a file")
    if is_temporary(name):
        raise NameRefused(f"{name!r} looks like a file that is still being written; the partner would never take it")
    return name


def archive_name(name: str, digest: str, taken: bool) -> str:
    """The name in the archive: its own, or with part of its content's hash when that one is taken."""
    return f"{name}.{digest[:12]}" if taken else name
