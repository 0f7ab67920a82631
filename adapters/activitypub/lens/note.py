"""Note <-> AS2 Note, in the forms that Mastodon, GoToSocial, Misskey and Bonfire read.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-note
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PROFILED_TYPE, PUBLIC
from adapters.activitypub.lens import html
from adapters.activitypub.lens.published import Published, Put, View, require_shown
from pod.errors import Conflict, Unprocessable
from pod.model.blob import Image, Video
from pod.model.note import ADULT_LABELS, Note, Reply, StrongRef
from pod.model.richtext import LinkTo, Mention, Segment, Tag, cut
from pod.read import noun_of
from pod.records.cid import cid_text

MISSKEY_QUOTE: Final = "https://misskey-hub.net/ns#_misskey_quote"

EDITABLE: Final = frozenset(
    {"content", "contentMap", "published", "sensitive", "attachment", "inReplyTo", "quote"}
)
"""What a writer of the view may change."""

DERIVED: Final = frozenset(
    {"@context", "id", "type", "url", "attributedTo", "updated", "to", "cc", "tag", "replies",
     "likes", "shares", "quoteUrl", "quoteUri", "_misskey_quote"}
)  # fmt: skip
"""What follows from the rest."""


def get(note: Note, published: Published) -> View:
    """The note as AS2, without context."""
    return _view(note, published, fallback(note, published))


def fallback(note: Note, published: Published) -> str:
    """HTML that stands after the words for what many peers would not show: a card, a quote."""
    told = {
        feature.uri
        for segment in note.text
        for feature in segment.features
        if isinstance(feature, LinkTo)
    }
    parts = ""
    if note.card is not None and html.is_web(note.card.uri) and note.card.uri not in told:
        link = Segment(note.card.title or note.card.uri, (LinkTo(note.card.uri),))
        parts += html.render((link,), published.names)
    if note.quote is not None:
        url = published.names.post_url(note.quote.uri)
        quote = html.render((Segment("RE: "), Segment(url, (LinkTo(url),))), published.names)
        parts += quote.replace("<p>", '<p class="quote-inline">', 1)
    return parts


def _view(note: Note, published: Published, after: str) -> View:
    author, names = published.author, published.names
    words = html.render(note.text, names)
    content = published.override.get("content", words) + after
    quote = names.object_url(note.quote.uri) if note.quote else None
    reply = names.object_url(note.reply.parent.uri) if note.reply else None
    tags = list(_tags(note, published))
    view: View = {
        "id": published.id,
        "type": "Note",
        "url": published.id,
        "attributedTo": author.webid,
        "published": note.created_at,
        "to": [PUBLIC],
        "cc": [f"{author.origin}/followers", *_people(note, published, tags)],
        "content": content,
    }
    if note.langs:
        view["contentMap"] = dict.fromkeys(note.langs, content)
    if reply is not None:
        view["inReplyTo"] = reply
    if note.is_sensitive:
        view["sensitive"] = True
    if attachments := list(_attachments(note, published)):
        view["attachment"] = attachments
    if quote is not None:
        view |= dict.fromkeys(("quote", "quoteUrl", "quoteUri", "_misskey_quote"), quote)
        tags.append({"type": "Link", "mediaType": PROFILED_TYPE, "rel": MISSKEY_QUOTE,
                     "href": quote})  # fmt: skip
    if tags:
        view["tag"] = tags
    if published.resource.updated_at > published.resource.created_at:
        view["updated"] = published.resource.updated_at.isoformat().replace("+00:00", "Z")
    view |= {name: f"{published.id}?c={name}" for name in ("replies", "likes", "shares")}
    return {**published.annotation, **view}


def put(view: View, before: Note | None, published: Published, now: str) -> Put:
    """What an edited view means for the note; of a property that reads as before nothing changes.

    Raises Conflict for what a note cannot hold as written, Unprocessable for attachments that are
    not blobs of the author.
    """
    view = _without(view, fallback(before, published)) if before is not None else view
    shown = _view(before, published, "") if before is not None else {}
    note = before if before is not None else Note((), read.text(view, "published") or now)
    override = dict(published.override) if before is not None else {}
    changed = {key for key in EDITABLE if view.get(key) != shown.get(key)}
    if changed & {"content", "contentMap"}:
        langs = read.text_map(view, "content")
        given = read.text(view, "content") or ""
        if "content" not in changed:
            given = next(iter(langs.values()), given)
        text = _within_limit(html.read(given, published.names))
        note = replace(note, text=text, langs=tuple(langs))
        fits = html.render(text, published.names) == given
        override = {} if fits else {"content": html.clean(given)}
    if "published" in changed and before is not None:
        note = replace(note, created_at=read.text(view, "published") or note.created_at)
    if "sensitive" in changed:
        kept = tuple(label for label in note.labels if label not in ADULT_LABELS)
        note = replace(note, labels=(*kept, "graphic-media") if view.get("sensitive") else kept)
    if "attachment" in changed:
        note = _with_attachments(note, view, published)
    annotation = {key: value for key, value in view.items() if key not in EDITABLE | DERIVED}
    for key in changed & {"inReplyTo", "quote"}:
        note, annotation = _with_reference(note, key, view, annotation, published)
    again = {**annotation, **_view(note, published, "")}
    if override:
        again["content"] = override["content"]
        again["contentMap"] = dict.fromkeys(note.langs, override["content"])
    written = {key: value for key, value in view.items() if before is not None or key in EDITABLE}
    require_shown(written, shown, again)
    return Put(note, annotation, override)


def _within_limit(text: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """As much of the words as a record may hold; the whole stands in the override then."""
    whole = "".join(segment.text for segment in text)
    short = cut(whole)
    if short == whole:
        return text
    left, kept = len(short) - 1, list[Segment]()
    for segment in text:
        if len(segment.text) > left:
            kept.append(Segment(segment.text[:left] + "…"))
            break
        kept.append(segment)
        left -= len(segment.text)
    return tuple(kept)


def _without(view: View, after: str) -> View:
    """The view without the fallback, which follows from the rest and cannot be edited."""
    content, mapped = view.get("content"), view.get("contentMap")
    less = dict(view)
    if isinstance(content, str):
        less["content"] = content.removesuffix(after)
    if isinstance(mapped, dict):
        less["contentMap"] = {
            lang: text.removesuffix(after) if isinstance(text, str) else text
            for lang, text in mapped.items()
        }
    return less


def _tags(note: Note, published: Published) -> Iterator[View]:
    seen: set[str] = set()
    names = published.names
    for segment in note.text:
        for feature in segment.features:
            match feature:
                case Mention(did=did) if (member := names.member(did)) is not None:
                    tag = {"type": "Mention", "href": member.webid, "name": f"@{member.acct}"}
                case LinkTo(uri=uri) if html.is_web(uri) and html.is_handle_text(segment.text):
                    tag = {"type": "Mention", "href": uri, "name": segment.text}
                case Tag(tag=name):
                    tag = {"type": "Hashtag", "href": names.tag_url(name), "name": f"#{name}"}
                case _:
                    continue
            if tag["href"] not in seen:
                seen.add(tag["href"])
                yield tag
    for name in note.tags:
        if (href := names.tag_url(name)) not in seen:
            seen.add(href)
            yield {"type": "Hashtag", "href": href, "name": f"#{name}"}


def _people(note: Note, published: Published, tags: list[View]) -> list[str]:
    """Whom the note addresses by name: the mentioned, and the author it answers."""
    found = [tag["href"] for tag in tags if tag["type"] == "Mention"]
    if note.reply is not None:
        parent = published.names.member(note.reply.parent.uri.removeprefix("at://").split("/")[0])
        if parent is not None:
            found.append(parent.webid)
    found += [person for person in published.annotation.get("cc", []) if isinstance(person, str)]
    return [person for person in dict.fromkeys(found) if person != published.author.webid]


def _attachments(note: Note, published: Published) -> Iterator[View]:
    media: list[Image | Video] = [*note.images, *([note.video] if note.video else [])]
    for item in media:
        view: View = {
            "type": "Image" if isinstance(item, Image) else "Video",
            "mediaType": item.blob.media_type,
            "url": published.blob_url(item.blob),
        }
        if item.alt:
            view["name"] = item.alt
        if item.width and item.height:
            view |= {"width": item.width, "height": item.height}
        yield view


def _with_attachments(note: Note, view: View, published: Published) -> Note:
    """Attachments may be dropped, reordered and given other texts; new ones must be known blobs."""
    held: dict[str, Image] = {published.blob_url(image.blob): image for image in note.images}
    film = note.video
    images: list[Image] = []
    video: Video | None = None
    for node in read.nodes(view, "attachment"):
        url, alt = read.iri(node, "url") or "", read.text(node, "name") or ""
        if url in held:
            images.append(replace(held[url], alt=alt))
        elif film is not None and published.blob_url(film.blob) == url:
            video = replace(film, alt=alt)
        else:
            raise Unprocessable("An attachment must be a blob that the note already shows.")
    return replace(note, images=tuple(images), video=video)


def _with_reference(
    note: Note, key: str, view: View, annotation: View, published: Published
) -> tuple[Note, View]:
    """A reply or quote: by strong reference inside this pod, as an annotation outside of it."""
    target = read.iri(view, key)
    reference = _reference(target, published) if target is not None else None
    if key == "quote":
        if target is not None and reference is None:
            raise Conflict("Only notes of this pod can be quoted.")
        return replace(note, quote=reference[0] if reference else None), annotation
    if target is not None and reference is None:
        return replace(note, reply=None), {**annotation, "inReplyTo": target}
    reply = Reply(root=reference[1], parent=reference[0]) if reference else None
    return replace(note, reply=reply), annotation


def _reference(url: str, published: Published) -> tuple[StrongRef, StrongRef] | None:
    """The note at a URL of this pod, and the root of its thread."""
    uri = published.names.at_uri(url)
    found = published.names.locate(uri) if uri is not None else None
    if uri is None or found is None:
        return None
    parent = StrongRef(uri, cid_text(found[1].cid))
    noun = noun_of(found[1])
    if isinstance(noun, Note) and noun.reply is not None:
        return parent, noun.reply.root
    return parent, parent
