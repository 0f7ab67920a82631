"""Records and the WebID document by HTTP: RDF views for reading, and PUT, PATCH, POST, DELETE.

An edit of the default view is an edit of record and annotations; ``?view=lex`` edits the keys.

Spec: https://solidproject.org/TR/protocol#writing-resources https://atproto.com/specs/data-model
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson
from quart import Response, request

from adapters.http.conditional import etag
from adapters.http.negotiate import choose
from adapters.http.views import Ask, Rendered, View
from adapters.solid.lens.index import Edited
from adapters.solid.lens.parts import wants_generic
from adapters.solid.patch.apply import apply_all
from adapters.solid.paths import CARD, WEBID
from adapters.solid.rdf.parse import JSONLD, TURTLE, Graph, parse_rdf
from adapters.solid.rdf.write import write_rdf
from adapters.solid.routes.storage import show_linked
from adapters.solid.wing import (
    PATCH_TYPES,
    RDF_TYPES,
    RECORD_JSON,
    VARIANTS,
    Target,
    Wing,
    check_shown,
    content_type,
    empty,
    expectation,
    headers_of,
    links_of,
    patches_of,
    sent,
)
from pod.access.acl import Mode
from pod.errors import Conflict, Invalid, NotFound, StaleVersion, Unprocessable, Unsupported
from pod.model.ids import Nsid, parse_nsid, parse_rkey
from pod.model.resource import (
    ABSENT,
    RECORD_TYPE,
    Expect,
    ResourcePath,
    record_key,
    record_path,
)
from pod.read import PROFILE_PATH
from pod.records.cbor import decode
from pod.records.data import Data, json_to_record
from pod.write import Delete, PutRecord

LEX_PROFILE: Final = "lex:view"
HOME: Final = ResourcePath("/")
PERSON: Final = (WEBID, CARD)
"""The documents that the profile record is behind."""

_TRIES: Final = 5


def views(wing: Wing) -> list[View]:
    """The RDF views of records, ``/me`` and ``/``, for the one negotiation of the hall."""

    def view(variant: str, media: str, *, lex: bool) -> View:
        return View(variant, (media,), partial(_render, wing, media.split(";")[0], lex))

    return [
        view("ttl", TURTLE, lex=False),
        view("jsonld", JSONLD, lex=False),
        view("lex.ttl", f'{TURTLE}; profile="{LEX_PROFILE}"', lex=True),
        view("lex.jsonld", f'{JSONLD}; profile="{LEX_PROFILE}"', lex=True),
    ]


def record_links(ask: Ask) -> list[str]:
    """The link-values of a record or of ``/me``, whatever its representation."""
    return links_of("record", ask) if ask.tombstone is None else []


async def _render(wing: Wing, media: str, lex: bool, ask: Ask) -> Rendered | None:
    if ask.tombstone is not None:
        return None
    is_lex = lex or ask.query.get("view") == "lex"
    if ask.path in (WEBID, HOME):
        resource = wing.reader.resource(ask.member.id, PROFILE_PATH)
        shown = wing.records.webid if ask.path == WEBID else wing.records.home
        graph = shown(ask.member, resource)
    elif ask.resource is None or not ask.resource.is_record:
        return None
    elif is_lex:
        graph = wing.records.generic(ask.member, ask.resource)
    else:
        graph = wing.records.default(ask.member, ask.resource)
    target = Target(ask.member, ask.agent, ask.path, ask.resource)
    headers = headers_of("fixed" if ask.path == HOME else "record", target)
    del headers["Link"]
    headers["WAC-Allow"] = wing.wac_allow(target)
    return Rendered(write_rdf(graph, media), media, headers)


@dataclass(frozen=True, slots=True)
class _Edit:
    """How a request edits: the shown graph it starts from, and what a wanted graph means."""

    shown: Graph
    meaning: Callable[[Graph], Edited]
    expect: Expect


async def show_card(wing: Wing, target: Target) -> Response:
    """The WebID document under its alias; people are shown the person's page."""
    wing.require(target, Mode.READ)
    if choose(request.headers.get("Accept"), [*RDF_TYPES, "text/html"]) == "text/html":
        return empty(303, {"Location": target.member.webid, "Vary": "Accept"})
    profile = wing.reader.resource(target.member.id, PROFILE_PATH)
    return await show_linked(wing, target, "record", wing.records.card(target.member, profile))


async def put(wing: Wing, target: Target) -> Response:
    """Create or replace a record, or the WebID document, from any of its representations."""
    wing.require(target, Mode.WRITE)
    _check_key(target.path)
    media = content_type()
    body = await sent()
    if media.essence in (RECORD_JSON, RECORD_TYPE) and target.path not in PERSON:
        record = _record(media.essence, body)
        return await _write(wing, target, Edited(record, None), expectation(target))
    if media.essence not in RDF_TYPES:
        raise Unsupported("Send RDF, or the record as JSON or DAG-CBOR")
    wanted = parse_rdf(body, media.essence, target.url)
    lex = _is_lex(dict(media.parameters).get("profile"))
    return await _edit_graph(wing, target, lambda _: wanted, lex)


async def patch(wing: Wing, target: Target) -> Response:
    """Apply an N3 Patch to a view of a record or of the WebID document."""
    wing.require(target, Mode.WRITE)
    _check_key(target.path)
    media_type = content_type().essence
    if media_type not in PATCH_TYPES:
        raise Unsupported(f"Patches are {' or '.join(PATCH_TYPES)}")
    changes = patches_of(await sent(), media_type, target.url)
    # Record keys that the patch speaks of must be there for it to find.
    spoken = any(wants_generic([*c.where, *c.deletes, *c.inserts]) for c in changes)
    async with wing.turn(target):
        return await _edit_graph(
            wing, target, partial(apply_all, changes), _is_lex(None), with_keys=spoken
        )


