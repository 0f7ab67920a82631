"""One URL, many views: content negotiation over what the wings offer for a member's resource.

Spec: RFC 9110 sections 12 and 13, RFC 8288 (Link)
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quart import Blueprint, Response, request

from adapters.http.conditional import body_etag, etag, http_date, not_modified
from adapters.http.cors import echo, merge_vary
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts, absence
from adapters.http.incoming import fields, presented
from adapters.http.negotiate import choose
from pod.access.agent import Agent
from pod.errors import Gone, NotFound
from pod.model.ids import Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, Tombstone, record_path
from pod.ports import Reader


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: a member's path, and what is there.

    ``resource`` is None for virtual things such as ``/me``; ``tombstone`` is set instead where
    something was deleted. ``query`` holds the first value of each parameter. ``generation`` is the
    birth of the path that the URL means: ``;g2`` after a record key, 1 without.
    """

    member: Member
    path: ResourcePath
    resource: Resource | None
    agent: Agent
    query: Mapping[str, str] = field(default_factory=dict)
    tombstone: Tombstone | None = None
    generation: int = 1

    @property
    def url(self) -> str:
        """The one URL of the thing."""
        return self.member.url(self.path)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A representation."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """One way to show resources.

    ``render`` answers None for what this view cannot show; of deleted things it is asked with a
    tombstone, and shows that they are gone. ``shows_more`` says that the representation depends on
    more than the one resource (other records, remote replies), so its ETag is made of its bytes.
    Where the same bytes go by several media types, the one that was asked for is sent.
    """

    variant: str
    media_types: tuple[str, ...]
    render: Callable[[Ask], Awaitable[Rendered | None]]
    shows_more: bool = False


Links = Callable[[Ask], Sequence[str]]
"""What a wing adds to the Link header: whole link-values (``<url>; rel="acl"``)."""

Allow = Callable[[Agent, Member, ResourcePath], None]
"""Passes where an agent may read; raises Unauthenticated, Forbidden or NotFound."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, free of the web framework."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


Absent = Callable[[Member, ResourcePath, Mapping[str, str]], Awaitable[Answer | None]]
"""What a wing says of somebody who is not served: suspended, or gone for ever; None: nothing."""


class Views:
    """The views of one kind of place, in the order that ``*/*`` prefers."""

    def __init__(self, views: Sequence[View], links: Sequence[Links] = ()) -> None:
        self._views = tuple(views)
        self._links = tuple(links)

    async def answer(self, ask: Ask, headers: Mapping[str, str]) -> Answer:
        """Choose by Accept, render, and meet the preconditions: 200, 304, 406 or 410.

        Raises NotFound, or Gone, where no view shows the thing at all.
        """
        left = list(self._views)
        while left:
            offers = {media: view for view in reversed(left) for media in view.media_types}
            ordered = [media for view in left for media in view.media_types]
            media = choose(headers.get("Accept"), ordered)
            if media is None:
                return self._unacceptable(ask, ordered)
            view = offers[media]
            shown = await view.render(ask)
            if shown is not None:
                if shown.media_type in view.media_types:
                    shown = replace(shown, media_type=media)
                return self._reply(ask, view, shown, headers)
            left.remove(view)
        raise NotFound if ask.tombstone is None else Gone

    def _unacceptable(self, ask: Ask, offered: Sequence[str]) -> Answer:
        if ask.tombstone is not None:
            raise Gone
        text = "\n".join(("This is offered as:", *offered, ""))
        headers = {"Content-Type": "text/plain; charset=utf-8", "Vary": VARY}
        return Answer(406, headers, text.encode())

    def _reply(self, ask: Ask, view: View, shown: Rendered, asked: Mapping[str, str]) -> Answer:
        cors = echo(asked)
        headers = {
            **cors,
            "Content-Type": shown.media_type,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache" if ask.agent.is_authenticated else "no-cache",
            **shown.headers,
        }
        headers["Vary"] = merge_vary(VARY, cors.get("Vary"), shown.headers.get("Vary"))
        links = [link for provider in self._links for link in provider(ask)]
        if links or "Link" in shown.headers:
            headers["Link"] = ", ".join(filter(None, [shown.headers.get("Link"), *links]))
        if ask.tombstone is not None:
            return Answer(410, headers, shown.body)
        own = ask.resource is not None and not view.shows_more
        modified = ask.resource.updated_at if ask.resource is not None and own else None
        tag = (
            etag(ask.resource.version, view.variant)
            if ask.resource is not None and own
            else body_etag(shown.body, view.variant)
        )
        headers["ETag"] = tag
        if modified is not None:
            headers["Last-Modified"] = http_date(modified)
        if not_modified(asked, tag, modified):
            del headers["Content-Type"]
            return Answer(304, headers)
        return Answer(200, headers, shown.body)


VARY = "Accept, Authorization, Signature"


def response_of(answer: Answer) -> Response:
    """An answer as Quart sends it; to HEAD without the bytes, but with their length."""
    is_head = request.method == "HEAD"
    response = Response(b"" if is_head else answer.body, status=answer.status)
    del response.headers["Content-Type"]
    response.headers.update(answer.headers)
    response.headers["Content-Length"] = str(len(answer.body))
    return response


def _key_of(segment: str) -> tuple[Rkey, int]:
    """Record key and generation of a URL's last segment; a key never holds a semicolon."""
    match = re.fullmatch(r"(.+);g([2-9]|[1-9]\d{1,8})", segment)
    return (Rkey(match[1]), int(match[2])) if match else (Rkey(segment), 1)


def rooms(
    *,
    hosts: Hosts,
    reader: Reader,
    authenticator: Authenticator,
    allow: Allow,
    views: Views,
    front_door: Callable[[], Awaitable[Response]],
    absent: Absent | None = None,
) -> Blueprint:
    """GET and HEAD of ``/``, ``/me`` and ``/repo/{nsid}/{rkey}``, for all wings together.

    ``front_door`` answers ``/`` on the server's own origin. OPTIONS is left to the wing that owns
    the other methods.
    """
    blueprint = Blueprint("views", __name__)

    async def show(path: ResourcePath, generation: int = 1) -> Response:
        member = hosts.holder(request.host)
        agent = await authenticator.agent(presented(hosts))
        if not member.is_active and agent.member != member.id:
            told = await absent(member, path, fields()) if absent is not None else None
            if told is None:
                raise absence(member)
            return response_of(told)
        allow(agent, member, path)
        resource = reader.resource(member.id, path)
        tombstone = None if resource else reader.tombstone(member.id, path)
        born = resource.generation if resource else tombstone.generation if tombstone else 0
        if path.startswith("/repo/") and generation > born:
            raise NotFound
        if 1 < generation < born:
            raise Gone
        query = request.args.to_dict()
        ask = Ask(member, path, resource, agent, query, tombstone, generation)
        return response_of(await views.answer(ask, fields()))

    @blueprint.get("/", provide_automatic_options=False)
    async def home() -> Response:
        if hosts.is_server(request.host):
            return await front_door()
        return await show(ResourcePath("/"))

    @blueprint.get("/me", provide_automatic_options=False)
    async def me() -> Response:
        return await show(ResourcePath("/me"))

    @blueprint.get("/repo/<nsid>/<rkey>", provide_automatic_options=False)
    async def record(nsid: str, rkey: str) -> Response:
        key, generation = _key_of(rkey)
        return await show(record_path(Nsid(nsid), key), generation)

    return blueprint
