"""Tokens: opaque names of a session, good only while the session is; refreshed with rotation.

A token is the session's id and generation under a MAC, so the store holds no token, and an old one
is recognised for what it is: a replay, which ends the session.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pod.errors import Invalid, Unauthenticated
from pod.model.member import Member, Standing
from pod.oauth.metadata import Metadata
from pod.oauth.ports import ClientAuth, OAuthStore, PushedRequest, Session
from pod.oauth.profile import Issued, Life
from pod.oauth.request import Requests, check_binding
from pod.ports import Clock, Reader

REFRESH_GRACE: Final = timedelta(seconds=60)
"""How long a client that never got the answer to a refresh may ask for the same one again."""

FOR_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_ID_BYTES: Final = 16
_GENERATION_BYTES: Final = 4
_MAC_BYTES: Final = 32
_GONE: Final = frozenset({Standing.DELETED, Standing.TAKENDOWN, Standing.SUSPENDED})

Kind = Literal["acc", "ref"]


class Tokens:
    """Opens, renews, checks and ends sessions."""

    def __init__(
        self,
        store: OAuthStore,
        requests: Requests,
        members: Reader,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self._store = store
        self._requests = requests
        self._members = members
        self._secret = secret
        self._clock = clock

    async def open(
        self, client: Metadata, auth: ClientAuth, form: Mapping[str, str], jkt: str | None
    ) -> Issued:
        """Tokens for a code; Invalid named ``invalid_grant``."""
        request = await self._requests.redeem(client, auth, form, jkt)
        member = self._member(request)
        now = self._clock.now()
        requested = request.parameters["scope"]
        profile = self._requests.profile(requested.split())
        granted = await profile.granted(requested.split())
        ends_at = _end(profile.terms.life(client), now, now)
        session = Session(
            id=secrets.token_hex(_ID_BYTES),
            member=member.id,
            client_id=client.client_id,
            client_name=client.name or client.client_id,
            auth=auth,
            jkt=jkt,
            requested=requested,
            scope=" ".join(granted),
            created_at=now,
            renewed_at=now,
            expires_at=_expiry(profile.terms.access, now, ends_at),
            code_hash=request.code_hash,
            ends_at=ends_at,
            signed_in_at=request.signed_in_at,
            nonce=request.parameters.get("nonce"),
        )
        await self._store.add_session(session)
        refreshes = "refresh_token" in client.grant_types and profile.refreshes(granted)
        return self._issued(session, member, refreshes=refreshes)

    async def refresh(
        self, client: Metadata, auth: ClientAuth, form: Mapping[str, str], jkt: str | None
    ) -> Issued:
        """New tokens for a refresh token; Invalid named ``invalid_grant``.

        A used token within its grace gives the same answer again; any other use of it is a replay.
        """
        session, generation = self._named("ref", form.get("refresh_token", ""))
        if session is None:
            raise _no_grant("Invalid refresh token")
        check_binding(session.client_id, session.auth, client, auth)
        if session.jkt != jkt:
            raise _no_grant("DPoP proof does not match the expected JKT")
        now = self._clock.now()
        life = self._requests.profile(session.requested.split()).terms.life(client)
        ends_at = _end(life, session.renewed_at, session.created_at)
        if ends_at is not None and now >= ends_at:
            await self._store.end_session(session.id)
            raise _no_grant("Session expired")
        member = self._member(session)
        if generation == session.generation:
            ends_at = _end(life, now, session.created_at)
            session = await self._renewed(session, auth, now, ends_at)
        elif generation != session.generation - 1 or now >= session.renewed_at + REFRESH_GRACE:
            await self._store.end_session(session.id)
            raise _no_grant("Refresh token replayed")
        return self._issued(session, member, refreshes=True)

    def check(self, token: str, jkt: str | None) -> Session:
        """The session of an access token, shown with a proof of its key if it is bound to one.

        Raises Unauthenticated named ``invalid_token``. Costs one point read.
        """
        session, generation = self._named("acc", token)
        if session is None or generation != session.generation:
            raise Unauthenticated("Invalid token", name="invalid_token")
        if session.jkt != jkt:
            text = "DPoP proof required" if jkt is None else "DPoP proof does not match the token"
            raise Unauthenticated(text, name="invalid_dpop_proof")
        if session.expires_at <= self._clock.now():
            raise Unauthenticated("Token expired", name="invalid_token")
        return session

    def requested(self, refresh_token: str) -> str:
        """The scope that was agreed to for a refresh token; empty for one of no session."""
        session, _ = self._named("ref", refresh_token)
        return "" if session is None else session.requested

    async def revoke(self, client: Metadata, token: str) -> None:
        """End the session that a token names, if it is the client's; anything else is no error."""
        await self.end(client, self._named("acc", token)[0] or self._named("ref", token)[0])

    async def end(self, client: Metadata, session: Session | None) -> None:
        """End a session if it is the client's."""
        if session is not None and session.client_id == client.client_id:
            await self._store.end_session(session.id)

    async def _renewed(
        self, session: Session, auth: ClientAuth, now: datetime, ends_at: datetime | None
    ) -> Session:
        requested = session.requested.split()
        profile = self._requests.profile(requested)
        granted = await profile.granted(requested)
        renewed = replace(
            session,
            auth=auth,
            scope=" ".join(granted),
            renewed_at=now,
            expires_at=_expiry(profile.terms.access, now, ends_at),
            ends_at=ends_at,
            generation=session.generation + 1,
        )
        if await self._store.renew_session(renewed):
            return renewed
        # The same token came twice at once: the other request renewed it, the answer is the same.
        moved_on = self._store.session(session.id)
        if moved_on is None or moved_on.generation != renewed.generation:
            raise _no_grant("Invalid refresh token")
        return moved_on

    def _member(self, about: PushedRequest | Session) -> Member:
        member = self._members.member(about.member) if about.member is not None else None
        if member is None or member.standing in _GONE:
            raise _no_grant("This account is not available")
        return member

    def _issued(self, session: Session, member: Member, *, refreshes: bool) -> Issued:
        profile = self._requests.profile(session.requested.split())
        left = session.expires_at - self._clock.now()
        access = profile.access_token(session, member, self._token("acc", session))
        return Issued(
            access=access,
            token_type="Bearer" if session.jkt is None else "DPoP",
            refresh=self._token("ref", session) if refreshes else None,
            expires_in_s=None
            if session.expires_at == FOR_EVER
            else max(0, int(left.total_seconds())),
            told=profile.answer(session, member, access),
        )

    def _token(self, kind: Kind, session: Session) -> str:
        generation = session.generation.to_bytes(_GENERATION_BYTES, "big")
        named = bytes.fromhex(session.id) + generation
        return f"{kind}-{_b64(named + self._mac(kind, named))}"

    def _named(self, kind: Kind, token: str) -> tuple[Session | None, int]:
        """The session that a token of ours names, with the token's generation."""
        prefix, _, body = token.partition("-")
        try:
            raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except (BadBase64, ValueError):
            raw = b""
        named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if prefix != kind or len(named) != _ID_BYTES + _GENERATION_BYTES:
            return None, -1
        if not hmac.compare_digest(mac, self._mac(kind, named)):
            return None, -1
        session = self._store.session(named[:_ID_BYTES].hex())
        return session, int.from_bytes(named[_ID_BYTES:], "big")

    def _mac(self, kind: Kind, named: bytes) -> bytes:
        return hmac.digest(self._secret, kind.encode() + named, "sha256")


def _end(life: Life | None, renewed_at: datetime, created_at: datetime) -> datetime | None:
    """When a session is over unless it is renewed; None for never."""
    return None if life is None else min(renewed_at + life[0], created_at + life[1])


def _expiry(access: timedelta | None, now: datetime, ends_at: datetime | None) -> datetime:
    """When access tokens made now expire."""
    return min(FOR_EVER if access is None else now + access, ends_at or FOR_EVER)


def _no_grant(text: str) -> Invalid:
    return Invalid(text, name="invalid_grant")


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
