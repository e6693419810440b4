"""What every transport hands over, and what it is told about it."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from connectors.edi.transport.mailbox import Seen
from connectors.sdk.errors import ConnectorError, Rejected


class Keeping(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    KNOWN = "known"
    """The same key with the same content is kept already: answered again, without effect."""
    CONFLICT = "conflict"
    """The same key with other content: kept beside the first and parked for a person."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file, whole and byte for byte as the partner made it.

    Args:
        key: Unique within an account; what arrives twice under one key is one file.
        name: The file's name, or the Message-ID; for people.
        evidence: What proves the sender (the signed bytes with their signature); empty where nothing does.
        attributes: What the transport knows beside the bytes; no secrets.
        digest: SHA-256 of the body in hexadecimal, where it is known already.
    """

    key: str
    name: str
    body: bytes
    received_at: datetime
    evidence: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def sha256(self) -> str:
        return self.digest or hashlib.sha256(self.body).hexdigest()


LOOP_BYTES_MAX: Final = 256 * 1024
"""What is larger is not hashed or searched on the event loop."""


async def digest_of(body: bytes) -> str:
    """SHA-256 in hexadecimal."""
    if len(body) <= LOOP_BYTES_MAX:
        return hashlib.sha256(body).hexdigest()
    return await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())


_UNWRITABLE: Final = frozenset({"Cc", "Cs"})
"""Kinds of signs no name has: control characters, and what stands for a byte that is no UTF-8."""

Store = Callable[[Arrival], Awaitable[Keeping]]
"""Keeps an arrival and returns once it would survive a power cut.

It raises when it cannot; the transport then answers nothing, so that the partner, or the next
look into the folder, brings the file again.
"""


def refuse_unfit(seen: Seen, bytes_max: int) -> None:
    """What is wrong with a file before it is read.

    Raises:
        Rejected: It is larger than agreed, or its name can be written down nowhere: no key, cursor or message of the
            database holds bytes that are no UTF-8.
    """
    if any(unicodedata.category(sign) in _UNWRITABLE for sign in seen.name):
        raise Rejected(
            f"the name {seen.name!a} is not in UTF-8 or has control characters; rename the file", code="file_name"
        )
    if seen.size > bytes_max:
        raise Rejected(f"{seen.name}: {seen.size} bytes are more than the {bytes_max} allowed", code="file_too_large")


async def stored(store: Store, arrival: Arrival) -> Keeping:
    """Hand over. What the store raises is not this file's fault and must not pass for a fault of the mailbox."""
    try:
        return await store(arrival)
    except ConnectorError as error:
        raise RuntimeError("a store raises errors of storage, not of connectors") from error


@dataclass(frozen=True, slots=True)
class Collected:
    """One look into a mailbox.

    Args:
        kept: Every file handed to the store, with what the store said, in the order of arrival.
        waiting: Names that are still being written, or whose done-file is missing.
        failed: Name → why it stays where it is; the other files went on.
    """

    kept: tuple[tuple[str, Keeping], ...] = ()
    waiting: tuple[str, ...] = ()
    failed: Mapping[str, ConnectorError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """One look that takes nothing away: each file with what it was when it was read, for `put_away` once it is kept."""

    held: tuple[tuple[Seen, Arrival], ...] = ()
    waiting: tuple[str, ...] = ()
    failed: Mapping[str, ConnectorError] = field(default_factory=dict)
    more: bool = False
    """further files are ready and were not read this time"""


Staged = Callable[[], Awaitable[None]]
"""Awaited when an outbound file lies complete under its temporary name. What is noted down then tells, after a crash,
a file that had not appeared yet from one that appeared and was taken."""


class Delivered(StrEnum):
    """How a file came to be at the partner's."""

    WRITTEN = "written"
    ALREADY_THERE = "already_there"
    """An earlier try had succeeded: the same name holds the same bytes."""
    COLLECTED = "collected"
    """It had appeared there, and the partner has taken it since."""
