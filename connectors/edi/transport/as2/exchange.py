"""The HTTP side as plain values: who serves and who calls is the connector's business."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from connectors.edi.transport.as2.mime import Entity

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as received."""

    status: int
    headers: Pairs
    body: bytes

    def entity(self) -> Entity:
        return Entity(self.headers, self.body, self.body)


Post = Callable[[str, Pairs, bytes], Awaitable[Reply]]
"""(URL, headers, body) → answer, exactly these headers and bytes.

It raises `Transient` when no answer came. Sending again is safe: the Message-ID is the partner's
key against duplicates.
"""


@dataclass(frozen=True, slots=True)
class OwedReceipt:
    """A receipt to be posted later; the same bytes at every try."""

    url: str
    headers: Pairs
    body: bytes
    original_message_id: str
