"""What pages show: members and their posts, read through the nouns and made ready for templates.

Spec: https://microformats.org/wiki/h-card, https://microformats.org/wiki/h-entry
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup

from adapters.console.ports import Edges
from adapters.console.words import (
    Moment,
    People,
    described,
    excerpt,
    is_web,
    moment,
    post_url,
    rich,
)
from pod.errors import Invalid
from pod.model.blob import BlobRef, Image, Video
from pod.model.member import Member
from pod.model.note import Note
from pod.model.presence import Presence
from pod.model.resource import Resource, ResourcePath, record_key
from pod.model.richtext import Tag
from pod.ports import Reader
from pod.read import Place, Read, noun_of
from pod.records.cid import cid_text

PAGE: Final = 20
_ANSWERS: Final = 100
_SHY: Final = "!no-unauthenticated"
_SCAN: Final = 500
"""How many posts a page by tag looks through."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or film by URL, with its text alternative and its size where known."""

    url: str
    media_type: str
    size: int
    alt: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A link to something elsewhere."""

    url: str
    title: str
    description: str
    host: str
    thumb: Picture | None


@dataclass(frozen=True, slots=True)
class Other:
    """Another post that a post answers or quotes; only ``url`` is known of posts elsewhere."""

    url: str
    author: str | None = None
    html: Markup | None = None
    text: str = ""
    published: Moment | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A post as pages show it. ``edited`` is set where it changed after it was born."""

    url: str
    key: str
    uri: str
    html: Markup
    text: str
    title: str
    published: Moment
    edited: Moment | None
    lang: str | None
    images: tuple[Picture, ...]
    video: Picture | None
    card: Card | None
    quote: Other | None
    reply: Other | None
    tags: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    sensitive: bool
    pinned: bool = False
    answers_others: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply from another server: where it is, which server it is on, when it came."""

    url: str
    host: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Reactions:
    """What people of other servers did to a post."""

    likes: int
    boosts: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A member as pages show them; one who ``is_shy`` asks not to be found by strangers.

    ``fields`` are names and words of the member's choice, ``moved_to`` is where they live now.
    """

    member: Member
    name: str
    bio: Markup
    bio_text: str
    website: str | None
    pronouns: str | None
    avatar: Picture | None
    banner: Picture | None
    is_bot: bool
    is_shy: bool
    fields: tuple[tuple[str, str], ...] = ()
    moved_to: str | None = None


