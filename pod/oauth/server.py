"""The one authorisation server: what its endpoints do, as plain calls on form fields."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pod.errors import Invalid, Unauthenticated
from pod.keys.dpop import Proof, Proofs
from pod.keys.token_key import TokenKey
from pod.oauth.client import Clients
from pod.oauth.mastodon import READ, MastodonProfile
from pod.oauth.metadata import Metadata
from pod.oauth.openid import WEBID, OpenIdProfile, Shown
from pod.oauth.permission_set import PermissionSets, ResolveSchema
from pod.oauth.ports import (
    ClientAuth,
    Egress,
    OAuthStore,
    PushedRequest,
    SchemaCache,
    Session,
)
from pod.oauth.profile import UNKNOWN, AtprotoProfile, Issued, Profile, Terms
from pod.oauth.registration import ClientStore, Registrations
from pod.oauth.request import REQUEST_LIFE, URI_PREFIX, Requests, hashed, redirect_of
from pod.oauth.token import Tokens
from pod.ports import Clock, Reader

GRANTS: Final = ("authorization_code", "refresh_token", "client_credentials")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to an endpoint: where it went, its form, and its DPoP proof if it has one.

    ``basic`` is the client's id and secret, if they came in ``Authorization``.
    """

    url: str
    form: Mapping[str, str]
    proof: str | None
    basic: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def client_id(self) -> str:
        """Who the client says it is; Invalid named ``invalid_client``."""
        named = self.form.get("client_id") or (self.basic[0] if self.basic else "")
        if not named:
            raise Invalid("Client credentials missing", name="invalid_client")
        if self.basic is not None and self.basic[0] != named:
            raise Invalid("Two clients are named", name="invalid_client")
        return named


