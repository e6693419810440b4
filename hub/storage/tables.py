"""Schema 4, as SQLAlchemy Core tables: what both engines store.

Instants are microseconds since the epoch, UTC. `*_id` of a key row names the data key a
ciphertext was made with. Lists and mappings are JSON text. Words:

- `inbox` is what was received and never changes; `inbox_work` holds a row per input that is not
  finished (pending, failed or discarded) and stays small however long the history is; `payloads`
  holds the sealed raw bytes, so that forgetting them is a delete.
- `holder` is the number of the process that claimed a row (`workers.fence`); null is unclaimed.
- `own_reserved` is what an account's own orders hold reserved, in ordered units by SKU as ordered.
- `personal.buyer` is a keyed hash of what the channel calls the buyer, "" where it says nothing, null in
  rows written before schema 2; `flows.*_lag` is the lag seen last, in microseconds.
- `counters` are numbers given out one after the other, `expectations` what somebody owes an answer to, `files` what
  was exchanged with trading partners, `file_bodies` the sealed bytes of those made here, `seen_numbers` what
  partners numbered their files and sets with.
- `parcels` are parcels and where they are, `parcel_events` what carriers told of a tracking number, `parcel_links`
  the shipments and returns that name it; numbers are recycled, so one may have several parcels.
- `levels.rank` says what goes out first: 0 the SKU had nothing available as its level became dirty, 1 it had less
  than before, 2 anything else. A level still dirty keeps the more urgent one.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

Big: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
Small: Final[TypeEngine[int]] = SmallInteger().with_variant(Integer(), "sqlite")
Key: Final[TypeEngine[str]] = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared byte by byte on both engines, so that both list in the same order."""
Blob: Final[TypeEngine[bytes]] = LargeBinary()

metadata: Final = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


def _table(name: str, *parts: Any, by_key: bool = False, fill: int | None = None) -> Table:
    """`by_key` stores small rows inside their primary key; `fill` leaves room for in-place updates."""
    options: dict[str, Any] = {"sqlite_strict": True}
    if by_key:
        options["sqlite_with_rowid"] = False
    if fill is not None:
        options["postgresql_with"] = {"fillfactor": str(fill)}
    return Table(name, metadata, *parts, **options)


def _column(name: str, type_: TypeEngine[Any], **options: Any) -> Column[Any]:
    """Not null unless said."""
    return Column(name, type_, nullable=options.pop("nullable", False), **options)


def _maybe(name: str, type_: TypeEngine[Any]) -> Column[Any]:
    return Column(name, type_, nullable=True)


