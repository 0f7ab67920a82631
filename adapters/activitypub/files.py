"""Files that posts show and no record holds: of posts for some, a fifth picture, sound, a mixture.

Each is a binary of its author's outside the public zone, under an address that nobody can guess,
and is served for as long as its post shows it.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-attachment
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import attachment, circle, index
from adapters.activitypub.lens.circle import MEDIA
from adapters.activitypub.lens.names import Names, object_id
from adapters.activitypub.lens.published import blob_at
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.errors import NotFound, Unprocessable
from pod.model.blob import BlobRef
from pod.model.change import Change
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, Resource, ResourcePath
from pod.read import NOTES_PREFIX
from pod.write import Delete, Op, PutBinary

MOST_FILES: Final = 16
_KINDS: Final = {"image": "Image", "video": "Video", "audio": "Audio"}


@dataclass(frozen=True, slots=True)
class Placed:
    """A post whose files have addresses; those of them that no record holds; what makes it so."""

    view: Node
    files: tuple[Node, ...]
    ops: tuple[Op, ...]


async def place(
    wing: Wing, member: Member, post: Iri, view: Node, before: Node, *, is_public: bool
) -> Placed:
    """Give the files of a new or changed post their places; ``before`` is what it was, or empty.

    A file is one that the post shows already, or a blob that its author uploaded; raises
    Unprocessable for all others, and for too many.
    """
    shown = {part["url"]: part for part in files_of(before)}
    given = files_of(view)
    if len(given) > MOST_FILES:
        raise Unprocessable(f"A post shows at most {MOST_FILES} files.")
    parts, ours, puts, in_record = list[Node](), list[Node](), list[Op](), list[str]()
    for node in given:
        url = read.iri(node, "url") or ""
        is_held = url in shown and circle.file_path(member, url) is not None
        blob = None if is_held else blob_at(Names(wing.reader, member), member, url)
        kind = _KINDS.get(blob.media_type.partition("/")[0]) if blob is not None else None
        if is_public and not is_held and (kind is None or attachment.has_room(in_record, kind)):
            in_record.append(kind or "")
            parts.append(node)
            continue
        made = {key: shown[url][key] for key in ("type", "mediaType", "url")} if is_held else {}
        if not made:
            made, put = await _new(wing, member, post, blob, kind)
            puts.append(put)
        made |= attachment.said_of(node)
        parts.append(made)
        ours.append(made)
    urls = {part["url"] for part in ours}
    gone = [path for url in sorted(shown.keys() - urls) if (path := circle.file_path(member, url))]
    rest = {key: value for key, value in view.items() if key != "attachment"}
    whole = rest | ({"attachment": parts} if "attachment" in view else {})
    return Placed(whole, tuple(ours), (*puts, *_deletes(gone)))


def find(wing: Wing, member: Member, name: str) -> Resource:
    """A file by its name that nobody can guess, for as long as its post shows it; else NotFound."""
    held = wing.reader.resource(member.id, ResourcePath(MEDIA + name))
    if held is None or held.subject is None:
        raise NotFound
    public, narrow = wing.local_object(held.subject), circle.path_of(member, held.subject)
    if public is not None:
        view = index.get(wing.published(*public))
    else:
        document = wing.reader.resource(member.id, narrow) if narrow is not None else None
        view = circle.get(member, document) if document is not None else None
    if view is None or not circle.shows(view, circle.file_url(member, held.path)):
        raise NotFound
    return held


async def forget(wing: Wing, change: Change) -> None:
    """Delete the files of posts that were deleted, from whichever app."""
    member = wing.reader.member(change.member)
    for op in change.ops:
        if op.action != "delete" or not op.path.startswith((NOTES_PREFIX, circle.CIRCLE)):
            continue
        tombstone = wing.reader.tombstone(change.member, op.path)
        if member is None or tombstone is None:
            continue
        post = circle.id_of(member, op.path)
        if op.path.startswith(NOTES_PREFIX):
            post = object_id(member, op.path, tombstone.generation)
        paths = wing.reader.about(member.id, MEDIA, post)
        await wing.write.apply(SYSTEM, member.id, _deletes(paths))


def files_of(view: Node) -> list[Node]:
    """What a post shows."""
    return list(read.nodes(view, "attachment"))


async def _new(
    wing: Wing, member: Member, post: Iri, blob: BlobRef | None, kind: str | None
) -> tuple[Node, PutBinary]:
    if blob is None or kind is None:
        raise Unprocessable("A file is a picture, film or sound that its author uploaded.")
    path = ResourcePath(MEDIA + secrets.token_urlsafe(24))
    made: Node = {"type": kind, "mediaType": blob.media_type, "url": circle.file_url(member, path)}
    await wing.blurhashes.compute([blob])
    if computed := wing.blurhashes.of(blob.cid):
        made["blurhash"] = computed
    return made, PutBinary(path, blob.cid, blob.media_type, ABSENT, subject=post)


def _deletes(paths: Iterable[ResourcePath]) -> list[Op]:
    return [Delete(path, missing_ok=True) for path in paths]
