"""The AS2 views of a member's URLs: the actor, public objects, and what is left of deleted ones.

Spec: https://www.w3.org/TR/activitypub/#retrieving-objects
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from quart import Response

from adapters.activitypub.jsonld.context import (
    ACTOR,
    AS2,
    IMPLEMENTED,
    MEDIA_TYPE,
    PROFILED_TYPE,
    with_context,
)
from adapters.activitypub.lens import index, profile
from adapters.activitypub.lens.published import buried
from adapters.activitypub.routes.gate import Gate
from adapters.activitypub.routes.parts import part_of
from adapters.activitypub.wing import Wing
from adapters.http.incoming import fields
from adapters.http.negotiate import choose
from adapters.http.views import Absent, Answer, Ask, Rendered
from adapters.http.views import View as HttpView
from pod.account import IMPOSED
from pod.errors import Gone
from pod.model.member import Member, Standing
from pod.model.resource import Resource, ResourcePath

_TYPES: Final = (MEDIA_TYPE, PROFILED_TYPE)
_KEY_ONLY: Final = ("id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod")
"""What is told of an actor to whom does not sign, in secure mode."""

_OF_ONE_HOST: Final = re.compile(r"(?i)\b(?:misskey|cherrypick|sharkey)/")
"""User agents of servers that take no actor whose shared inbox is on another host."""


def as2_view(wing: Wing, gate: Gate) -> HttpView:
    """What content negotiation offers as AS2 on ``/``, ``/me`` and public records."""

    async def render(ask: Ask) -> Rendered | None:
        is_actor = ask.path in ("/", "/me")
        if is_actor and not await gate.shows_actor(ask.member):
            # What verifies our signatures is there for all: two strict servers would wait for ever,
            # and who is blocked could not take the block.
            actor = await wing.actor_view(ask.member)
            shown = {key: actor[key] for key in _KEY_ONLY}
            return Rendered(orjson.dumps(with_context(shown, ACTOR)), MEDIA_TYPE)
        if ask.agent.member != ask.member.id:
            await gate.require(None if is_actor else ask.member)
        document = await render_as2(wing, ask)
        if document is None or not is_actor:
            return Rendered(orjson.dumps(document), MEDIA_TYPE) if document is not None else None
        if _OF_ONE_HOST.search(fields().get("User-Agent", "")):
            del document["endpoints"]["sharedInbox"]
        return Rendered(orjson.dumps(document), MEDIA_TYPE, {"Vary": "User-Agent"})

    return HttpView("as2", _TYPES, render, shows_more=True)


def absent(wing: Wing) -> Absent:
    """What peers are told of a member who was taken down, or deleted; at the actor alone."""

    async def tell(member: Member, path: ResourcePath, headers: Mapping[str, str]) -> Answer | None:
        is_as2 = choose(headers.get("Accept", "*/*"), ("text/html", *_TYPES)) in _TYPES
        if path not in ("/", "/me") or not is_as2:
            return None
        answered = {"Content-Type": MEDIA_TYPE, "Vary": "Accept, Signature"}
        if member.standing in IMPOSED:
            shown = profile.suspended(member, await wing.actor_keys(member))
            return Answer(200, answered, orjson.dumps(with_context(shown, ACTOR)))
        if member.standing is not Standing.DELETED:
            return None
        (last,) = wing.reader.recent_changes(member.id, limit=1)
        deleted_at = last.at.isoformat().replace("+00:00", "Z")
        left = index.tombstone(member.webid, "Person", deleted_at)
        return Answer(410, answered, orjson.dumps(with_context(left, AS2)))

    return tell


async def render_as2(wing: Wing, ask: Ask) -> dict[str, Any] | None:
    """The AS2 document of a URL, None for what has none; raises Gone for another life's id."""
    if ask.path in ("/", "/me"):
        return with_context(await wing.actor_view(ask.member), ACTOR)
    if ask.tombstone is not None:
        if ask.generation != ask.tombstone.generation:
            raise Gone
        former = index.get(wing.published(ask.member, buried(ask.tombstone)))
        if former is None:
            return None
        deleted_at = ask.tombstone.deleted_at.isoformat().replace("+00:00", "Z")
        return with_context(index.tombstone(former["id"], former["type"], deleted_at), AS2)
    if ask.resource is None or not ask.resource.is_record:
        return None
    if ask.resource.generation != ask.generation:
        raise Gone
    return await object_document(wing, ask.member, ask.resource, ask.query)


async def object_document(
    wing: Wing, member: Member, resource: Resource, query: Mapping[str, str]
) -> dict[str, Any] | None:
    """A public record as AS2, or (``?c=``) what belongs to it."""
    published = wing.published(member, resource)
    if "c" in query:
        found = part_of(wing, published, query)
        return index.document(found) if found is not None else None
    await wing.look_at(member, resource.path)
    view = index.get(published)
    return index.document(view) if view is not None else None


async def server_actor(wing: Wing) -> dict[str, Any]:
    """The server's own actor, in whose name documents of other servers are fetched."""
    actor_id = f"{wing.server}/actor"
    key = await wing.keys.actor_key(None)
    host = wing.server.split("://", 1)[1]
    view = {
        "id": actor_id,
        "type": "Application",
        "preferredUsername": host.split(":")[0],
        "name": host,
        "inbox": wing.shared_inbox,
        "outbox": f"{wing.server}/actor/outbox",
        "endpoints": {"sharedInbox": wing.shared_inbox},
        "manuallyApprovesFollowers": True,
        "implements": IMPLEMENTED,
        "publicKey": {
            "id": f"{actor_id}#main-key",
            "owner": actor_id,
            "publicKeyPem": key.public_pem,
        },
    }
    return with_context(view, ACTOR)


def as2(document: dict[str, Any], status: int = 200) -> Response:
    """A document as what a route answers."""
    response = Response(orjson.dumps(document), status, content_type=MEDIA_TYPE)
    response.headers["Vary"] = "Accept, Signature"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    return response
