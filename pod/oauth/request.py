"""Authorisation requests: pushed by a client, agreed to by a member, redeemed with a code."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from pod.errors import Forbidden, Invalid
from pod.model.ids import parse_at_identifier
from pod.model.member import Member
from pod.oauth.metadata import Metadata, same_redirect
from pod.oauth.ports import ClientAuth, OAuthStore, PushedRequest
from pod.oauth.profile import ATPROTO, STRICT, Profile, Terms
from pod.ports import Clock

REQUEST_LIFE: Final = timedelta(minutes=5)
CODE_LIFE: Final = timedelta(minutes=5)
CHALLENGE_LIFE: Final = timedelta(days=1)
URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
ALWAYS_REFUSED: Final = frozenset({"request", "request_uri", "registration"})
OPTIONAL: Final = frozenset({"claims", "id_token_hint", "nonce"})
"""Parameters that only some protocols know; the others refuse them."""

PROMPTS: Final = ("none", "login", "consent", "select_account", "create")
RESPONSE_MODES: Final = ("query", "fragment")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_JKT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_KEPT: Final = (
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "login_hint",
    "prompt",
    "response_mode",
)
_KEPT_IF_TAKEN: Final = ("nonce", "max_age")
_MAX_VALUE: Final = 4_096


def hashed(secret: str) -> str:
    """What is kept of a secret that was handed out."""
    return urlsafe_b64encode(sha256(secret.encode()).digest()).rstrip(b"=").decode()


class Requests:
    """The life of authorisation requests, whatever the protocol."""

    def __init__(self, store: OAuthStore, profiles: Sequence[Profile], clock: Clock) -> None:
        self._store = store
        self._profiles = profiles
        self._clock = clock

    def profile(self, scopes: Sequence[str]) -> Profile:
        """The profile that some scopes belong to; Invalid named ``invalid_scope``."""
        for profile in self._profiles:
            if profile.claims(scopes):
                return profile
        raise Invalid(f'The "{ATPROTO}" scope is required', name="invalid_scope")

    def terms(self, scopes: Sequence[str]) -> Terms:
        """The terms of the profile that some scopes belong to; the strict ones where none does."""
        return next((each.terms for each in self._profiles if each.claims(scopes)), STRICT)

    async def push(
        self,
        client: Metadata,
        auth: ClientAuth,
        form: Mapping[str, str],
        jkt: str | None,
        *,
        pushed_by_client: bool = True,
    ) -> PushedRequest:
        """Check and keep a request; Invalid named as RFC 6749 names it.

        ``jkt`` is the key of the proof that came with it, if one did. A browser may bring a request
        where the protocol does not want it pushed.
        """
        now = self._clock.now()
        pushed = PushedRequest(
            id=f"req-{secrets.token_hex(16)}",
            client_id=client.client_id,
            auth=auth,
            jkt=_key(form, jkt),
            parameters=await self._checked(client, form, pushed_by_client=pushed_by_client),
            created_at=now,
            expires_at=now + REQUEST_LIFE,
        )
        await self._store.put_request(pushed)
        return pushed

    async def begin(self, uri: str, client_id: str, device: str) -> PushedRequest:
        """A pushed request that a browser has come with; it is this device's from now on.

        Raises Invalid for unknown and other clients' ones, Forbidden (``access_denied``) for those
        that are over or another device's.
        """
        found = self._store.request(uri.removeprefix(URI_PREFIX))
        if found is None or not uri.startswith(URI_PREFIX):
            raise Invalid("This request is unknown or has expired.", name="invalid_request")
        if found.client_id != client_id:
            raise Invalid("This request was made by another client.", name="invalid_request")
        now = self._clock.now()
        refusal = None
        if found.code_hash is not None:
            refusal = "This request was already authorized"
        elif found.expires_at <= now:
            refusal = "This request has expired"
        elif found.device not in (None, device):
            refusal = "This request was initiated from another device"
        if refusal is not None:
            await self._store.delete_request(found.id)
            raise Forbidden(refusal, name="access_denied")
        begun = replace(found, device=device, expires_at=now + REQUEST_LIFE)
        await self._store.put_request(begun)
        return begun

    async def agree(
        self,
        request: PushedRequest,
        member: Member,
        *,
        signed_in_at: datetime | None = None,
        scope: str | None = None,
    ) -> str:
        """The code for a request that a member agreed to; they will not be asked for it again.

        ``scope`` is what they agreed to, where that is not what was asked for.
        """
        scope = request.parameters["scope"] if scope is None else scope
        if not member.is_active:
            await self._store.delete_request(request.id)
            raise Forbidden("This account has been deactivated", name="access_denied")
        code = f"cod-{secrets.token_urlsafe(32)}"
        await self._store.put_request(
            replace(
                request,
                member=member.id,
                parameters={**request.parameters, "scope": scope},
                signed_in_at=signed_in_at,
                code_hash=hashed(code),
                expires_at=self._clock.now() + CODE_LIFE,
            )
        )
        await self._store.put_consent(member.id, request.client_id, scope)
        return code

    async def refuse(self, request: PushedRequest) -> None:
        """Forget a request."""
        await self._store.delete_request(request.id)

    async def redeem(
        self, client: Metadata, auth: ClientAuth, form: Mapping[str, str], jkt: str | None
    ) -> PushedRequest:
        """The request of a code, given by the client it was made for; Invalid (``invalid_grant``).

        A code that comes a second time ends the session that it opened.
        """
        code_hash = hashed(form.get("code", ""))
        request = await self._store.take_request(code_hash)
        if request is None:
            await self._store.end_sessions_of_code(code_hash)
            raise _no_grant("Invalid code")
        if request.expires_at <= self._clock.now():
            raise _no_grant("This code has expired")
        check_binding(request.client_id, request.auth, client, auth)
        if request.jkt not in (None, jkt):
            raise _no_grant("DPoP proof does not match the expected JKT")
        if form.get("redirect_uri") != request.parameters["redirect_uri"]:
            raise _no_grant("The redirect_uri is not that of the request")
        challenge = request.parameters.get("code_challenge")
        await self._check_verifier(challenge, form.get("code_verifier"))
        return request

    async def _check_verifier(self, challenge: str | None, verifier: str | None) -> None:
        if challenge is None:
            # A verifier without a challenge is the mark of a request that was tampered with.
            if verifier is not None:
                raise _no_grant("The request had no code_challenge")
            return
        if not _VERIFIER.fullmatch(verifier or "") or hashed(verifier or "") != challenge:
            raise _no_grant("Invalid code_verifier")
        until = self._clock.now() + CHALLENGE_LIFE
        if not await self._store.use_once(f"challenge {challenge}", until):
            raise _no_grant("Code challenge already used")

    async def _checked(
        self, client: Metadata, form: Mapping[str, str], *, pushed_by_client: bool
    ) -> dict[str, str]:
        terms = self.terms(form.get("scope", "").split())
        names = [*_KEPT, *(each for each in _KEPT_IF_TAKEN if each in terms.takes)]
        kept = {name: form[name] for name in names if form.get(name)}
        for name in sorted(ALWAYS_REFUSED | OPTIONAL - terms.takes):
            if name in form:
                raise Invalid(f'Unsupported "{name}" parameter', name="invalid_request")
        if any(len(value) > _MAX_VALUE for value in kept.values()):
            raise Invalid("A parameter is too long", name="invalid_request")
        if form.get("response_type") != "code":
            text = 'Only the "code" response_type is supported'
            raise Invalid(text, name="unsupported_response_type")
        kept["redirect_uri"] = redirect_of(client, kept.get("redirect_uri"))
        if "authorization_code" not in client.grant_types:
            text = "This client is not registered for codes"
            raise Invalid(text, name="unauthorized_client")
        if terms.pkce or "code_challenge" in form:
            _check_challenge(form)
        _check_choice(kept, "response_mode", RESPONSE_MODES)
        _check_choice(kept, "prompt", PROMPTS)
        if not (client.is_confidential or terms.silent) and kept.get("prompt") == "none":
            text = "Public clients are not allowed to use silent-sign-on"
            raise Invalid(text, name="invalid_request")
        if "login_hint" in kept:
            _take_hint(kept, is_strict=terms.pushed)
        if not kept.get("max_age", "0").isdecimal():
            raise Invalid("max_age is a number of seconds", name="invalid_request")
        kept["scope"] = await self._scope(client, kept.get("scope", ""))
        if terms.pushed and not pushed_by_client:
            raise Invalid("Push this request first", name="invalid_request")
        return kept

    async def _scope(self, client: Metadata, asked: str) -> str:
        scopes = asked.split()
        for scope in scopes:
            if not client.may_ask(scope):
                text = f'Scope "{scope}" is not declared in the client metadata'
                raise Invalid(text, name="invalid_scope")
        profile = self.profile(scopes)
        profile.admit(client)
        return " ".join(await profile.known(scopes))


def check_binding(client_id: str, initial: ClientAuth, client: Metadata, auth: ClientAuth) -> None:
    """That a client is the one who began, with the same key; Invalid (``invalid_grant``)."""
    if client_id != client.client_id:
        raise _no_grant("Token was not issued to this client")
    # A public client may have become a confidential one meanwhile, never the other way.
    if initial.key is not None and auth != initial:
        raise _no_grant("The session was initiated with a different client key")


def _key(form: Mapping[str, str], jkt: str | None) -> str | None:
    named = form.get("dpop_jkt")
    if named is None:
        return jkt
    if not _JKT.fullmatch(named):
        raise Invalid("dpop_jkt is not a thumbprint", name="invalid_request")
    if jkt not in (None, named):
        raise Invalid("The DPoP proof has another key than dpop_jkt", name="invalid_dpop_proof")
    return named


def _check_challenge(form: Mapping[str, str]) -> None:
    if not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
        raise Invalid("Use of PKCE is required", name="invalid_request")
    if form.get("code_challenge_method") != "S256":
        text = 'Only the "S256" code_challenge_method is supported'
        raise Invalid(text, name="invalid_request")


def redirect_of(client: Metadata, asked: str | None) -> str:
    """Where the answer goes; Invalid unless it is an address of the client's."""
    if asked is None:
        if len(client.redirect_uris) != 1:
            raise Invalid("redirect_uri is required", name="invalid_request")
        return client.redirect_uris[0]
    if not any(same_redirect(registered, asked) for registered in client.redirect_uris):
        raise Invalid(f"Invalid redirect_uri {asked}", name="invalid_request")
    return asked


def _check_choice(kept: Mapping[str, str], name: str, choices: Sequence[str]) -> None:
    if name in kept and kept[name] not in choices:
        raise Invalid(f'Unsupported {name} "{kept[name]}"', name="invalid_request")


def _take_hint(kept: dict[str, str], *, is_strict: bool) -> None:
    """A handle or a DID; what else apps hint at is of no use, and an error where they must know."""
    text = kept.pop("login_hint")
    try:
        kept["login_hint"] = parse_at_identifier(text.lower())
    except Invalid as err:
        if is_strict:
            raise Invalid(f'Invalid login_hint "{text}"', name="invalid_request") from err


def _no_grant(text: str) -> Invalid:
    return Invalid(text, name="invalid_grant")
