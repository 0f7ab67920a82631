"""Reading the storage: documents in either syntax, binaries with ranges, containers, access lists.

Spec: https://solidproject.org/TR/protocol#reading-resources RFC 9110 section 14
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from quart import Response, request

from adapters.http.conditional import etag, http_date, not_modified
from adapters.http.incoming import fields
from adapters.http.views import Ask, Rendered, View, Views, response_of
from adapters.solid.lens.container import Listing, children_of, jsonld, turtle
from adapters.solid.paths import INBOX, STORAGE
from adapters.solid.rdf.parse import JSONLD, NTRIPLES, TURTLE, aside, parse_rdf
from adapters.solid.rdf.write import write_rdf
from adapters.solid.wac.document import owner_acl
from adapters.solid.wing import RDF_TYPES, VARIANTS, Kind, Target, Wing, headers_of, kind_of
from pod.access.acl import Mode
from pod.errors import Gone, NotFound
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, container_of

ROOT_ACL: Final = ResourcePath(f"{STORAGE}.acl")
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def show(wing: Wing, target: Target) -> Response:
    """Answer GET and HEAD of a path of the storage."""
    wing.require(target, Mode.READ)
    if target.path.endswith("/"):
        return await show_container(wing, target)
    resource = target.resource
    if resource is None:
        if target.path != ROOT_ACL:
            raise missing(wing, target)
        body = owner_acl(target.member.url(STORAGE), target.member.webid)
        return await show_graph(wing, target, "document", body)
    if resource.media_type not in RDF_TYPES:
        return await _show_binary(wing, target, resource)
    return await _show_document(wing, target, resource)


def missing(wing: Wing, target: Target) -> NotFound | Gone:
    """The error for a path where nothing is, or where something was."""
    buried = wing.reader.tombstone(target.member.id, target.path)
    return NotFound() if buried is None else Gone()


async def _show_document(wing: Wing, target: Target, resource: Resource) -> Response:
    native, body, url = resource.media_type, resource.body, target.url
    headers = _headers(wing, target, "document")

    def view(media: str) -> View:
        async def render(_: Ask) -> Rendered:
            if media == native:
                return Rendered(body, media, headers)
            other = await aside(
                len(body),
                lambda: write_rdf(parse_rdf(body, native, url, only_default=True), media),
            )
            return Rendered(other, media, headers)

        return View(VARIANTS[media], (media,), render)

    order = [native, *(media for media in (TURTLE, JSONLD, NTRIPLES) if media != native)]
    return await answer_with(target, [view(media) for media in order])


async def show_graph(wing: Wing, target: Target, kind: Kind, body: bytes) -> Response:
    """Answer with a Turtle document that the pod made, in the syntax that was asked for."""
    url = target.url
    return await show_bodies(
        wing,
        target,
        kind,
        lambda: body,
        lambda: write_rdf(parse_rdf(body, TURTLE, url), JSONLD),
    )


async def show_bodies(
    wing: Wing,
    target: Target,
    kind: Kind,
    as_turtle: Callable[[], bytes],
    as_jsonld: Callable[[], bytes],
    links: Sequence[str] = (),
) -> Response:
    """Answer with a virtual document whose two syntaxes are made on demand."""
    headers = _headers(wing, target, kind)
    headers["Link"] = ", ".join([headers["Link"], *links])

    def view(media: str, body: Callable[[], bytes]) -> View:
        async def render(_: Ask) -> Rendered:
            return Rendered(body(), media, headers)

        return View(VARIANTS[media], (media,), render, shows_more=True)

    return await answer_with(
        replace(target, resource=None), [view(TURTLE, as_turtle), view(JSONLD, as_jsonld)]
    )


async def show_container(wing: Wing, target: Target) -> Response:
    """Answer with a listing; the caller has checked access."""
    shown = listing_of(wing, target, request.args.get("after"))
    if shown is None:
        raise missing(wing, target)
    more = [f'<{shown.url}?after={shown.next}>; rel="next"'] if shown.next else []
    kind = kind_of(target) if target.path.startswith(STORAGE) else "collection"
    return await show_bodies(wing, target, kind, lambda: turtle(shown), lambda: jsonld(shown), more)


def listing_of(wing: Wing, target: Target, after: str | None = None) -> Listing | None:
    """What a container holds, None where there is no container."""
    member, path, resource = target.member, target.path, target.resource
    children, following = children_of(wing.reader, member, path, after)
    if resource is None and not children and path not in (STORAGE, INBOX):
        return None
    own = parse_rdf(resource.body, resource.media_type, target.url) if resource else []
    latest = max((child.modified for child in children), default=None)
    modified = max(filter(None, [latest, resource.updated_at if resource else None]), default=None)
    return Listing(member.url(path), children, own, modified, path == STORAGE, following)


def shown_bodies(listing: Listing | None) -> list[tuple[str, bytes]]:
    """Both representations of a listing with their variants, for preconditions."""
    if listing is None:
        return []
    return [(VARIANTS[TURTLE], turtle(listing)), (VARIANTS[JSONLD], jsonld(listing))]


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
    status, start, end = _range(resource.size, tag)
    if status == 416:
        headers["Content-Range"] = f"bytes */{resource.size}"
        return Response(b"", status=416, headers=headers)
    if status == 206:
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


def _range(size: int, tag: str) -> tuple[int, int, int]:
    """Status, start and end (exclusive) that a Range header asks for; only one range is served."""
    condition = request.headers.get("If-Range")
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != tag):
        return 200, 0, size
    if not match[1]:
        length = min(int(match[2]), size)
        return (206, size - length, size) if length else (416, 0, 0)
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return 200, 0, size
    return (206, start, end) if start < size else (416, 0, 0)


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
    """The nearest container above a path that is there; access to create is decided on it."""
    container = container_of(target.path)
    while not is_container(wing, target.member, container):
        container = container_of(container)
    return container
