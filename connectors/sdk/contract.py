"""The connector contract: the shapes that cross between a connector and the engine.

A connector is one class per vendor, one instance per account, made by its `ConnectorType.open`.
It implements the protocols of the capabilities its manifest declares and raises only the errors
of `connectors.sdk.errors`. It keeps no state worth keeping: cursors, tokens and budgets that must
survive belong to the engine, which passes them in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import httpx

from connectors.sdk.budget import BudgetBook
from connectors.sdk.errors import ConnectorError
from connectors.sdk.manifest import Manifest
from connectors.sdk.ports import Clock, Ids, Jitter, Secret, TokenStore

JsonObject = Mapping[str, Any]
Cursor = Mapping[str, Any]
"""JSON, the connector's own; the engine stores and returns it and never looks inside."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One outbound call that was tried, whatever came of it. No body, no query, no credential.

    `outcome` is `ok`, the snake-case name of the error class (`rate_limited`, `in_doubt`, …) or
    `cancelled`. `attempt` counts the tries of one request from 1. `waited_s` is the time spent
    waiting for the budget before the call; `duration_s` is the call alone.
    """

    account: str
    kind: str
    method: str
    target: str
    started_at: datetime
    duration_s: float
    waited_s: float
    attempt: int
    outcome: str
    status: int | None = None
    code: str = ""
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class AccountContext:
    """One account as a connector sees it.

    `locations` maps the vendor's location id to ours. `transport` replaces the network in unit
    tests (an `httpx.MockTransport` around a respx router). `on_call` is told of every call right
    after it ended; it must not block and must not raise.
    """

    account: str
    base_url: str | None
    auth_url: str | None
    credentials: Mapping[str, Secret]
    options: JsonObject
    locations: Mapping[str, str]
    public_url: str | None
    clock: Clock
    ids: Ids
    jitter: Jitter
    tokens: TokenStore
    transport: httpx.AsyncBaseTransport | None = None
    on_call: Callable[[CallRecord], None] | None = None
    root: Path | None = None
    """where relative paths of the section start from; None is the folder the process was started in"""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as it came in; `headers` are lower-cased, `body` is untouched bytes."""

    method: str
    path_qs: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookReply:
    """An answer to a vendor's challenge, or to a partner's file. `headers` win over `content_type`."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Raw input as received, named but not understood.

    `dedupe_key` is unique per account for ever: the same fact again gives the same key, another
    version of it another one. Envelopes with one `ordering_key` are applied in order and never
    side by side. `headers` holds only what an operator needs later (no signatures, no tokens).
    """

    topic: str
    dedupe_key: str
    ordering_key: str
    payload: bytes
    occurred_at: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a pull. `more` asks for another call at once with `cursor`.

    `watermark` is the instant up to which everything has been seen once `more` is false.
    """

    envelopes: Sequence[Envelope]
    cursor: Cursor
    more: bool
    watermark: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListingRef:
    """The address of a number at the channel. `location` is the channel's own location id."""

    listing_id: str
    channel_sku: str
    location: str | None = None
    variant_id: str | None = None


@dataclass(frozen=True, slots=True)
class PushItem:
    """One availability to send: a state, never a delta.

    `key` is fresh per intent and reused on retries of the same one. `expected` is the channel's
    value as last read, for vendors that compare before they set. `version` is the position's.
    """

    ref: ListingRef
    quantity: int
    version: int
    key: str
    expected: int | None = None
    urgent: bool = False


class PushState(StrEnum):
    """`ACCEPTED`: the vendor took this item (still unproven). `PENDING`: queued there, ask `poll_receipt`."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PushResult:
    """The answer for one item. `error` is set exactly when `state` is FAILED."""

    item: PushItem
    state: PushState
    receipt: str | None = None
    error: ConnectorError | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """What the channel shows now, in the same meaning as `Manifest.quantity_meaning`.

    `quantity` is null when the channel does not track it or the listing is gone (`missing`).
    """

    ref: ListingRef
    quantity: int | None
    available: int | None = None
    read_at: datetime | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One piece of edge work: sent once in effect, in order per `key`.

    `body` is canonical JSON of the document that caused it (an order to acknowledge, a shipment
    to confirm); `references` are vendor ids needed to address it.
    """

    id: str
    kind: str
    key: str
    idempotency_key: str
    body: JsonObject
    references: Mapping[str, str] = field(default_factory=dict)