async def post(wing: Wing, target: Target) -> Response:
    """Create a record in a collection, under the key that its lexicon gives."""
    collection = _collection(target.path)
    path = record_path(collection, wing.mint(collection))
    made = wing.again(Target(target.member, target.agent, path, None))
    wing.require(made, Mode.WRITE)
    media = content_type()
    body = await sent()
    if media.essence in (RECORD_JSON, RECORD_TYPE):
        edited = Edited(_record(media.essence, body), None)
    elif media.essence in RDF_TYPES:
        edited = _created(wing, made, parse_rdf(body, media.essence, made.url))
    else:
        raise Unsupported("Send RDF, or the record as JSON or DAG-CBOR")
    return await _write(wing, made, edited, ABSENT)


async def delete(wing: Wing, target: Target) -> Response:
    """Delete a record."""
    wing.require(target, Mode.WRITE)
    if target.resource is None:
        raise NotFound
    op = Delete(target.path, expectation(target))
    await wing.write.apply(target.agent, target.member.id, [op])
    return empty(205)


async def _edit_graph(
    wing: Wing,
    target: Target,
    change: Callable[[Graph], Graph],
    lex: bool,
    *,
    with_keys: bool = False,
) -> Response:
    """Change a view and write what that means; again, if the record changed under way."""
    for left in reversed(range(_TRIES)):
        target = wing.again(target)
        edit = (
            _webid_edit(wing, target)
            if target.path in PERSON
            else _edit(wing, target, lex, with_keys)
        )
        shown = edit.shown
        if with_keys and not lex and target.resource is not None:
            known = set(shown)
            keys = wing.records.generic(target.member, target.resource)
            shown = [*shown, *(triple for triple in keys if triple not in known)]
        edited = edit.meaning(change(shown))
        try:
            return await _write(wing, target, edited, edit.expect)
        except StaleVersion:
            if not left or "If-Match" in request.headers:
                raise
    raise StaleVersion


def _edit(wing: Wing, target: Target, lex: bool, with_keys: bool) -> _Edit:
    records, member, resource = wing.records, target.member, target.resource
    expect = expectation(target)
    if resource is None:
        return _Edit([], partial(_created, wing, target), expect or ABSENT)
    if expect is None:
        expect = resource.version
    if lex:
        shown = records.generic(member, resource)
        return _Edit(shown, partial(records.put_generic, member, target.path), expect)
    return _Edit(
        records.default(member, resource),
        partial(records.put, member, resource, with_keys=with_keys, reads=wing.reads(target)),
        expect,
    )


def _webid_edit(wing: Wing, target: Target) -> _Edit:
    records, member = wing.records, target.member
    resource = wing.reader.resource(member.id, PROFILE_PATH)
    is_card = target.path == CARD
    show, put = (records.card, records.put_card) if is_card else (records.webid, records.put_webid)
    shown = show(member, resource)
    check_shown([(VARIANTS[media], write_rdf(shown, media)) for media in RDF_TYPES])
    expect: Expect = resource.version if resource is not None else ABSENT
    return _Edit(shown, partial(put, member, resource, reads=wing.reads(target)), expect)


def _created(wing: Wing, target: Target, wanted: Graph) -> Edited:
    now = wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return wing.records.create(target.member, target.path, wanted, now, reads=wing.reads(target))


async def _write(wing: Wing, target: Target, edited: Edited, expect: Expect) -> Response:
    path = PROFILE_PATH if target.path in PERSON else target.path
    collection, rkey = record_key(path)
    op = PutRecord(collection, rkey, edited.record, expect=expect, complement=edited.complement)
    await wing.write.apply(target.agent, target.member.id, [op])
    made = wing.again(target)
    headers = headers_of("record", made)
    if made.resource is not None:
        headers["ETag"] = etag(made.resource.version, "ttl")
    is_new = target.resource is None and target.path not in PERSON
    if is_new:
        headers["Location"] = made.url
    return empty(201 if is_new else 204, headers)


def _record(media_type: str, body: bytes) -> dict[str, Data]:
    if media_type == RECORD_TYPE:
        data = decode(body)
        if not isinstance(data, dict):
            raise Invalid("A record is an object")
        return data
    try:
        return json_to_record(orjson.loads(body))
    except orjson.JSONDecodeError as err:
        raise Invalid("Not well-formed JSON") from err


def _is_lex(profile: str | None) -> bool:
    return request.args.get("view") == "lex" or profile == LEX_PROFILE


def _check_key(path: ResourcePath) -> None:
    """Refuse a path that cannot be a record's."""
    if path in PERSON:
        return
    try:
        collection, rkey = record_key(path)
        parse_nsid(collection)
        parse_rkey(rkey)
    except (Invalid, ValueError) as err:
        raise Unprocessable("This cannot be a collection and a record key") from err


def _collection(path: ResourcePath) -> Nsid:
    parts = path.strip("/").split("/")
    if len(parts) != 2:
        raise Conflict("Post records into their collection, /repo/{nsid}/")
    try:
        return parse_nsid(parts[1])
    except Invalid as err:
        raise Unprocessable("This cannot be a collection") from err
