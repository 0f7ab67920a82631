"""Type indexes and preferences: the pod's part is computed, what apps add is kept beside it.

Spec: https://solid.github.io/type-indexes/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyoxigraph import Triple
from quart import Response, request

from adapters.solid.lens.container import Child, Listing, jsonld, turtle
from adapters.solid.lens.discovery import Discovery, own_part, shown
from adapters.solid.lens.parts import noted_bytes
from adapters.solid.patch.apply import apply_all
from adapters.solid.paths import PREFERENCES, PRIVATE_INDEX, SETTINGS
from adapters.solid.rdf.parse import JSONLD, NTRIPLES, TURTLE, Graph, parse_rdf
from adapters.solid.rdf.write import write_rdf
from adapters.solid.routes.storage import show_bodies, show_linked
from adapters.solid.wing import (
    PATCH_TYPES,
    RDF_TYPES,
    VARIANTS,
    Target,
    Wing,
    check_shown,
    content_type,
    empty,
    headers_of,
    patches_of,
    sent,
)
from pod.access.acl import Mode
from pod.errors import Conflict, StaleVersion, Unsupported
from pod.model.resource import ABSENT
from pod.write import PutDocument

_TRIES = 5


async def show(wing: Wing, discovery: Discovery, target: Target) -> Response:
    """Answer GET and HEAD."""
    wing.require(target, Mode.READ)
    computed = await discovery.computed(target.member, target.path)
    graph = shown(computed, own_part(target.resource))
    return await show_linked(wing, target, "lasting", graph)


async def show_folder(wing: Wing, target: Target) -> Response:
    """Answer GET and HEAD of the folder that the member's own documents lie in."""
    wing.require(target, Mode.READ)
    member = target.member
    children = [
        Child(member.url(path), member.created_at, TURTLE) for path in (PREFERENCES, PRIVATE_INDEX)
    ]
    listing = Listing(member.url(SETTINGS), children, [])
    bodies = {TURTLE: lambda: turtle(listing), JSONLD: lambda: jsonld(listing)}
    return await show_bodies(wing, target, "fixed", bodies)


async def put(wing: Wing, discovery: Discovery, target: Target) -> Response:
    """Replace what apps added; the pod's part may be left out."""
    wing.require(target, Mode.WRITE)
    media = content_type().essence
    if media not in RDF_TYPES:
        raise Unsupported("Send RDF")
    wanted = parse_rdf(await sent(), media, target.url, only_default=True)
    return await _write(wing, discovery, target, lambda _, __: wanted)


async def patch(wing: Wing, discovery: Discovery, target: Target) -> Response:
    """Change what apps added; Conflict names a triple of the pod's that would go."""
    wing.require(target, Mode.WRITE)
    media = content_type().essence
    if media not in PATCH_TYPES:
        raise Unsupported(f"Patches are {' or '.join(PATCH_TYPES)}")
    patches = patches_of(await sent(), media, target.url)

    def change(before: Graph, own: Sequence[Triple]) -> Graph:
        after = apply_all(patches, before)
        if missing := set(before) - set(after) - set(own):
            raise Conflict(f"This follows from what is stored: {next(iter(missing))}")
        return after

    async with wing.turn(target):
        return await _write(wing, discovery, target, change)


async def _write(
    wing: Wing,
    discovery: Discovery,
    target: Target,
    change: Callable[[Graph, Graph], Graph],
) -> Response:
    for left in reversed(range(_TRIES)):
        target = wing.again(target)
        computed = await discovery.computed(target.member, target.path)
        own = own_part(target.resource)
        before = shown(computed, own)
        check_shown([(VARIANTS[media], write_rdf(before, media)) for media in RDF_TYPES])
        given = set(computed)
        body = noted_bytes([triple for triple in change(before, own) if triple not in given])
        expect = target.resource.version if target.resource is not None else ABSENT
        try:
            op = PutDocument(target.path, NTRIPLES, body, expect)
            await wing.write.apply(target.agent, target.member.id, [op])
            return empty(204, headers_of("lasting", target))
        except StaleVersion:
            if not left or "If-Match" in request.headers:
                raise
    raise StaleVersion
