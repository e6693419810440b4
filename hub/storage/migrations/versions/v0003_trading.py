"""Schema 3: counters, expectations, and the files exchanged with trading partners.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, KEY, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=nullable)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, SMALL, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _where(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(
        name, table, columns, unique=False, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )


def upgrade() -> None:
    _numbers()
    _expectations()
    _files()
    _sets()


def _numbers() -> None:
    op.create_table(
        "counters", _key("account"), _key("name"), _big("value"), sa.PrimaryKeyConstraint("account", "name"),
        sqlite_strict=True, sqlite_with_rowid=False, postgresql_with={"fillfactor": "50"},
    )  # fmt: skip
    op.create_table(
        "seen_numbers", _key("account"), _key("key"), _text("digest"), _key("file"), _count("place"), _big("at"),
        sa.PrimaryKeyConstraint("account", "key"), sqlite_strict=True, sqlite_with_rowid=False,
    )  # fmt: skip


def _expectations() -> None:
    op.create_table(
        "expectations", _key("account"), _key("kind"), _key("reference"), _key("subject"), _small("ours"),
        _big("opened_at"), _big("due_at", nullable=True), _key("state"), _big("settled_at", nullable=True),
        _text("detail"), sa.PrimaryKeyConstraint("account", "kind", "reference"), sqlite_strict=True,
        postgresql_with={"fillfactor": "80"},
    )  # fmt: skip
    _where("ix_expectations_open", "expectations", ["account", "kind", "due_at"], "state = 'open'")
    _where("ix_expectations_subject", "expectations", ["subject"], "subject <> ''")


def _files() -> None:
    op.create_table(
        "files", _key("id"), _key("account"), _key("direction"), _text("name"), _text("control"), _text("digest"),
        _big("size"), _big("at"), _key("state"), _small("test"), _count("sets"), _count("done"), _count("sends"),
        _big("input", nullable=True), _text("detail"), _count("rev"), sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("ix_files_account", "files", ["account", "id"], unique=False)
    op.create_table(
        "file_bodies", _key("file"), _key("account"), _big("made_at"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False), sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file"), sqlite_strict=True,
    )  # fmt: skip
    op.create_index("ix_file_bodies_made_at", "file_bodies", ["made_at"], unique=False)


def _sets() -> None:
    op.create_table(
        "file_sets", _key("file"), sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        _key("account"), _key("direction"), _key("interchange"), _key("functional_id"), _key("group_control"),
        _key("kind"), _key("control"), _text("digest"), _key("state"), _key("lane"), _key("subject"),
        _big("input", nullable=True), _text("problems"), sa.PrimaryKeyConstraint("file", "place"), sqlite_strict=True,
    )  # fmt: skip
    _where(
        "ix_file_sets_sent", "file_sets", ["account", "interchange", "functional_id", "group_control"],
        "direction = 'out'",
    )  # fmt: skip
    _where("ix_file_sets_lane", "file_sets", ["account", "lane"], "lane <> ''")
    _where("ix_file_sets_subject", "file_sets", ["subject"], "subject <> ''")
