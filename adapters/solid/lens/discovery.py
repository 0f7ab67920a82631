"""What apps find a member's data by: type indexes and preferences, computed from what is there.

The pod's part is never stored, so it is always true; what apps add lies beside it and stays.

Spec: https://solid.github.io/type-indexes/ https://solid.github.io/webid-profile/#preferences
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from pyoxigraph import NamedNode, Triple

from adapters.solid.lens.edit import facts
from adapters.solid.lens.generic import type_iri
from adapters.solid.lens.index import LENSES
from adapters.solid.paths import PREFERENCES, PRIVATE_INDEX, PUBLIC_INDEX, STORAGE, is_auxiliary
from adapters.solid.rdf.parse import FORMATS, NTRIPLES, Graph, aside, in_slices, parse_rdf
from adapters.solid.rdf.vocab import ACL, LDP, OWL, PIM, RDF, RDFS, SOLID
from pod.access.acl import Mode
from pod.access.agent import PUBLIC
from pod.access.policy import Policy
from pod.errors import PodError
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath, container_of
from pod.ports import Reader
from pod.read import PROFILE_PATH

PAGES: Final = (PUBLIC_INDEX, PRIVATE_INDEX, PREFERENCES)
"""The documents that the pod keeps true."""

MAX_CLASSES: Final = 50
"""How many classes of one document count."""

_PLUMBING: Final = (RDF, RDFS, OWL, ACL, LDP, PIM, SOLID)
_CHANGES: Final = 1000
_MEMBERS: Final = 100

Classes = frozenset[NamedNode]


@dataclass(slots=True)
class _Known:
    """The classes of a member's documents, as of a place in the log."""

    seq: int
    classes: dict[ResourcePath, Classes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Registration:
    kind: NamedNode
    where: NamedNode
    by: NamedNode
    """Either `solid:instance` or `solid:instanceContainer`."""


class Discovery:
    """Tells what there is of which class, and where."""

    def __init__(self, reader: Reader, policy: Policy) -> None:
        self._reader = reader
        self._policy = policy
        self._known: dict[MemberId, _Known] = {}

    async def computed(self, member: Member, path: ResourcePath) -> Graph:
        """The pod's part of one of `PAGES`."""
        document, webid = NamedNode(member.url(path)), NamedNode(member.webid)
        if path == PREFERENCES:
            indexes = [
                (SOLID.publicTypeIndex, NamedNode(member.url(PUBLIC_INDEX))),
                (SOLID.privateTypeIndex, NamedNode(member.url(PRIVATE_INDEX))),
            ]
            return [
                *facts(document, (RDF.type, PIM.ConfigurationFile)),
                *facts(webid, (PIM.preferencesFile, document), *indexes),
            ]
        is_public = path == PUBLIC_INDEX
        listing = SOLID.ListedDocument if is_public else SOLID.UnlistedDocument
        graph = facts(document, (RDF.type, SOLID.TypeIndex), (RDF.type, listing))
        found = await self._in_storage(member, is_public=is_public)
        if is_public:
            found = [*self._social(member), *found]
        for one in dict.fromkeys(found):
            graph += facts(
                _name(document, one),
                (RDF.type, SOLID.TypeRegistration),
                (SOLID.forClass, one.kind),
                (one.by, one.where),
            )
        return graph

    def _social(self, member: Member) -> Iterator[_Registration]:
        """The profile, and each collection of the public repository."""
        webid = NamedNode(member.webid)
        yield from (
            _Registration(kind, webid, SOLID.instance)
            for kind in LENSES["app.bsky.actor.profile"].classes
        )
        for container in self._reader.containers(member.id, "/repo/"):
            nsid = container.rstrip("/").rpartition("/")[2]
            lens = LENSES.get(nsid)
            where = NamedNode(member.url(f"/repo/{nsid}/"))
            classes = (type_iri(nsid), *(lens.classes if lens is not None else ()))
            if nsid != PROFILE_PATH.split("/")[2]:
                yield from (_Registration(c, where, SOLID.instanceContainer) for c in classes)

    async def _in_storage(self, member: Member, *, is_public: bool) -> list[_Registration]:
        """The classes of documents in containers that everybody may read, or of all others."""
        shown: dict[ResourcePath, bool] = {}

        def is_shown(path: ResourcePath) -> bool:
            if path not in shown:
                shown[path] = Mode.READ in self._policy.modes(PUBLIC, member, path)
            return shown[path]

        known = await self._classes(member)
        found = []
        async for path, classes in in_slices(sorted(known.items())):
            container = container_of(path)
            if (is_shown(container) and is_shown(path)) == is_public:
                where = NamedNode(member.url(container))
                kinds = sorted(classes, key=str)
                found += [_Registration(c, where, SOLID.instanceContainer) for c in kinds]
        return found

    async def _classes(self, member: Member) -> dict[ResourcePath, Classes]:
        """The classes of each document of the storage; only what changed is read again."""
        seq = self._reader.head_seq()
        known = self._known.pop(member.id, None)
        changes = (
            self._reader.changes(after=known.seq, limit=_CHANGES, member=member.id) if known else []
        )
        if known is None or len(changes) == _CHANGES:
            known, resources = _Known(seq), self._all(member)
        else:
            paths = dict.fromkeys(op.path for change in changes for op in change.ops)
            at = (path for path in paths if path.startswith(STORAGE))
            known = _Known(seq, dict(known.classes))
            resources = self._some(member, at, known)
        async for resource in in_slices(resources):
            if classes := await _classes_of(member, resource):
                known.classes[resource.path] = classes
        while len(self._known) >= _MEMBERS:
            del self._known[next(iter(self._known))]
        self._known[member.id] = known
        return known.classes

    def _all(self, member: Member) -> Iterator[Resource]:
        after: str | None = None
        while page := self._reader.resources(member.id, STORAGE, after=after, limit=200):
            yield from page
            after = page[-1].path

    def _some(
        self, member: Member, paths: Iterable[ResourcePath], known: _Known
    ) -> Iterator[Resource]:
        for path in paths:
            known.classes.pop(path, None)
            resource = self._reader.resource(member.id, path)
            if resource is not None:
                yield resource


def own_part(resource: Resource | None) -> Graph:
    """What apps added to a document that the pod keeps true."""
    return parse_rdf(resource.body, NTRIPLES, "lex:") if resource is not None else []


def shown(computed: Graph, own: Graph) -> Graph:
    """The pod's part, but for what a registration of the member's own says too, and theirs."""
    told = {(subject, value) for subject, _, value in own}
    subjects = {subject for subject, _ in told}
    parts: dict[object, Graph] = {}
    for triple in computed:
        parts.setdefault(triple.subject, []).append(triple)

    def is_told(part: Graph) -> bool:
        said = {t.object for t in part if t.predicate != RDF.type}
        is_registration = any(t.predicate == SOLID.forClass for t in part)
        return is_registration and any(
            all((subject, value) in told for value in said) for subject in subjects
        )

    kept = [part for part in parts.values() if not is_told(part)]
    return list(dict.fromkeys([*(t for part in kept for t in part), *own]))


def _name(document: NamedNode, one: _Registration) -> NamedNode:
    local = one.kind.value.replace("/", "#").rpartition("#")[2]
    mark = sha256(f"{one.kind} {one.where}".encode()).hexdigest()[:8]
    return NamedNode(f"{document.value}#{local}-{mark}")


async def _classes_of(member: Member, resource: Resource) -> Classes:
    media, body, url = resource.media_type, resource.body, member.url(resource.path)
    if media not in FORMATS or is_auxiliary(resource.path) or not body:
        return frozenset()

    def work() -> Classes:
        return frozenset(list(_kinds(parse_rdf(body, media, url, only_default=True)))[:MAX_CLASSES])

    try:
        return await aside(len(body), work)
    except PodError:
        return frozenset()


def _kinds(graph: Iterable[Triple]) -> dict[NamedNode, None]:
    return {
        triple.object: None
        for triple in graph
        if triple.predicate == RDF.type
        and isinstance(triple.object, NamedNode)
        and not any(triple.object in namespace for namespace in _PLUMBING)
    }
