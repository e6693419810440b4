"""Migrations and table definitions say the same, and the hot paths have their indexes."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from hub.storage import migrate
from hub.storage.errors import SchemaOutdated
from hub.storage.sqlite import statements, trading
from hub.storage.tables import metadata


def differences(connection: sa.Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_the_migrations_make_what_the_tables_define(url: str) -> None:
    """Tables, columns, indexes and unique keys of the upgraded schema are those of `tables.py`, on both engines."""
    await migrate.upgrade(url)
    driver = url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(driver)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


HOT = sorted(
    name
    for name, value in (vars(statements) | vars(trading)).items()
    if name.isupper()
    and not name.startswith("_")
    and isinstance(value, str)
    and value.startswith(("SELECT", "UPDATE", "DELETE"))
)


@pytest.mark.parametrize("name", HOT)
async def test_no_hot_statement_reads_a_whole_table(name: str, tmp_path: Path) -> None:
    """SQLite's plan of every statement of the hot path searches; a scan may go over a partial index only."""
    await migrate.upgrade(f"sqlite:///{tmp_path}/hub.db")
    statement = getattr(statements, name, None) or getattr(trading, name)
    numbered = [int(number) for number in re.findall(r"\?(\d+)", statement)]
    values = [None] * (max(numbered) if numbered else statement.count("?"))
    connection = sqlite3.connect(tmp_path / "hub.db")
    try:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    finally:
        connection.close()
    small = ("json_each", "VIRTUAL TABLE", "CONSTANT ROW", "ix_inbox_work_crashed", "ix_inbox_work_held", "SCAN a")
    scans = [line for line in plan if line.startswith("SCAN") and not any(word in line for word in small)]
    assert scans == [] or name in {"LAST_AUDIT", "ANY_KITS"}, plan


def test_the_revisions_named_are_the_migrations_there_are() -> None:
    """The list a start goes by equals the migration scripts, in their order."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations")))
    steps = [step.revision for step in scripts.walk_revisions()]
    assert tuple(reversed(steps)) == migrate.REVISIONS


def _at_first_revision(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def test_a_database_of_the_first_schema_becomes_todays_with_what_it_holds(tmp_path: Path) -> None:
    """Upgraded by opening it, rows kept; a reader of the old one is told what to do."""
    path = tmp_path / "hub.db"
    url = f"sqlite:///{path}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        _at_first_revision(connection)
        connection.exec_driver_sql("INSERT INTO flows (account, inward_at) VALUES ('shop', 7)")
        connection.exec_driver_sql(
            "INSERT INTO personal (subject, account, wrapped, body) VALUES ('o1', 'shop', x'00', x'00')"
        )
    engine.dispose()
    with pytest.raises(SchemaOutdated, match="db upgrade"):
        migrate.require(await migrate.current(url))
    await migrate.upgrade(url)
    migrate.require(await migrate.current(url))
    opened = sqlite3.connect(path)
    try:
        assert opened.execute("SELECT account, inward_at, inward_lag FROM flows").fetchall() == [("shop", 7, None)]
        assert opened.execute("SELECT subject, buyer FROM personal").fetchall() == [("o1", None)]
    finally:
        opened.close()
