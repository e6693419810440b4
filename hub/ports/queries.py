"""The read side: what operators look at. Every method opens its own read-only snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.ports.late import LateCounts, LateKind, LateRow
from hub.ports.parcels import ParcelCounts, ParcelEvent, ParcelLink, ParcelRow
from hub.ports.store import (
    AccountRow,
    ApiToken,
    Attempt,
    CursorRow,
    DocumentRow,
    Expectation,
    FailureRow,
    FileRow,
    FileSet,
    InboxItem,
    LevelRow,
    Micros,
    OrderRow,
    OutboxRow,
    Position,
    PostedRow,
    SkuRow,
    StoredReply,
)


class CursorUnknown(ValueError):
    """A cursor that this list did not give; the message says to start without one."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of one account. Ages in seconds from the database's clock."""

    pending: int
    oldest_age_s: float | None
    last_success_at: Micros | None
    lag_s: float | None = None
    """of the work done last, whichever process did it"""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    account: str
    inward: Flow
    outward: Flow
    state: AccountRow | None
    failures: int
    levels: int
    levels_verified: int
    drift_units: int
    oldest_watermark: Micros | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A position that is not the sum of its postings."""

    sku: str
    location: str
    bucket: str
    position: int
    ledger: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to an order: event, posting, push or attempt."""

    at: Micros
    kind: str
    summary: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AwaitedCount:
    """Open expectations of one account and kind; `due_at` is the soonest deadline among them."""

    account: str
    kind: str
    ours: bool
    open: int
    overdue: int
    due_at: Micros | None


