"""Schema 4: parcels, what carriers told of them, and whose goods they carry.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, KEY, nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=nullable)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, SMALL, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _where(name: str, columns: list[str], condition: str) -> None:
    op.create_index(
        name, "parcels", columns, unique=False, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )


def upgrade() -> None:
    _parcels()
    op.create_table(
        "parcel_events", _key("number"), _key("key"), _key("parcel"), _big("at"), _count("place"), _small("current"),
        _text("document"), sa.PrimaryKeyConstraint("number", "key"), sqlite_strict=True, sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "parcel_links", _key("number"), _key("account"), _key("kind"), _key("document"), _key("order_source_id"),
        _key("carrier"), _big("shipped_at"), _key("parcel"),
        sa.PrimaryKeyConstraint("number", "account", "kind", "document"), sqlite_strict=True, sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_index("ix_parcel_links_document", "parcel_links", ["account", "kind", "document"], unique=False)
    op.create_index("ix_parcel_links_order", "parcel_links", ["account", "order_source_id"], unique=False)


def _parcels() -> None:
    moments = [
        _big(name, nullable=True)
        for name in ("shipped_at", "moved_at", "delivered_at", "expected_at", "heard_at", "pushed_at", "polled_at")
    ]
    op.create_table(
        "parcels", _key("id"), _key("number"), _count("ordinal"), _key("carrier"), _text("parcel"), _big("opened_at"),
        _key("milestone", nullable=True), _key("condition", nullable=True), _small("action_required"),
        _small("orphan"), _key("closed"), _key("return_number", nullable=True), _key("return_of", nullable=True),
        *moments, _count("polls"), _small("poll_rank"), _big("poll_at", nullable=True), _big("watch_at", nullable=True),
        _big("watched_until", nullable=True), _key("told_by"), _text("state"), _count("rev"),
        sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("number", "ordinal", name="uq_parcels_number_ordinal"),
        sqlite_strict=True, postgresql_with={"fillfactor": "80"},
    )  # fmt: skip
    _where("ix_parcels_return_number", ["return_number"], "return_number IS NOT NULL")
    _where("ix_parcels_due", ["carrier", "poll_at"], "poll_at IS NOT NULL")
    _where("ix_parcels_watch", ["carrier", "watch_at"], "watch_at IS NOT NULL")
    _where("ix_parcels_open", ["carrier", "orphan", "poll_rank"], "closed = ''")
    _where("ix_parcels_shipped", ["shipped_at"], "closed = '' AND shipped_at IS NOT NULL")
    _where("ix_parcels_delivered", ["delivered_at"], "delivered_at IS NOT NULL")
