"""What the rooms of this wing share: the pod's services, and the headers every answer carries.

Spec: https://solidproject.org/TR/protocol#server-allow-methods #server-link-storage
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from weakref import WeakValueDictionary

from quart import Response, request

from adapters.http.conditional import body_etag, expect_of
from adapters.http.cors import echo, merge_vary, preflight
from adapters.http.credentials import Authenticator
from adapters.http.hosts import Hosts
from adapters.http.incoming import fields, presented
from adapters.http.negotiate import MediaType, parse_media_type
from adapters.http.views import Ask
from adapters.solid.channel_terms import stream_link
from adapters.solid.lens.index import RecordViews
from adapters.solid.patch.n3 import N3, Patch, parse_patch
from adapters.solid.patch.sparql import SPARQL, parse_update
from adapters.solid.paths import (
    INBOX,
    ROOT_ACL,
    STORAGE,
    WEBID,
    canonical_path,
    describes_container,
    is_acl,
    is_auxiliary,
    subject_of,
)
from adapters.solid.ports import MintKey
from adapters.solid.rdf.parse import JSONLD, NQUADS, NTRIPLES, RDFXML, TRIG, TURTLE
from adapters.solid.rdf.shown import ShownBodies
from adapters.solid.rdf.vocab import ACL, LDP
from adapters.solid.wac.document import CONDITIONS
from adapters.solid.wac.headers import acl_url, wac_allow
from pod.access.acl import Mode
from pod.access.agent import PUBLIC, Agent
from pod.access.policy import DESCRIPTION_SUFFIX, Policy
from pod.errors import Invalid, StaleVersion
from pod.media import Media
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.model.resource import Expect, Resource, ResourcePath, Zone, zone_of
from pod.ports import Clock, Reader
from pod.records.lexicon.registry import Registry
from pod.write import Write

RECORD_JSON: Final = "application/json"
AS2: Final = "application/activity+json"
RDF_TYPES: Final = (TURTLE, JSONLD, NTRIPLES, RDFXML, TRIG, NQUADS)
PATCH_TYPES: Final = (N3, SPARQL)
VARIANTS: Final = {
    TURTLE: "ttl",
    JSONLD: "jsonld",
    NTRIPLES: "nt",
    RDFXML: "rdf",
    TRIG: "trig",
    NQUADS: "nq",
}

Kind = Literal[
    "storage",
    "container",
    "document",
    "binary",
    "lasting",
    "collection",
    "record",
    "inbox",
    "letter",
    "fixed",
    "query",
]
"""What can be done to a resource; a ``lasting`` document cannot be deleted."""

_METHODS: Final[dict[Kind, str]] = {
    "storage": "GET, HEAD, OPTIONS, POST, PUT, PATCH",
    "container": "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE",
    "document": "GET, HEAD, OPTIONS, PUT, PATCH, DELETE",
    "binary": "GET, HEAD, OPTIONS, PUT, DELETE",
    "lasting": "GET, HEAD, OPTIONS, PUT, PATCH",
    "collection": "GET, HEAD, OPTIONS, POST",
    "record": "GET, HEAD, OPTIONS, PUT, PATCH, DELETE",
    "inbox": "GET, HEAD, OPTIONS, POST",
    "letter": "GET, HEAD, OPTIONS, DELETE",
    "fixed": "GET, HEAD, OPTIONS",
    "query": "GET, HEAD, OPTIONS, POST",
}
_CHARSET: Final = re.compile(
    r';\s*charset\s*=\s*"?([A-Za-z0-9_-]{1,40})"?\s*(?:;|$)', re.IGNORECASE
)
CONSTRAINTS: Final = "/.well-known/solid#constraints"
_CONSTRAINED: Final = frozenset({400, 405, 409, 413, 415, 422})
_GRAPH: Final = ", ".join(RDF_TYPES)
_ANY: Final = f"{_GRAPH}, */*"
_LETTERS: Final = f"{JSONLD}, {TURTLE}, {AS2}"
_RECORD: Final = f"{_GRAPH}, {RECORD_JSON}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about: a path of a member, what is there, and who asks."""

    member: Member
    agent: Agent
    path: ResourcePath
    resource: Resource | None

    @property
    def url(self) -> str:
        """The one URL of the path."""
        return self.member.url(self.path)