class Queries(Protocol):
    """`cursor` is opaque; None starts, a returned None ends. Lists are newest first unless said."""

    async def orders(
        self,
        *,
        account: str | None = None,
        state: str | None = None,
        held: bool | None = None,
        number: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[OrderRow], str | None]: ...

    async def order(self, order_id: str) -> OrderRow | None: ...

    async def personal(self, subject: str) -> str | None:
        """Decrypted personal JSON, None when shredded or absent."""
        ...

    async def orders_of_buyer(self, account: str, names: Collection[str]) -> Sequence[OrderRow]:
        """Every order of the account that may be of a buyer the channel calls one of `names`.

        Orders stored before buyers were indexed are all named, so look before acting.
        """
        ...

    async def order_documents(self, account: str, order_source_id: str) -> Sequence[DocumentRow]: ...

    async def orders_called(self, names: Collection[str]) -> Sequence[OrderRow]:
        """Orders whose number or id of ours is one of these, without an order."""
        ...

    async def document(self, document_id: str) -> DocumentRow | None: ...

    async def order_effects(self, account: str, order_source_id: str) -> Sequence[OutboxRow]:
        """Edge work of one order, oldest first."""
        ...

    async def documents(
        self, *, type: str, account: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> tuple[Sequence[DocumentRow], str | None]:
        """Documents of one canonical type (shipment, return, tracking_update, …)."""
        ...

    async def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        """Oldest first."""
        ...

    async def positions(
        self, *, sku: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Position], str | None]:
        """By SKU, then location."""
        ...

    async def positions_at(self, skus: Sequence[str], at: Micros | None) -> Sequence[Position]:
        """Positions of these SKUs now, or as the ledger had them recorded at that instant."""
        ...

    async def postings(
        self, *, sku: str | None = None, until: Micros | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[PostedRow], str | None]: ...

    async def own_open(self, account: str, sku: str) -> Mapping[tuple[str, str, str], int]:
        """(account, SKU, location) -> units the account's own open orders hold of it, as ordered, now."""
        ...

    async def sku(self, sku: str) -> SkuRow | None: ...

    async def skus(self, *, limit: int = 500, cursor: str | None = None) -> tuple[Sequence[SkuRow], str | None]:
        """The catalogue, by SKU."""
        ...

    async def levels(
        self,
        *,
        account: str | None = None,
        sku: str | None = None,
        state: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[LevelRow], str | None]: ...

    async def verify(self) -> Sequence[Difference]:
        """Rebuild every position from the ledger and compare."""
        ...

    async def failures(
        self,
        *,
        account: str | None = None,
        kind: str | None = None,
        error: str | None = None,
        older_than_s: float | None = None,
        state: str | None = "open",
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[FailureRow], str | None]: ...

    async def failure(self, failure_id: int) -> FailureRow | None: ...

    async def input(self, seq: int) -> InboxItem | None:
        """A stored input with its payload decrypted; payload b"" once shredded."""
        ...

    async def inputs(
        self,
        *,
        account: str,
        topics: Sequence[str] = (),
        since: Micros | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[InboxItem], str | None]: ...

    async def effects(
        self, *, account: str | None = None, state: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[OutboxRow], str | None]: ...

    async def attempts(
        self, *, account: str | None = None, reference: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Attempt], str | None]: ...

    async def cursors(self, account: str) -> Sequence[CursorRow]: ...

    async def status(self) -> Sequence[AccountStatus]: ...

    async def audit(
        self, *, limit: int = 100, cursor: str | None = None
    ) -> tuple[Sequence[Mapping[str, object]], str | None]: ...

    async def api_tokens(self) -> Sequence[ApiToken]:
        """All of them, newest first; a handful at most."""
        ...

    async def reply(self, key: str) -> StoredReply | None: ...

    async def expectations(
        self,
        *,
        account: str | None = None,
        state: str | None = "open",
        kind: str | None = None,
        subject: str | None = None,
        overdue_only: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[Sequence[Expectation], str | None]:
        """By deadline, soonest first; those without one last."""
        ...

    async def expectation_counts(self) -> Sequence[AwaitedCount]:
        """Of what is open only."""
        ...

    async def files(
        self,
        *,
        account: str | None = None,
        direction: str | None = None,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[FileRow], str | None]: ...

    async def file(self, file: str) -> FileRow | None: ...

    async def file_content(self, file: str) -> bytes | None:
        """The bytes of a file, received or made here; None once they are forgotten."""
        ...

    async def file_sets(self, file: str, *, after: int = 0, limit: int = 1000) -> Sequence[FileSet]:
        """A file's sets in their order, from the one behind place `after`."""
        ...

    async def sent_sets(
        self, account: str, *, interchange: str | None = None, functional_id: str = "", group: str = ""
    ) -> Sequence[FileSet]:
        """Sets we sent the account in one interchange, or else in one group; the latest file's first."""
        ...

    async def sendings(self, keys: Sequence[str]) -> Sequence[OutboxRow]:
        """Edge work by idempotency key, oldest first; what there is none of is left out."""
        ...

    async def parcels(
        self,
        *,
        number: str | None = None,
        carrier: str | None = None,
        milestone: str | None = None,
        orphan: bool | None = None,
        open_only: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[Sequence[ParcelRow], str | None]: ...

    async def parcel(self, parcel: str) -> ParcelRow | None: ...

    async def parcel_events(self, parcel: str) -> Sequence[ParcelEvent]:
        """Oldest first; a latest-status block behind the scans of its instant."""
        ...

    async def parcel_links(self, parcels: Collection[str]) -> Sequence[ParcelLink]:
        """Shipments and returns that travel in these parcels."""
        ...

    async def document_parcels(
        self, kind: str, documents: Collection[tuple[str, str]]
    ) -> Sequence[tuple[ParcelLink, ParcelRow]]:
        """Parcels of shipments or returns, named as (account, id at its source), further pieces of theirs included."""
        ...

    async def order_parcels(self, account: str, order_source_id: str) -> Sequence[tuple[ParcelLink, ParcelRow]]: ...

    async def parcels_to_ask(self, carriers: Collection[str], limit: int) -> Sequence[ParcelRow]:
        """Parcels of ours that are due to be asked about: what matters most first, then what waits longest."""
        ...

    async def parcels_to_watch(self, carriers: Collection[str], limit: int) -> Sequence[ParcelRow]:
        """Parcels of ours whose carrier is to be asked to tell by itself, or again; longest waiting first."""
        ...

    async def stale_parcels(self, opened_before: Micros, limit: int) -> Sequence[ParcelRow]:
        """Open parcels that old."""
        ...

    async def parcel_counts(self) -> Sequence[ParcelCounts]:
        """Open parcels by carrier."""
        ...

    async def late(
        self, *, kind: LateKind, account: str | None = None, unscanned_after_s: float = 172_800.0, limit: int = 100
    ) -> Sequence[LateRow]:
        """What is late, the longest first."""
        ...

    async def late_counts(self, *, unscanned_after_s: float = 172_800.0) -> Sequence[LateCounts]:
        """By account. Reads every order that is still to ship, so not for every second."""
        ...

    async def audit_intact(self) -> bool: ...

    async def close(self) -> None: ...
