"""The migrations and the tables say the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from storage.migrate import HEAD, MIGRATIONS, upgrade
from storage.tables import metadata

FIRST = MIGRATIONS / "versions" / "0001_first_tables.py"


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def shape(path: Path) -> dict[str, object]:
    """Columns, keys and indexes of every table, whatever their order."""
    tables = rows(path, "SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {
        str(name): [
            rows(path, f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')"),
            rows(path, f"SELECT name FROM pragma_index_info('{name}')"),
            rows(path, f'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{name}\')'),
            rows(path, f"SELECT wr FROM pragma_table_list('{name}')"),
        ]
        for name, _ in tables
        if name != "alembic_version"
    }


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A database as the first version left it, with a member in it."""
    path = tmp_path / "old.db"
    before: dict[str, str] = {}
    exec(FIRST.read_text().replace("from alembic import op", ""), before)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(before["TABLES"])
        connection.executescript(
            "CREATE TABLE alembic_version (version_num TEXT NOT NULL PRIMARY KEY);"
            "INSERT INTO alembic_version VALUES ('0001');"
            "INSERT INTO member VALUES"
            " (7, 'did:plc:a', 'a.test', 'https://a.test', 'active', 1000, NULL, 0);"
        )
    return path


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_old_database_becomes_what_a_new_one_is(first_version: Path, tmp_path: Path) -> None:
    upgrade(tmp_path / "new.db")
    upgrade(first_version)
    assert shape(first_version) == shape(tmp_path / "new.db")
    assert rows(first_version, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert rows(first_version, "SELECT id, handle FROM member") == [(7, "a.test")]


def test_all_migrations_from_nothing_make_todays_tables(tmp_path: Path) -> None:
    from storage.migrate import _migrate

    upgrade(tmp_path / "new.db")
    _migrate(tmp_path / "migrated.db")
    assert shape(tmp_path / "migrated.db") == shape(tmp_path / "new.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pod.db"
    upgrade(path)
    before = path.read_bytes()
    upgrade(path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused(first_version: Path) -> None:
    rows(first_version, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RuntimeError, match="9999"):
        upgrade(first_version)
