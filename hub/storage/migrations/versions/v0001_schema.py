"""Schema 1: everything the hub stores, the counters it keeps by trigger, and the two append-only tables.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = ("postings", "audit")

COUNTS_SQLITE = (
    """
    CREATE TRIGGER levels_counted_in AFTER INSERT ON levels BEGIN
        INSERT INTO level_counts (account, levels, verified) VALUES (new.account, 1, new.state = 'verified')
        ON CONFLICT (account) DO UPDATE SET levels = levels + 1, verified = verified + excluded.verified;
    END
    """,
    """
    CREATE TRIGGER levels_counted_out AFTER DELETE ON levels BEGIN
        UPDATE level_counts SET levels = levels - 1, verified = verified - (old.state = 'verified')
        WHERE account = old.account;
    END
    """,
    """
    CREATE TRIGGER levels_counted_over AFTER UPDATE OF state ON levels
    WHEN (old.state = 'verified') <> (new.state = 'verified') BEGIN
        UPDATE level_counts SET verified = verified + (new.state = 'verified') - (old.state = 'verified')
        WHERE account = new.account;
    END
    """,
)
COUNTS_POSTGRESQL = (
    """
    CREATE FUNCTION trunkline_count_levels() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO level_counts (account, levels, verified)
            VALUES (new.account, 1, (new.state = 'verified')::int)
            ON CONFLICT (account) DO UPDATE
            SET levels = level_counts.levels + 1, verified = level_counts.verified + excluded.verified;
        ELSIF TG_OP = 'DELETE' THEN
            UPDATE level_counts SET levels = levels - 1, verified = verified - (old.state = 'verified')::int
            WHERE account = old.account;
        ELSE
            UPDATE level_counts
            SET verified = verified + (new.state = 'verified')::int - (old.state = 'verified')::int
            WHERE account = new.account;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER levels_counted AFTER INSERT OR DELETE ON levels
    FOR EACH ROW EXECUTE FUNCTION trunkline_count_levels()
    """,
    """
    CREATE TRIGGER levels_counted_over AFTER UPDATE OF state ON levels FOR EACH ROW
    WHEN ((old.state = 'verified') IS DISTINCT FROM (new.state = 'verified'))
    EXECUTE FUNCTION trunkline_count_levels()
    """,
)
REFUSE_POSTGRESQL = """
    CREATE FUNCTION trunkline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
    END $$
