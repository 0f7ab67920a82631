"""One decision for every credential: a session token names the member, on every wing."""

from __future__ import annotations

from dataclasses import replace

from adapters.atproto import face as atproto
from adapters.http.credentials import Presented, token_of
from adapters.solid.face import SolidTokens, is_jwt
from pod.access.agent import PUBLIC, Agent
from pod.errors import Invalid, Unauthenticated
from pod.model.ids import Iri


class SessionCredentials:
    """Implements `adapters.http.credentials.Authenticator` over all access tokens."""

    def __init__(self, sessions: atproto.Authenticator, solid: SolidTokens, issuer: Iri) -> None:
        """``issuer`` is who vouches for members: the pod itself."""
        self._sessions = sessions
        self._solid = solid
        self._issuer = issuer

    async def agent(self, presented: Presented) -> Agent:
        """Who proved to be asking: PUBLIC without credentials, Unauthenticated for bad ones."""
        token = token_of(presented.headers)
        if token is None:
            return PUBLIC
        url, proof = presented.url.partition("?")[0], presented.headers.get("DPoP")
        origin = presented.headers.get("Origin")
        if token.scheme == "dpop" and is_jwt(token.value):
            agent = await self._solid.agent(token.value, proof, presented.method, url)
            return replace(agent, app_origin=origin)
        shown = atproto.Shown(
            f"{token.scheme} {token.value}".encode("latin-1", "replace"),
            proof,
            presented.method,
            url,
        )
        try:
            caller = self._sessions.access(shown, full=False, takendown_may=False)
        except Invalid as err:
            raise Unauthenticated(err.safe_text, name=err.name) from err
        return replace(caller.agent, app_origin=origin, issuer=self._issuer)
