"""All of the console that the roof may import: the HTML view, the front door, feeds and assets.

Spec: https://www.w3.org/TR/CSP3/, RFC 8246 (immutable)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response, request

from adapters.console import feeds
from adapters.console.admin_pages import AdminPages
from adapters.console.federation_pages import FederationPages
from adapters.console.pages import HTML, ICON, SECURITY, STYLE, Pages
from adapters.console.ports import Edges
from adapters.console.shown import Person, Post, Shown
from adapters.http.conditional import body_etag, not_modified
from adapters.http.hosts import Hosts
from adapters.http.incoming import fields
from adapters.http.views import Answer, Rendered, View, response_of
from pod.errors import NotFound
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.model.presence import Presence
from pod.ports import Reader
from pod.read import Read

__all__ = ["AdminPages", "Console", "FederationPages", "Welcome"]

_LISTED: Final = 200
_FEEDS: Final[dict[str, tuple[str, Callable[[Person, Sequence[Post]], bytes]]]] = {
    "atom": ("application/atom+xml; charset=utf-8", feeds.atom),
    "rss": ("application/rss+xml; charset=utf-8", feeds.rss),
    "json": ("application/feed+json", feeds.json),
}
_ASSETS: Final = {
    "style.css": ("text/css; charset=utf-8", STYLE),
    "icon.svg": ("image/svg+xml", ICON),
}


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the server's own page tells; ``lists_members`` shows who lives here."""

    handle_suffix: str
    open_sign_up: bool = False
    contact: str | None = None
    lists_members: bool = False


class Console:
    """The pages of all members and of the server."""

    def __init__(
        self,
        *,
        hosts: Hosts,
        reader: Reader,
        read: Read,
        edges: Edges,
        welcome: Welcome,
        presence: Callable[[Member], Presence] = lambda _: Presence(),
    ) -> None:
        """``presence`` tells what a member chose to say beside the profile record."""
        self._hosts = hosts
        self._reader = reader
        self._shown = Shown(reader, read, edges, presence)
        self._pages = Pages(self._shown)
        self._welcome = welcome

    @property
    def view(self) -> View:
        """The HTML view for `adapters.http.views.Views`."""
        return self._pages.view

    async def front_door(self) -> Response:
        """``/`` on the server's own origin."""
        members = (
            self._reader.members(after=MemberId(0), limit=_LISTED)
            if self._welcome.lists_members
            else []
        )
        shown = self._pages.front_door(
            origin=self._hosts.server,
            suffix=self._welcome.handle_suffix,
            open_sign_up=self._welcome.open_sign_up,
            contact=self._welcome.contact,
            people=[self._shown.person(member) for member in members if member.is_active],
        )
        return _conditional(shown, "door")

    def rooms(self) -> Blueprint:
        """Feeds on every member's origin, and the style sheet and icon on all origins."""
        blueprint = Blueprint("console", __name__)

        @blueprint.get("/feed.<kind>")
        async def feed(kind: str) -> Response:
            member = self._hosts.member(request.host)
            if kind not in _FEEDS or not member.is_active:
                raise NotFound
            media_type, render = _FEEDS[kind]
            posts = [post for post in self._shown.posts(member) if not post.answers_others]
            posts.sort(key=lambda post: post.published.iso, reverse=True)
            body = render(self._shown.person(member), posts)
            cors = {"Access-Control-Allow-Origin": "*"}
            return _conditional(Rendered(body, media_type, cors), kind)

        @blueprint.get("/assets/<name>")
        async def asset(name: str) -> Response:
            if name not in _ASSETS:
                raise NotFound
            media_type, body = _ASSETS[name]
            # A name with the hash of the bytes behind it never means other bytes.
            lasts = "public, max-age=31536000, immutable" if request.query_string else "no-cache"
            return _conditional(Rendered(body, media_type, {"Cache-Control": lasts}), "asset")

        return blueprint


def _conditional(shown: Rendered, variant: str) -> Response:
    tag = body_etag(shown.body, variant)
    headers = {
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        **(SECURITY if shown.media_type == HTML else {}),
        **shown.headers,
        "ETag": tag,
    }
    if not_modified(fields(), tag, None):
        return response_of(Answer(304, headers))
    return response_of(Answer(200, {**headers, "Content-Type": shown.media_type}, shown.body))
