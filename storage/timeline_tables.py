"""The tables of timelines: short ids, posts of others that are kept a while, and what is new."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from storage.tables import metadata

_MEMBER: Final = "member.id"

short_id: Final = Table(
    "short_id",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("iri", Text, nullable=False, unique=True),
)
"""Numbers that sort by time, for clients that name things by them."""

heard_post: Final = Table(
    "heard_post",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Posts and boosts of other servers as they came; a store of bounded age and size."""
Index("heard_post_by_author", heard_post.c.author, heard_post.c.at)
Index("heard_post_by_time", heard_post.c.at)

timeline: Final = Table(
    "timeline",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("id", BigInteger, primary_key=True),
    Column("iri", Text, nullable=False),
    Column("author", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What stands in a member's home timeline: names of posts, wherever they are kept."""
Index("timeline_by_iri", timeline.c.iri)
Index("timeline_by_author", timeline.c.member_id, timeline.c.author)

notice: Final = Table(
    "notice",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("id", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What a member is told of; ``about`` is a post, or empty."""
Index("notice_once", notice.c.member_id, notice.c.kind, notice.c.actor, notice.c.about, unique=True)
Index("notice_by_about", notice.c.about)

listing: Final = Table(
    "listing",
    metadata,
    Column("name", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""What is public, by the names of timelines that are the same for everybody: places, hashtags."""
Index("listing_by_id", listing.c.id)

account_word: Final = Table(
    "account_word",
    metadata,
    Column("word", Text, primary_key=True),
    Column("iri", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""The words by which people are found: their addresses, and those of their names."""
Index("account_word_by_iri", account_word.c.iri)

poll_end: Final = Table(
    "poll_end",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("iri", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The polls of whose end a member is to be told."""
Index("poll_end_by_time", poll_end.c.at)

read_marker: Final = Table(
    "read_marker",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("timeline", Text, primary_key=True),
    Column("last_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How far a member has read."""
