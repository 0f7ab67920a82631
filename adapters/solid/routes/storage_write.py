"""Writing the storage: PUT, POST, PATCH, DELETE of documents, binaries, containers, access lists.

Access is decided here, finer than the write path can: creating needs Append on the container,
a patch what it does. The write itself then goes through as the pod's own.

Spec: https://solidproject.org/TR/protocol#writing-resources https://solidproject.org/TR/wac
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from quart import Response, request

from adapters.http.conditional import etag
from adapters.http.negotiate import MediaType
from adapters.solid.lens.container import Listing, own_after, own_part, pages_of
from adapters.solid.patch.apply import apply_all, patched
from adapters.solid.patch.n3 import Patch
from adapters.solid.paths import (
    AUXILIARY,
    ROOT_ACL,
    STORAGE,
    check_name,
    containers_above,
    describes_container,
    is_acl,
    is_auxiliary,
    slug_name,
    subject_of,
)
from adapters.solid.rdf.apart import apart
from adapters.solid.rdf.parse import TURTLE, Graph, aside, check_rdf, parse_rdf
from adapters.solid.rdf.write import write_rdf, write_turtle
from adapters.solid.routes.storage import (
    check_listing,
    is_container,
    listing_of,
    nearest_container,
)
from adapters.solid.wac.document import check_acl, owner_acl
from adapters.solid.wing import (
    AS2,
    PATCH_TYPES,
    RDF_TYPES,
    VARIANTS,
    Kind,
    Target,
    Wing,
    check_shown,
    content_type,
    empty,
    expectation,
    headers_of,
    kind_of,
    patches_of,
    sent,
    stored_type,
)
from pod.access.acl import Mode
from pod.access.agent import SYSTEM
from pod.access.policy import ACL_SUFFIX
from pod.errors import Conflict, NotFound, StaleVersion, TooLarge, Unsupported
from pod.model.resource import ABSENT, Expect, ResourcePath, container_of
from pod.write import Delete, Op, PutBinary, PutDocument

MAX_ACL_BYTES: Final = 256 * 1024
_BYTES_A_CHILD: Final = 300
"""About what a child takes in a listing, to tell which listings are heavy."""

_TRIES: Final = 5


async def put(wing: Wing, target: Target) -> Response:
    """Create or replace what is at a path of the storage."""
    check_name(target.path)
    if target.path.endswith("/"):
        return await _put_container(wing, target)
    wing.require(target, Mode.WRITE)
    _require_place(wing, target)
    media = content_type()
    if describes_container(target.path):
        graph = parse_rdf(await sent(), media.essence, target.url)
        return await _describe(wing, target, lambda _: graph)
    expectation(target)
    op = await _stored(wing, target, media)

    async def ops(now: Target) -> list[Op]:
        expect = expectation(now)
        if now.resource is None and expect is None:
            expect = ABSENT
        return [*_above(wing, now), replace(op, expect=expect)]

    return await _write_from(wing, target, ops)


def _require_place(wing: Wing, target: Target) -> None:
    """Check that the agent may make what is not there yet, and that it has somewhere to be."""
    if target.resource is not None:
        return
    if not is_auxiliary(target.path):
        wing.require(target, Mode.APPEND, path=nearest_container(wing, target))
    elif not is_acl(target.path) and not _is_there(wing, target, subject_of(target.path)):
        raise Conflict("There is nothing here to describe")


def _is_there(wing: Wing, target: Target, path: ResourcePath) -> bool:
    if path.endswith("/"):
        return is_container(wing, target.member, path)
    return wing.reader.resource(target.member.id, path) is not None


async def _write_from(
    wing: Wing,
    target: Target,
    ops: Callable[[Target], Awaitable[Sequence[Op]]],
    *,
    created: bool | None = None,
) -> Response:
    """Write what ``ops`` makes of the present state; again, if that changed under way."""
    for left in reversed(range(_TRIES)):
        target = wing.again(target)
        try:
            return await _write(wing, target, await ops(target), created=created)
        except StaleVersion:
            if not left:
                raise
    raise StaleVersion


async def _stored(wing: Wing, target: Target, media: MediaType) -> PutDocument | PutBinary:
    """The request's body as the op that keeps it; RDF is checked, and kept as it came."""
    media_type = media.essence
    if media_type in RDF_TYPES:
        body = await sent()
        if is_acl(target.path) and len(body) > MAX_ACL_BYTES:
            raise TooLarge("An access control list may have 256 KiB")
        url = target.url
        if is_acl(target.path):
            _check_list(target, parse_rdf(body, media_type, url, only_default=True))
        else:
            await apart(len(body), check_rdf, body, media_type, url)
        return PutDocument(target.path, media_type, body)
    if is_auxiliary(target.path):
        raise Unsupported("Access control lists and descriptions are RDF documents")
    if media_type == AS2 and target.agent.member != target.member.id:
        raise Unsupported("Activities on this origin are the owner's word, and kept by nobody else")
    media_type = stored_type(media)
    chunks = aiter(request.body)
    first = await anext(chunks, b"")
    if not first:
        return PutDocument(target.path, media_type, b"")
    blob = await wing.media.upload(target.member.id, _joined(first, chunks), media_type)
    return PutBinary(target.path, blob.cid, media_type)


