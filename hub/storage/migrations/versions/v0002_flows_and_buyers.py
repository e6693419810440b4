"""Schema 2: the lag of each account beside its last success, and whose orders are whose without reading anybody.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("flows", sa.Column("inward_lag", BIG, nullable=True))
    op.add_column("flows", sa.Column("outward_lag", BIG, nullable=True))
    op.add_column("personal", sa.Column("buyer", KEY, nullable=True))
    op.create_index("ix_personal_buyer", "personal", ["account", "buyer"], unique=False)
