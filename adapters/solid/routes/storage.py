"""Reading the storage: documents in either syntax, binaries with ranges, containers, access lists.

Spec: https://solidproject.org/TR/protocol#reading-resources RFC 9110 section 14
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar
from urllib.parse import quote

from quart import Response, request

from adapters.http.conditional import etag, http_date, not_modified
from adapters.http.incoming import fields
from adapters.http.ranges import Unsatisfiable, span_of
from adapters.http.views import Ask, Rendered, View, Views, response_of
from adapters.solid.lens.container import (
    MAX_CHILDREN,
    Child,
    Listing,
    children_of,
    cut,
    jsonld,
    pages_of,
    turtle,
    written,
)
from adapters.solid.paths import INBOX, ROOT_ACL, STORAGE, describes_container, subject_of
from adapters.solid.rdf.apart import apart
from adapters.solid.rdf.parse import JSONLD, TURTLE, Graph, in_slices, parse_rdf
from adapters.solid.rdf.shown import Shown
from adapters.solid.rdf.write import translated, write_rdf
from adapters.solid.wac.document import owner_acl
from adapters.solid.wing import (
    RDF_TYPES,
    VARIANTS,
    Kind,
    Target,
    Wing,
    check_shown,
    empty,
    headers_of,
    kind_of,
)
from pod.access.acl import Mode
from pod.errors import NotFound, Unsupported
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, container_of
from pod.ports import Reader

T = TypeVar("T")

_MANY: Final = 1000
"""From more children than this on a listing is written in a thread."""


async def show(wing: Wing, target: Target) -> Response:
    """Answer GET and HEAD of a path of the storage."""
    wing.require(target, Mode.READ)
    if target.path.endswith("/"):
        return await show_container(wing, target)
    resource = target.resource
    if target.path == ROOT_ACL and resource is None:
        body = owner_acl(target.member.url(STORAGE), target.member.webid)
        return await show_graph(wing, target, "lasting", body)
    if describes_container(target.path):
        return await _show_description(wing, target)
    if resource is None:
        twin = ResourcePath(f"{target.path}/")
        readable = Mode.READ in wing.policy.modes(target.agent, target.member, twin)
        if readable and is_container(wing, target.member, twin):
            return empty(301, {"Location": f"{target.url}/", "Vary": "Origin"})
        raise NotFound
    if resource.media_type not in RDF_TYPES:
        return await _show_binary(wing, target, resource)
    return await show_document(wing, target, resource, kind_of(target))


async def _show_description(wing: Wing, target: Target) -> Response:
    """What a container's writers said of it, without what the pod says."""
    subject = wing.at(target, subject_of(target.path))
    if not is_container(wing, target.member, subject.path):
        raise NotFound
    body = subject.resource.body if subject.resource is not None else b""
    return await show_graph(wing, replace(target, resource=subject.resource), "lasting", body)


async def show_document(wing: Wing, target: Target, resource: Resource, kind: Kind) -> Response:
    """Answer with a stored RDF document, in the syntax that was asked for."""
    native, body, url = resource.media_type, resource.body, target.url
    headers = _headers(wing, target, kind)

    def view(media: str) -> View:
        async def make() -> Shown:
            return Shown(await apart(len(body), translated, body, native, url, media))

        async def render(_: Ask) -> Rendered | None:
            if media == native:
                return Rendered(body, media, headers)
            try:
                other = await wing.shown_bodies.made((resource.cid, url, native, media), make)
            except Unsupported:
                return None
            return Rendered(other.body, media, headers)

        return View(VARIANTS[media], (media,), render)

    order = [native, *(media for media in RDF_TYPES if media != native)]
    return await answer_with(target, [view(media) for media in order])


async def show_graph(wing: Wing, target: Target, kind: Kind, body: bytes) -> Response:
    """Answer with a Turtle document that the pod made, in the syntax that was asked for."""
    return await show_bodies(wing, target, kind, {TURTLE: lambda: body})


async def show_linked(wing: Wing, target: Target, kind: Kind, graph: Graph) -> Response:
    """Answer with a graph that the pod made, which can be edited by what is shown."""
    bodies = {media: partial(write_rdf, graph, media) for media in RDF_TYPES}
    return await show_bodies(wing, target, kind, bodies)


async def show_bodies(
    wing: Wing,
    target: Target,
    kind: Kind,
    bodies: Mapping[str, Callable[[], bytes]],
) -> Response:
    """Answer with a virtual document whose syntaxes are made on demand, Turtle at least."""
    known = target.resource
    # A document that nobody wrote in yet is as old as the pod.
    modified = known.updated_at if known is not None else target.member.created_at
    headers = {**_headers(wing, target, kind), "Last-Modified": http_date(modified)}
    url = target.url

    def body(media: str) -> bytes:
        made = bodies.get(media)
        return made() if made else write_rdf(parse_rdf(bodies[TURTLE](), TURTLE, url), media)

    def view(media: str) -> View:
        async def render(_: Ask) -> Rendered | None:
            try:
                return Rendered(body(media), media, headers)
            except Unsupported:
                return None

        return View(VARIANTS[media], (media,), render, shows_more=True)

    return await answer_with(replace(target, resource=None), [view(m) for m in RDF_TYPES])