class Sendable(Invalid):
    """A refusal that the app is to hear of, at an address of its own."""

    def __init__(self, refusal: Invalid, target: str, fields: Mapping[str, str]) -> None:
        super().__init__(refusal.safe_text, name=refusal.name or "invalid_request")
        self.target = target
        self.fields = fields


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Everything that stands behind the endpoints, whatever the protocol."""

    store: OAuthStore
    clients: Clients
    registrations: Registrations
    requests: Requests
    tokens: Tokens
    proofs: Proofs
    profiles: Sequence[Profile]
    openid: OpenIdProfile
    mastodon: MastodonProfile
    sets: PermissionSets

    async def push(self, sent: Sent) -> tuple[str, int]:
        """Take an authorisation request; its URI and how many seconds it is good for."""
        terms = self.requests.terms(sent.form.get("scope", "").split())
        jkt = self._key(sent, terms) if sent.proof is not None else None
        client, auth = await self._client(sent)
        pushed = await self.requests.push(client, auth, sent.form, jkt)
        return URI_PREFIX + pushed.id, int(REQUEST_LIFE.total_seconds())

    async def token(self, sent: Sent) -> Issued:
        """Tokens for a code, for a refresh token, or for a client itself."""
        grant = sent.form.get("grant_type", "")
        scopes = await self._scopes(grant, sent)
        terms = self.requests.terms(scopes)
        if not scopes and "://" not in sent.client_id:
            terms = UNKNOWN
        jkt = None
        if sent.proof is not None or terms.bound:
            jkt = self._key(sent, terms)
        client, auth = await self._client(sent)
        if grant not in GRANTS:
            raise Invalid(f'Grant type "{grant}" is not supported', name="unsupported_grant_type")
        if grant not in client.grant_types:
            raise Invalid(f'"{grant}" is not allowed for this client', name="unauthorized_client")
        if not terms.bound:
            jkt = None
        match grant:
            case "authorization_code":
                issued = await self.tokens.open(client, auth, sent.form, jkt)
            case "refresh_token":
                issued = await self.tokens.refresh(client, auth, sent.form, jkt)
            case _:
                profile = self.requests.profile(scopes)
                profile.admit(client)
                issued = await profile.for_itself(client, scopes, jkt)
        await self.clients.used(client)
        return issued

    async def _scopes(self, grant: str, sent: Sent) -> Sequence[str]:
        """The scopes that a token request is about; none where it names nothing that is known."""
        form = sent.form
        match grant:
            case "authorization_code":
                request = self.store.request_of_code(hashed(form.get("code", "")))
                scope = "" if request is None else request.parameters["scope"]
            case "refresh_token":
                scope = self.tokens.requested(form.get("refresh_token", ""))
            case _:
                scope = form.get("scope", "")
                if not scope and "://" not in sent.client_id:
                    scope = WEBID if await self._is_members(sent) else READ
        return scope.split()

    async def _is_members(self, sent: Sent) -> bool:
        """Whether a client was made by a member, to act as they do."""
        return (await self.clients.client(sent.client_id)).member is not None

    async def revoke(self, sent: Sent) -> None:
        """End the session of a token; what is not to be found is over already."""
        client, _ = await self._client(sent)
        token = sent.form.get("token", "")
        named = self.openid.session_id(token)
        if named is None:
            await self.tokens.revoke(client, token)
        else:
            await self.tokens.end(client, self.store.session(named))

    async def bring(self, fields: Mapping[str, str], device: str) -> tuple[Metadata, PushedRequest]:
        """The client and the request that a browser brings by itself, in these fields.

        Raises Invalid for what has nowhere to go back to, and `Sendable` for the rest.
        """
        client = await self.clients.client(fields.get("client_id", ""))
        target = redirect_of(client, fields.get("redirect_uri"))
        if not fields.get("scope") and self.mastodon.claims(client.scope):
            fields = {**fields, "scope": READ}
        try:
            brought = await self.requests.push(
                client, ClientAuth("none"), fields, None, pushed_by_client=False
            )
        except Invalid as err:
            raise Sendable(err, target, fields) from err
        return client, await self.requests.begin(URI_PREFIX + brought.id, client.client_id, device)

    async def begin(self, uri: str, client_id: str, device: str) -> tuple[Metadata, PushedRequest]:
        """The client and the request that a browser comes with."""
        client = await self.clients.client(client_id)
        return client, await self.requests.begin(uri, client_id, device)

    def bearer(self, token: str, proof: str | None, method: str, url: str) -> Session:
        """The session of an access token that came with a request to ``url``.

        A token that is bound to no key needs no proof. Raises Unauthenticated named
        ``invalid_token``, ``invalid_dpop_proof``, ``use_dpop_nonce``.
        """
        if proof is None:
            return self.tokens.check(token, None)
        return self.tokens.check(token, self.proofs.check(proof, method, url, token).jkt)

    def solid(self, token: str, proof: str, method: str, url: str) -> Shown:
        """What an access token of the OpenID kind says; raises as `bearer` does."""
        return self.openid.check(token, self.proof(proof, method, url, token).jkt)

    def proof(self, proof: str, method: str, url: str, token: str) -> Proof:
        """The proof that came with a token, whoever issued that; no nonce is wanted."""
        return self.proofs.check(proof, method, url, token, wants_nonce=False)

    def _key(self, sent: Sent, terms: Terms) -> str:
        if sent.proof is None:
            raise Unauthenticated("DPoP proof required", name="invalid_dpop_proof")
        return self.proofs.check(sent.proof, "POST", sent.url, wants_nonce=terms.nonce).jkt

    async def _client(self, sent: Sent) -> tuple[Metadata, ClientAuth]:
        client = await self.clients.client(sent.client_id)
        secret = sent.basic[1] if sent.basic is not None else None
        return client, await self.clients.authenticate(client, sent.form, secret)


def assembled(
    *,
    issuer: str,
    store: OAuthStore,
    registered: ClientStore,
    schemas: SchemaCache,
    resolve: ResolveSchema,
    members: Reader,
    egress: Egress,
    secret: bytes,
    token_keys: Callable[[], Sequence[TokenKey]],
    clock: Clock,
) -> AuthorizationServer:
    """The server of its parts.

    ``secret`` makes opaque tokens, the first of ``token_keys`` signs the others; ``resolve`` finds
    permission sets.
    """
    sets = PermissionSets(resolve, schemas, clock)
    openid = OpenIdProfile(issuer, token_keys, store, registered, members, clock)
    mastodon = MastodonProfile(secret, registered, clock)
    profiles: Sequence[Profile] = (AtprotoProfile(sets), openid, mastodon)
    requests = Requests(store, profiles, clock)
    return AuthorizationServer(
        store=store,
        clients=Clients(egress, store, registered, clock, issuer),
        registrations=Registrations(registered, clock),
        requests=requests,
        tokens=Tokens(store, requests, members, secret, clock),
        proofs=Proofs(secrets.token_bytes(32), clock),
        profiles=profiles,
        openid=openid,
        mastodon=mastodon,
        sets=sets,
    )
