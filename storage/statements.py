"""Statements written in SQLAlchemy Core, compiled once to SQL that the driver runs directly."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import BindParameter

import storage.account_tables
import storage.moderation_tables
import storage.timeline_tables  # noqa: F401  registers its tables
from storage.tables import metadata


class _Compiler(SQLiteCompiler):
    """Writes values that are fixed in a statement into its text."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **kwargs: Any) -> str:
        if not bindparam.required:
            kwargs["literal_binds"] = True
        made: str = super().visit_bindparam(bindparam, *args, **kwargs)  # type: ignore[no-untyped-call]
        return made


_DIALECT: Final = sqlite.dialect(paramstyle="qmark")
_DIALECT.statement_compiler = _Compiler


def compiled(statement: ClauseElement) -> str:
    """SQL text of a statement; its ``?`` stand in the order in which `given` appears in it."""
    return str(statement.compile(dialect=_DIALECT))


def given(name: str) -> BindParameter[Any]:
    """A parameter of a statement."""
    return bindparam(name)


def upsert(table: Table) -> str:
    """Insert a row (all columns, in the table's order), or replace the row with the same key."""
    insert = sqlite.insert(table).values({c.name: given(c.name) for c in table.columns})
    keys: list[Column[Any]] = list(table.primary_key.columns)
    rest = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
    return compiled(insert.on_conflict_do_update(index_elements=keys, set_=rest))


def insert_row(table: Table, *, or_ignore: bool = False) -> str:
    """Insert a row (all columns, in the table's order)."""
    insert = sqlite.insert(table).values({c.name: given(c.name) for c in table.columns})
    return compiled(insert.on_conflict_do_nothing() if or_ignore else insert)


def schema() -> list[str]:
    """What creates all tables and indexes in an empty database."""
    return [
        str(create.compile(dialect=_DIALECT)).strip()
        for table in metadata.sorted_tables
        for create in _create(table)
    ]


def _create(table: Table) -> list[ExecutableDDLElement]:
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    return [CreateTable(table), *(CreateIndex(index) for index in indexes)]
