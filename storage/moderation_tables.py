"""The tables of federation's rules: domains, reports, and lists that members bring along."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from storage.tables import metadata

domain_rule: Final = Table(
    "domain_rule",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("severity", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reject_media", Boolean, nullable=False),
    Column("reject_reports", Boolean, nullable=False),
    Column("obfuscate", Boolean, nullable=False),
    Column("public_comment", Text, nullable=False),
    Column("private_comment", Text, nullable=False),
    sqlite_with_rowid=False,
)

report: Final = Table(
    "report",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reporter", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("comment", Text, nullable=False),
    Column("subjects", LargeBinary, nullable=False),
)
Index("report_by_time", report.c.at)

import_row: Final = Table(
    "import_row",
    metadata,
    Column("member_id", Integer, ForeignKey("member.id"), primary_key=True, nullable=False),
    Column("kind", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("options", Text, nullable=False, server_default="[]"),
    sqlite_with_rowid=False,
)
"""The last list of each kind that a member brought along, a row for each line."""
Index(
    "import_row_waiting",
    import_row.c.member_id,
    sqlite_where=import_row.c.state == "waiting",
)
