"""The tables of a pod, portable between SQLite and PostgreSQL; the MST is derived and has none.

Times are integer microseconds since 1970, CIDs 36 raw bytes. Wide columns come last, so that a scan
of the narrow ones touches no overflow page. Tables are clustered by their key where rows are read
in its order (``WITHOUT ROWID``).
"""

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
    MetaData,
    Table,
    Text,
)

metadata: Final = MetaData()


def _member(*, key: bool = False) -> Column[int]:
    """The column that says whose row it is."""
    return Column("member_id", Integer, ForeignKey("member.id"), primary_key=key, nullable=False)


def _key(name: str) -> Column[str]:
    """One more part of a clustered key."""
    return Column(name, Text, primary_key=True)


def _time(name: str) -> Column[int]:
    """Microseconds since 1970."""
    return Column(name, BigInteger, nullable=False)


member: Final = Table(
    "member",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("did", Text, nullable=False, unique=True),
    Column("handle", Text, nullable=False, unique=True),
    Column("origin", Text, nullable=False, unique=True),
    Column("standing", Text, nullable=False),
    _time("created_at"),
    Column("email", Text, unique=True),
    Column("email_confirmed", Boolean, nullable=False),
    Column("address", Text),
    sqlite_autoincrement=True,
)

Index("member_by_address", member.c.address, unique=True)

repo: Final = Table(
    "repo",
    metadata,
    _member(key=True),
    Column("commit_cid", LargeBinary, nullable=False),
    Column("rev", Text, nullable=False),
    Column("data_cid", LargeBinary, nullable=False),
    Column("block", LargeBinary, nullable=False),
)

usage: Final = Table(
    "usage",
    metadata,
    _member(key=True),
    Column("bytes", BigInteger, nullable=False),
)
"""Bytes that a member's resources and blobs take; kept with every write: quotas are point reads."""

