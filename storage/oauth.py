"""Authorisation requests, the sessions of apps, consents, and what may be used only once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, select, update

from pod.model.ids import MemberId, Nsid
from pod.oauth.ports import ClientAuth, PushedRequest, Session
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import (
    lexicon_schema,
    oauth_consent,
    oauth_request,
    oauth_session,
    signed_in,
    used_once,
)

_r: Final = oauth_request.c
_s: Final = oauth_session.c
_REQUEST: Final = compiled(select(oauth_request).where(_r.id == given("id")))
_PUT_REQUEST: Final = upsert(oauth_request)
_DELETE_REQUEST: Final = compiled(delete(oauth_request).where(_r.id == given("id")))
_BY_CODE: Final = compiled(select(oauth_request).where(_r.code_hash == given("code")))
_SESSION: Final = compiled(select(oauth_session).where(_s.id == given("id")))
_SESSIONS: Final = compiled(
    select(oauth_session)
    .where(_s.member_id == given("member"))
    .order_by(_s.member_id.desc(), _s.created_at.desc())
)
_ADD_SESSION: Final = insert_row(oauth_session)
_RENEW: Final = compiled(
    update(oauth_session)
    .ordered_values(
        (_s.generation, given("generation")),
        (_s.renewed_at, given("renewed")),
        (_s.body, given("body")),
        (_s.ends_at, given("ends")),
    )
    .where(_s.id == given("id"), _s.generation == given("before"))
)
_END: Final = compiled(delete(oauth_session).where(_s.id == given("id")))
_END_OF_CODE: Final = compiled(delete(oauth_session).where(_s.code_hash == given("code")))
_END_OF_MEMBER: Final = compiled(delete(oauth_session).where(_s.member_id == given("member")))
_OUT_EVERYWHERE: Final = compiled(delete(signed_in).where(signed_in.c.member_id == given("member")))
_ONCE: Final = compiled(select(used_once.c.until).where(used_once.c.key == given("key")))
_USE: Final = upsert(used_once)
_CONSENT: Final = compiled(
    select(oauth_consent.c.scope).where(
        oauth_consent.c.member_id == given("member"),
        oauth_consent.c.client_id == given("client"),
    )
)
_PUT_CONSENT: Final = upsert(oauth_consent)
_SCHEMA: Final = compiled(
    select(lexicon_schema.c.body, lexicon_schema.c.fetched_at).where(
        lexicon_schema.c.nsid == given("nsid")
    )
)
_PUT_SCHEMA: Final = upsert(lexicon_schema)
_EXPIRE_REQUESTS: Final = compiled(delete(oauth_request).where(_r.expires_at < given("now")))
_EXPIRE_ONCE: Final = compiled(delete(used_once).where(used_once.c.until < given("now")))
_EXPIRE_SESSIONS: Final = compiled(delete(oauth_session).where(_s.ends_at < given("now")))


class SqlOAuth:
    """Implements `pod.oauth.ports.OAuthStore` and `SchemaCache`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self, request_id: str) -> PushedRequest | None:
        """A request, expired or not."""
        row = self._database.read.execute(_REQUEST, (request_id,)).fetchone()
        return None if row is None else _request_of(row)

    async def put_request(self, request: PushedRequest) -> None:
        """Keep a request, or what became of it."""
        row = _request_row(request)
        await self._database.write(lambda tx: tx.execute(_PUT_REQUEST, row))

    async def delete_request(self, request_id: str) -> None:
        """Forget a request."""
        await self._database.write(lambda tx: tx.execute(_DELETE_REQUEST, (request_id,)))

    def request_of_code(self, code_hash: str) -> PushedRequest | None:
        """The request of a code, which is not used by that."""
        row = self._database.read.execute(_BY_CODE, (code_hash,)).fetchone()
        return None if row is None else _request_of(row)

    async def take_request(self, code_hash: str) -> PushedRequest | None:
        """The request of a code, deleted in the same step: a code is good once."""

        def work(tx: Transaction) -> PushedRequest | None:
            row = tx.execute(_BY_CODE, (code_hash,)).fetchone()
            if row is None:
                return None
            tx.execute(_DELETE_REQUEST, (row[0],))
            return _request_of(row)

        return await self._database.write(work)

    def session(self, session_id: str) -> Session | None:
        """A session, unless it has ended."""
        row = self._database.read.execute(_SESSION, (session_id,)).fetchone()
        return None if row is None else _session_of(row)

    def sessions(self, member: MemberId) -> list[Session]:
        """The sessions of a member, the newest first."""
        return [_session_of(row) for row in self._database.read.execute(_SESSIONS, (member,))]

    async def add_session(self, session: Session) -> None:
        """Keep a new session."""
        row = _session_row(session)
        await self._database.write(lambda tx: tx.execute(_ADD_SESSION, row))

    async def renew_session(self, renewed: Session) -> bool:
        """Replace a session whose generation is one lower; False if it moved on meanwhile."""
        values = (
            renewed.generation,
            to_us(renewed.renewed_at),
            *_session_row(renewed)[-2:],
            renewed.id,
            renewed.generation - 1,
        )
        return await self._database.write(lambda tx: tx.execute(_RENEW, values).rowcount == 1)

    async def end_session(self, session_id: str) -> None:
        """End a session."""
        await self._database.write(lambda tx: tx.execute(_END, (session_id,)))

    async def end_sessions_of_code(self, code_hash: str) -> None:
        """End the session that a code opened."""
        await self._database.write(lambda tx: tx.execute(_END_OF_CODE, (code_hash,)))

    async def end_sessions(self, member: MemberId) -> None:
        """End all sessions of a member, and sign them out of every browser."""

        def work(tx: Transaction) -> None:
            tx.execute(_END_OF_MEMBER, (member,))
            tx.execute(_OUT_EVERYWHERE, (member,))

        await self._database.write(work)

    async def use_once(self, key: str, until: datetime) -> bool:
        """Whether ``key`` was not used before; it counts as used until it is tidied away."""

        def work(tx: Transaction) -> bool:
            if tx.execute(_ONCE, (key,)).fetchone() is not None:
                return False
            tx.execute(_USE, (key, to_us(until)))
            return True

        return await self._database.write(work)

    def consented(self, member: MemberId, client_id: str) -> str:
        """The scope that a member has agreed to give a client before, or the empty string."""
        row = self._database.read.execute(_CONSENT, (member, client_id)).fetchone()
        return "" if row is None else row[0]

    async def put_consent(self, member: MemberId, client_id: str, scope: str) -> None:
        """Remember what a member agreed to last."""
        row = (member, client_id, scope)
        await self._database.write(lambda tx: tx.execute(_PUT_CONSENT, row))

    def schema(self, nsid: Nsid) -> tuple[dict[str, Any], datetime] | None:
        """A lexicon schema and when it was resolved."""
        row = self._database.read.execute(_SCHEMA, (nsid,)).fetchone()
        return None if row is None else (orjson.loads(row[0]), from_us(row[1]))

    async def put_schema(self, nsid: Nsid, schema: Mapping[str, Any], at: datetime) -> None:
        """Keep a lexicon schema."""
        row = (nsid, to_us(at), orjson.dumps(schema))
        await self._database.write(lambda tx: tx.execute(_PUT_SCHEMA, row))

    async def drop_expired(self, now: datetime) -> None:
        """Forget what is over."""

        def work(tx: Transaction) -> None:
            tx.execute(_EXPIRE_REQUESTS, (to_us(now),))
            tx.execute(_EXPIRE_ONCE, (to_us(now),))
            tx.execute(_EXPIRE_SESSIONS, (to_us(now),))

        await self._database.write(work)