def _check_list(target: Target, graph: Graph) -> None:
    """Refuse an access control list that would lock its owner out by accident."""
    if is_acl(target.path):
        check_acl(graph, target.member.url(target.path.removesuffix(ACL_SUFFIX)))


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _above(wing: Wing, target: Target) -> list[Op]:
    """The containers that a new resource needs and that nobody made yet."""
    reader, member = wing.reader, target.member.id
    return [
        PutDocument(path, TURTLE, b"", ABSENT)
        for path in containers_above(target.path)
        if reader.resource(member, path) is None
    ]


async def _write(
    wing: Wing, target: Target, ops: Sequence[Op], *, created: bool | None = None
) -> Response:
    await wing.write.apply(SYSTEM, target.member.id, ops)
    made = wing.again(target)
    is_new = target.resource is None if created is None else created
    kind: Kind = kind_of(made)
    headers = headers_of(kind, made)
    if made.resource is not None and kind in ("document", "binary"):
        headers["ETag"] = etag(made.resource.version, VARIANTS.get(made.resource.media_type, "bin"))
    if is_new:
        headers["Location"] = made.url
    return empty(201 if is_new else 204, headers)


async def _put_container(wing: Wing, target: Target) -> Response:
    listing = await listing_of(wing, target)
    wing.require(target, Mode.WRITE)
    if listing is None:
        wing.require(target, Mode.APPEND, path=nearest_container(wing, target))
    await check_listing(listing)
    if "ldp#NonRDFSource>" in request.headers.get("Link", ""):
        raise Conflict("A name that ends with a slash is a container")
    media_type = content_type().essence
    if media_type not in RDF_TYPES:
        raise Unsupported("A container is described in RDF")
    body, url = await sent(), target.url
    graph = await aside(len(body), lambda: parse_rdf(body, media_type, url))

    async def ops(now: Target) -> Sequence[Op]:
        shown = await listing_of(wing, now)
        await check_listing(shown)
        own = await _own_part(shown, graph, is_whole=False) if shown is not None else graph
        return [*_above(wing, now), PutDocument(now.path, TURTLE, _described(own), _as_read(now))]

    return await _write_from(wing, target, ops, created=listing is None)


async def _own_part(listing: Listing, wanted: Graph, *, is_whole: bool) -> Graph:
    size = len(listing.children) * _BYTES_A_CHILD
    return await apart(size, own_part, listing, wanted, is_whole=is_whole)


async def _describe(wing: Wing, target: Target, change: Callable[[Graph], Graph]) -> Response:
    """Change what a container's writers say of it, by way of its description."""
    subject = wing.at(target, subject_of(target.path))

    async def ops(now: Target) -> Sequence[Op]:
        listing = await listing_of(wing, now)
        if listing is None:
            raise Conflict("There is nothing here to describe")
        check_shown([(VARIANTS[media], write_rdf(listing.own, media)) for media in RDF_TYPES])
        own = await _own_part(listing, change(listing.own), is_whole=False)
        return [*_above(wing, now), PutDocument(now.path, TURTLE, _described(own), _as_read(now))]

    await _write_from(wing, subject, ops, created=False)
    return empty(204, headers_of("lasting", target))


def _as_read(target: Target) -> Expect:
    return target.resource.version if target.resource is not None else ABSENT


def _described(graph: Graph) -> bytes:
    return write_turtle(graph) if graph else b""


async def post(wing: Wing, target: Target) -> Response:
    """Create something in a container under a name that the pod chooses."""
    wing.require(target, Mode.APPEND)
    if not is_container(wing, target.member, target.path):
        raise NotFound
    makes_container = any(
        f'<http://www.w3.org/ns/ldp#{name}>; rel="type"' in request.headers.get("Link", "")
        for name in ("Container", "BasicContainer")
    )
    made = _new_target(wing, target, makes_container)
    body = await sent() if makes_container else b""
    media = content_type() if body or not makes_container else None
    op = await _stored(wing, made, media) if media and not makes_container else None
    for left in reversed(range(_TRIES)):
        if op is None:
            graph = parse_rdf(body, media.essence, made.url) if media else []
            new: Op = PutDocument(made.path, TURTLE, _described(graph), ABSENT)
        else:
            new = replace(op, path=made.path, expect=ABSENT)
        try:
            return await _write(wing, made, [*_above(wing, made), new], created=True)
        except StaleVersion:
            if not left:
                raise
            made = _new_target(wing, target, makes_container)
    raise StaleVersion


