"""Containers: listings as Turtle and JSON-LD by template, and what a writer may change of them.

Spec: https://solidproject.org/TR/protocol#server-basic-container
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import orjson
from pyoxigraph import NamedNode, Triple

from adapters.solid.patch.apply import apply_all
from adapters.solid.patch.n3 import Patch
from adapters.solid.paths import is_auxiliary
from adapters.solid.rdf.parse import JSONLD, TURTLE, Graph, parse_rdf
from adapters.solid.rdf.vocab import DCT, LDP, PIM, RDF, STAT, XSD
from adapters.solid.rdf.write import write_jsonld, write_rdf, write_turtle
from pod.errors import Conflict
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import RECORD_TYPE, ResourcePath
from pod.ports import Reader

MAX_CHILDREN: Final = 10_000
"""How many children one listing shows; the next ones follow by ``?after=``."""

_LAST = "\U0010ffff"
_PAGE = 500
_MAX_DEEP = 32
"""How much of what lies deeper is read past before the listing jumps over it."""

_HEAD = (
    f"@prefix dct: <{DCT.iri}> .\n@prefix ldp: <{LDP.iri}> .\n@prefix stat: <{STAT.iri}> .\n"
    f"@prefix xsd: <{XSD.iri}> .\n"
)


@dataclass(frozen=True, slots=True)
class Child:
    """What a listing says of a contained resource; ``media_type`` None is a container."""

    url: Iri
    modified: datetime
    media_type: str | None = None
    size: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A container as it is shown; ``own`` are the triples that its writers added."""

    url: Iri
    children: Sequence[Child]
    own: Graph
    modified: datetime | None = None
    is_storage: bool = False
    next: str | None = None

    @property
    def types(self) -> list[NamedNode]:
        """The classes of the container."""
        kinds = [LDP.BasicContainer, LDP.Container, LDP.Resource]
        return [*kinds, PIM.Storage] if self.is_storage else kinds


def pages_of(
    reader: Reader, member: Member, container: ResourcePath, after: str | None = None
) -> Iterator[list[Child]]:
    """The direct children of a container in the order of their names, a few at a time.

    What lies deeper is skipped, not read; what belongs to another resource is no child.
    """
    at = container + after if after else container
    known, limit = "", _PAGE // 4
    while page := reader.resources(member.id, container, after=at, limit=limit):
        limit, deep = _PAGE, 0
        at = page[-1].path
        found: list[Child] = []
        for resource in page:
            name, slash, below = resource.path[len(container) :].partition("/")
            if is_auxiliary(name):
                continue
            if name + slash != known:
                known, url = name + slash, member.url(container + name + slash)
                kind = None if slash else resource.media_type
                found.append(Child(url, resource.updated_at, kind, resource.size, known))
            deep += bool(below)
            if deep > _MAX_DEEP:
                at = f"{container}{name}/{_LAST}"
                break
        yield found


def children_of(
    reader: Reader, member: Member, container: ResourcePath, after: str | None = None
) -> tuple[list[Child], str | None]:
    """All children that one listing shows, and where the next one starts."""
    found: list[Child] = []
    for page in pages_of(reader, member, container, after):
        found += page
        if len(found) > MAX_CHILDREN:
            break
    return cut(found)


def cut(children: list[Child]) -> tuple[list[Child], str | None]:
    """As many children as one listing shows, and where the next one starts."""
    if len(children) <= MAX_CHILDREN:
        return children, None
    last = children[MAX_CHILDREN - 1].name
    return children[:MAX_CHILDREN], last + _LAST if last.endswith("/") else last


def turtle(listing: Listing) -> bytes:
    """The listing as Turtle."""
    kinds = ", ".join(_short(kind.value) for kind in listing.types)
    parts = [_HEAD, f"<{listing.url}> a {kinds}"]
    if listing.modified is not None:
        parts.append(f' ;\n  dct:modified "{_time(listing.modified)}"^^xsd:dateTime')
    if listing.children:
        urls = ",\n    ".join(f"<{child.url}>" for child in listing.children)
        parts.append(f" ;\n  ldp:contains {urls}")
    parts.append(" .\n")
    for child in listing.children:
        at = child.modified
        size = "" if child.media_type is None else f" ; stat:size {child.size}"
        parts.append(
            f"<{child.url}> a {_kinds_turtle(child.media_type)} ; "
            f'dct:modified "{_time(at)}"^^xsd:dateTime ; stat:mtime {int(at.timestamp())}{size} .\n'
        )
    body = "".join(parts).encode()
    return body + write_turtle(listing.own) if listing.own else body


