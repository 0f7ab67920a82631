"""Note <-> RDF: as:Note and schema:SocialMediaPosting on one resource.

The text is edited as `schema:articleBody` or as `as:content`; marks on words that stay are kept.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-note https://schema.org/SocialMediaPosting
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from adapters.solid.lens.edit import (
    Change,
    Changes,
    Lens,
    Place,
    Value,
    facts,
    integer,
    iri,
    moment,
    one_text,
    spoken,
    texts_after,
    value_of,
)
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, QUOTE, RDF, SCHEMA, SENSITIVE, SIOC, XSD
from pod.errors import Conflict, Unprocessable
from pod.model.blob import Image, Video
from pod.model.ids import AtUri
from pod.model.note import Note, Reply
from pod.model.richtext import Mention, Segment, facets, reanchor, segments
from pod.read import noun_of
from pod.records.cid import cid_text

_CLASSES: Final = (AS.Note, SCHEMA.SocialMediaPosting, SIOC.Post)
_SPOKEN: Final = (XSD.string, RDF.langString)
_FORMATTING: Final = re.compile(r"<(?!/?(?:p|br|a|span)\b)[A-Za-z!/]")


def show(note: Note, place: Place) -> Graph:
    """The default view of a note."""
    author, topic, speech = place.author, place.topic, place.speech
    language = note.langs[0] if note.langs else None
    people = dict.fromkeys(_people(note, place))
    quote = speech.object_url(note.quote.uri) if note.quote else None
    parent = speech.object_url(note.reply.parent.uri) if note.reply else None
    webid = NamedNode(author.webid)
    graph = facts(
        topic,
        *((RDF.type, kind) for kind in _CLASSES),
        (AS.attributedTo, webid),
        (SCHEMA.author, webid),
        (AS.content, spoken(speech.render(note.text), language)),
        (SCHEMA.articleBody, spoken(note.plain_text, language)),
        *((SCHEMA.inLanguage, Literal(lang)) for lang in dict.fromkeys(note.langs)),
        *((SCHEMA.keywords, Literal(tag)) for tag in dict.fromkeys(note.tags)),
        (AS.published, moment(note.created_at)),
        (AS.to, AS.Public),
        (AS.cc, NamedNode(f"{author.origin}/followers")),
        *((AS.cc, person) for person in people),
        (AS.inReplyTo, iri(parent) if parent else None),
        (QUOTE, iri(quote) if quote else None),
        (SENSITIVE, Literal("true", datatype=XSD.boolean) if note.is_sensitive else None),
    )
    media: list[Image | Video] = [*note.images, *([note.video] if note.video else [])]
    for medium in media:
        graph += _attachment(medium, place)
    return list(dict.fromkeys(graph))


def _people(note: Note, place: Place) -> Iterator[NamedNode]:
    for segment in note.text:
        for feature in segment.features:
            if isinstance(feature, Mention):
                person = iri(place.speech.profile_url(feature.did))
                if person is not None:
                    yield person


def _attachment(medium: Image | Video, place: Place) -> Graph:
    node = NamedNode(place.author.url(f"/blobs/{cid_text(medium.blob.cid)}"))
    size: list[tuple[NamedNode, Value | None]] = []
    if medium.width is not None and medium.height is not None:
        size = [(AS.width, integer(medium.width)), (AS.height, integer(medium.height))]
    return [
        Triple(place.topic, AS.attachment, node),
        *facts(
            node,
            (RDF.type, AS.Image if isinstance(medium, Image) else AS.Video),
            (AS.mediaType, Literal(medium.blob.media_type)),
            (AS.name, Literal(medium.alt) if medium.alt else None),
            *size,
        ),
    ]


def edit(note: Note, changes: Changes, place: Place) -> Note:
    """The note after an edit of its view; see `Lens.edit`."""
    if "langs" in changes:
        note = replace(note, langs=texts_after(note.langs, "language", changes["langs"]))
    if "tags" in changes:
        note = replace(note, tags=texts_after(note.tags, "keywords", changes["tags"]))
    if "published" in changes:
        published = one_text("time of publication", changes["published"], kinds=[XSD.dateTime])
        if published is None:
            raise Conflict("A post keeps its time of publication")
        note = replace(note, created_at=published.value)
    if "reply" in changes:
        note = replace(note, reply=_reply(changes["reply"], note, place))
    if "attachments" in changes:
        note = _with_attachments(note, changes["attachments"], place)
    if "text" in changes or "content" in changes:
        note = _with_text(note, changes, place)
    return note


def _with_attachments(note: Note, change: Change, place: Place) -> Note:
    """A new note with its pictures or its film; what hangs on a note that is there stays."""
    if not place.said:
        raise Conflict("The attachments stay; edit the keys of the record (?view=lex)")
    found: list[Image | Video] = []
    for value in change.added:
        blob = place.picture(value.value) if isinstance(value, NamedNode) else None
        if blob is None:
            raise Unprocessable(f"{value} is not kept on this pod; put it into the storage first")
        kind = Video if blob.media_type.startswith("video/") else Image
        told = {t.predicate: value_of(t) for t in place.said if t.subject == value}
        alt, width, height = (told.get(name) for name in (AS.name, AS.width, AS.height))
        size = [int(n.value) if isinstance(n, Literal) and n.value.isdecimal() else None
                for n in (width, height)]  # fmt: skip
        found.append(kind(blob, alt.value if isinstance(alt, Literal) else "", *size))
    images = tuple(medium for medium in found if isinstance(medium, Image))
    films = [medium for medium in found if isinstance(medium, Video)]
    if len(films) > 1 or (films and images):
        raise Unprocessable("A post holds pictures or one film")
    return replace(note, images=images, video=films[0] if films else None)


def _with_text(note: Note, changes: Changes, place: Place) -> Note:
    body = one_text("text", changes["text"], kinds=_SPOKEN) if "text" in changes else None
    content = (
        one_text("content", changes["content"], kinds=_SPOKEN) if "content" in changes else None
    )
    if content is not None:
        if _FORMATTING.search(content.value):
            raise Conflict("as:content says more than a post can hold; write plain paragraphs")
        text = place.speech.read(content.value)
        plain = "".join(segment.text for segment in text)
        if body is not None and body.value != plain:
            raise Conflict("as:content and schema:articleBody say different things")
    elif body is not None:
        text = _reworded(note.text, body.value)
    else:
        raise Conflict("A post keeps its text; to remove it, delete the post")
    for literal in (body, content):
        language = literal.language if literal is not None else None
        if language is not None and not note.langs:
            note = replace(note, langs=(language,))
        if language is not None and language != note.langs[0].lower():
            raise Conflict(f"The text is in {language}, but schema:inLanguage says {note.langs[0]}")
    return replace(note, text=text)


def _reworded(before: tuple[Segment, ...], text: str) -> tuple[Segment, ...]:
    """A new text with the marks of the old one, where their words still stand."""
    old, marks = facets(before)
    return segments(text, reanchor(old, marks, text))


def _reply(change: Change, note: Note, place: Place) -> Reply:
    """What a note answers; once said, it stays."""
    if change.removed or note.reply is not None or len(change.added) != 1:
        raise Conflict("What a post answers (as:inReplyTo) cannot be changed")
    [parent] = change.added
    uri = place.speech.at_uri(parent.value) if isinstance(parent, NamedNode) else None
    found = place.cite(AtUri(uri)) if uri is not None else None
    if found is None:
        raise Unprocessable(f"{parent} is not a post that can be answered from here")
    ref, resource = found
    noun = noun_of(resource)
    thread = noun.reply if isinstance(noun, Note) else None
    return Reply(thread.root if thread is not None else ref, ref)


LENS: Final = Lens[Note](
    classes=_CLASSES,
    editable={
        SCHEMA.articleBody: "text",
        AS.content: "content",
        SCHEMA.inLanguage: "langs",
        SCHEMA.keywords: "tags",
        AS.published: "published",
        AS.inReplyTo: "reply",
        AS.attachment: "attachments",
    },
    derived=frozenset({AS.attributedTo, SCHEMA.author, AS.to, AS.cc, QUOTE, SENSITIVE, AS.actor}),
    show=show,
    edit=edit,
    blank=lambda now: Note(text=(), created_at=now),
)
