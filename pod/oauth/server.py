"""The one authorisation server: what its endpoints do, as plain calls on form fields."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pod.errors import Invalid, Unauthenticated
from pod.keys.dpop import Proofs
from pod.oauth.client import Clients
from pod.oauth.metadata import Metadata
from pod.oauth.permission_set import PermissionSets, ResolveSchema
from pod.oauth.ports import (
    ClientAuth,
    Egress,
    OAuthStore,
    PushedRequest,
    SchemaCache,
    Session,
)
from pod.oauth.profile import AtprotoProfile, Profile
from pod.oauth.request import REQUEST_LIFE, URI_PREFIX, Requests
from pod.oauth.token import Issued, Tokens
from pod.ports import Clock, Reader

GRANTS: Final = ("authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to an endpoint: where it went, its form, and its DPoP proof if it has one."""

    url: str
    form: Mapping[str, str]
    proof: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Everything that stands behind the endpoints, whatever the protocol."""

    store: OAuthStore
    clients: Clients
    requests: Requests
    tokens: Tokens
    proofs: Proofs
    profiles: Sequence[Profile]
    sets: PermissionSets

    async def push(self, sent: Sent) -> tuple[str, int]:
        """Take an authorisation request; its URI and how many seconds it is good for."""
        jkt = self._key(sent) if sent.proof is not None else None
        client, auth = await self._client(sent)
        pushed = await self.requests.push(client, auth, sent.form, jkt)
        return URI_PREFIX + pushed.id, int(REQUEST_LIFE.total_seconds())

    async def token(self, sent: Sent) -> Issued:
        """Tokens for a code or a refresh token."""
        jkt = self._key(sent)
        client, auth = await self._client(sent)
        grant = sent.form.get("grant_type", "")
        if grant not in GRANTS:
            raise Invalid(f'Grant type "{grant}" is not supported', name="unsupported_grant_type")
        if grant not in client.grant_types:
            raise Invalid(f'"{grant}" is not allowed for this client', name="unauthorized_client")
        if grant == "authorization_code":
            return await self.tokens.open(client, auth, sent.form, jkt)
        return await self.tokens.refresh(client, auth, sent.form, jkt)

    async def revoke(self, sent: Sent) -> None:
        """End the session of a token; what is not to be found is over already."""
        client, _ = await self._client(sent)
        await self.tokens.revoke(client, sent.form.get("token", ""))

    async def begin(self, uri: str, client_id: str, device: str) -> tuple[Metadata, PushedRequest]:
        """The client and the request that a browser comes with."""
        client = await self.clients.client(client_id)
        return client, await self.requests.begin(uri, client_id, device)

    def bearer(self, token: str, proof: str | None, method: str, url: str) -> Session:
        """The session of an access token that came with a request to ``url``.

        Raises Unauthenticated named ``invalid_token``, ``invalid_dpop_proof``, ``use_dpop_nonce``.
        """
        if proof is None:
            raise Unauthenticated("DPoP proof required", name="invalid_dpop_proof")
        return self.tokens.check(token, self.proofs.check(proof, method, url, token).jkt)

    def _key(self, sent: Sent) -> str:
        if sent.proof is None:
            raise Unauthenticated("DPoP proof required", name="invalid_dpop_proof")
        return self.proofs.check(sent.proof, "POST", sent.url).jkt

    async def _client(self, sent: Sent) -> tuple[Metadata, ClientAuth]:
        client_id = sent.form.get("client_id")
        if not client_id:
            raise Invalid("Client credentials missing", name="invalid_client")
        client = await self.clients.client(client_id)
        return client, await self.clients.authenticate(client, sent.form)


def assembled(
    *,
    issuer: str,
    store: OAuthStore,
    schemas: SchemaCache,
    resolve: ResolveSchema,
    members: Reader,
    egress: Egress,
    secret: bytes,
    clock: Clock,
) -> AuthorizationServer:
    """The server of its parts; ``secret`` makes the tokens, ``resolve`` finds permission sets."""
    sets = PermissionSets(resolve, schemas, clock)
    profiles = (AtprotoProfile(sets),)
    requests = Requests(store, profiles, clock)
    return AuthorizationServer(
        store=store,
        clients=Clients(egress, store, clock, issuer),
        requests=requests,
        tokens=Tokens(store, requests, members, secret, clock),
        proofs=Proofs(secrets.token_bytes(32), clock),
        profiles=profiles,
        sets=sets,
    )
