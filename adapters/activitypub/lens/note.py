"""Note <-> AS2 Note or Question, as Mastodon, GoToSocial, Misskey and Bonfire read it.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-note
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import attachment, html, poll, quote, readable, tags
from adapters.activitypub.lens.published import (
    INTERNAL,
    Published,
    Put,
    View,
    addressed,
    require_shown,
)
from pod.model.ids import parse_datetime
from pod.model.note import ADULT_LABELS, Note, Reply, StrongRef
from pod.model.richtext import LinkTo, Segment
from pod.read import noun_of
from pod.records.cid import cid_text

EDITABLE: Final = frozenset(
    {"content", "contentMap", "summary", "published", "sensitive", "attachment", "inReplyTo",
     "quote"}
)  # fmt: skip
"""What a writer of the view may change."""

DERIVED: Final = frozenset(
    {"@context", "id", "type", "url", "attributedTo", "updated", "to", "cc", "tag", "replies",
     "likes", "shares", "quoteUrl", "quoteUri", "_misskey_quote", "quoteAuthorization", "context",
     "conversation", "interactionPolicy", INTERNAL}
)  # fmt: skip
"""What follows from the rest."""

_KEPT: Final = ("summary", "inReplyTo", "quote", "tag", "cc", "context", "conversation",
                "quoteAuthorization", INTERNAL, *sorted(poll.KEYS))  # fmt: skip
"""What stands beside a note and stays there when a view is written that does not say it."""

_OWNED: Final = EDITABLE | DERIVED | poll.KEYS
_CHECKED: Final = EDITABLE - {"attachment", "quote"}
"""What must read back as a new note says it: of the others, the lens keeps what they mean."""


def get(note: Note, published: Published) -> View:
    """The note as AS2, without context."""
    return _view(note, published, published.annotation, published.override)


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
    url = published.names.post_url(note.quote.uri) if note.quote is not None else None
    url = published.annotation.get("quote", url)
    if url is not None and html.is_web(url):
        said = html.render((Segment("RE: "), Segment(url, (LinkTo(url),))), published.names)
        parts += said.replace("<p>", '<p class="quote-inline">', 1)
    return parts


def _view(
    note: Note, published: Published, beside: View, override: View, *, bare: bool = False
) -> View:
    """The note with what stands beside it; ``bare`` leaves out what follows the words."""
    author = published.author
    words = html.render(readable.unwrap(note.text, beside), published.names)
    content = override.get("content", words) + ("" if bare else fallback(note, published))
    found = list(tags.tags(note, published, beside))
    to, cc = published.audience(beside)
    view: View = {
        "id": published.id,
        "type": "Question" if poll.is_poll(beside) else "Note",
        "url": published.id,
        "attributedTo": author.webid,
        "published": note.created_at,
        "to": to,
        "cc": [*cc, *tags.people(note, published, found, beside)],
        "content": content,
    }
    if note.langs:
        view["contentMap"] = dict.fromkeys(note.langs, content)
    if note.is_sensitive:
        view["sensitive"] = True
    if shown := list(attachment.attachments(note, published, beside)):
        view["attachment"] = shown
    view |= _thread(note, published, beside) | _quote(note, published, beside)
    if "quote" in view:
        found.append(quote.link(view["quote"]))
    found += published.names.emoji(content, beside.get("summary", ""), *poll.choices(beside))
    if found:
        view["tag"] = found
    if published.resource.updated_at > published.resource.created_at:
        view["updated"] = published.resource.updated_at.isoformat().replace("+00:00", "Z")
    view |= {name: f"{published.id}?c={name}" for name in ("replies", "likes", "shares")}
    view["interactionPolicy"] = quote.policy(published)
    rest = {key: value for key, value in beside.items() if key not in DERIVED}
    return {**rest, **view}


def _thread(note: Note, published: Published, beside: View) -> View:
    """What the note answers, and by which name its conversation goes."""
    names = published.names
    said = ("inReplyTo", "context", "conversation")
    found: View = {key: beside[key] for key in said if key in beside}
    root: str | None = published.id
    if note.reply is not None:
        root = names.object_url(note.reply.root.uri)
        parent = names.object_url(note.reply.parent.uri)
        if parent is not None:
            found = {"inReplyTo": parent}
    if "inReplyTo" not in found or (note.reply is not None and root is not None):
        name = f"{root or published.id}?c=context"
        found |= {"context": name, "conversation": name}
    return found


def _quote(note: Note, published: Published, beside: View) -> View:
    """What the note quotes, in all spellings, and the author's permission."""
    inside = published.names.object_url(note.quote.uri) if note.quote is not None else None
    target = inside or beside.get("quote")
    if target is None:
        return {}
    allowed = beside.get("quoteAuthorization")
    if inside is not None:
        allowed = quote.stamp_of_ours(inside, published)
    view: View = dict.fromkeys(quote.SPELLINGS, target)
    return {**view, "quoteAuthorization": allowed} if allowed else view


