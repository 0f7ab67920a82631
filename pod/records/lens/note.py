"""app.bsky.feed.post <-> Note.

Spec: lexicon app.bsky.feed.post with app.bsky.embed.{images,video,external,record,recordWithMedia}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pod.errors import Unprocessable
from pod.model.blob import Card, Image, Video
from pod.model.ids import AtUri
from pod.model.note import Note, Reply, StrongRef
from pod.model.richtext import facets, features_of, reanchor, segments
from pod.records.data import Data
from pod.records.lens.shape import (
    Record,
    blob_at,
    blob_data,
    labels_at,
    object_at,
    objects_at,
    ref_at,
    ref_data,
    set_labels,
    set_or_drop,
    text_at,
    texts_at,
)

COLLECTION: Final = "app.bsky.feed.post"
IMAGES: Final = "app.bsky.embed.images"
VIDEO: Final = "app.bsky.embed.video"
EXTERNAL: Final = "app.bsky.embed.external"
RECORD: Final = "app.bsky.embed.record"
WITH_MEDIA: Final = "app.bsky.embed.recordWithMedia"
KNOWN_FEATURES: Final = frozenset(
    f"app.bsky.richtext.facet#{name}" for name in ("mention", "link", "tag")
)
MAX_IMAGES: Final = 4


def get(record: Record) -> Note | None:
    """The note that a record means, or None when its text or time is missing."""
    text, created_at = text_at(record, "text"), text_at(record, "createdAt")
    if text is None or created_at is None:
        return None
    media, quote = _embed_parts(record)
    return Note(
        text=segments(text, list(objects_at(record, "facets"))),
        created_at=created_at,
        langs=texts_at(record, "langs"),
        reply=_reply(record),
        images=_images(media),
        video=_video(media),
        card=_card(media),
        quote=quote,
        tags=texts_at(record, "tags"),
        labels=labels_at(record),
    )


def put(note: Note, source: Record | None = None) -> Record:
    """The record that means ``note``; of ``source`` only what differs is written anew.

    Raises Unprocessable where the lexicon cannot hold the note.
    """
    before = get(source) if source is not None else None
    record: Record = dict(source) if source is not None else {"$type": COLLECTION}
    if before is None or note.text != before.text:
        _put_text(record, note)
    if before is None or note.created_at != before.created_at:
        record["createdAt"] = note.created_at
    if before is None or note.langs != before.langs:
        set_or_drop(record, "langs", list(note.langs) or None)
    if before is None or note.tags != before.tags:
        set_or_drop(record, "tags", list(note.tags) or None)
    if before is None or note.labels != before.labels:
        set_labels(record, note.labels)
    if before is None or note.reply != before.reply:
        _put_reply(record, note.reply)
    if before is None or _embedded(note) != _embedded(before):
        set_or_drop(record, "embed", _embed_data(note, record))
    return record


def _put_text(record: Record, note: Note) -> None:
    old_text = text_at(record, "text") or ""
    text, made = facets(note.text)
    kept = reanchor(old_text, list(objects_at(record, "facets")), text)
    record["text"] = text
    set_or_drop(record, "facets", list(_merged(made, kept)) or None)


def _merged(made: list[Record], kept: list[Record]) -> Iterator[Record]:
    """Each facet that was made as it was before, if it says the same; then what is foreign."""
    for facet in made:
        same = next((old for old in kept if _says(old) == _says(facet)), None)
        if same is not None:
            kept.remove(same)
        yield facet if same is None else same
    yield from filter(None, map(_foreign, kept))


def _says(facet: Record) -> tuple[object, ...]:
    """The range of a facet, and what it means."""
    index = object_at(facet, "index") or {}
    return index.get("byteStart"), index.get("byteEnd"), features_of(facet)


def _foreign(facet: Record) -> Record | None:
    """What a facet says beyond mentions, links and tags; None where that is nothing."""
    kept: list[Data] = [
        feature
        for feature in objects_at(facet, "features")
        if feature.get("$type") not in KNOWN_FEATURES
    ]
    return {**facet, "features": kept} if kept else None


def parent_uri(record: Record) -> AtUri | None:
    """The at-uri of what a post answers, if it answers anything."""
    reply = _reply(record)
    return reply.parent.uri if reply is not None else None


def _reply(record: Record) -> Reply | None:
    reply = object_at(record, "reply")
    if reply is None:
        return None
    root, parent = ref_at(reply, "root"), ref_at(reply, "parent")
    return Reply(root, parent) if root is not None and parent is not None else None


def _put_reply(record: Record, reply: Reply | None) -> None:
    if reply is None:
        record.pop("reply", None)
        return
    old = object_at(record, "reply") or {}
    record["reply"] = {
        **old,
        "root": ref_data(reply.root, object_at(old, "root")),
        "parent": ref_data(reply.parent, object_at(old, "parent")),
    }


def _embed_parts(record: Record) -> tuple[Record | None, StrongRef | None]:
    embed = object_at(record, "embed")
    if embed is None:
        return None, None
    match embed.get("$type"):
        case "app.bsky.embed.record":
            return None, ref_at(embed, "record")
        case "app.bsky.embed.recordWithMedia":
            return object_at(embed, "media"), ref_at(object_at(embed, "record") or {}, "record")
        case _:
            return embed, None


def _aspect(item: Record) -> tuple[int | None, int | None]:
    ratio = object_at(item, "aspectRatio") or {}
    width, height = ratio.get("width"), ratio.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    return None, None


def _images(media: Record | None) -> tuple[Image, ...]:
    if media is None or media.get("$type") != IMAGES:
        return ()
    found = ((item, blob_at(item, "image")) for item in objects_at(media, "images"))
    return tuple(
        Image(blob, text_at(item, "alt") or "", *_aspect(item)) for item, blob in found if blob
    )


def _video(media: Record | None) -> Video | None:
    if media is None or media.get("$type") != VIDEO:
        return None
    blob = blob_at(media, "video")
    return Video(blob, text_at(media, "alt") or "", *_aspect(media)) if blob else None


def _card(media: Record | None) -> Card | None:
    external = object_at(media, "external") if media and media.get("$type") == EXTERNAL else None
    uri = text_at(external, "uri") if external else None
    if external is None or uri is None:
        return None
    title, description = text_at(external, "title"), text_at(external, "description")
    return Card(uri, title or "", description or "", blob_at(external, "thumb"))


def _embedded(note: Note) -> tuple[object, ...]:
    return note.images, note.video, note.card, note.quote


def _embed_data(note: Note, source: Record) -> Data:
    old = object_at(source, "embed") or {}
    old_media, _ = _embed_parts(source)
    media = _media_data(note, old_media or {})
    if note.quote is None:
        return media
    is_pair = old.get("$type") == WITH_MEDIA
    old_quote = (object_at(old, "record") or {}) if is_pair else old
    if old_quote.get("$type", RECORD) != RECORD:
        old_quote = {}
    ref = ref_data(note.quote, object_at(old_quote, "record"))
    quote: Record = {**old_quote, "$type": RECORD, "record": ref}
    if media is None:
        return quote
    return {**(old if is_pair else {}), "$type": WITH_MEDIA, "record": quote, "media": media}


def _media_data(note: Note, old: Record) -> Record | None:
    kinds = [bool(note.images), note.video is not None, note.card is not None]
    if sum(kinds) > 1:
        raise Unprocessable("A post holds either images, or a video, or one link card.")
    if note.images:
        return _images_data(note.images, old if old.get("$type") == IMAGES else {})
    if note.video is not None:
        video = note.video
        kept = old if old.get("$type") == VIDEO else {}
        data: Record = {**kept, "$type": VIDEO, "video": blob_data(video.blob)}
        set_or_drop(data, "alt", video.alt or None)
        return _with_aspect(data, video.width, video.height)
    if note.card is not None:
        kept = (object_at(old, "external") or {}) if old.get("$type") == EXTERNAL else {}
        card = note.card
        external: Record = {
            **kept,
            "uri": card.uri,
            "title": card.title,
            "description": card.description,
        }
        set_or_drop(external, "thumb", blob_data(card.thumb) if card.thumb else None)
        return {"$type": EXTERNAL, "external": external}
    return None


def _images_data(images: tuple[Image, ...], old: Record) -> Record:
    if len(images) > MAX_IMAGES:
        raise Unprocessable(f"A post holds at most {MAX_IMAGES} images.")
    before = {
        blob.cid: item
        for item in objects_at(old, "images")
        if (blob := blob_at(item, "image")) is not None
    }
    items: list[Data] = []
    for image in images:
        item = dict(before.get(image.blob.cid, {}))
        if blob_at(item, "image") != image.blob:
            item["image"] = blob_data(image.blob)
        item["alt"] = image.alt
        items.append(_with_aspect(item, image.width, image.height))
    return {**old, "$type": IMAGES, "images": items}


def _with_aspect(item: Record, width: int | None, height: int | None) -> Record:
    if _aspect(item) != (width, height):
        has_ratio = width is not None and height is not None
        set_or_drop(item, "aspectRatio", {"width": width, "height": height} if has_ratio else None)
    return item
