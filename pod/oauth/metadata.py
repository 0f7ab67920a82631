"""The rules for what a client says of itself: its metadata document, or its loopback id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pod.errors import Invalid
from pod.keys.jose import ALGORITHMS
from pod.model.ids import MemberId

LOOPBACK_PREFIX: Final = "http://localhost"
LOOPBACK_HOSTS: Final = ("127.0.0.1", "::1")
_LOCAL: Final = (".localhost", ".local", ".test", ".invalid", ".example", ".onion")
_REFUSED: Final = (
    "default_max_age",
    "userinfo_signed_response_alg",
    "id_token_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "authorization_details_types",
)
_PRIVATE_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client may do here, checked. ``scope`` holds all it may ever ask for.

    ``rules`` tells by which its metadata was checked: those of the AT Protocol, or the wider ones
    of `pod.oauth.registration`, where an empty ``scope`` says nothing. ``secret_hash`` belongs to
    clients with a secret, ``member`` to those that a member made for themselves.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    scope: tuple[str, ...]
    grant_types: tuple[str, ...] = ("authorization_code",)
    auth_method: str = "none"
    auth_alg: str | None = None
    jwks: tuple[dict[str, Any], ...] = ()
    jwks_uri: str | None = None
    name: str | None = None
    uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    is_native: bool = False
    is_loopback: bool = False
    rules: Literal["atproto", "wide"] = "atproto"
    secret_hash: str | None = field(default=None, repr=False)
    member: MemberId | None = None

    @property
    def is_confidential(self) -> bool:
        """Whether the client proves who it is."""
        return self.auth_method != "none"

    def may_ask(self, scope: str) -> bool:
        """Whether the client's metadata allow it to ask for a scope."""
        if self.rules == "wide" and (not self.scope or scope.partition(":")[0] in self.scope):
            return True
        return scope in self.scope


def loopback(client_id: str) -> Metadata:
    """The metadata that a loopback client id stands for; Invalid for a bad one.

    ``http://localhost`` with ``redirect_uri`` (any number) and ``scope`` in its query.
    """
    rest = client_id.removeprefix(LOOPBACK_PREFIX).removeprefix("/")
    if rest and not rest.startswith("?"):
        raise refusal("a loopback client id has no path, port or fragment")
    pairs = parse_qsl(rest[1:], keep_blank_values=True)
    scopes = [value for name, value in pairs if name == "scope"]
    if (
        "#" in rest
        or len(scopes) > 1
        or not {name for name, _ in pairs} <= {"redirect_uri", "scope"}
    ):
        raise refusal("a loopback client id may hold redirect_uri and one scope only")
    redirects = tuple(value for name, value in pairs if name == "redirect_uri")
    for uri in redirects:
        if split_url(uri).hostname not in LOOPBACK_HOSTS:
            raise refusal(f"the redirect URI {uri} of a loopback client must be a loopback address")
        _check_redirect(uri, is_native=True, client_host=None)
    return Metadata(
        client_id=client_id,
        redirect_uris=redirects or ("http://127.0.0.1/", "http://[::1]/"),
        scope=_scope(scopes[0] if scopes else "atproto"),
        grant_types=("authorization_code", "refresh_token"),
        name="an app on this device",
        is_native=True,
        is_loopback=True,
    )


def check_client_url(client_id: str) -> SplitResult:
    """The parts of a client id that is the URL of a metadata document; Invalid for a bad one."""
    parts = split_url(client_id)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.port is not None or "@" in parts.netloc:
        raise refusal("a client id is an https URL without port and credentials")
    if parts.fragment or parts.path in ("", "/") or parts.path.endswith("/"):
        raise refusal("a client id has a path that names a document")
    if re.search(r"/\.{1,2}(/|$)|//", parts.path) or client_id != parts.geturl():
        raise refusal("a client id is written in its plain form")
    if _is_address(host) or "." not in host or host.endswith(_LOCAL):
        raise refusal("a client id has a public domain name")
    return parts


def document(client_id: str, told: Any) -> Metadata:
    """The metadata in a document fetched from ``client_id``; Invalid if it breaks a rule."""
    url = check_client_url(client_id)
    if not isinstance(told, dict) or told.get("client_id") != client_id:
        raise refusal("client_id does not match")
    for name in _REFUSED:
        if told.get(name):
            raise refusal(f'Unsupported "{name}" parameter')
    if told.get("dpop_bound_access_tokens") is not True:
        raise refusal('"dpop_bound_access_tokens" must be true')
    if told.get("subject_type", "public") != "public":
        raise refusal('Only "public" subject_type is supported')
    kind = told.get("application_type", "web")
    if kind not in ("web", "native"):
        raise refusal("application_type must be web or native")
    redirects = tuple(texts_of(told, "redirect_uris", ()))
    if not redirects:
        raise refusal("At least one redirect_uri is required")
    for uri in redirects:
        _check_redirect(uri, is_native=kind == "native", client_host=url.hostname)
    method, alg, jwks, jwks_uri = _authentication(told, is_native=kind == "native")
    return Metadata(
        client_id=client_id,
        redirect_uris=redirects,
        scope=_scope(told.get("scope")),
        grant_types=_grants(told),
        auth_method=method,
        auth_alg=alg,
        jwks=jwks,
        jwks_uri=jwks_uri,
        name=text_of(told, "client_name"),
        uri=_client_uri(told, url),
        logo_uri=web_uri_of(told, "logo_uri"),
        policy_uri=web_uri_of(told, "policy_uri"),
        tos_uri=web_uri_of(told, "tos_uri"),
        is_native=kind == "native",
    )