"""


def upgrade() -> None:
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def downgrade() -> None:
    raise RuntimeError("restore a backup instead: a downgrade would drop what was received since")


def _sqlite_triggers() -> None:
    for statement in COUNTS_SQLITE:
        op.execute(statement)
    for table in APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN"
                f" SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _postgresql_triggers() -> None:
    for statement in (*COUNTS_POSTGRESQL, REFUSE_POSTGRESQL):
        op.execute(statement)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION trunkline_append_only()"
        )


def _tables() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", KEY, nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("circuit", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account"),
        sqlite_strict=True,
    )
    op.create_table(
        "aliases",
        sa.Column("account", KEY, nullable=False),
        sa.Column("channel_sku", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.PrimaryKeyConstraint("account", "channel_sku"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aliases_sku", "aliases", ["sku"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", KEY, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_table(
        "attempts",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("duration_us", BIG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("reference", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_attempts_account", "attempts", ["account", "id"], unique=False)
    op.create_index(
        "ix_attempts_reference",
        "attempts",
        ["reference", "id"],
        unique=False,
        sqlite_where=sa.text("reference <> ''"),
        postgresql_where=sa.text("reference <> ''"),
    )
    op.create_index("ix_attempts_started_at", "attempts", ["started_at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "cursors",
        sa.Column("account", KEY, nullable=False),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("watermark", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("last_success_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("account", "stream"),
        sqlite_strict=True,
    )
    op.create_table(
        "documents",
        sa.Column("id", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("order_source_id", KEY, nullable=True),
        sa.Column("occurred_at", BIG, nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "type", "source_id", name=op.f("uq_documents_account_type_source_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_documents_order",
        "documents",
        ["account", "order_source_id"],
        unique=False,
        sqlite_where=sa.text("order_source_id IS NOT NULL"),
        postgresql_where=sa.text("order_source_id IS NOT NULL"),
    )
    op.create_index("ix_documents_type", "documents", ["type", "id"], unique=False)
    op.create_table(
        "failures",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("reference", KEY, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_failures_reference", "failures", ["account", "kind", "reference"], unique=False)
    op.create_index(
        "uq_failures_open",
        "failures",
        ["account", "kind", "reference"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "flows",
        sa.Column("account", KEY, nullable=False),
        sa.Column("inward_at", BIG, nullable=True),
        sa.Column("outward_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("account"),
        postgresql_with={"fillfactor": "50"},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbox",
        sa.Column("seq", BIG, autoincrement=True, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("dedupe_key", KEY, nullable=False),
        sa.Column("ordering_key", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("occurred_at", BIG, nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("account", "dedupe_key", name=op.f("uq_inbox_account_dedupe_key")),
        sqlite_strict=True,
    )
    op.create_index("ix_inbox_lane", "inbox", ["account", "ordering_key", "seq"], unique=False)
    op.create_table(
        "inbox_work",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("ordering_key", KEY, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("holder", BIG, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        postgresql_with={"fillfactor": "70"},
        sqlite_strict=True,
    )
    op.create_index(
        "ix_inbox_work_crashed",
        "inbox_work",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("crashes > 0 AND state = 'pending'"),
        postgresql_where=sa.text("crashes > 0 AND state = 'pending'"),
    )
    op.create_index(
        "ix_inbox_work_due",
        "inbox_work",
        ["account", "due_at", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'pending' AND holder IS NULL"),
        postgresql_where=sa.text("state = 'pending' AND holder IS NULL"),
    )
    op.create_index(
        "ix_inbox_work_held",
        "inbox_work",
        ["account", "ordering_key"],
        unique=False,
        sqlite_where=sa.text("holder IS NOT NULL"),
        postgresql_where=sa.text("holder IS NOT NULL"),
    )
    op.create_index(
        "ix_inbox_work_lane",
        "inbox_work",
        ["account", "ordering_key", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "kit_parts",
        sa.Column("kit", KEY, nullable=False),
        sa.Column("component", KEY, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kit", "component"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_kit_parts_component", "kit_parts", ["component"], unique=False)
    op.create_table(
        "level_counts",
        sa.Column("account", KEY, nullable=False),
        sa.Column("levels", BIG, nullable=False),
        sa.Column("verified", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account"),
        postgresql_with={"fillfactor": "50"},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "levels",
        sa.Column("sku", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("listing_id", KEY, nullable=False),
        sa.Column("location", KEY, nullable=False),
        sa.Column("channel_sku", KEY, nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=True),
        sa.Column("state", KEY, nullable=False),
        sa.Column("dirty_seq", BIG, nullable=False),
        sa.Column("sent_seq", BIG, nullable=False),
        sa.Column("dirty_at", BIG, nullable=True),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("dirty", SMALL, nullable=False),
        sa.Column("rank", SMALL, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_quantity", BIG, nullable=True),
        sa.Column("sent_version", BIG, nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("push_key", sa.Text(), nullable=True),
        sa.Column("receipt", KEY, nullable=True),
        sa.Column("shown_quantity", BIG, nullable=True),
        sa.Column("verified_quantity", BIG, nullable=True),
        sa.Column("verified_at", BIG, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("(dirty = 1) = (dirty_seq > sent_seq)", name="ck_levels_dirty"),
        sa.PrimaryKeyConstraint("sku", "account", "listing_id", "location"),
        sa.UniqueConstraint("account", "listing_id", "location", name=op.f("uq_levels_account_listing_id_location")),
        postgresql_with={"fillfactor": "70"},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_levels_dirty",
        "levels",
        ["account", "rank", "dirty_at"],
        unique=False,
        sqlite_where=sa.text("dirty = 1"),
        postgresql_where=sa.text("dirty = 1"),
    )
    op.create_index(
        "ix_levels_drifted",
        "levels",
        ["account"],
        unique=False,
        sqlite_where=sa.text("state = 'drifted'"),
        postgresql_where=sa.text("state = 'drifted'"),
    )
    op.create_index(
        "ix_levels_unverified",
        "levels",
        ["account", "sent_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('sent', 'accepted')"),
        postgresql_where=sa.text("state IN ('sent', 'accepted')"),
    )
    op.create_table(
        "listings",
        sa.Column("account", KEY, nullable=False),
        sa.Column("listing_id", KEY, nullable=False),
        sa.Column("location", KEY, nullable=False),
        sa.Column("channel_sku", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=True),
        sa.Column("variant_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fulfilled_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "listing_id", "location"),
        sqlite_strict=True,
    )
    op.create_index("ix_listings_channel_sku", "listings", ["account", "channel_sku"], unique=False)
    op.create_table(
        "meta",
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_table(
        "order_unresolved",
        sa.Column("account", KEY, nullable=False),
        sa.Column("channel_sku", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("account", "channel_sku", "order_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_order_unresolved_order_id", "order_unresolved", ["order_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("number", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("placed_at", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=True),
        sa.Column("allocations", sa.Text(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("unresolved", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "source_id", name=op.f("uq_orders_account_source_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_orders_held",
        "orders",
        ["id"],
        unique=False,
        sqlite_where=sa.text("holds <> '[]'"),
        postgresql_where=sa.text("holds <> '[]'"),
    )
    op.create_index("ix_orders_number", "orders", ["number"], unique=False)
    op.create_index(
        "ix_orders_unfinished",
        "orders",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('closed', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('closed', 'cancelled')"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("idempotency_key", KEY, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("deadline_at", BIG, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("holder", BIG, nullable=True),
        sa.Column("sending_since", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["account", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'in_doubt')"),
        postgresql_where=sa.text("state IN ('pending', 'in_doubt')"),
    )
    op.create_index("ix_outbox_lane", "outbox", ["account", "key", "id"], unique=False)
    op.create_index(
        "ix_outbox_live",
        "outbox",
        ["account", "key", "id"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.create_index(
        "ix_outbox_sending",
        "outbox",
        ["holder"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_table(
        "own_reserved",
        sa.Column("account", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("location", KEY, nullable=False),
        sa.Column("units", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account", "sku", "location"),
        postgresql_with={"fillfactor": "70"},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payload_keys",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_table(
        "payloads",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("key_id", BIG, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "personal",
        sa.Column("subject", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("delete_after", BIG, nullable=True),
        sa.PrimaryKeyConstraint("subject"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_personal_delete_after",
        "personal",
        ["delete_after"],
        unique=False,
        sqlite_where=sa.text("delete_after IS NOT NULL"),
        postgresql_where=sa.text("delete_after IS NOT NULL"),
    )
    op.create_table(
        "positions",
        sa.Column("sku", KEY, nullable=False),
        sa.Column("location", KEY, nullable=False),
        sa.Column("on_hand", BIG, nullable=False),
        sa.Column("reserved", BIG, nullable=False),
        sa.Column("incoming", BIG, nullable=False),
        sa.Column("quarantine", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("counted_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("sku", "location"),
        postgresql_with={"fillfactor": "70"},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "postings",
        sa.Column("seq", BIG, autoincrement=True, nullable=False),
        sa.Column("event", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("location", KEY, nullable=False),
        sa.Column("bucket", KEY, nullable=False),
        sa.Column("delta", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_at", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("reference", KEY, nullable=False),
        sa.Column("counted", SMALL, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("event", "sku", "location", "bucket", name=op.f("uq_postings_event_sku_location_bucket")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_postings_on_hand",
        "postings",
        ["sku", "location", "effective_at"],
        unique=False,
        sqlite_where=sa.text("bucket = 'on_hand'"),
        postgresql_where=sa.text("bucket = 'on_hand'"),
    )
    op.create_index(
        "ix_postings_reference",
        "postings",
        ["reference"],
        unique=False,
        sqlite_where=sa.text("reference <> ''"),
        postgresql_where=sa.text("reference <> ''"),
    )
    op.create_index("ix_postings_sku", "postings", ["sku", "seq"], unique=False)
    op.create_table(
        "replies",
        sa.Column("key", KEY, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_strict=True,
    )
    op.create_table(
        "skus",
        sa.Column("sku", KEY, nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("packs", sa.Text(), nullable=False),
        sa.Column("components", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sku"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tokens",
        sa.Column("account", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account", "name"),
        sqlite_strict=True,
    )
    op.create_table(
        "workers",
        sa.Column("fence", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("lease_until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("fence"),
        sqlite_strict=True,
    )