def put(
    view: View, before: Note | None, published: Published, now: str, files: Sequence[View] = ()
) -> Put:
    """What an edited view means for the note; of a property that reads as before nothing changes.

    ``files`` are the attachments that stand beside the record.

    Raises Conflict for what a note cannot hold as written, Unprocessable for attachments that are
    not blobs of the author, and for a poll that is none.
    """
    if before is None:
        before, held, shown, is_new = Note((), now), View(), View(), True
        override: View = {}
    else:
        view, is_new = _without(view, fallback(before, published)), False
        held, override = published.annotation, published.override
        shown = _view(before, published, held, override, bare=True)
    changed = {key for key in EDITABLE if view.get(key) != shown.get(key)}
    beside = {key: value for key, value in view.items() if key not in _OWNED}
    beside |= {key: held[key] for key in _KEPT if key in held}
    beside = addressed(view, beside) if is_new else beside
    note = before
    if is_new and poll.is_poll(view):
        beside |= poll.new(view, parse_datetime(now))
    if is_new and (target := quote.quoted(view)) is not None:
        view, changed = {**view, "quote": target}, changed | {"quote"}
    if "summary" in changed:
        beside.pop("summary", None)
        if warning := read.text(view, "summary"):
            beside["summary"] = warning
            if is_new and "sensitive" not in view:
                note = replace(note, labels=("graphic-media",))
    if "attachment" in changed:
        note, beside = _with_files(note, view, published, beside, files)
    note, override = _with_words(note, view, published, changed, (held, beside), override)
    note, beside = _with_rest(note, view, published, changed, beside)
    if is_new and (more := tags.named(view, list(tags.tags(note, published, {})))):
        beside["tag"] = more
    again = _view(note, published, beside, override, bare=True)
    checked = _CHECKED if is_new else view.keys()
    written = {key: value for key, value in view.items() if key in checked}
    require_shown(written, shown, again)
    return Put(note, beside, override)


def _with_words(
    note: Note,
    view: View,
    published: Published,
    changed: set[str],
    annotations: tuple[View, View],
    override: View,
) -> tuple[Note, View]:
    """The note with the words of the view, and their richer form where the record has less."""
    held, beside = annotations
    if not changed & {"content", "contentMap"}:
        if not changed & {"summary", "attachment"} and not (poll.is_poll(beside) and not note.text):
            return note, override
        words = readable.unwrap(note.text, held)
        return replace(note, text=readable.wrap(words, beside, published.id)), override
    langs = read.text_map(view, "content")
    given = read.text(view, "content") or ""
    if "content" not in changed:
        given = next(iter(langs.values()), given)
    text = readable.wrap(html.read(given, published.names), beside, published.id)
    plain = html.render(readable.unwrap(text, beside), published.names)
    override = {} if plain == given else {"content": html.clean(given)}
    return replace(note, text=text, langs=tuple(langs)), override


def _with_files(
    note: Note, view: View, published: Published, beside: View, files: Sequence[View]
) -> tuple[Note, View]:
    """The note with the attachments of the view, and beside it what the record has no place for."""
    note, told = attachment.put(note, view, published, files)
    internal = beside.get(INTERNAL, {})
    internal = {key: kept for key, kept in internal.items() if key not in ("media", "files")} | told
    rest = {key: value for key, value in beside.items() if key != INTERNAL}
    return note, rest | ({INTERNAL: internal} if internal else {})


def _with_rest(
    note: Note, view: View, published: Published, changed: set[str], beside: View
) -> tuple[Note, View]:
    """The note with the rest of the view, and what goes beside it."""
    if "published" in changed:
        note = replace(note, created_at=read.text(view, "published") or note.created_at)
    if "sensitive" in changed:
        kept = tuple(label for label in note.labels if label not in ADULT_LABELS)
        note = replace(note, labels=(*kept, "graphic-media") if view.get("sensitive") else kept)
    if "inReplyTo" in changed:
        found, beside = _reference("inReplyTo", view, beside, published)
        note = replace(note, reply=Reply(found[1], found[0]) if found else None)
    if "quote" in changed:
        found, beside = _reference("quote", view, beside, published)
        beside.pop("quoteAuthorization", None)
        note = replace(note, quote=found[0] if found else None)
    return note, beside


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


def _reference(
    key: str, view: View, beside: View, published: Published
) -> tuple[tuple[StrongRef, StrongRef] | None, View]:
    """A reply or quote: as strong references inside this pod, beside the note outside of it."""
    target = read.iri(view, key)
    found = _local(target, published) if target is not None else None
    beside = {name: value for name, value in beside.items() if name != key}
    return found, beside if target is None or found is not None else {**beside, key: target}


def _local(url: str, published: Published) -> tuple[StrongRef, StrongRef] | None:
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