@dataclass(frozen=True)
class Wing:
    """The services of the pod as Solid uses them."""

    hosts: Hosts
    authenticator: Authenticator
    reader: Reader
    policy: Policy
    write: Write
    media: Media
    records: RecordViews
    mint: MintKey
    clock: Clock
    lexicons: Registry
    hidden: Callable[[MemberId], frozenset[str]] = lambda _: frozenset()
    """What of a member was taken down: paths and CIDs."""

    shown_bodies: ShownBodies = field(default_factory=ShownBodies)
    _turns: WeakValueDictionary[tuple[MemberId, str], asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    async def target(self, path: ResourcePath | None = None) -> Target:
        """The target of the current request; ``path`` overrides the one in the request line.

        Access is not checked yet. Raises NotFound for foreign hosts, Invalid for odd paths,
        Unauthenticated for bad credentials.
        """
        member = self.hosts.member(request.host)
        if path is None:
            path = canonical_path(request.scope["raw_path"])
        agent = await self.authenticator.agent(presented(self.hosts))
        # Browsers name the app's origin for everybody, for who did not sign in too.
        agent = replace(agent, app_origin=request.headers.get("Origin"))
        await self.policy.learn(agent, member, path)
        return Target(member, agent, path, self.reader.resource(member.id, path))

    def again(self, target: Target) -> Target:
        """The target as it is now."""
        return self.at(target, target.path)

    def at(self, target: Target, path: ResourcePath) -> Target:
        """The same asker's target at another path of the same member."""
        found = self.reader.resource(target.member.id, path)
        return Target(target.member, target.agent, path, found)

    def seen(self, target: Target) -> Target:
        """The target as its asker may know it: to who may not read it, nothing is there."""
        if Mode.READ in self.policy.modes(target.agent, target.member, target.path):
            return target
        return Target(target.member, target.agent, target.path, None)

    def turn(self, target: Target) -> asyncio.Lock:
        """One at a time for edits of one resource that start from what is there."""
        key = (target.member.id, target.path)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        return turn

    def require(self, target: Target, *modes: Mode, path: ResourcePath | None = None) -> None:
        """Pass if the agent has all modes; raises Unauthenticated or Forbidden."""
        for mode in modes:
            self.policy.require(target.agent, mode, target.member, path or target.path)

    def reads(self, target: Target) -> Callable[[ResourcePath], bool]:
        """Tells which paths of the target's member the agent may read."""
        agent, member = target.agent, target.member
        return lambda path: Mode.READ in self.policy.modes(agent, member, path)

    def wac_allow(self, target: Target) -> str:
        """The ``WAC-Allow`` header of a target."""
        member, path = target.member, target.path
        return wac_allow(
            self.policy.modes(target.agent, member, path), self.policy.modes(PUBLIC, member, path)
        )


def headers_of(kind: Kind, target: Target | Ask) -> dict[str, str]:
    """``Allow``, ``Accept-*`` and ``Link`` of a resource of a kind."""
    headers = {"Allow": _METHODS[kind], "Link": ", ".join(links_of(kind, target))}
    if kind in ("storage", "container"):
        headers["Accept-Post"] = _ANY
    if kind == "collection":
        headers["Accept-Post"] = _RECORD
    if kind == "inbox":
        headers["Accept-Post"] = _LETTERS
    if kind in ("storage", "container", "lasting") or is_auxiliary(target.path):
        headers["Accept-Put"] = _GRAPH
    elif kind in ("document", "binary"):
        headers["Accept-Put"] = _ANY
    if kind == "record":
        headers["Accept-Put"] = _RECORD
    if "PATCH" in _METHODS[kind]:
        headers["Accept-Patch"] = ", ".join(PATCH_TYPES)
    return headers


def links_of(kind: Kind, target: Target | Ask) -> list[str]:
    """The link-values of a resource of a kind."""
    member, path = target.member, target.path
    container = kind in ("storage", "container", "collection", "inbox")
    types = ["Resource", "BasicContainer", "Container"] if container else ["Resource"]
    links = [f'<http://www.w3.org/ns/ldp#{name}>; rel="type"' for name in types]
    if kind == "storage":
        links.append('<http://www.w3.org/ns/pim/space#Storage>; rel="type"')
        links.append(f'<{member.webid}>; rel="http://www.w3.org/ns/solid/terms#owner"')
    in_repo, in_data = zone_of(path) is Zone.REPO, zone_of(path) is Zone.DATA
    if in_data or in_repo:
        acl = member.url("/repo/.acl") if in_repo else acl_url(member.url(subject_of(path)))
        links.append(f'<{acl}>; rel="acl"')
    if in_data and not is_auxiliary(path):
        links.append(f'<{member.url(path)}{DESCRIPTION_SUFFIX}>; rel="describedby"')
    if kind == "storage" or path == WEBID:
        links.append(f'<{member.url(INBOX)}>; rel="http://www.w3.org/ns/ldp#inbox"')
    if is_acl(path):
        links += (f'<{kind.value}>; rel="{ACL.condition.value}"' for kind in CONDITIONS)
    description = f"{member.origin}/.well-known/solid"
    links.append(f'<{description}>; rel="http://www.w3.org/ns/solid/terms#storageDescription"')
    if kind != "fixed":
        links.append(stream_link(member, path))
    if kind == "record" and in_repo:
        nsid = path.split("/")[2]
        links.append(f'<{member.url(path)}?view=lex>; rel="describedby"')
        links.append(f'<{member.url(f"/ns/lex/{nsid}")}>; rel="profile"')
    return links


async def sent() -> bytes:
    """The request's body."""
    body = await request.get_data(as_text=False)
    assert isinstance(body, bytes)
    return body


def patches_of(body: bytes, media_type: str, url: str) -> list[Patch]:
    """The patches of a document of one of `PATCH_TYPES`."""
    return [parse_patch(body, url)] if media_type == N3 else parse_update(body, url)


def content_type() -> MediaType:
    """The media type of the request's body; Invalid where it is missing or malformed."""
    text = request.headers.get("Content-Type")
    media = parse_media_type(text) if text else None
    if media is None or "*" in (media.type, media.subtype):
        raise Invalid("Say what you send: Content-Type is missing or malformed")
    return media


def stored_type(media: MediaType) -> str:
    """The media type under which a binary is kept: with its charset, without other parameters."""
    charset = _CHARSET.search(request.headers.get("Content-Type", ""))
    return f"{media.essence}; charset={charset[1].lower()}" if charset else media.essence


def expectation(target: Target) -> Expect:
    """The precondition of the current request; raises StaleVersion when it fails already."""
    return expect_of(fields(), target.resource)


def check_shown(shown: Sequence[tuple[str, bytes]]) -> None:
    """Check ``If-Match`` and ``If-None-Match: *`` against representations made of many resources.

    ``shown`` are pairs of variant and body, empty where nothing is there. Raises StaleVersion.
    """
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted.strip() != "*":
        tags = {body_etag(body, variant) for variant, body in shown}
        if not tags & {tag.strip() for tag in wanted.split(",")}:
            raise StaleVersion
    if wanted is not None and not shown:
        raise StaleVersion
    if request.headers.get("If-None-Match", "").strip() == "*" and shown:
        raise StaleVersion


def options_of(kind: Kind, target: Target) -> Response:
    """The answer to OPTIONS, preflights included."""
    headers = headers_of(kind, target)
    if "Access-Control-Request-Method" in request.headers:
        headers |= preflight(fields(), headers["Allow"])
    return empty(204, headers)


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body, and so without a type."""
    response = Response(b"", status=status, headers=dict(headers or {}))
    response.headers.pop("Content-Type", None)
    return response


async def across_origins(response: Response) -> Response:
    """Let browser apps of any origin read every answer, refusals included."""
    for name, value in echo(fields()).items():
        if name == "Vary":
            response.headers["Vary"] = merge_vary(response.headers.get("Vary"), value)
        else:
            response.headers.setdefault(name, value)
    if response.status_code in _CONSTRAINED and request.method not in ("GET", "HEAD"):
        # A header of its own: a refusal has no other links.
        response.headers.add("Link", f'<{CONSTRAINTS}>; rel="{LDP.constrainedBy.value}"')
    return response


def kind_of(target: Target) -> Kind:
    """The kind of what is, or would be, at a path of the storage."""
    if target.path == STORAGE:
        return "storage"
    if target.path == ROOT_ACL or describes_container(target.path):
        return "lasting"
    if target.path.endswith("/"):
        return "container"
    if target.resource is not None and target.resource.media_type not in RDF_TYPES:
        return "binary"
    return "document"
