"""The authorisation server for programs: metadata, pushed requests, tokens, revocation.

Spec: RFC 6749, RFC 7009, RFC 8414, RFC 9126, RFC 9207, RFC 9449, RFC 9728,
https://atproto.com/specs/oauth
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson
from quart import Blueprint, Response, request

from adapters.http.credentials import dpop_challenge
from adapters.http.hosts import Hosts
from adapters.http.incoming import small_body, small_form
from pod.errors import Invalid, NotFound, PodError, Unauthenticated
from pod.keys.jose import ALGORITHMS
from pod.oauth.registration import AUTH_METHODS, Registered
from pod.oauth.request import PROMPTS, RESPONSE_MODES
from pod.oauth.server import GRANTS, AuthorizationServer, Sent

_Told = Mapping[str, Any]

MAX_FORM: Final = 64 * 1024
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "DPoP-Nonce, WWW-Authenticate",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "Content-Type,DPoP,Authorization",
    "Access-Control-Max-Age": "86400",
}
ANYWHERE: Final = ("/oauth/token", "/oauth/revoke")
"""What members' origins answer, too: apps of Mastodon's kind take one for their server."""

KEPT_FOR: Final = {"Cache-Control": "max-age=300"}
_NAMES: Final = {"TooLarge": "invalid_request", "Throttled": "slow_down"}


def metadata(issuer: str, server: AuthorizationServer) -> dict[str, Any]:
    """What the authorisation server tells of itself."""
    scopes = [scope for profile in server.profiles for scope in profile.scopes_supported]
    return {
        "issuer": issuer,
        "scopes_supported": scopes,
        "subject_types_supported": ["public"],
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "ui_locales_supported": ["en"],
        "display_values_supported": ["page", "popup", "touch"],
        "prompt_values_supported": list(PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "jwks_uri": f"{issuer}/oauth/jwks",
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": True,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "client_id_metadata_document_supported": True,
        "protected_resources": [issuer],
        # Where apps of Mastodon's kind register, as Mastodon itself names it.
        "app_registration_endpoint": f"{issuer}/api/v1/apps",
        "service_documentation": "https://docs.joinmastodon.org/",
    }


def rooms(hosts: Hosts, server: AuthorizationServer) -> Blueprint:
    """All endpoints, on the server's own origin; the resource metadata on every origin."""
    blueprint = Blueprint("oauth", __name__)
    _add_documents(blueprint, hosts, server)
    _add_grants(blueprint, hosts, server)
    return blueprint


def only_here(hosts: Hosts) -> None:
    """Pass on the server's own origin; raises NotFound on members'."""
    if not hosts.is_server(request.host):
        raise NotFound


def _add_documents(blueprint: Blueprint, hosts: Hosts, server: AuthorizationServer) -> None:
    issuer = hosts.server
    told = orjson.dumps(metadata(issuer, server))

    def document(body: bytes) -> Response:
        headers = {**CORS, **KEPT_FOR}
        return Response(body, content_type="application/json", headers=headers)

    @blueprint.get("/.well-known/oauth-authorization-server")
    async def server_metadata() -> Response:
        only_here(hosts)
        return document(told)

    @blueprint.get("/.well-known/oauth-protected-resource")
    async def resource_metadata() -> Response:
        origin = issuer if hosts.is_server(request.host) else hosts.member(request.host).origin
        return document(
            orjson.dumps(
                {
                    "resource": origin,
                    "authorization_servers": [issuer],
                    "scopes_supported": [],
                    "bearer_methods_supported": ["header"],
                    "resource_documentation": "https://atproto.com",
                }
            )
        )

    async def preflight() -> Response:
        if request.path not in ANYWHERE:
            only_here(hosts)
        return Response(b"", 204, PREFLIGHT)

    for path in ("par", "token", "revoke", "register"):
        blueprint.add_url_rule(
            f"/oauth/{path}", f"preflight_{path}", preflight, methods=["OPTIONS"]
        )


