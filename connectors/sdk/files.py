"""Partners that send whole files to us over HTTP: received, made durable, and only then answered."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from connectors.sdk.contract import Envelope, JsonObject, WebhookReply, WebhookRequest

FILE_BYTES_MAX: Final = 96 * 1024 * 1024
"""Of a request's body: what holds a file of 64 MiB still fits when it is written in base64."""


class Kept(StrEnum):
    """What became of an envelope that was handed over."""

    NEW = "new"
    KNOWN = "known"
    """The same key with the same content is kept already."""
    CONFLICT = "conflict"
    """The key is taken by other content, and this was not kept: it needs a key of its own."""


class Keeper(Protocol):
    """The hub's store, as a receiving connector needs it. What it raises goes through: nothing is durable then."""

    async def keep(self, envelopes: Sequence[Envelope]) -> Sequence[Kept]:
        """Returns once every envelope would survive a power cut; one answer each, in order."""
        ...

    async def owe(self, kind: str, key: str, body: JsonObject) -> None:
        """Queue an effect of this account durably. Owed twice with one body, it is sent once."""
        ...


@runtime_checkable
class ReceivesFiles(Protocol):
    async def receive(self, request: WebhookRequest, keeper: Keeper) -> WebhookReply:
        """Read a request, have it kept, and only then answer.

        The reply is what goes back, refusals included. What `keeper` raises goes through, so that the
        partner is told to come again.
        """
        ...
