"""The pages a person sees: a member's home, a post, an article, any other record, the front door.

Spec: https://www.w3.org/TR/WCAG22/, https://ogp.me/, https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.console.shown import PAGE, Person, Picture, Post, Shown, blob_url
from adapters.console.words import described, excerpt, is_web, markdown, moment, paragraphs
from adapters.http.negotiate import AS2_PROFILE
from adapters.http.views import Ask, Rendered, View
from pod.model.article import Article
from pod.model.note import Note
from pod.model.resource import Resource, Tombstone, record_key
from pod.read import noun_of, record_of
from pod.records.cid import cid_text
from pod.records.data import Data, Link

HTML: Final = "text/html; charset=utf-8"
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "interest-cohort=()",
}
_AS2: Final = ("application/activity+json", f'application/ld+json; profile="{AS2_PROFILE}"')
_RDF: Final = ("text/turtle", "application/ld+json")
STYLE: Final = files("adapters.console").joinpath("assets/style.css").read_bytes()
ICON: Final = files("adapters.console").joinpath("assets/icon.svg").read_bytes()


def environment() -> Environment:
    """The templates, escaping everything and failing on names that do not exist."""
    made = Environment(
        loader=PackageLoader("adapters.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["is_web"] = is_web
    made.filters["bare"] = lambda url: url.split("://", 1)[-1].rstrip("/")
    made.filters["linked"] = described
    made.filters["counted"] = lambda number, word: f"{number} {word}{'' if number == 1 else 's'}"
    made.globals["style"] = sha256(STYLE).hexdigest()[:8]
    return made


class Pages:
    """Renders what `Shown` reads."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._templates = environment()

    @property
    def view(self) -> View:
        """The HTML view of a member's ``/``, ``/me`` and records."""
        return View("html", ("text/html",), self._render, shows_more=True)

    def front_door(
        self,
        *,
        origin: str,
        suffix: str,
        open_sign_up: bool,
        contact: str | None,
        people: Sequence[Person],
    ) -> Rendered:
        """The page of the server itself; ``suffix`` is that of handles it gives out."""
        return self._page(
            "server.html",
            title=origin.split("://", 1)[1],
            host=origin.split("://", 1)[1],
            origin=origin,
            suffix=suffix,
            open_sign_up=open_sign_up,
            contact=contact,
            people=people,
        )

    async def _render(self, ask: Ask) -> Rendered | None:
        if ask.tombstone is not None:
            return self._gone(ask, ask.tombstone)
        if ask.path in ("/", "/me"):
            return self._member(ask)
        if ask.resource is None or not ask.resource.is_record:
            return None
        match noun_of(ask.resource):
            case Note() as note:
                return self._post(ask, self._shown.post(ask.member, ask.resource, note))
            case Article() as article:
                return self._article(ask, ask.resource, article)
            case _:
                return self._record(ask, ask.resource)

    def _member(self, ask: Ask) -> Rendered:
        person = self._shown.person(ask.member)
        before, tag = ask.query.get("before"), ask.query.get("tag")
        posts = self._shown.posts(ask.member, before=before, tag=tag)
        listed = [post for post in posts if not post.pinned]
        is_full = len(listed) >= PAGE - (len(posts) - len(listed))
        return self._member_page(
            "member.html",
            ask,
            person,
            title=f"{person.name} (@{ask.member.acct})",
            description=person.bio_text or f"Posts of {person.name}",
            pictures=[person.avatar] if person.avatar else [],
            posts=posts,
            tag=tag,
            newest=before is None,
            older=listed[-1].key if listed and is_full else None,
        )

    def _post(self, ask: Ask, post: Post) -> Rendered:
        person = self._shown.person(ask.member)
        pictures = [] if post.sensitive else list(post.images)
        if not pictures and post.card is not None and post.card.thumb is not None:
            pictures = [post.card.thumb]
        avatar = [person.avatar] if person.avatar else []
        return self._member_page(
            "post.html",
            ask,
            person,
            title=f"{person.name}: {post.title}",
            description=excerpt(post.text, 280) or post.title,
            pictures=pictures or avatar,
            large=bool(pictures),
            post=post,
            reactions=self._shown.reactions(ask.member, ask.path),
        )

    def _article(self, ask: Ask, resource: Resource, article: Article) -> Rendered:
        person = self._shown.person(ask.member)
        is_markdown = article.format == "markdown"
        html = markdown(article.content) if is_markdown else paragraphs(article.content)
        cover = article.cover
        pictures = (
            [Picture(blob_url(ask.member, cover), cover.media_type, cover.size)] if cover else []
        )
        return self._member_page(
            "article.html",
            ask,
            person,
            title=article.title or "Untitled",
            description=article.summary or excerpt(html.striptags(), 280),
            pictures=pictures,
            large=bool(pictures),
            article=article,
            html=html,
            published=moment(article.created_at, resource.created_at),
        )

    def _record(self, ask: Ask, resource: Resource) -> Rendered:
        person = self._shown.person(ask.member)
        collection, _ = record_key(resource.path)
        return self._member_page(
            "record.html",
            ask,
            person,
            title=collection,
            description=f"A record of {person.name}",
            pictures=[],
            alternates=[(media, ask.url) for media in _RDF],
            data=_readable(record_of(resource)),
            published=moment(None, resource.created_at),
        )

    def _gone(self, ask: Ask, tombstone: Tombstone) -> Rendered:
        return self._page(
            "gone.html",
            title="Deleted",
            deleted=moment(None, tombstone.deleted_at),
            home=f"{ask.member.origin}/",
        )

    def _member_page(self, template: str, ask: Ask, person: Person, **values: Any) -> Rendered:
        uri = ask.member.at_uri(ask.path) if ask.path.startswith("/repo/") else None
        # A record that was born again has another object id, see `adapters.http.views.rooms`.
        born = ask.resource.generation if ask.resource is not None else 1
        url = ask.member.webid if ask.path == "/" else ask.url
        object_id = url if born == 1 else f"{url};g{born}"
        alternates = [(media, object_id) for media in _AS2] + [(media, url) for media in _RDF]
        defaults = {"url": url, "uri": uri, "large": False, "alternates": alternates}
        return self._page(template, **{**defaults, "person": person, **values})

    def _page(self, template: str, **values: Any) -> Rendered:
        text = self._templates.get_template(template).render(**values)
        return Rendered(text.encode(), HTML, SECURITY)


def _readable(data: Data) -> Any:
    """Record data with links and bytes as text, for a page of keys and values."""
    match data:
        case Link():
            return cid_text(data.cid)
        case bytes():
            return base64.b64encode(data).decode()
        case dict():
            return {key: _readable(value) for key, value in data.items()}
        case list():
            return [_readable(value) for value in data]
        case _:
            return data