def jsonld(listing: Listing) -> bytes:
    """The listing as expanded JSON-LD."""
    container: dict[str, object] = {
        "@id": listing.url,
        "@type": [kind.value for kind in listing.types],
    }
    if listing.modified is not None:
        container[DCT.modified.value] = [_typed(_time(listing.modified), XSD.dateTime)]
    if listing.children:
        container[LDP.contains.value] = [{"@id": child.url} for child in listing.children]
    nodes: list[object] = [container]
    for child in listing.children:
        node: dict[str, object] = {
            "@id": child.url,
            "@type": _kinds(child.media_type),
            DCT.modified.value: [_typed(_time(child.modified), XSD.dateTime)],
            STAT.mtime.value: [_typed(str(int(child.modified.timestamp())), XSD.integer)],
        }
        if child.media_type is not None:
            node[STAT.size.value] = [_typed(str(child.size), XSD.integer)]
        nodes.append(node)
    if listing.own:
        nodes += orjson.loads(write_jsonld(listing.own))
    return orjson.dumps(nodes)


def written(listing: Listing, media_type: str) -> bytes:
    """The listing in any of the syntaxes; raises Unsupported where that cannot spell it."""
    if media_type == JSONLD:
        return jsonld(listing)
    body = turtle(listing)
    if media_type == TURTLE:
        return body
    return write_rdf(parse_rdf(body, TURTLE, listing.url), media_type)


def own_part(listing: Listing, wanted: Iterable[Triple], *, is_whole: bool) -> Graph:
    """The triples of an edited listing that are the writer's own.

    Containment and what is said of children is the pod's: Conflict names the triple that was added
    or, where ``wanted`` is the whole graph after a patch, removed. A PUT may leave it all out.
    """
    shown = set(parse_rdf(turtle(listing), TURTLE, listing.url)) - set(listing.own)
    wanted = list(wanted)
    own = [triple for triple in wanted if triple not in shown]
    urls = {NamedNode(child.url) for child in listing.children}
    for triple in own:
        if triple.predicate == LDP.contains or (
            triple.subject in urls and triple.predicate in _MANAGED
        ):
            raise Conflict(f"This is the pod's to say: {triple}")
    contained = {t for t in shown if t.predicate == LDP.contains}
    given = contained & set(wanted)
    if (given or is_whole) and given != contained:
        raise Conflict("Containment is changed by creating and deleting resources")
    if is_whole and (missing := shown - set(wanted)):
        raise Conflict(f"This is the pod's to say: {next(iter(missing))}")
    return own


def own_after(listing: Listing, changes: Sequence[Patch]) -> Graph:
    """The writer's own triples after patches of the listing; raises as `own_part` does."""
    graph = apply_all(changes, parse_rdf(turtle(listing), TURTLE, listing.url))
    return own_part(listing, graph, is_whole=True)


_MANAGED = frozenset({RDF.type, DCT.modified, STAT.mtime, STAT.size})


@lru_cache(256)
def _kinds(media_type: str | None) -> list[str]:
    if media_type is None:
        return [LDP.BasicContainer.value, LDP.Container.value, LDP.Resource.value]
    shown = TURTLE if media_type == RECORD_TYPE else media_type.split(";")[0]
    iana = f"http://www.w3.org/ns/iana/media-types/{quote(shown, safe='/+.-')}#Resource"
    return [LDP.Resource.value, iana]


@lru_cache(256)
def _kinds_turtle(media_type: str | None) -> str:
    return ", ".join(map(_short, _kinds(media_type)))


def _short(kind: str) -> str:
    is_ldp = kind.startswith(LDP.iri)
    return "ldp:" + kind.removeprefix(LDP.iri) if is_ldp else f"<{kind}>"


def _typed(text: str, kind: NamedNode) -> dict[str, str]:
    return {"@value": text, "@type": kind.value}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
