"""Writing and reading posts that are not for everybody: for followers, or for whom they name.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import attachment, circle, index, poll
from adapters.activitypub.lens.circle import CIRCLE, MEDIA
from adapters.activitypub.lens.names import Names, member_at
from adapters.activitypub.lens.published import View, blob_at
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Conflict, NotFound, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, Resource, ResourcePath, Version
from pod.write import Delete, Op, PutBinary, PutDocument

MOST_FILES: Final = 16
_KINDS: Final = {"image": "Image", "video": "Video", "audio": "Audio"}


async def create(wing: Wing, agent: Agent, member: Member, view: Node, activity: Node) -> Iri:
    """Write a post for whom the activity or the post addresses; its id."""
    path = ResourcePath(CIRCLE + wing.tids.next())
    told = {key: view.get(key, activity.get(key)) for key in ("to", "cc")}
    whole, files = await _with_files(wing, member, path, view, {})
    made = _tagged(wing, circle.put(whole, member, path, told, _now(wing)))
    put = PutDocument(path, MEDIA_TYPE, orjson.dumps(index.document(made)), ABSENT)
    await wing.write.apply(agent, member.id, [put, *files])
    return Iri(made["id"])


async def update(wing: Wing, agent: Agent, member: Member, target: Iri, view: Node) -> Iri:
    """Change a post; whom it is for stays, and so do the choices of a poll (Conflict)."""
    held, before = _held(wing, member, target)
    if poll.is_poll(view) and poll.choices(view) != poll.choices(before):
        raise Conflict("The choices of a poll cannot be changed.")
    words = {key: value for key, value in view.items() if key not in poll.KEYS}
    if "content" in words and "contentMap" in before:
        words.setdefault("contentMap", dict.fromkeys(before["contentMap"], words["content"]))
    shown: dict[str, Node] = {part["url"]: part for part in _files(before)}
    whole, files = await _with_files(wing, member, held.path, {**before, **words}, shown)
    made = _tagged(wing, circle.put(whole, member, held.path, before, _now(wing)))
    gone = shown.keys() - {part["url"] for part in _files(made)}
    body = orjson.dumps(index.document(made))
    put = PutDocument(held.path, MEDIA_TYPE, body, Version(held.cid, held.complement.revision))
    await wing.write.apply(agent, member.id, [put, *files, *_deletes(member, gone)])
    return target


async def delete(wing: Wing, agent: Agent, member: Member, target: Iri) -> Iri:
    """Delete a post, and the files that it shows."""
    held, view = _held(wing, member, target)
    files = _deletes(member, {part["url"] for part in _files(view)})
    await wing.write.apply(agent, member.id, [Delete(held.path), *files])
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


def file(wing: Wing, member: Member, name: str) -> Resource:
    """A file by its name that nobody can guess, for as long as a post shows it; else NotFound."""
    held = wing.reader.resource(member.id, ResourcePath(MEDIA + name))
    if held is None or held.subject is None:
        raise NotFound
    _, view = _held(wing, member, Iri(held.subject))
    if not circle.shows(view, circle.file_url(member, held.path)):
        raise NotFound
    return held


async def _with_files(
    wing: Wing, member: Member, path: ResourcePath, view: Node, shown: Mapping[str, Node]
) -> tuple[Node, list[Op]]:
    """The post with its files under names of their own, and what puts new ones there.

    A file is one that the post shows already, or a blob that its author uploaded; raises
    Unprocessable for all others.
    """
    given = _files(view)
    if len(given) > MOST_FILES:
        raise Unprocessable(f"A post shows at most {MOST_FILES} files.")
    parts: list[Node] = []
    puts: list[Op] = []
    for node in given:
        url = read.iri(node, "url") or ""
        held = shown.get(url, {})
        made: Node = {key: held[key] for key in ("type", "mediaType", "url") if key in held}
        if not made:
            made, put = await _new_file(wing, member, path, url)
            puts.append(put)
        name, size = read.text(node, "name"), attachment.size_of(node)
        made |= {"name": name} if name else {}
        made |= {"width": size[0], "height": size[1]} if size is not None else {}
        parts.append(made | attachment.facts_of(node))
    rest = {key: value for key, value in view.items() if key != "attachment"}
    return rest | ({"attachment": parts} if parts else {}), puts


async def _new_file(
    wing: Wing, member: Member, path: ResourcePath, url: str
) -> tuple[Node, PutBinary]:
    blob = blob_at(Names(wing.reader, member), member, url)
    kind = _KINDS.get(blob.media_type.partition("/")[0]) if blob is not None else None
    if blob is None or kind is None:
        raise Unprocessable("A file is a picture, film or sound that its author uploaded.")
    lies = ResourcePath(MEDIA + secrets.token_urlsafe(24))
    made: Node = {"type": kind, "mediaType": blob.media_type, "url": circle.file_url(member, lies)}
    await wing.blurhashes.compute([blob])
    if computed := wing.blurhashes.of(blob.cid):
        made["blurhash"] = computed
    post = circle.id_of(member, path)
    return made, PutBinary(lies, blob.cid, blob.media_type, ABSENT, subject=post)


def _tagged(wing: Wing, made: View) -> View:
    """The post with the custom emoji of its words."""
    kept = [tag for tag in read.nodes(made, "tag") if "Emoji" not in read.types(tag)]
    kept += wing.emoji_tags(made["content"], made.get("summary", ""), *poll.choices(made))
    return {**made, "tag": kept} if kept or "tag" in made else made


def _files(view: Node) -> list[Node]:
    return list(read.nodes(view, "attachment"))


def _deletes(member: Member, urls: set[str]) -> list[Op]:
    paths = [circle.file_path(member, url) for url in sorted(urls)]
    return [Delete(path, missing_ok=True) for path in paths if path is not None]


def _held(wing: Wing, member: Member, target: Iri) -> tuple[Resource, View]:
    path = circle.path_of(member, target)
    held = wing.reader.resource(member.id, path) if path is not None else None
    view = circle.get(member, held) if held is not None else None
    if held is None or view is None:
        raise NotFound("There is no such post.")
    return held, view


def _now(wing: Wing) -> str:
    return wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
