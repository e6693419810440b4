"""Alembic's entry: runs the migrations on the connection `hub.storage.migrate` hands over.

Every migration runs in a transaction of its own on both engines, so one that is killed half way
leaves nothing behind.
"""

from __future__ import annotations

from alembic import context

from hub.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