resource: Final = Table(
    "resource",
    metadata,
    _member(key=True),
    _key("path"),
    Column("media_type", Text, nullable=False),
    Column("cid", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("rev", Text, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    Column("generation", Integer, nullable=False),
    Column("subject", Text),
    Column("complement", LargeBinary),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("resource_by_cid", resource.c.member_id, resource.c.cid)
Index(
    "resource_by_subject",
    resource.c.subject,
    resource.c.member_id,
    sqlite_where=resource.c.subject.is_not(None),
)

tombstone: Final = Table(
    "tombstone",
    metadata,
    _member(key=True),
    _key("path"),
    Column("media_type", Text, nullable=False),
    Column("cid", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    _time("deleted_at"),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

change_log: Final = Table(
    "change_log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("member_id", Integer, nullable=False),
    _time("at"),
    Column("kind", Text, nullable=False),
    Column("rev", Text),
    Column("ops", LargeBinary, nullable=False),
)
Index("change_log_by_member", change_log.c.member_id, change_log.c.seq)

frame: Final = Table(
    "frame",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary, nullable=False),
)
"""Firehose frames of the change log, apart from it: they are large, and go when they are old."""

blob: Final = Table(
    "blob",
    metadata,
    _member(key=True),
    Column("cid", LargeBinary, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    _time("uploaded_at"),
    sqlite_with_rowid=False,
)
Index("blob_by_cid", blob.c.cid)

blob_ref: Final = Table(
    "blob_ref",
    metadata,
    _member(key=True),
    Column("cid", LargeBinary, primary_key=True),
    _key("path"),
    sqlite_with_rowid=False,
)
Index("blob_ref_by_path", blob_ref.c.member_id, blob_ref.c.path)

key_vault: Final = Table(
    "key_vault",
    metadata,
    Column("owner", Integer, primary_key=True, autoincrement=False),
    _key("purpose"),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Sealed secrets; ``owner`` is a member's id, or 0 for the server's own."""

app_password: Final = Table(
    "app_password",
    metadata,
    _member(key=True),
    _key("name"),
    Column("hash", Text, nullable=False),
    Column("privileged", Boolean, nullable=False),
    _time("created_at"),
    sqlite_with_rowid=False,
)

refresh_grant: Final = Table(
    "refresh_grant",
    metadata,
    _key("id"),
    _member(),
    Column("credential", Text, nullable=False),
    _time("expires_at"),
    Column("next_id", Text),
    Column("app_password", Text),
    sqlite_with_rowid=False,
)
Index("refresh_grant_by_member", refresh_grant.c.member_id)
Index("refresh_grant_by_next", refresh_grant.c.next_id)

preference: Final = Table(
    "preference",
    metadata,
    _member(key=True),
    Column("body", LargeBinary, nullable=False),
)

cursor: Final = Table(
    "cursor",
    metadata,
    _key("reactor"),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

follower: Final = Table(
    "follower",
    metadata,
    _member(key=True),
    _key("actor"),
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("follow_id", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    _time("since"),
    sqlite_with_rowid=False,
)
Index("follower_by_actor", follower.c.actor)

edge: Final = Table(
    "edge",
    metadata,
    _member(key=True),
    _key("path"),
    _key("kind"),
    _key("actor"),
    _key("object"),
    Column("activity", Text, nullable=False),
    Column("is_public", Boolean, nullable=False),
    _time("at"),
    sqlite_with_rowid=False,
)
"""What actors elsewhere did to a resource; ``object`` is empty where they can do it only once."""
Index("edge_by_activity", edge.c.actor, edge.c.activity)
Index("edge_by_object", edge.c.actor, edge.c.object)
Index(
    "edge_votes",
    edge.c.member_id,
    edge.c.path,
    sqlite_where=edge.c.kind == "vote",
)

seen_activity: Final = Table(
    "seen_activity",
    metadata,
    _key("id"),
    _time("at"),
    sqlite_with_rowid=False,
)

remote_actor: Final = Table(
    "remote_actor",
    metadata,
    Column("iri", Text, primary_key=True),
    _time("fetched_at"),
    Column("body", LargeBinary, nullable=False),
)
"""A cache; may be emptied at any time."""

outgoing: Final = Table(
    "outgoing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", Integer, nullable=False),
    Column("activity", Text, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)
"""Activities on their way, each once however many inboxes it goes to."""

delivery: Final = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("outgoing_id", Integer, ForeignKey("outgoing.id"), nullable=False),
    Column("target", Text, nullable=False),
    Column("is_actor", Boolean, nullable=False),
    Column("host", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    _time("queued_at"),
    _time("due_at"),
)
"""One activity for one inbox, or for an actor whose inbox is found when it is sent."""
Index("delivery_once", delivery.c.outgoing_id, delivery.c.target, unique=True)
Index("delivery_by_time", delivery.c.priority, delivery.c.due_at, delivery.c.id)
Index("delivery_by_host", delivery.c.host, delivery.c.due_at)
Index("delivery_by_age", delivery.c.queued_at)

domain: Final = Table(
    "domain",
    metadata,
    _member(key=True),
    _time("seen_at"),
    Column("fault", Text),
    Column("ill_since", BigInteger),
    Column("told", Boolean, nullable=False),
)
"""What was last seen of a member's domain; ``fault`` is null where it is well."""

peer_host: Final = Table(
    "peer_host",
    metadata,
    _key("host"),
    Column("modern", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", BigInteger),
    Column("rest_until", BigInteger),
    sqlite_with_rowid=False,
)
"""Hosts that do not answer, or want the newer signatures."""

introduced: Final = Table(
    "introduced",
    metadata,
    _key("host"),
    _member(key=True),
    sqlite_with_rowid=False,
)
"""Hosts that took something of a member: they know the member's domain."""

oauth_request: Final = Table(
    "oauth_request",
    metadata,
    _key("id"),
    _time("expires_at"),
    Column("device", Text),
    Column("code_hash", Text),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("oauth_request_by_code", oauth_request.c.code_hash)
Index("oauth_request_by_device", oauth_request.c.device)

oauth_session: Final = Table(
    "oauth_session",
    metadata,
    _key("id"),
    _member(),
    Column("generation", Integer, nullable=False),
    _time("created_at"),
    _time("renewed_at"),
    Column("code_hash", Text),
    Column("body", LargeBinary, nullable=False),
    Column("ends_at", BigInteger),
    sqlite_with_rowid=False,
)
"""What members allowed apps; the tokens themselves are kept nowhere."""
Index("oauth_session_by_member", oauth_session.c.member_id, oauth_session.c.created_at)
Index("oauth_session_by_code", oauth_session.c.code_hash)

oauth_consent: Final = Table(
    "oauth_consent",
    metadata,
    _member(key=True),
    _key("client_id"),
    Column("scope", Text, nullable=False),
    sqlite_with_rowid=False,
)

used_once: Final = Table(
    "used_once",
    metadata,
    _key("key"),
    _time("until"),
    sqlite_with_rowid=False,
)
"""What must not be used again before a time: PKCE challenges, client assertions, one-time codes."""

lexicon_schema: Final = Table(
    "lexicon_schema",
    metadata,
    _key("nsid"),
    _time("fetched_at"),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""A cache of lexicons of other authorities."""

signed_in: Final = Table(
    "signed_in",
    metadata,
    _key("device"),
    _member(key=True),
    _time("at"),
    sqlite_with_rowid=False,
)
"""Members who are signed in on a browser; ``device`` is the hash of its cookie."""
Index("signed_in_by_member", signed_in.c.member_id)

oauth_client: Final = Table(
    "oauth_client",
    metadata,
    _key("id"),
    Column("member_id", Integer, ForeignKey("member.id")),
    _time("created_at"),
    _time("used_at"),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Clients that registered, or that a member made; ``used_at`` is 0 for those never used."""
Index("oauth_client_by_member", oauth_client.c.member_id, oauth_client.c.created_at)
Index("oauth_client_by_use", oauth_client.c.used_at, oauth_client.c.created_at)

notification_channel: Final = Table(
    "notification_channel",
    metadata,
    _key("id"),
    Column("secret", Text, nullable=False, unique=True),
    _member(),
    Column("holder", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    _time("created_at"),
    _time("end_at"),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Who is told of changes in a member's storage; ``seq`` is how far they were told."""
_nc: Final = notification_channel.c
Index("notification_channel_by_holder", _nc.member_id, _nc.holder, _nc.created_at)
Index("notification_channel_by_type", _nc.type, _nc.created_at)