class Shown:
    """Reads members and posts for pages; point reads and short pages only."""

    def __init__(
        self, reader: Reader, read: Read, edges: Edges, presence: Callable[[Member], Presence]
    ) -> None:
        """``presence`` tells what a member chose to say beside the profile record."""
        self._reader = reader
        self._read = read
        self._edges = edges
        self._presence = presence

    def person(self, member: Member) -> Person:
        """How a member presents themselves."""
        profile = self._read.profile(member.id)
        text = profile.description or ""
        website = profile.website if profile.website and is_web(profile.website) else None
        chosen = self._presence(member)
        return Person(
            member=member,
            name=profile.name or member.username,
            bio=described(text),
            bio_text=excerpt(text, 200),
            website=website,
            pronouns=profile.pronouns,
            avatar=_blob(member, profile.avatar),
            banner=_blob(member, profile.banner),
            is_bot=profile.is_bot,
            is_shy=_SHY in profile.labels or not chosen.is_indexable,
            fields=chosen.fields,
            moved_to=chosen.moved_to,
        )

    def posts(
        self, member: Member, *, before: str | None = None, tag: str | None = None
    ) -> list[Post]:
        """A page of posts, newest first, all or those with a tag; the pinned one comes first."""
        page: list[Post] = []
        for resource, note in self._notes(member, before):
            if tag is None or tag.lower() in _tags_of(note):
                page.append(self.post(member, resource, note))
            if len(page) == PAGE:
                break
        if before is None and tag is None:
            page = self._with_pinned(member, page)
        return page

    def _notes(self, member: Member, before: str | None) -> Iterator[tuple[Resource, Note]]:
        seen = 0
        while seen < _SCAN:
            page = self._read.notes(member.id, before=before, limit=PAGE)
            for resource, noun in page:
                if isinstance(noun, Note):
                    yield resource, noun
            if len(page) < PAGE:
                return
            seen += len(page)
            before = record_key(page[-1][0].path)[1]

    def _with_pinned(self, member: Member, page: list[Post]) -> list[Post]:
        pinned = self._read.profile(member.id).pinned
        found = self._found(pinned.uri) if pinned is not None else None
        if found is None or found[0].id != member.id:
            return page
        _, resource, note = found
        first = self.post(member, resource, note, pinned=True)
        return [first, *(post for post in page if post.url != first.url)]

    def post(self, member: Member, resource: Resource, note: Note, *, pinned: bool = False) -> Post:
        """One post of a member."""
        people = People(self._reader, member.origin)
        published = moment(note.created_at, resource.created_at)
        edited = None
        if resource.updated_at > resource.created_at:
            edited = moment(None, resource.updated_at)
        card = note.card if note.card is not None and is_web(note.card.uri) else None
        parent = note.reply.parent.uri if note.reply else None
        _, key = record_key(resource.path)
        return Post(
            url=member.url(resource.path),
            key=key,
            uri=member.at_uri(resource.path),
            html=rich(note.text, people),
            text=note.plain_text,
            title=excerpt(note.plain_text) or f"Post of {published.text}",
            published=published,
            edited=edited,
            lang=note.langs[0] if note.langs else None,
            images=tuple(_picture(member, image) for image in note.images),
            video=_picture(member, note.video) if note.video else None,
            card=Card(
                card.uri,
                card.title or card.uri,
                card.description,
                card.uri.split("://", 1)[1].split("/", 1)[0],
                _blob(member, card.thumb),
            )
            if card
            else None,
            quote=self.other(note.quote.uri) if note.quote else None,
            reply=self.other(parent) if parent else None,
            tags=tuple((tag, people.tag_url(tag)) for tag in note.tags),
            labels=note.labels,
            sensitive=note.is_sensitive,
            pinned=pinned,
            answers_others=parent is not None and not parent.startswith(f"at://{member.did}/"),
        )

    def reactions(self, member: Member, path: ResourcePath) -> Reactions:
        """What the fediverse did to a post; answers oldest first."""
        replies = self._edges.page(member.id, path, "reply", limit=_ANSWERS)
        return Reactions(
            likes=self._edges.count(member.id, path, "like"),
            boosts=self._edges.count(member.id, path, "announce"),
            answers=tuple(
                Answer(edge.object, urlsplit(edge.object).netloc, moment(None, edge.at))
                for edge in reversed(replies)
                if is_web(edge.object)
            ),
        )

    def other(self, uri: str) -> Other | None:
        """A post that another one points at: in full where its author lives here."""
        found = self._found(uri)
        if found is None:
            url = post_url(uri)
            return Other(url) if url is not None else None
        author, resource, note = found
        return Other(
            url=author.url(resource.path),
            author=self.person(author).name,
            html=rich(note.text, People(self._reader, author.origin)),
            text=excerpt(note.plain_text, 140),
            published=moment(note.created_at, resource.created_at),
        )

    def _found(self, uri: str) -> tuple[Member, Resource, Note] | None:
        try:
            place: Place | None = self._read.member_of_uri(uri)
        except Invalid:
            return None
        if place is None or not place.member.is_active:
            return None
        resource = self._reader.resource(place.member.id, place.path)
        noun = noun_of(resource) if resource is not None else None
        if resource is None or not isinstance(noun, Note):
            return None
        return place.member, resource, noun


def blob_url(member: Member, blob: BlobRef) -> str:
    """Where a public blob of a member is served."""
    return f"{member.origin}/blobs/{cid_text(blob.cid)}"


def _blob(member: Member, blob: BlobRef | None) -> Picture | None:
    if blob is None:
        return None
    return Picture(blob_url(member, blob), blob.media_type, blob.size)


def _picture(member: Member, media: Image | Video) -> Picture:
    blob = media.blob
    return Picture(
        blob_url(member, blob), blob.media_type, blob.size, media.alt, media.width, media.height
    )


def _tags_of(note: Note) -> set[str]:
    inline = (
        feature.tag
        for segment in note.text
        for feature in segment.features
        if isinstance(feature, Tag)
    )
    return {tag.lower() for tag in (*note.tags, *inline)}
