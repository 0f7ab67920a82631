"""Writing and reading posts that are not for everybody: for followers, or for whom they name.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

import orjson

from adapters.activitypub import files, moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import circle, index, poll
from adapters.activitypub.lens.circle import CIRCLE
from adapters.activitypub.lens.names import member_at
from adapters.activitypub.lens.published import View
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Conflict, NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, Resource, ResourcePath
from pod.write import Delete, PutDocument


async def create(wing: Wing, agent: Agent, member: Member, view: Node, activity: Node) -> Iri:
    """Write a post for whom the activity or the post addresses; its id."""
    path = ResourcePath(CIRCLE + wing.tids.next())
    told = {key: view.get(key, activity.get(key)) for key in ("to", "cc")}
    post = circle.id_of(member, path)
    placed = await files.place(wing, member, post, view, {}, is_public=False)
    made = _tagged(wing, circle.put(placed.view, member, path, told, _now(wing)))
    parent = read.iri(made, "inReplyTo")
    put = PutDocument(path, MEDIA_TYPE, orjson.dumps(index.document(made)), ABSENT, parent)
    await wing.write.apply(agent, member.id, [put, *placed.ops])
    return post


async def update(wing: Wing, agent: Agent, member: Member, target: Iri, view: Node) -> Iri:
    """Change a post; whom it is for stays, and so do the choices of a poll (Conflict)."""
    held, before = _held(wing, member, target)
    if poll.is_poll(view) and poll.choices(view) != poll.choices(before):
        raise Conflict("The choices of a poll cannot be changed.")
    words = {key: value for key, value in view.items() if key not in poll.KEYS}
    if "content" in words and "contentMap" in before:
        words.setdefault("contentMap", dict.fromkeys(before["contentMap"], words["content"]))
    whole = {**before, **words}
    placed = await files.place(wing, member, target, whole, before, is_public=False)
    made = _tagged(wing, circle.put(placed.view, member, held.path, before, _now(wing)))
    body = orjson.dumps(index.document(made))
    parent = read.iri(made, "inReplyTo")
    put = PutDocument(held.path, MEDIA_TYPE, body, held.version, parent)
    await wing.write.apply(agent, member.id, [put, *placed.ops])
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
    if reader == member.webid or reader in told:
        return view
    if f"{member.origin}/followers" in told and moderation.is_follower(wing, member, reader):
        return view
    raise NotFound


def place(wing: Wing, target: str) -> tuple[Member, Resource] | None:
    """Where a post of this pod lies, whoever it is for; who asks must have been let see it."""
    public = wing.local_object(target)
    member = member_at(wing.reader, target) if public is None else None
    if member is None or not member.is_active:
        return public
    path = circle.path_of(member, target)
    held = wing.reader.resource(member.id, path) if path is not None else None
    return (member, held) if held is not None and circle.get(member, held) is not None else None


def found(wing: Wing, target: str, reader: Iri) -> tuple[Member, Resource, View] | None:
    """A post by its id, and where it lies, if an actor may read it."""
    member = member_at(wing.reader, target)
    if member is None or not member.is_active:
        return None
    try:
        view = shown(wing, member, Iri(target), reader)
        return member, _held(wing, member, Iri(target))[0], view
    except NotFound:
        return None


def _tagged(wing: Wing, made: View) -> View:
    """The post with the custom emoji of its words."""
    kept = [tag for tag in read.nodes(made, "tag") if "Emoji" not in read.types(tag)]
    kept += wing.emoji_tags(made["content"], made.get("summary", ""), *poll.choices(made))
    return {**made, "tag": kept} if kept or "tag" in made else made


def _held(wing: Wing, member: Member, target: Iri) -> tuple[Resource, View]:
    path = circle.path_of(member, target)
    held = wing.reader.resource(member.id, path) if path is not None else None
    view = circle.get(member, held) if held is not None else None
    if held is None or view is None:
        raise NotFound("There is no such post.")
    return held, view


def _now(wing: Wing) -> str:
    return wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
