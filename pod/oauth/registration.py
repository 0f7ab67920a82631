"""Clients by wider rules than the AT Protocol's: those that register (RFC 7591), and Solid's.

Whatever is known of a client is what it says of itself: people are told where they are sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import SplitResult

import orjson

from pod.errors import Throttled
from pod.keys.jose import ALGORITHMS
from pod.model.ids import MemberId
from pod.oauth.metadata import (
    LOOPBACK_HOSTS,
    Metadata,
    keys_of,
    redirect_refusal,
    refusal,
    split_url,
    text_of,
    texts_of,
)
from pod.oauth.request import hashed
from pod.ports import Clock

OOB: Final = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect URI of apps that are shown the code to copy it."""

SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
AUTH_METHODS: Final = ("none", *SECRET_METHODS, "private_key_jwt")
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
SOLID_CONTEXT: Final = "https://www.w3.org/ns/solid/oidc-context.jsonld"
SIGNED_WITH: Final = "ES256"
MAX_UNUSED: Final = 10_000
"""How many registrations may wait for their first use."""

UNUSED_FOR: Final = timedelta(days=2)
IDLE_FOR: Final = timedelta(days=365)
"""After how long a registration is forgotten: never used, and not used any more."""

_MAX_METADATA: Final = 16 * 1024
_MAX_REDIRECTS: Final = 32
_LOCAL: Final = (*LOOPBACK_HOSTS, "localhost")
_NO_APPS: Final = frozenset(
    {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "mailto", "vbscript", "ws"}
)
"""Schemes that lead to no app."""

_TEXTS: Final = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that is kept here. ``told`` is its metadata as `accepted` gave it back."""

    id: str
    told: Mapping[str, Any]
    created_at: datetime
    secret_hash: str | None = field(default=None, repr=False)
    used_at: datetime | None = None
    member: MemberId | None = None

    @property
    def metadata(self) -> Metadata:
        """What it may do."""
        return metadata(self.id, self.told, secret_hash=self.secret_hash, member=self.member)


class ClientStore(Protocol):
    """Clients that registered, or that members made for themselves."""

    def client(self, client_id: str) -> Registered | None: ...
    def clients(self, member: MemberId) -> list[Registered]:
        """The clients that a member made, the newest first."""
        ...

    async def add_client(self, client: Registered, most_unused: int) -> bool:
        """Keep a client; False where as many as ``most_unused`` wait for their first use."""
        ...

    async def use_client(self, client_id: str, at: datetime) -> None: ...
    async def delete_client(self, client_id: str) -> None: ...
    async def drop_clients(self, unused_since: datetime, idle_since: datetime) -> None:
        """Forget clients that are no member's: made and never used, or used last, before then."""
        ...


