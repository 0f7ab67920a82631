"""Pictures and films of a note as AS2 attachments, and what a record cannot say of them.

The blurhash that is computed here comes from a cache by content; what an author's client says of
blurhash and focal point stands beside the record.

Spec: https://docs.joinmastodon.org/spec/activitypub/#properties-used (blurhash, focalPoint)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.published import INTERNAL, Published, View
from pod.errors import Unprocessable
from pod.model.blob import BlobRef, Image, Video
from pod.model.note import Note
from pod.records.cid import cid_text

MOST_PICTURES: Final = 4
"""What a record shows: so many pictures, or one film."""

_FACTS: Final = ("blurhash", "focalPoint")


def attachments(note: Note, published: Published, beside: Mapping[str, Any]) -> Iterator[View]:
    """What the note shows, in its order: what its record holds, and what stands beside it."""
    found = list(_in_record(note, published, beside))
    for part in beside.get(INTERNAL, {}).get("files", []):
        found.insert(part["at"], {key: value for key, value in part.items() if key != "at"})
    return iter(found)


def _in_record(note: Note, published: Published, beside: Mapping[str, Any]) -> Iterator[View]:
    said = beside.get(INTERNAL, {}).get("media", {})
    for item in _media(note):
        view: View = {
            "type": "Image" if isinstance(item, Image) else "Video",
            "mediaType": item.blob.media_type,
            "url": published.blob_url(item.blob),
        }
        if item.alt:
            view["name"] = item.alt
        if item.width and item.height:
            view |= {"width": item.width, "height": item.height}
        if isinstance(item, Image) and (computed := published.names.blurhash(item.blob.cid)):
            view["blurhash"] = computed
        yield {**view, **said.get(cid_text(item.blob.cid), {})}


def put(note: Note, view: Node, published: Published, files: Sequence[Node]) -> tuple[Note, View]:
    """The note with the attachments of a view, and what the record cannot say of them.

    An attachment is one of ``files``, which stand beside the record, or a blob that the note shows
    or that its author uploaded; raises Unprocessable for all others, and for what a record cannot
    show together.
    """
    kept = {part["url"] for part in files}
    held: dict[str, Image | Video] = {published.blob_url(item.blob): item for item in _media(note)}
    images: list[Image] = []
    films: list[Video] = []
    facts: View = {}
    aside: list[View] = []
    for at, node in enumerate(read.nodes(view, "attachment")):
        url = read.iri(node, "url") or ""
        if url in kept:
            aside.append({"at": at, **node})
            continue
        item = held.get(url) or _uploaded(url, node, published)
        item = replace(item, alt=read.alt(node) or "")
        if isinstance(item, Image):
            images.append(item)
        else:
            films.append(item)
        said = facts_of(node)
        if said.get("blurhash") == published.names.blurhash(item.blob.cid):
            said.pop("blurhash", None)
        if said:
            facts[cid_text(item.blob.cid)] = said
    if len(films) > 1 or (films and images):
        raise Unprocessable("A post shows either pictures or one film.")
    shown = replace(note, images=tuple(images), video=films[0] if films else None)
    return shown, {key: value for key, value in (("media", facts), ("files", aside)) if value}


def has_room(kinds: Sequence[str], kind: str) -> bool:
    """Whether a record that shows some kinds of files can show one more."""
    if kind == "Image":
        return "Video" not in kinds and len(kinds) < MOST_PICTURES
    return kind == "Video" and not kinds


def said_of(node: Node) -> View:
    """What a client says of a file: alternative text, size, and what `facts_of` says."""
    name, size = read.text(node, "name"), size_of(node)
    told: View = {"name": name} if name else {}
    told |= {"width": size[0], "height": size[1]} if size is not None else {}
    return told | facts_of(node)


def facts_of(node: Node) -> View:
    """What a client says of a picture that no record can say."""
    return {key: node[key] for key in _FACTS if _is_fact(key, node.get(key))}


def size_of(node: Node) -> tuple[int, int] | None:
    """Width and height, where both are told."""
    width, height = read.number(node, "width"), read.number(node, "height")
    return (width, height) if width and height and width > 0 and height > 0 else None


def _media(note: Note) -> tuple[Image | Video, ...]:
    return (*note.images, *([note.video] if note.video is not None else []))


def _uploaded(url: str, node: Node, published: Published) -> Image | Video:
    blob = published.blob_at(url)
    if blob is None:
        raise Unprocessable("An attachment must be a blob that its author uploaded.")
    width, height = size_of(node) or (None, None)
    return _as_media(blob, width, height)


def _as_media(blob: BlobRef, width: int | None, height: int | None) -> Image | Video:
    if blob.media_type.startswith("image/"):
        return Image(blob, "", width, height)
    if blob.media_type.startswith("video/"):
        return Video(blob, "", width, height)
    raise Unprocessable("A post shows pictures or a film, and nothing else.")


def _is_fact(key: str, value: object) -> bool:
    if key == "blurhash":
        return isinstance(value, str) and 6 <= len(value) <= 128
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, int | float) and -1 <= part <= 1 for part in value)
    )
