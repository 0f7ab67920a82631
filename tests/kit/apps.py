"""Apps that sign members in: a store in memory, clients on a made-up network, keys and proofs."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

from pod.errors import NotFound, PeerUnavailable
from pod.model.ids import MemberId, Nsid
from pod.oauth.ports import PushedRequest, Session, SignedIn
from pod.oauth.registration import Registered
from pod.ports import Clock

LOOPBACK = (
    "http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&scope=atproto%20transition%3Ageneric"
)
CALLBACK = "http://127.0.0.1:18080/cb"


@dataclass(frozen=True)
class Page:
    """An answer of the made-up network."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class MemoryOAuth:
    """The whole of `pod.oauth.ports` in dicts, with the network's documents and lexicons."""

    def __init__(self) -> None:
        self.requests: dict[str, PushedRequest] = {}
        self.kept: dict[str, Session] = {}
        self.used: dict[str, datetime] = {}
        self.consents: dict[tuple[MemberId, str], str] = {}
        self.schemas: dict[str, tuple[dict[str, Any], datetime]] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, Any] = {}
        self.registered: dict[str, Registered] = {}
        self.devices: dict[str, dict[MemberId, datetime]] = {}
        self.fetched: list[str] = []

    def request(self, request_id: str) -> PushedRequest | None:
        return self.requests.get(request_id)

    async def put_request(self, request: PushedRequest) -> None:
        self.requests[request.id] = request

    async def delete_request(self, request_id: str) -> None:
        self.requests.pop(request_id, None)

    def request_of_code(self, code_hash: str) -> PushedRequest | None:
        return next((r for r in self.requests.values() if r.code_hash == code_hash), None)

    async def take_request(self, code_hash: str) -> PushedRequest | None:
        for request in self.requests.values():
            if request.code_hash == code_hash:
                return self.requests.pop(request.id)
        return None

    def session(self, session_id: str) -> Session | None:
        return self.kept.get(session_id)

    def sessions(self, member: MemberId) -> list[Session]:
        return [session for session in self.kept.values() if session.member == member][::-1]

    async def add_session(self, session: Session) -> None:
        self.kept[session.id] = session

    async def renew_session(self, renewed: Session) -> bool:
        current = self.kept.get(renewed.id)
        if current is None or current.generation != renewed.generation - 1:
            return False
        self.kept[renewed.id] = renewed
        return True

    async def end_session(self, session_id: str) -> None:
        self.kept.pop(session_id, None)

    async def end_sessions(self, member: MemberId) -> None:
        self.kept = {i: s for i, s in self.kept.items() if s.member != member}
        for members in self.devices.values():
            members.pop(member, None)

    async def end_sessions_of_code(self, code_hash: str) -> None:
        self.kept = {i: s for i, s in self.kept.items() if s.code_hash != code_hash}

    async def use_once(self, key: str, until: datetime) -> bool:
        if key in self.used:
            return False
        self.used[key] = until
        return True

    def consented(self, member: MemberId, client_id: str) -> str:
        return self.consents.get((member, client_id), "")

    async def put_consent(self, member: MemberId, client_id: str, scope: str) -> None:
        self.consents[member, client_id] = scope

    def client(self, client_id: str) -> Registered | None:
        return self.registered.get(client_id)

    def clients(self, member: MemberId) -> list[Registered]:
        return [each for each in self.registered.values() if each.member == member][::-1]

    async def add_client(self, client: Registered, most_unused: int) -> bool:
        unused = [e for e in self.registered.values() if e.used_at is None and e.member is None]
        if client.member is None and len(unused) >= most_unused:
            return False
        self.registered[client.id] = client
        return True

    async def use_client(self, client_id: str, at: datetime) -> None:
        self.registered[client_id] = replace(self.registered[client_id], used_at=at)

    async def delete_client(self, client_id: str) -> None:
        self.registered.pop(client_id, None)

    async def drop_clients(self, unused_since: datetime, idle_since: datetime) -> None:
        self.registered = {
            each.id: each
            for each in self.registered.values()
            if each.member is not None
            or (
                each.created_at >= unused_since
                if each.used_at is None
                else each.used_at >= idle_since
            )
        }

    def schema(self, nsid: Nsid) -> tuple[dict[str, Any], datetime] | None:
        return self.schemas.get(nsid)

    async def put_schema(self, nsid: Nsid, schema: dict[str, Any], at: datetime) -> None:
        self.schemas[nsid] = (schema, at)

    async def resolve(self, nsid: Nsid) -> dict[str, Any]:
        self.fetched.append(nsid)
        if nsid not in self.published:
            raise NotFound
        return self.published[nsid]

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Page:
        self.fetched.append(url)
        if url not in self.documents:
            raise PeerUnavailable
        told = self.documents[url]
        if isinstance(told, Page):
            return told
        return Page(url, 200, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def signed_in(self, device: str) -> list[SignedIn]:
        return [SignedIn(member, at) for member, at in self.devices.get(device, {}).items()]

    async def sign_in(self, device: str, successor: str, member: MemberId, at: datetime) -> None:
        self.devices[successor] = {**self.devices.pop(device, {}), member: at}
        for request in list(self.requests.values()):
            if request.device == device:
                self.requests[request.id] = replace(request, device=successor)

    async def sign_out(self, device: str, member: MemberId) -> None:
        self.devices.get(device, {}).pop(member, None)


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key: ECKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A compact JWS, ES256."""
    return jws.serialize_compact(
        {"alg": "ES256", **header}, json.dumps(claims).encode(), key, algorithms=["ES256"]
    )


@dataclass
class App:
    """A client with a DPoP key: makes proofs and PKCE pairs."""

    clock: Clock
    client_id: str = LOOPBACK
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str | None = None

    @property
    def jkt(self) -> str:
        return self.key.thumbprint()

    @property
    def challenge(self) -> str:
        return b64(sha256(self.verifier.encode()).digest())

    def proof(
        self,
        url: str,
        method: str = "POST",
        token: str | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof; ``claims`` and ``header`` replace parts, None leaves them out."""
        told = {
            "jti": secrets.token_hex(8),
            "htm": method,
            "htu": url,
            "iat": int(self.clock.now().timestamp()),
            "nonce": self.nonce,
            "ath": None if token is None else b64(sha256(token.encode()).digest()),
        } | claims
        head = {"typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)} | (header or {})
        head = {k: v for k, v in head.items() if v is not None}
        return signed(self.key, head, {k: v for k, v in told.items() if v is not None})

    def asking(self, **more: str | None) -> dict[str, str]:
        """The form of a pushed request; None leaves a field out."""
        form: dict[str, str | None] = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "atproto transition:generic",
            "state": "s1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return {k: v for k, v in (form | more).items() if v is not None}
