"""New keys for an actor, when the member asks for them.

Spec: https://swicg.github.io/activitypub-http-signature/#key-rotation
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from adapters.activitypub.deliver.rotation import rotate
from adapters.activitypub.wing import Wing
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts
from adapters.http.incoming import presented
from pod.access.agent import Credential
from pod.errors import Forbidden


def add_key_routes(
    blueprint: Blueprint, wing: Wing, hosts: Hosts, authenticator: Authenticator
) -> None:
    """POST to ``/me/keys``, by the member alone."""

    @blueprint.post("/me/keys")
    async def new_keys() -> Response:
        member = hosts.member(request.host)
        agent = await authenticator.agent(presented(hosts))
        is_own = agent.member == member.id and agent.credential is Credential.SESSION
        if not is_own or not member.is_active:
            raise Forbidden("Only the member does this, signed in with the password.")
        await rotate(wing, member)
        return Response(b"", status=204)
