"""Schema 5: what a functional acknowledgement is about, found without the interchange it does not name.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SENT = "direction = 'out'"


def upgrade() -> None:
    op.drop_index("ix_file_sets_sent", "file_sets")
    for name, column in (("ix_file_sets_sent", "interchange"), ("ix_file_sets_group", "group_control")):
        op.create_index(
            name, "file_sets", ["account", column], unique=False,
            sqlite_where=sa.text(_SENT), postgresql_where=sa.text(_SENT),
        )  # fmt: skip
