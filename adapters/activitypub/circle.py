"""Writing and reading posts that are not for everybody: for followers, or for whom they name.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import circle, index
from adapters.activitypub.lens.circle import CIRCLE
from adapters.activitypub.lens.published import View
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, Resource, ResourcePath, Version
from pod.write import Delete, PutDocument


async def create(wing: Wing, agent: Agent, member: Member, view: Node, activity: Node) -> Iri:
    """Write a post for whom the activity or the post addresses; its id."""
    path = ResourcePath(CIRCLE + wing.tids.next())
    told = {key: view.get(key, activity.get(key)) for key in ("to", "cc")}
    made = circle.put(view, member, path, told, _now(wing))
    put = PutDocument(path, MEDIA_TYPE, orjson.dumps(index.document(made)), ABSENT)
    await wing.write.apply(agent, member.id, [put])
    return Iri(made["id"])


async def update(wing: Wing, agent: Agent, member: Member, target: Iri, view: Node) -> Iri:
    """Change a post; whom it is for stays."""
    held, before = _held(wing, member, target)
    made = circle.put({**before, **view}, member, held.path, before, _now(wing))
    body = orjson.dumps(index.document(made))
    expect = Version(held.cid, held.complement.revision)
    await wing.write.apply(agent, member.id, [PutDocument(held.path, MEDIA_TYPE, body, expect)])
    return target


async def delete(wing: Wing, agent: Agent, member: Member, target: Iri) -> Iri:
    """Delete a post."""
    held, _ = _held(wing, member, target)
    await wing.write.apply(agent, member.id, [Delete(held.path)])
    return target


def holds(wing: Wing, member: Member, target: str) -> bool:
    """Whether a post of a circle has this id."""
    path = circle.path_of(member, target)
    return path is not None and wing.reader.resource(member.id, path) is not None


def shown(wing: Wing, member: Member, target: Iri, reader: Iri | None) -> View:
    """A post as a document for an actor; NotFound for all whom it is not for."""
    if reader is None or not moderation.may_see(wing, member, reader):
        raise NotFound
    _, view = _held(wing, member, target)
    told = read.recipients(view)
    follower = wing.followers.get(member.id, reader)
    follows = follower is not None and follower.accepted
    is_for_followers = f"{member.origin}/followers" in told
    if reader != member.webid and reader not in told and not (follows and is_for_followers):
        raise NotFound
    return view


def _held(wing: Wing, member: Member, target: Iri) -> tuple[Resource, View]:
    path = circle.path_of(member, target)
    held = wing.reader.resource(member.id, path) if path is not None else None
    view = circle.get(member, held) if held is not None else None
    if held is None or view is None:
        raise NotFound("There is no such post.")
    return held, view


def _now(wing: Wing) -> str:
    return wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