def _new_target(wing: Wing, target: Target, makes_container: bool) -> Target:
    path = _new_path(wing, target, makes_container)
    return Target(target.member, target.agent, path, None)


def _new_path(wing: Wing, target: Target, makes_container: bool) -> ResourcePath:
    wanted = slug_name(request.headers.get("Slug"))
    name = wanted or secrets.token_hex(8)
    reader, member = wing.reader, target.member.id
    end = "/" if makes_container else ""
    path = ResourcePath(f"{target.path}{name}")
    is_taken = (
        reader.resource(member, path)
        or reader.resource(member, ResourcePath(f"{path}/"))
        or reader.resources(member, f"{path}/", after=None, limit=1)
    )
    return ResourcePath(f"{path}-{secrets.token_hex(4)}{end}" if is_taken else f"{path}{end}")


async def patch(wing: Wing, target: Target) -> Response:
    """Apply an N3 Patch; a resource that is not there starts empty."""
    check_name(target.path)
    media_type = content_type().essence
    if media_type not in PATCH_TYPES:
        # Whether one may know that a thing is there comes before what it accepts.
        wing.require(target, Mode.APPEND)
        raise Unsupported(f"Patches are {' or '.join(PATCH_TYPES)}")
    changes = patches_of(await sent(), media_type, target.url)
    modes = {mode for change in changes for mode in change.modes}
    wing.require(target, *sorted(modes or {Mode.READ}))
    _require_place(wing, target)
    if describes_container(target.path):
        async with wing.turn(target):
            return await _describe(wing, target, lambda own: apply_all(changes, own))

    async def ops(now: Target) -> list[Op]:
        return [*_above(wing, now), await _patched(wing, now, changes)]

    async with wing.turn(target):
        return await _write_from(wing, target, ops)


async def _patched(wing: Wing, target: Target, changes: Sequence[Patch]) -> Op:
    resource, path, url = target.resource, target.path, target.url
    if path.endswith("/"):
        return await _patched_container(wing, target, changes)
    expect = expectation(target)
    if resource is None:
        shown: Graph = []
        if path == ROOT_ACL:
            made = owner_acl(target.member.url(STORAGE), target.member.webid)
            shown = parse_rdf(made, TURTLE, url)
        graph = apply_all(changes, shown)
        _check_list(target, graph)
        return PutDocument(path, TURTLE, write_turtle(graph), expect or ABSENT)
    if resource.media_type not in RDF_TYPES:
        raise Conflict("Only RDF documents can be patched")
    native, media_type = resource.body, resource.media_type
    body = await apart(len(native), patched, native, media_type, url, changes)
    if is_acl(path):
        _check_list(target, parse_rdf(body, media_type, url))
    return PutDocument(path, media_type, body, expect or resource.version)


async def _patched_container(wing: Wing, target: Target, changes: Sequence[Patch]) -> Op:
    listing = await listing_of(wing, target)
    await check_listing(listing)

    if listing is None:
        own = apply_all(changes, [])
    else:
        own = await apart(len(listing.children) * _BYTES_A_CHILD, own_after, listing, changes)
    return PutDocument(target.path, TURTLE, _described(own), _as_read(target))


async def delete(wing: Wing, target: Target) -> Response:
    """Delete a resource with what belongs to it, or an empty container."""
    wing.require(target, Mode.WRITE)
    if not is_auxiliary(target.path):
        wing.require(target, Mode.WRITE, path=container_of(target.path))
    if target.path.endswith("/") or target.resource is None:
        # The answer tells what is there.
        wing.require(target, Mode.READ)
    ops: list[Op] = []
    if target.path.endswith("/"):
        listing = await listing_of(wing, target)
        await check_listing(listing)
        # Asked anew, so that nothing comes to be between the answer and the deed.
        if any(pages_of(wing.reader, target.member, target.path)):
            raise Conflict("The container is not empty")
        is_there = listing is not None
        ops = [Delete(target.path, _as_read(target))] if target.resource is not None else []
    else:
        is_there = target.resource is not None
        ops = [Delete(target.path, expectation(target))]
    if not is_there:
        raise NotFound
    if not is_auxiliary(target.path):
        ops = [*(Delete(path) for path in _belongings(wing, target)), *ops]
    await wing.write.apply(SYSTEM, target.member.id, ops)
    return empty(205)


def _belongings(wing: Wing, target: Target) -> list[ResourcePath]:
    """The access control list and the description of a resource, and what an empty container
    holds of such.
    """
    reader, member, path = wing.reader, target.member.id, target.path
    if path.endswith("/"):
        return [held.path for held in reader.resources(member, path, after=path, limit=1000)]
    named = (ResourcePath(f"{path}{suffix}") for suffix in AUXILIARY)
    return [path for path in named if reader.resource(member, path) is not None]