def same_redirect(registered: str, asked: str) -> bool:
    """Whether a redirect URI is the registered one; on loopback addresses any port will do."""
    if registered == asked:
        return True
    mine, theirs = split_url(registered), split_url(asked)
    if mine.hostname not in LOOPBACK_HOSTS or mine.scheme != "http":
        return False
    return (mine.scheme, mine.hostname, mine.path or "/", mine.query) == (
        theirs.scheme,
        theirs.hostname,
        theirs.path or "/",
        theirs.query,
    ) and not (theirs.fragment or "@" in theirs.netloc)


def _check_redirect(uri: str, *, is_native: bool, client_host: str | None) -> None:
    parts = split_url(uri)
    host = parts.hostname
    if "@" in parts.netloc or parts.fragment:
        raise redirect_refusal(f"{uri} must not contain credentials or a fragment")
    if host == "localhost":
        raise redirect_refusal(f"{uri} must name a loopback address instead of localhost")
    if host in LOOPBACK_HOSTS:
        if not is_native or parts.scheme != "http":
            raise redirect_refusal("loopback addresses are for native apps and http only")
    elif parts.scheme == "http":
        raise redirect_refusal("only loopback addresses may use http")
    elif parts.scheme == "https":
        if host is None or "." not in host or host.endswith(_LOCAL):
            raise redirect_refusal(f"{uri} must not be a local host")
    elif not _PRIVATE_SCHEME.fullmatch(parts.scheme):
        raise redirect_refusal(f'invalid scheme "{parts.scheme}"')
    elif not is_native:
        raise redirect_refusal("private-use schemes are only allowed for native apps")
    elif client_host is None or parts.scheme != ".".join(reversed(client_host.split("."))):
        raise redirect_refusal("a private-use scheme is the client's domain in reverse")


def _authentication(
    told: dict[str, Any], *, is_native: bool
) -> tuple[str, str | None, tuple[dict[str, Any], ...], str | None]:
    """Method, algorithm, keys and key address of a client."""
    method = told.get("token_endpoint_auth_method", "client_secret_basic")
    alg, jwks, jwks_uri = (
        told.get(name) for name in ("token_endpoint_auth_signing_alg", "jwks", "jwks_uri")
    )
    if method == "none":
        if alg is not None:
            raise refusal('"none" must not have token_endpoint_auth_signing_alg')
        return "none", None, (), None
    if method != "private_key_jwt":
        raise refusal(f'Unsupported client authentication method "{method}"')
    if is_native:
        raise refusal('Native clients must authenticate using "none" method')
    if alg not in ALGORITHMS:
        raise refusal("Missing or unsupported token_endpoint_auth_signing_alg")
    if (jwks is None) is (jwks_uri is None):
        raise refusal("private_key_jwt requires either jwks or jwks_uri")
    if jwks is not None:
        return method, alg, keys_of(jwks), None
    return method, alg, (), web_uri_of(told, "jwks_uri")


def keys_of(jwks: Any) -> tuple[dict[str, Any], ...]:
    """The keys of a JWK set; Invalid if there are none."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise refusal("private_key_jwt requires at least one key in jwks")
    return tuple(keys)


def _grants(told: dict[str, Any]) -> tuple[str, ...]:
    grants = tuple(texts_of(told, "grant_types", ("authorization_code",)))
    for grant in grants:
        if grant not in ("authorization_code", "refresh_token"):
            raise refusal(f'Grant type "{grant}" is not supported')
    if len(set(grants)) != len(grants):
        raise refusal("Duplicate grant type")
    if "code" not in texts_of(told, "response_types", ("code",)):
        raise refusal('response_types must include "code"')
    if "authorization_code" not in grants:
        raise refusal('The "code" response type requires the grant type "authorization_code"')
    return grants


def _scope(text: Any) -> tuple[str, ...]:
    if not isinstance(text, str):
        raise refusal("Missing scope property")
    scopes = tuple(text.split(" "))
    if len(set(scopes)) != len(scopes):
        raise refusal("Duplicate scope")
    return scopes


def _client_uri(told: dict[str, Any], url: SplitResult) -> str | None:
    uri = web_uri_of(told, "client_uri")
    if uri is None:
        return None
    parts = urlsplit(uri)
    if parts.netloc != url.netloc:
        raise refusal("client_uri must have the same origin as the client_id")
    above = parts.path if parts.path.endswith("/") else parts.path + "/"
    if parts.path != url.path and not url.path.startswith(above):
        raise refusal("client_uri must be a parent URL of the client_id")
    return uri


def web_uri_of(told: dict[str, Any], name: str) -> str | None:
    """An https URL, None where there is none; Invalid for anything else."""
    uri = text_of(told, name)
    if uri is not None and (split_url(uri).scheme != "https" or not split_url(uri).hostname):
        raise refusal(f"{name} must be an https URL")
    return uri


def text_of(told: Mapping[str, Any], name: str) -> str | None:
    """A text, None where there is none; Invalid for anything else."""
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise refusal(f"{name} must be a text")
    return value


def texts_of(told: Mapping[str, Any], name: str, default: Sequence[str]) -> Sequence[str]:
    """A list of texts; Invalid for anything else."""
    value = told.get(name, default)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise refusal(f"{name} must be a list of texts")
    return value


def split_url(uri: str) -> SplitResult:
    """The parts of a URL; Invalid."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as err:
        raise refusal(f"{uri!r} is not a URL") from err
    if any(char <= " " or char > "~" for char in uri):
        raise refusal(f"{uri!r} is not a URL")
    return parts


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def refusal(text: str) -> Invalid:
    """What is wrong with metadata."""
    return Invalid(text, name="invalid_client_metadata")


def redirect_refusal(text: str) -> Invalid:
    """What is wrong with a redirect URI."""
    return Invalid(f"Redirect URI: {text}", name="invalid_redirect_uri")