def _add_grants(blueprint: Blueprint, hosts: Hosts, server: AuthorizationServer) -> None:
    async def answered(work: Callable[[Sent], Awaitable[_Told]], status: int = 200) -> Response:
        if request.path not in ANYWHERE:
            only_here(hosts)
        elif not hosts.is_server(request.host):
            hosts.member(request.host)
        try:
            told = await work(Sent(hosts.server + request.path, await _form(), _proof(), _basic()))
        except PodError as err:
            return _error(err, server)
        return _answer(status, told, server)

    async def push(sent: Sent) -> _Told:
        uri, life_s = await server.push(sent)
        return {"request_uri": uri, "expires_in": life_s}

    async def issue(sent: Sent) -> _Told:
        return (await server.token(sent)).body

    async def end(sent: Sent) -> _Told:
        await server.revoke(sent)
        return {}

    @blueprint.post("/oauth/register")
    async def register() -> Response:
        only_here(hosts)
        try:
            made, secret = await server.registrations.add(_json(await small_body(MAX_FORM)))
        except PodError as err:
            return _error(err, server)
        return _answer(201, registration(made, secret), server)

    @blueprint.post("/oauth/par")
    async def par() -> Response:
        return await answered(push, 201)

    @blueprint.post("/oauth/token")
    async def token() -> Response:
        return await answered(issue)

    @blueprint.post("/oauth/revoke")
    async def revoke() -> Response:
        return await answered(end)


async def _form() -> dict[str, str]:
    """The fields of a form or of a JSON object; Invalid or TooLarge otherwise."""
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return await small_form(MAX_FORM)
    if media_type == "multipart/form-data":
        if (request.content_length or MAX_FORM + 1) > MAX_FORM:
            raise Invalid("The form is too long", name="invalid_request")
        return (await request.form).to_dict()
    if media_type != "application/json":
        raise Invalid("Send a form or JSON", name="invalid_request")
    try:
        return _texts(orjson.loads(await small_body(MAX_FORM)))
    except orjson.JSONDecodeError as err:
        raise Invalid("The body is not JSON", name="invalid_request") from err


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid("The body is not JSON", name="invalid_client_metadata") from err


def registration(made: Registered, secret: str | None) -> dict[str, Any]:
    """What a client is told that has registered (RFC 7591 section 3.2.1)."""
    told: dict[str, Any] = {
        "client_id": made.id,
        "client_id_issued_at": int(made.created_at.timestamp()),
        **made.told,
    }
    return (
        told if secret is None else told | {"client_secret": secret, "client_secret_expires_at": 0}
    )


def _texts(told: Any) -> dict[str, str]:
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise Invalid("The body is not an object of texts", name="invalid_request")
    return told


def _proof() -> str | None:
    proofs = request.headers.getlist("DPoP")
    if len(proofs) > 1 or proofs == [""]:
        text = "DPoP header must contain a single proof"
        raise Unauthenticated(text, name="invalid_dpop_proof")
    return proofs[0] if proofs else None


def _basic() -> tuple[str, str] | None:
    """A client's id and secret in ``Authorization`` (RFC 6749 section 2.3.1); Invalid."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError as err:
        raise Invalid("Malformed client credentials", name="invalid_client") from err
    if not colon:
        raise Invalid("Malformed client credentials", name="invalid_client")
    return unquote_plus(name), unquote_plus(secret)


def _error(error: PodError, server: AuthorizationServer) -> Response:
    name = error.name or _NAMES.get(type(error).__name__, "invalid_request")
    body = {"error": name, "error_description": error.safe_text}
    headers = {}
    if isinstance(error, Unauthenticated) and name != "use_dpop_nonce":
        headers["WWW-Authenticate"] = dpop_challenge(error) or "DPoP"
    return _answer(401 if headers else 400, body, server, headers)


def _answer(
    status: int,
    body: Mapping[str, Any],
    server: AuthorizationServer,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(
        orjson.dumps(body),
        status,
        {
            **CORS,
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "Pragma": "no-cache",
            "DPoP-Nonce": server.proofs.nonce(),
            **(headers or {}),
        },
    )