def _where(index: str, condition: str, *columns: str, unique: bool = False) -> Index:
    """A partial index; the same condition on both engines."""
    return Index(index, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


meta = _table("meta", _column("name", Key, primary_key=True), _column("value", Text()))

workers = _table(
    "workers",
    _column("fence", Big, primary_key=True, autoincrement=True),
    _column("name", Text()),
    _column("started_at", Big),
    _column("lease_until", Big),
)

inbox = _table(
    "inbox",
    _column("seq", Big, primary_key=True, autoincrement=True),
    _column("account", Key),
    _column("connector", Text()),
    _column("origin", Text()),
    _column("topic", Text()),
    _column("dedupe_key", Key),
    _column("ordering_key", Key),
    _column("digest", Text()),
    _column("received_at", Big),
    _maybe("occurred_at", Big),
    _column("headers", Text()),
    UniqueConstraint("account", "dedupe_key"),
    Index("ix_inbox_lane", "account", "ordering_key", "seq"),
)

inbox_work = _table(
    "inbox_work",
    _column("seq", Big, primary_key=True, autoincrement=False),
    _column("account", Key),
    _column("ordering_key", Key),
    _column("state", Text()),
    _column("due_at", Big),
    _column("received_at", Big),
    _column("attempts", Integer()),
    _column("crashes", Integer()),
    _maybe("holder", Big),
    _where("ix_inbox_work_due", "state = 'pending' AND holder IS NULL", "account", "due_at", "seq"),
    _where("ix_inbox_work_lane", "state = 'pending'", "account", "ordering_key", "seq"),
    _where("ix_inbox_work_held", "holder IS NOT NULL", "account", "ordering_key"),
    _where("ix_inbox_work_crashed", "crashes > 0 AND state = 'pending'", "seq"),
    fill=70,
)

payload_keys = _table(
    "payload_keys",
    _column("id", Big, primary_key=True, autoincrement=True),
    _column("day", Integer()),
    _column("wrapped", Blob),
)

payloads = _table(
    "payloads",
    _column("seq", Big, primary_key=True, autoincrement=False),
    _column("key_id", Big),
    _column("body", Blob),
)

orders = _table(
    "orders",
    _column("id", Key, primary_key=True),
    _column("account", Key),
    _column("source_id", Key),
    _column("version", Text()),
    _column("number", Key),
    _column("state", Key),
    _maybe("placed_at", Big),
    _maybe("updated_at", Big),
    _column("allocations", Text()),
    _column("holds", Text()),
    _column("unresolved", Text()),
    _column("rev", Integer()),
    _column("document", Text()),
    UniqueConstraint("account", "source_id"),
    Index("ix_orders_number", "number"),
    _where("ix_orders_unfinished", "state NOT IN ('closed', 'cancelled')", "state", "id"),
    _where("ix_orders_held", "holds <> '[]'", "id"),
)

order_unresolved = _table(
    "order_unresolved",
    _column("account", Key, primary_key=True),
    _column("channel_sku", Key, primary_key=True),
    _column("order_id", Key, primary_key=True),
    Index("ix_order_unresolved_order_id", "order_id"),
    by_key=True,
)

own_reserved = _table(
    "own_reserved",
    _column("account", Key, primary_key=True),
    _column("sku", Key, primary_key=True),
    _column("location", Key, primary_key=True),
    _column("units", Big),
    by_key=True,
    fill=70,
)

documents = _table(
    "documents",
    _column("id", Key, primary_key=True),
    _column("type", Key),
    _column("account", Key),
    _column("source_id", Key),
    _column("version", Text()),
    _maybe("order_source_id", Key),
    _maybe("occurred_at", Big),
    _column("rev", Integer()),
    _column("document", Text()),
    UniqueConstraint("account", "type", "source_id"),
    Index("ix_documents_type", "type", "id"),
    _where("ix_documents_order", "order_source_id IS NOT NULL", "account", "order_source_id"),
)

personal = _table(
    "personal",
    _column("subject", Key, primary_key=True),
    _column("account", Key),
    _column("wrapped", Blob),
    _column("body", Blob),
    _maybe("delete_after", Big),
    _maybe("buyer", Key),
    _where("ix_personal_delete_after", "delete_after IS NOT NULL", "delete_after"),
    Index("ix_personal_buyer", "account", "buyer"),
)

postings = _table(
    "postings",
    _column("seq", Big, primary_key=True, autoincrement=True),
    _column("event", Key),
    _column("sku", Key),
    _column("location", Key),
    _column("bucket", Key),
    _column("delta", Big),
    _column("reason", Text()),
    _column("effective_at", Big),
    _column("recorded_at", Big),
    _column("reference", Key),
    _column("counted", Small),
    UniqueConstraint("event", "sku", "location", "bucket"),
    Index("ix_postings_sku", "sku", "seq"),
    _where("ix_postings_reference", "reference <> ''", "reference"),
    _where("ix_postings_on_hand", "bucket = 'on_hand'", "sku", "location", "effective_at"),
)

positions = _table(
    "positions",
    _column("sku", Key, primary_key=True),
    _column("location", Key, primary_key=True),
    _column("on_hand", Big),
    _column("reserved", Big),
    _column("incoming", Big),
    _column("quarantine", Big),
    _column("version", Big),
    _maybe("counted_at", Big),
    by_key=True,
    fill=70,
)

skus = _table(
    "skus",
    _column("sku", Key, primary_key=True),
    _maybe("gtin", Text()),
    _maybe("title", Text()),
    _maybe("brand", Text()),
    _column("tags", Text()),
    _column("packs", Text()),
    _column("components", Text()),
    _column("aliases", Text()),
    by_key=True,
)

kit_parts = _table(
    "kit_parts",
    _column("kit", Key, primary_key=True),
    _column("component", Key, primary_key=True),
    _column("quantity", Big),
    _column("place", Integer()),
    Index("ix_kit_parts_component", "component"),
    by_key=True,
)

aliases = _table(
    "aliases",
    _column("account", Key, primary_key=True),
    _column("channel_sku", Key, primary_key=True),
    _column("sku", Key),
    Index("ix_aliases_sku", "sku"),
    by_key=True,
)

listings = _table(
    "listings",
    _column("account", Key, primary_key=True),
    _column("listing_id", Key, primary_key=True),
    _column("location", Key, primary_key=True),
    _column("channel_sku", Key),
    _maybe("sku", Key),
    _maybe("variant_id", Text()),
    _maybe("title", Text()),
    _column("state", Text()),
    _column("fulfilled_by", Text()),
    Index("ix_listings_channel_sku", "account", "channel_sku"),
)

levels = _table(
    "levels",
    # Kept together by SKU: a sale touches all its levels, whatever their accounts, in one place.
    _column("sku", Key, primary_key=True),
    _column("account", Key, primary_key=True),
    _column("listing_id", Key, primary_key=True),
    _column("location", Key, primary_key=True),
    _column("channel_sku", Key),
    _maybe("variant_id", Text()),
    _column("state", Key),
    _column("dirty_seq", Big),
    _column("sent_seq", Big),
    _maybe("dirty_at", Big),
    _column("due_at", Big),
    _column("dirty", Small),
    _column("rank", Small),
    _column("attempts", Integer()),
    _maybe("sent_quantity", Big),
    _maybe("sent_version", Big),
    _maybe("sent_at", Big),
    _maybe("push_key", Text()),
    _maybe("receipt", Key),
    _maybe("shown_quantity", Big),
    _maybe("verified_quantity", Big),
    _maybe("verified_at", Big),
    _maybe("error", Text()),
    # An expression index would be rewritten with every change of `dirty_seq`; this column changes
    # only when a level turns dirty or clean, and the check keeps it true.
    CheckConstraint("(dirty = 1) = (dirty_seq > sent_seq)", name="ck_levels_dirty"),
    UniqueConstraint("account", "listing_id", "location"),
    _where("ix_levels_dirty", "dirty = 1", "account", "rank", "dirty_at"),
    _where("ix_levels_unverified", "state IN ('sent', 'accepted')", "account", "sent_at"),
    _where("ix_levels_drifted", "state = 'drifted'", "account"),
    by_key=True,
    fill=70,
)

level_counts = _table(
    "level_counts",
    _column("account", Key, primary_key=True),
    _column("levels", Big),
    _column("verified", Big),
    by_key=True,
    fill=50,
)

outbox = _table(
    "outbox",
    _column("id", Big, primary_key=True, autoincrement=True),
    _column("account", Key),
    _column("kind", Key),
    _column("key", Key),
    _column("idempotency_key", Key, unique=True),
    _column("body", Text()),
    _column("refs", Text()),
    _column("state", Key),
    _column("attempts", Integer()),
    _column("due_at", Big),
    _column("occurred_at", Big),
    _column("created_at", Big),
    _maybe("deadline_at", Big),
    _maybe("result", Text()),
    _maybe("holder", Big),
    _maybe("sending_since", Big),
    Index("ix_outbox_lane", "account", "key", "id"),
    _where("ix_outbox_live", "state NOT IN ('done', 'cancelled')", "account", "key", "id"),
    _where("ix_outbox_due", "state IN ('pending', 'in_doubt')", "account", "due_at", "id"),
    _where("ix_outbox_sending", "state = 'sending'", "holder"),
)

attempts = _table(
    "attempts",
    _column("id", Big, primary_key=True, autoincrement=True),
    _column("account", Key),
    _column("direction", Text()),
    _column("kind", Text()),
    _column("target", Text()),
    _column("started_at", Big),
    _column("duration_us", Big),
    _column("outcome", Text()),
    _column("code", Text()),
    _maybe("status", Integer()),
    _maybe("correlation_id", Text()),
    _column("reference", Key),
    Index("ix_attempts_account", "account", "id"),
    Index("ix_attempts_started_at", "started_at"),
    _where("ix_attempts_reference", "reference <> ''", "reference", "id"),
)

failures = _table(
    "failures",
    _column("id", Big, primary_key=True, autoincrement=True),
    _column("account", Key),
    _column("kind", Key),
    _column("reference", Key),
    _column("error", Text()),
    _column("code", Text()),
    _column("path", Text()),
    _column("message", Text()),
    _column("fingerprint", Text()),
    _column("attempts", Integer()),
    _column("origin", Text()),
    _column("state", Key),
    _column("created_at", Big),
    _column("updated_at", Big),
    _column("replays", Integer()),
    _where("uq_failures_open", "state = 'open'", "account", "kind", "reference", unique=True),
    Index("ix_failures_reference", "account", "kind", "reference"),
)

cursors = _table(
    "cursors",
    _column("account", Key, primary_key=True),
    _column("stream", Key, primary_key=True),
    _column("cursor", Text()),
    _maybe("watermark", Big),
    _column("updated_at", Big),
    _maybe("last_success_at", Big),
)

accounts = _table(
    "accounts",
    _column("account", Key, primary_key=True),
    _maybe("mode", Text()),
    _maybe("held", Text()),
    _column("circuit", Text()),
    _column("detail", Text()),
    _column("updated_at", Big),
)

flows = _table(
    "flows",
    _column("account", Key, primary_key=True),
    _maybe("inward_at", Big),
    _maybe("outward_at", Big),
    _maybe("inward_lag", Big),
    _maybe("outward_lag", Big),
    by_key=True,
    fill=50,
)

tokens = _table(
    "tokens",
    _column("account", Key, primary_key=True),
    _column("name", Key, primary_key=True),
    _column("body", Blob),
    _column("updated_at", Big),
)

api_tokens = _table(
    "api_tokens",
    _column("id", Key, primary_key=True),
    _column("sha256", Text()),
    _column("role", Text()),
    _column("label", Text()),
    _column("created_at", Big),
    _column("expires_at", Big),
    _maybe("last_used_at", Big),
    _maybe("revoked_at", Big),
)

replies = _table(
    "replies",
    _column("key", Key, primary_key=True),
    _column("fingerprint", Text()),
    _column("status", Integer()),
    _column("body", Text()),
    _column("created_at", Big),
)

counters = _table(
    "counters",
    _column("account", Key, primary_key=True),
    _column("name", Key, primary_key=True),
    _column("value", Big),
    by_key=True,
    fill=50,
)

expectations = _table(
    "expectations",
    _column("account", Key, primary_key=True),
    _column("kind", Key, primary_key=True),
    _column("reference", Key, primary_key=True),
    _column("subject", Key),
    _column("ours", Small),
    _column("opened_at", Big),
    _maybe("due_at", Big),
    _column("state", Key),
    _maybe("settled_at", Big),
    _column("detail", Text()),
    _where("ix_expectations_open", "state = 'open'", "account", "kind", "due_at"),
    _where("ix_expectations_subject", "subject <> ''", "subject"),
    fill=80,
)

files = _table(
    "files",
    _column("id", Key, primary_key=True),
    _column("account", Key),
    _column("direction", Key),
    _column("name", Text()),
    _column("control", Text()),
    _column("digest", Text()),
    _column("size", Big),
    _column("at", Big),
    _column("state", Key),
    _column("test", Small),
    _column("sets", Integer()),
    _column("done", Integer()),
    _column("sends", Integer()),
    _maybe("input", Big),
    _column("detail", Text()),
    _column("rev", Integer()),
    Index("ix_files_account", "account", "id"),
)

file_bodies = _table(
    "file_bodies",
    _column("file", Key, primary_key=True),
    _column("account", Key),
    _column("made_at", Big),
    _column("wrapped", Blob),
    _column("body", Blob),
    Index("ix_file_bodies_made_at", "made_at"),
)

file_sets = _table(
    "file_sets",
    _column("file", Key, primary_key=True),
    _column("place", Integer(), primary_key=True, autoincrement=False),
    _column("account", Key),
    _column("direction", Key),
    _column("interchange", Key),
    _column("functional_id", Key),
    _column("group_control", Key),
    _column("kind", Key),
    _column("control", Key),
    _column("digest", Text()),
    _column("state", Key),
    _column("lane", Key),
    _column("subject", Key),
    _maybe("input", Big),
    _column("problems", Text()),
    _where("ix_file_sets_sent", "direction = 'out'", "account", "interchange"),
    _where("ix_file_sets_group", "direction = 'out'", "account", "group_control"),
    _where("ix_file_sets_lane", "lane <> ''", "account", "lane"),
    _where("ix_file_sets_subject", "subject <> ''", "subject"),
)

seen_numbers = _table(
    "seen_numbers",
    _column("account", Key, primary_key=True),
    _column("key", Key, primary_key=True),
    _column("digest", Text()),
    _column("file", Key),
    _column("place", Integer()),
    _column("at", Big),
    by_key=True,
)

parcels = _table(
    "parcels",
    _column("id", Key, primary_key=True),
    _column("number", Key),
    _column("ordinal", Integer()),
    _column("carrier", Key),
    _column("parcel", Text()),
    _column("opened_at", Big),
    _maybe("milestone", Key),
    _maybe("condition", Key),
    _column("action_required", Small),
    _column("orphan", Small),
    _column("closed", Key),
    _maybe("return_number", Key),
    _maybe("return_of", Key),
    _maybe("shipped_at", Big),
    _maybe("moved_at", Big),
    _maybe("delivered_at", Big),
    _maybe("expected_at", Big),
    _maybe("heard_at", Big),
    _maybe("pushed_at", Big),
    _maybe("polled_at", Big),
    _column("polls", Integer()),
    _column("poll_rank", Small),
    _maybe("poll_at", Big),
    _maybe("watch_at", Big),
    _maybe("watched_until", Big),
    _column("told_by", Key),
    _column("state", Text()),
    _column("rev", Integer()),
    UniqueConstraint("number", "ordinal"),
    _where("ix_parcels_return_number", "return_number IS NOT NULL", "return_number"),
    _where("ix_parcels_due", "poll_at IS NOT NULL", "carrier", "poll_at"),
    _where("ix_parcels_watch", "watch_at IS NOT NULL", "carrier", "watch_at"),
    _where("ix_parcels_open", "closed = ''", "carrier", "orphan", "poll_rank"),
    _where("ix_parcels_shipped", "closed = '' AND shipped_at IS NOT NULL", "shipped_at"),
    _where("ix_parcels_delivered", "delivered_at IS NOT NULL", "delivered_at"),
    fill=80,
)

parcel_events = _table(
    "parcel_events",
    _column("number", Key, primary_key=True),
    _column("key", Key, primary_key=True),
    _column("parcel", Key),
    _column("at", Big),
    _column("place", Integer()),
    _column("current", Small),
    _column("document", Text()),
    by_key=True,
)

parcel_links = _table(
    "parcel_links",
    _column("number", Key, primary_key=True),
    _column("account", Key, primary_key=True),
    _column("kind", Key, primary_key=True),
    _column("document", Key, primary_key=True),
    _column("order_source_id", Key),
    _column("carrier", Key),
    _column("shipped_at", Big),
    _column("parcel", Key),
    Index("ix_parcel_links_document", "account", "kind", "document"),
    Index("ix_parcel_links_order", "account", "order_source_id"),
    by_key=True,
)

audit = _table(
    "audit",
    _column("seq", Big, primary_key=True, autoincrement=False),
    _column("at", Big),
    _column("actor", Text()),
    _column("action", Text()),
    _column("target", Text()),
    _column("detail", Text()),
    _column("mac", Blob),
)

# --- what SQLAlchemy cannot say --------------------------------------------------------------

APPEND_ONLY: Final = ("postings", "audit")
"""Tables whose rows are never changed or deleted; the database refuses both."""
