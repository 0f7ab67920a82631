"""The OpenID provider: discovery, keys, who somebody is, and signing out from an app.

Spec: https://openid.net/specs/openid-connect-discovery-1_0.html, https://solidproject.org/TR/oidc,
https://openid.net/specs/openid-connect-rpinitiated-1_0.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson
from quart import Blueprint, Response, request

from adapters.http.credentials import token_of
from adapters.http.hosts import Hosts
from adapters.http.incoming import fields, small_form
from adapters.identity.browser import Browser
from adapters.identity.oauth_endpoints import CORS, KEPT_FOR, MAX_FORM, PREFLIGHT, only_here
from pod.errors import PodError, Unauthenticated
from pod.keys.jose import ALGORITHMS
from pod.model.ids import Iri
from pod.model.member import Member
from pod.oauth.ports import DeviceStore
from pod.oauth.registration import AUTH_METHODS, SIGNED_WITH
from pod.oauth.request import PROMPTS, RESPONSE_MODES
from pod.oauth.server import GRANTS, AuthorizationServer
from pod.ports import Reader

CLAIMS: Final = ("iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "webid")
LOGOUT: Final = "/oauth/logout"
_JSON: Final = "application/json"


def configuration(issuer: str, server: AuthorizationServer) -> dict[str, Any]:
    """What the provider tells of itself."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "registration_endpoint": f"{issuer}/oauth/register",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "end_session_endpoint": f"{issuer}{LOGOUT}",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": False,
        "scopes_supported": list(server.openid.scopes_supported),
        "claims_supported": list(CLAIMS),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [SIGNED_WITH],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "prompt_values_supported": list(PROMPTS),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en"],
    }


@dataclass(frozen=True, slots=True)
class OpenIdRooms:
    """What the endpoints work with."""

    hosts: Hosts
    server: AuthorizationServer
    browser: Browser
    devices: DeviceStore
    reader: Reader

    def rooms(self) -> Blueprint:
        """All endpoints, on the server's own origin."""
        blueprint = Blueprint("openid", __name__)
        told = orjson.dumps(configuration(self.hosts.server, self.server))

        @blueprint.get("/.well-known/openid-configuration")
        async def discovery() -> Response:
            only_here(self.hosts)
            return Response(told, content_type=_JSON, headers={**CORS, **KEPT_FOR})

        @blueprint.get("/oauth/jwks")
        async def jwks() -> Response:
            only_here(self.hosts)
            keys = orjson.dumps(self.server.openid.published())
            return Response(keys, content_type=_JSON, headers={**CORS, **KEPT_FOR})

        @blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
        async def userinfo() -> Response:
            only_here(self.hosts)
            return self._userinfo()

        @blueprint.route(LOGOUT, methods=["GET", "POST"])
        async def logout() -> Response:
            only_here(self.hosts)
            told = request.args.to_dict()
            return await self._logout(told or await small_form(MAX_FORM))

        async def preflight() -> Response:
            only_here(self.hosts)
            return Response(b"", 204, PREFLIGHT)

        for path in ("jwks", "userinfo"):
            rule = f"/oauth/{path}"
            blueprint.add_url_rule(rule, f"{path}_preflight", preflight, methods=["OPTIONS"])
        return blueprint

    def _userinfo(self) -> Response:
        token, proof = token_of(fields()), request.headers.get("DPoP")
        if token is None or proof is None:
            raise Unauthenticated("DPoP proof required", name="invalid_dpop_proof")
        url = f"{self.hosts.server}/oauth/userinfo"
        shown = self.server.solid(token.value, proof, request.method, url)
        member = self.reader.member(shown.member)
        if member is None or not member.is_active:
            raise Unauthenticated("Invalid token", name="invalid_token")
        body = orjson.dumps({"sub": member.webid, "webid": member.webid})
        return Response(body, content_type=_JSON, headers={**CORS, "Cache-Control": "no-store"})

    async def _logout(self, told: Mapping[str, str]) -> Response:
        """Sign out whoever the app's ID token names, and go back to the app.

        Without such a token people are led to their own page, which has a button for it.
        """
        claims = self.server.openid.signed_for(told.get("id_token_hint", ""))
        member = None if claims is None else self._member(claims)
        if claims is None or member is None:
            return self.browser.to("/account")
        visit = self.browser.visit()
        await self.devices.sign_out(visit.device, member.id)
        target = told.get("post_logout_redirect_uri", "")
        if not await self._is_apps(str(claims["azp"]), target):
            return self.browser.page(
                visit, "stop.html", title="Signed out", text="You are signed out on this browser."
            )
        state = {"state": told["state"]} if told.get("state") else {}
        mark = "&" if "?" in target else "?"
        return self.browser.to(f"{target}{mark}{urlencode(state)}" if state else target)

    def _member(self, claims: Mapping[str, Any]) -> Member | None:
        webid = Iri(str(claims["sub"]))
        origin = "/".join(webid.split("/")[:3])
        member = self.reader.member_by_origin(self.hosts.origin(urlsplit(origin).netloc))
        return member if member is not None and member.webid == webid else None

    async def _is_apps(self, client_id: str, target: str) -> bool:
        """Whether an address is on an origin that the app is sent back to."""
        try:
            client = await self.server.clients.client(client_id)
            parts = urlsplit(target)
        except (PodError, ValueError):
            return False
        homes = [urlsplit(uri)[:2] for uri in client.redirect_uris]
        return parts.scheme in ("http", "https") and parts[:2] in homes
