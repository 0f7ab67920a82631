"""Brings a database file to today's tables: made at once when new, by migrations when old."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from storage.durable import sync_folder
from storage.engine import connect
from storage.statements import schema

HEAD: Final = "0014"
"""The newest migration, which the tables of `storage.tables` are the outcome of."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def upgrade(path: Path) -> None:
    """Make the database at ``path`` ready for use, creating it (mode 0600) where there is none.

    Raises RuntimeError for a file of a newer version than this code.
    """
    if not path.exists():
        path.touch(mode=0o600)
    with closing(connect(path, query_only=False)) as connection:
        version = version_of(connection)
        if version is None:
            _create(connection)
            sync_folder(path.parent)
        elif version > HEAD:
            raise RuntimeError(f"the database is of version {version}, this code knows {HEAD}")
    if version is not None and version < HEAD:
        _migrate(path)


def version_of(connection: sqlite3.Connection) -> str | None:
    """The migration that the file stands at, None for an empty file."""
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall():
        return None
    version: str = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return version


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    for statement in schema():
        connection.execute(statement)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT NOT NULL PRIMARY KEY)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    connection.execute("COMMIT")


def _migrate(path: Path) -> None:
    """Run the migrations that are missing; imported here, as a start usually needs none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, HEAD)