class Settlement(StrEnum):
    """What reading says about an effect whose answer was lost."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EffectResult:
    """A trustworthy yes. `vendor_id` is the id of what was made there, where there is one."""

    vendor_id: str | None = None
    correlation_id: str | None = None
    note: str = ""
    evidence: Sequence[Envelope] = ()
    """what proves it, kept with the outcome as inputs (a partner's signed receipt)"""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a read-only call with these credentials found. Problems are raised, not reported."""

    who: str
    detail: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


class Connector(Protocol):
    """One account, opened. `close` releases connections and may be called twice."""

    manifest: ClassVar[Manifest]

    async def close(self) -> None: ...


@runtime_checkable
class ReceivesWebhooks(Protocol):
    def challenge(self, request: WebhookRequest) -> WebhookReply | None:
        """Answer a vendor's challenge, or None when the request is none."""
        ...

    def verify(self, request: WebhookRequest) -> None:
        """Raise `SignatureInvalid` unless the raw bytes are signed with a known secret."""
        ...

    def envelopes(self, request: WebhookRequest) -> Sequence[Envelope]:
        """Name the input. Called only after `verify`; an odd body raises nothing but `UnknownTopic`.

        What is of an unknown topic the hub keeps whole all the same, and parks.
        """
        ...


@runtime_checkable
class FetchesKeys(Protocol):
    """A receiver whose signatures are checked with keys the vendor publishes. Asked before `verify`."""

    async def fetch_keys(self, request: WebhookRequest) -> None:
        """Have at hand whatever `verify` needs for this request; a request that names nothing usable needs none.

        The request is not believed yet: at most one bounded read, from the vendor's own address.

        Raises:
            ConnectorError: The vendor did not give the key; the sender is to come again.
        """
        ...


@runtime_checkable
class Pulls(Protocol):
    async def fetch(self, stream: str, cursor: Cursor | None, limit: int, since: datetime | None = None) -> Page:
        """Next page of a stream. `cursor` None starts at `since`, else at the connector's default."""
        ...


@runtime_checkable
class Resolves(Protocol):
    async def resolve(self, envelope: Envelope) -> Sequence[Envelope]:
        """Fetch the current state a hint points at, as envelopes of mapped topics."""
        ...


@runtime_checkable
class Publishes(Protocol):
    async def publish(self, items: Sequence[PushItem]) -> Sequence[PushResult]:
        """Send at most `publish_batch_max` items; one result per item, in order.

        Raises `Transient`, `RateLimited`, `AuthFailed` only when no item can have been applied or
        repeating is harmless (absolute values make it so).
        """
        ...

    async def poll_receipt(self, receipt: str, items: Sequence[PushItem]) -> Sequence[PushResult]:
        """Results of a PENDING batch; items still PENDING are asked for again later."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    async def read_back(self, refs: Sequence[ListingRef]) -> Sequence[ShownLevel]:
        """What the channel shows for at most `read_back_batch_max` listings, in order."""
        ...


@runtime_checkable
class SendsEffects(Protocol):
    async def send(self, effect: Effect) -> EffectResult:
        """Send once. `InDoubt` when the answer was lost and the vendor has no key."""
        ...

    async def settle(self, effect: Effect) -> Settlement:
        """Find out by reading whether an in-doubt effect was applied."""
        ...


@runtime_checkable
class Subscribes(Protocol):
    async def ensure_subscriptions(self, callback_url: str) -> Sequence[str]:
        """Create what is missing, mend what is wrong; one line per change made."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """A connector that shows what is left of its vendor's limits; for the status only."""

    budgets: BudgetBook


@runtime_checkable
class Checks(Protocol):
    async def check(self) -> CheckReport:
        """One read-only call. `AuthFailed` says credentials, scope or revoked; `Transient` vendor down."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """What a connector folder exports as `CONNECTOR`.

    `open` validates the account's section and raises `ValueError` naming the key that is wrong;
    it opens no connection. `sandbox` builds the vendor's fake (see `connectors.sdk.sandbox`).
    """

    manifest: Manifest
    open: Callable[[AccountContext], Connector]
    sandbox: Callable[..., Any] | None = None
    partners: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """sandboxes by role, where an account may face several kinds of counterpart; `sandbox` is one of them"""
