"""A member's boosts, likes and follows under their ids: for all, or for whom they were sent to.

Spec: https://www.w3.org/TR/activitypub/#obj-id
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, PUBLIC, with_context
from adapters.activitypub.lens import act, index
from adapters.activitypub.lens.published import View
from adapters.activitypub.routes.client import AS2_TYPES, OFFERED
from adapters.activitypub.routes.gate import Gate
from adapters.activitypub.routes.objects import as2
from adapters.activitypub.wing import Wing
from adapters.http.hosts import Hosts
from adapters.http.negotiate import choose
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ResourcePath, Tombstone


def add_act_routes(blueprint: Blueprint, wing: Wing, hosts: Hosts, gate: Gate) -> None:
    """GET of what lies below ``/data/social/``, by others than the member."""

    async def read_act() -> Response | None:
        # The same URLs are the member's own documents, which are another wing's: only what a peer
        # asks for as AS2 is here.
        is_asked = request.method in ("GET", "HEAD") and request.path.startswith(act.SOCIAL)
        if not is_asked or hosts.is_server(request.host) or "Authorization" in request.headers:
            return None
        if choose(request.headers.get("Accept", "*/*"), OFFERED) not in AS2_TYPES:
            return None
        member, path = hosts.member(request.host), ResourcePath(request.path)
        if not member.is_active:
            return None
        await gate.require(member)
        found = _shown(wing, member, path, None)
        found = found or _shown(wing, member, path, await gate.visitor())
        if found is None:
            return None
        return as2(found, 410 if found["type"] == "Tombstone" else 200)

    blueprint.before_app_request(read_act)


def _shown(wing: Wing, member: Member, path: ResourcePath, visitor: Iri | None) -> View | None:
    """The activity at a path as a visitor may see it; a Tombstone of one that was taken back.

    None for what is not for them, and for what is none.
    """
    found = wing.reader.resource(member.id, path) or wing.reader.tombstone(member.id, path)
    view = act.get(member, found) if found is not None else None
    if found is None or view is None:
        return None
    told = read.recipients(view)
    is_named = visitor in told and moderation.may_see(wing, member, visitor) if visitor else False
    if PUBLIC not in told and not is_named:
        return None
    if isinstance(found, Tombstone):
        deleted_at = found.deleted_at.isoformat().replace("+00:00", "Z")
        return with_context(index.tombstone(view["id"], view["type"], deleted_at), AS2)
    return view
