"""What one asker may read of one member, as quads: a graph for each resource, named by its URL.

Spec: https://www.w3.org/TR/sparql11-query/#rdfDataset https://www.w3.org/TR/n-quads/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from pyoxigraph import BlankNode, Triple

from adapters.solid.lens.discovery import PAGES, Discovery, own_part, shown
from adapters.solid.lens.index import RecordViews
from adapters.solid.query.lane import Held, Load
from adapters.solid.rdf.parse import FORMATS, JSONLD, Graph, aside, in_slices, parse_rdf
from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import ACL_SUFFIX, Policy
from pod.errors import PodError, TooLarge
from pod.model.ids import Iri, MemberId
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from pod.ports import Reader
from pod.read import PROFILE_PATH

MAX_QUADS: Final = 500_000
MAX_BYTES: Final = 256 * 1024 * 1024
_PAGE: Final = 200
_CHANGES: Final = 1000
_SYNTAX: Final = {**{media: media for media in FORMATS}, "application/activity+json": JSONLD}

Found = tuple[ResourcePath, Resource | None]


@dataclass(frozen=True, slots=True)
class State:
    """What a dataset shows: the log up to ``seq``, without what is ``hidden``."""

    seq: int
    hidden: frozenset[str]


class Datasets:
    """Makes datasets and keeps them up to date; never holds up the event loop for long."""

    def __init__(
        self,
        reader: Reader,
        policy: Policy,
        records: RecordViews,
        discovery: Discovery,
        hidden: Callable[[MemberId], frozenset[str]],
    ) -> None:
        self._reader = reader
        self._policy = policy
        self._records = records
        self._discovery = discovery
        self._hidden = hidden
        self._marks = count()

    async def load(self, member: Member, agent: Agent, held: Held[State] | None) -> Load[State]:
        """What makes the held dataset, if any, show all that the agent may read now.

        Raises TooLarge for more than half a million quads.
        """
        state = State(self._reader.head_seq(), self._hidden(member.id))
        paths = self._changed(member, held.state, state) if held is not None else None
        if held is None or paths is None:
            whole = self._everything(member)
            quads, number = await self._quads(member, agent, whole, 0)
            return Load(state, True, (), quads, number)
        # What the pod keeps true follows from everything else.
        paths = list(dict.fromkeys([*paths, *PAGES]))
        found = ((path, self._reader.resource(member.id, path)) for path in paths)
        quads, number = await self._quads(member, agent, found, held.count)
        drop = tuple(_name(member, path) for path in paths)
        return Load(state, False, drop, quads, number)

    def _changed(self, member: Member, old: State, new: State) -> list[ResourcePath] | None:
        """The paths to look at again; None where everything has to be."""
        if old.hidden != new.hidden:
            return None
        changes = self._reader.changes(after=old.seq, limit=_CHANGES, member=member.id)
        paths = list(dict.fromkeys(op.path for change in changes for op in change.ops))
        is_plain = all(change.kind in ("commit", "document") for change in changes)
        may_read_other = any(path.endswith(ACL_SUFFIX) for path in paths)
        if len(changes) == _CHANGES or not is_plain or may_read_other:
            return None
        return paths

    def _everything(self, member: Member) -> Iterator[Found]:
        after: str | None = None
        there = (PROFILE_PATH, *PAGES)
        yield from ((path, self._reader.resource(member.id, path)) for path in there)
        while page := self._reader.resources(member.id, "/", after=after, limit=_PAGE):
            yield from ((r.path, r) for r in page if r.path not in there)
            after = page[-1].path

    async def _quads(
        self, member: Member, agent: Agent, resources: Iterable[Found], number: int
    ) -> tuple[bytes, int]:
        parts: list[bytes] = []
        size = 0
        async for path, resource in in_slices(resources):
            await self._policy.learn(agent, member, path)
            if Mode.READ not in self._policy.modes(agent, member, path):
                continue
            graph = await self._graph(member, path, resource)
            more = _lines(_name(member, path), graph, next(self._marks))
            parts.append("".join(more).encode())
            number += len(more)
            size += len(parts[-1])
            if number > MAX_QUADS or size > MAX_BYTES:
                raise TooLarge("There is more here than can be queried at once")
        return b"".join(parts), number

    async def _graph(self, member: Member, path: ResourcePath, resource: Resource | None) -> Graph:
        if path == PROFILE_PATH:
            return self._records.webid(member, resource)
        if path in PAGES:
            return shown(await self._discovery.computed(member, path), own_part(resource))
        if resource is None:
            return []
        if resource.is_record:
            return self._records.default(member, resource)
        syntax = _SYNTAX.get(resource.media_type)
        if syntax is None:
            return []
        url = member.url(resource.path)
        try:
            return await aside(
                len(resource.body),
                lambda: parse_rdf(resource.body, syntax, url, only_default=True),
            )
        except PodError:
            # What others sent may speak in contexts that are never fetched.
            return []


def _name(member: Member, path: ResourcePath) -> Iri:
    """The graph that a resource is in: the profile record speaks in the WebID document."""
    return member.webid if path == PROFILE_PATH else member.url(path)


def _lines(graph: str, triples: Graph, mark: int) -> list[str]:
    """Triples as N-Quads; blank nodes of one graph are never those of another."""

    def own(node: BlankNode) -> BlankNode:
        return BlankNode(f"g{mark}x{node.value}")

    lines = []
    for triple in triples:
        subject, value = triple.subject, triple.object
        if isinstance(subject, BlankNode) or isinstance(value, BlankNode):
            triple = Triple(
                own(subject) if isinstance(subject, BlankNode) else subject,
                triple.predicate,
                own(value) if isinstance(value, BlankNode) else value,
            )
        lines.append(f"{triple} <{graph}> .\n")
    return lines