class Registrations:
    """Takes clients in, and forgets those that nobody uses."""

    def __init__(self, store: ClientStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(
        self, told: Any, *, member: MemberId | None = None, shows_code: bool = False
    ) -> tuple[Registered, str | None]:
        """Keep a new client of these metadata; the client, and its secret, which is not kept.

        ``member`` is whom a client acts for that gets tokens for itself; ``shows_code`` allows
        `OOB`. Raises Invalid (``invalid_client_metadata``, ``invalid_redirect_uri``), and Throttled
        while too many clients wait for their first use.
        """
        kept = accepted(told, shows_code=shows_code)
        has_secret = kept["token_endpoint_auth_method"] in SECRET_METHODS
        secret = secrets.token_urlsafe(32) if has_secret else None
        made = Registered(
            id=secrets.token_urlsafe(24),
            told=kept,
            created_at=self._clock.now(),
            secret_hash=None if secret is None else hashed(secret),
            member=member,
        )
        if not await self._store.add_client(made, MAX_UNUSED):
            raise Throttled("too many clients have registered", retry_after_s=3600)
        return made, secret

    async def forget_unused(self) -> None:
        """Forget who never came back; clients that members made stay."""
        now = self._clock.now()
        await self._store.drop_clients(now - UNUSED_FOR, now - IDLE_FOR)


def accepted(told: Any, *, shows_code: bool = False) -> dict[str, Any]:
    """Metadata as they are registered, defaults filled in, unknown ones left out; Invalid."""
    if not isinstance(told, dict) or len(orjson.dumps(told)) > _MAX_METADATA:
        raise refusal("the metadata are not a small JSON object")
    kept: dict[str, Any] = {
        "redirect_uris": list(texts_of(told, "redirect_uris", ())),
        "token_endpoint_auth_method": told.get("token_endpoint_auth_method", SECRET_METHODS[0]),
        "grant_types": list(texts_of(told, "grant_types", GRANT_TYPES[:2])),
        "response_types": list(texts_of(told, "response_types", ("code",))),
        "application_type": told.get("application_type", "web"),
        "id_token_signed_response_alg": told.get("id_token_signed_response_alg", SIGNED_WITH),
    }
    for name in (*_TEXTS, "scope", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg"):
        if told.get(name) not in (None, ""):
            kept[name] = told[name]
    if told.get("subject_type", "public") != "public":
        raise refusal("subject_type must be public")
    if kept["id_token_signed_response_alg"] != SIGNED_WITH:
        raise refusal(f"ID tokens are signed with {SIGNED_WITH}")
    if kept["application_type"] not in ("web", "native"):
        raise refusal("application_type must be web or native")
    metadata("", kept, shows_code=shows_code)
    return kept


def metadata(
    client_id: str,
    told: Mapping[str, Any],
    *,
    secret_hash: str | None = None,
    member: MemberId | None = None,
    shows_code: bool = True,
) -> Metadata:
    """What a client of these metadata may do; Invalid."""
    redirects, grants = texts_of(told, "redirect_uris", ()), texts_of(told, "grant_types", ())
    unknown = set(grants) - set(GRANT_TYPES)
    if unknown or not grants or set(grants) == {"refresh_token"}:
        raise refusal(f"grant_types may hold {', '.join(GRANT_TYPES)}")
    if "authorization_code" in grants:
        _check_redirects(redirects, shows_code=shows_code)
        if "code" not in texts_of(told, "response_types", ("code",)):
            raise refusal('response_types must include "code"')
    method = told.get("token_endpoint_auth_method")
    if method not in AUTH_METHODS or (method == "none" and "client_credentials" in grants):
        raise refusal(f'token_endpoint_auth_method "{method}" is not supported for these grants')
    alg, jwks, jwks_uri = _keys(told) if method == "private_key_jwt" else (None, (), None)
    return Metadata(
        client_id=client_id,
        redirect_uris=tuple(redirects),
        scope=tuple((text_of(told, "scope") or "").split()),
        grant_types=tuple(grants),
        auth_method=str(method),
        auth_alg=alg,
        jwks=jwks,
        jwks_uri=jwks_uri,
        name=_name(told),
        uri=_link(told, "client_uri"),
        logo_uri=_link(told, "logo_uri"),
        policy_uri=_link(told, "policy_uri"),
        tos_uri=_link(told, "tos_uri"),
        is_native=told.get("application_type") == "native",
        rules="wide",
        secret_hash=secret_hash,
        member=member,
    )


def is_solid(told: Any) -> bool:
    """Whether a document is one of Solid's and not (also) one for the AT Protocol."""
    if not isinstance(told, dict):
        return False
    context = told.get("@context")
    named = context if isinstance(context, list) else [context]
    scopes = told.get("scope")
    return SOLID_CONTEXT in named and not (isinstance(scopes, str) and "atproto" in scopes.split())


def solid_document(client_id: str, told: Mapping[str, Any]) -> Metadata:
    """The metadata in a Client ID Document of Solid; Invalid if it breaks a rule.

    Spec: https://solidproject.org/TR/oidc#clientids-document
    """
    if told.get("client_id") != client_id:
        raise refusal("client_id does not match")
    method = told.get("token_endpoint_auth_method", "none")
    if method in SECRET_METHODS:
        raise refusal("a client that publishes its metadata has no secret")
    uris = told.get("redirect_uris", ())
    return metadata(
        client_id,
        {
            "grant_types": GRANT_TYPES[:2],
            **told,
            "redirect_uris": [uris] if isinstance(uris, str) else uris,
            "token_endpoint_auth_method": method,
        },
        shows_code=False,
    )


def check_client_address(client_id: str, *, is_dev: bool) -> SplitResult:
    """The parts of the address of a Client ID Document; Invalid for a bad one."""
    parts = split_url(client_id)
    is_here = is_dev and parts.scheme == "http" and _is_local(parts.hostname)
    if not (parts.scheme == "https" or is_here) or not parts.hostname:
        raise refusal("a client id is an https URL")
    if parts.fragment or "@" in parts.netloc or client_id != parts.geturl():
        raise refusal("a client id is written in its plain form, without fragment and credentials")
    return parts


def _check_redirects(uris: Any, *, shows_code: bool) -> None:
    if not uris or len(uris) > _MAX_REDIRECTS:
        raise redirect_refusal(f"one to {_MAX_REDIRECTS} are needed")
    for uri in uris:
        parts = split_url(uri)
        if uri == OOB:
            if not shows_code:
                raise redirect_refusal("the code is not shown to be copied")
        elif "@" in parts.netloc or parts.fragment or "#" in uri:
            raise redirect_refusal(f"{uri} must not contain credentials or a fragment")
        elif parts.scheme == "http":
            if not _is_local(parts.hostname):
                raise redirect_refusal("only loopback addresses may use http")
        elif parts.scheme == "https":
            if not parts.hostname:
                raise redirect_refusal(f"{uri} names no host")
        elif not parts.scheme or parts.scheme in _NO_APPS:
            raise redirect_refusal(f"{uri} leads to no app")


def _is_local(host: str | None) -> bool:
    return host in _LOCAL or (host or "").endswith(".localhost")


def _keys(told: Mapping[str, Any]) -> tuple[str | None, tuple[dict[str, Any], ...], str | None]:
    alg = told.get("token_endpoint_auth_signing_alg", SIGNED_WITH)
    jwks, uri = told.get("jwks"), _link(told, "jwks_uri")
    if alg not in ALGORITHMS:
        raise refusal("unsupported token_endpoint_auth_signing_alg")
    if (jwks is None) is (uri is None):
        raise refusal("private_key_jwt requires either jwks or jwks_uri")
    return alg, () if jwks is None else keys_of(jwks), uri


def _name(told: Mapping[str, Any]) -> str | None:
    name = text_of(told, "client_name")
    return name[:200] if name else None


def _link(told: Mapping[str, Any], name: str) -> str | None:
    uri = text_of(told, name)
    if uri is not None and (
        split_url(uri).scheme not in ("http", "https") or not split_url(uri).hostname
    ):
        raise refusal(f"{name} must be a web address")
    return uri