async def show_container(wing: Wing, target: Target) -> Response:
    """Answer with a listing; the caller has checked access."""
    if target.path != INBOX and not is_container(wing, target.member, target.path):
        raise NotFound
    after = request.args.get("after")
    log = wing.reader.recent_changes(target.member.id, limit=1)
    hidden = wing.hidden(target.member.id)
    # Whatever a listing shows changes with the member's log, or by a takedown.
    state = (target.member.id, target.path, after, log[0].seq if log else 0, hidden)
    headers = _headers(wing, target, _kind_of_container(target))

    def view(media: str) -> View:
        async def make() -> Shown:
            listing = await listing_of(wing, target, after)
            if listing is None:
                raise NotFound
            body = await beside(listing, lambda: written(listing, media))
            return Shown(body, listing.modified, listing.next)

        async def render(_: Ask) -> Rendered | None:
            try:
                shown = await wing.shown_bodies.made((*state, media), make)
            except Unsupported:
                return None
            assert shown.modified is not None
            links = [headers["Link"], *_next_of(target, shown.next)]
            told = {"Link": ", ".join(links), "Last-Modified": http_date(shown.modified)}
            return Rendered(shown.body, media, headers | told)

        return View(VARIANTS[media], (media,), render, shows_more=True)

    return await answer_with(replace(target, resource=None), [view(m) for m in RDF_TYPES])


def _kind_of_container(target: Target) -> Kind:
    if target.path == INBOX:
        return "inbox"
    return kind_of(target) if target.path.startswith(STORAGE) else "collection"


def _next_of(target: Target, after: str | None) -> list[str]:
    return [f'<{target.url}?after={quote(after)}>; rel="next"'] if after else []


async def listing_of(wing: Wing, target: Target, after: str | None = None) -> Listing | None:
    """What a container holds, None where there is no container; read in slices."""
    children: list[Child] = []
    async for page in in_slices(pages_of(wing.reader, target.member, target.path, after)):
        children += page
        if len(children) > MAX_CHILDREN:
            break
    return _listing(target, *cut(children))


def listed(reader: Reader, target: Target) -> Listing | None:
    """The same at once, for whoever has a reader only."""
    return _listing(target, *children_of(reader, target.member, target.path))


def _listing(target: Target, children: list[Child], following: str | None) -> Listing | None:
    path, resource = target.path, target.resource
    if resource is None and not children and path not in (STORAGE, INBOX):
        return None
    own = parse_rdf(resource.body, resource.media_type, target.url) if resource else []
    if resource is not None:
        modified = resource.updated_at
    else:
        modified = max((child.modified for child in children), default=target.member.created_at)
    return Listing(target.member.url(path), children, own, modified, path == STORAGE, following)


def shown_bodies(listing: Listing | None) -> list[tuple[str, bytes]]:
    """Both representations of a listing with their variants, for preconditions."""
    if listing is None:
        return []
    return [(VARIANTS[TURTLE], turtle(listing)), (VARIANTS[JSONLD], jsonld(listing))]


async def check_listing(listing: Listing | None) -> None:
    """Check the request's preconditions against a listing, whose bodies are made for that alone."""
    if "If-Match" in request.headers or "If-None-Match" in request.headers:
        await beside(listing, lambda: check_shown(shown_bodies(listing)))


async def beside(listing: Listing | None, work: Callable[[], T]) -> T:
    """What ``work`` gives; done in a thread where it is about many children."""
    is_heavy = listing is not None and len(listing.children) > _MANY
    return await asyncio.to_thread(work) if is_heavy else work()


def _headers(wing: Wing, target: Target, kind: Kind) -> dict[str, str]:
    return {**headers_of(kind, target), "WAC-Allow": wing.wac_allow(target)}


async def answer_with(target: Target, views: Sequence[View]) -> Response:
    """Negotiate among views of a target and meet the preconditions."""
    ask = Ask(target.member, target.path, target.resource, target.agent)
    return response_of(await Views(views).answer(ask, fields()))


async def _show_binary(wing: Wing, target: Target, resource: Resource) -> Response:
    tag = etag(resource.version, "bin")
    headers = {
        **_headers(wing, target, "binary"),
        "Content-Type": resource.media_type,
        "ETag": tag,
        "Last-Modified": http_date(resource.updated_at),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        # What a member stores must not act as the member's own pages do.
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
    }
    if not_modified(fields(), tag, resource.updated_at):
        return Response(b"", status=304, headers=headers)
    try:
        span = span_of(_wanted_range(tag, resource), resource.size)
    except Unsatisfiable:
        headers["Content-Range"] = f"bytes */{resource.size}"
        return Response(b"", status=416, headers=headers)
    start, end = (span.start, span.end) if span is not None else (0, resource.size)
    status = 200 if span is None else 206
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{resource.size}"
    if request.method == "HEAD":
        answer = Response(b"", status=status, headers=headers)
        answer.content_length = end - start
        return answer
    headers["Content-Length"] = str(end - start)
    if resource.body or resource.size == 0:
        return Response(resource.body[start:end], status=status, headers=headers)
    chunks = wing.media.stream(resource.cid, start=start, end=end)
    return Response(chunks, status=status, headers=headers)


def _wanted_range(tag: str, resource: Resource) -> str | None:
    """The Range header, unless ``If-Range`` names another state."""
    condition = request.headers.get("If-Range")
    if request.method != "GET" or condition not in (None, tag, http_date(resource.updated_at)):
        return None
    return request.headers.get("Range")


def is_container(wing: Wing, member: Member, path: ResourcePath) -> bool:
    """Whether there is a container at a path."""
    return path == STORAGE or (
        path.endswith("/")
        and (
            wing.reader.resource(member.id, path) is not None
            or bool(wing.reader.resources(member.id, path, after=path, limit=1))
        )
    )


def nearest_container(wing: Wing, target: Target) -> ResourcePath:
    """The nearest container above a path that is there; access to create is decided on it.

    Where there is none, as outside the storage, it is ``/``.
    """
    container = STORAGE if target.path == STORAGE else container_of(target.path)
    while container != "/" and not is_container(wing, target.member, container):
        container = container_of(container)
    return container