def _request_row(request: PushedRequest) -> Row:
    body = {
        "client": request.client_id,
        "auth": [request.auth.method, request.auth.key],
        "jkt": request.jkt,
        "parameters": dict(request.parameters),
        "created": to_us(request.created_at),
        "member": request.member,
        "signed_in": _us(request.signed_in_at),
    }
    return (
        request.id,
        to_us(request.expires_at),
        request.device,
        request.code_hash,
        orjson.dumps(body),
    )


def _request_of(row: Row) -> PushedRequest:
    ident, expires_at, device, code_hash, packed = row
    body = orjson.loads(packed)
    return PushedRequest(
        id=ident,
        client_id=body["client"],
        auth=ClientAuth(*body["auth"]),
        jkt=body["jkt"],
        parameters=body["parameters"],
        created_at=from_us(body["created"]),
        expires_at=from_us(expires_at),
        device=device,
        member=body["member"],
        code_hash=code_hash,
        signed_in_at=_at(body.get("signed_in")),
    )


def _session_row(session: Session) -> Row:
    body = {
        "client": session.client_id,
        "name": session.client_name,
        "auth": [session.auth.method, session.auth.key],
        "jkt": session.jkt,
        "requested": session.requested,
        "scope": session.scope,
        "expires": to_us(session.expires_at),
        "signed_in": _us(session.signed_in_at),
        "nonce": session.nonce,
    }
    return (
        session.id,
        session.member,
        session.generation,
        to_us(session.created_at),
        to_us(session.renewed_at),
        session.code_hash,
        orjson.dumps(body),
        _us(session.ends_at),
    )


def _session_of(row: Row) -> Session:
    ident, member, generation, created_at, renewed_at, code_hash, packed, ends_at = row
    body = orjson.loads(packed)
    return Session(
        id=ident,
        member=MemberId(member),
        client_id=body["client"],
        client_name=body["name"],
        auth=ClientAuth(*body["auth"]),
        jkt=body["jkt"],
        requested=body["requested"],
        scope=body["scope"],
        created_at=from_us(created_at),
        renewed_at=from_us(renewed_at),
        expires_at=from_us(body["expires"]),
        generation=generation,
        code_hash=code_hash,
        ends_at=_at(ends_at),
        signed_in_at=_at(body.get("signed_in")),
        nonce=body.get("nonce"),
    )


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _at(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)
