"""The SPARQL endpoint of a member: queries over what the asker may read, and nothing else.

Spec: https://www.w3.org/TR/sparql11-protocol/ https://www.w3.org/TR/sparql11-service-description/
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl

from pyoxigraph import NamedNode
from quart import Response, request

from adapters.http.incoming import small_body
from adapters.http.negotiate import choose
from adapters.http.views import VARY
from adapters.solid.lens.edit import facts
from adapters.solid.query.dataset import Datasets, State
from adapters.solid.query.lane import Lane
from adapters.solid.query.words import said_in
from adapters.solid.rdf.parse import JSONLD, NTRIPLES, TURTLE
from adapters.solid.rdf.vocab import RDF, SD
from adapters.solid.rdf.write import write_turtle
from adapters.solid.routes.storage import show_graph
from adapters.solid.wing import Target, Wing, content_type, options_of
from pod.access.agent import Agent
from pod.errors import Forbidden, Invalid, NotFound, TooLarge, Unsupported
from pod.model.member import Member
from pod.model.resource import ResourcePath

ENDPOINT: Final = ResourcePath("/sparql")
QUERY: Final = "application/sparql-query"
FORM: Final = "application/x-www-form-urlencoded"
MAX_QUERY_BYTES: Final = 64 * 1024
MAX_SOURCES: Final = 100
MAX_RESULT_BYTES: Final = 8 * 1024 * 1024
QUERY_S: Final = 5.0
_JSON, _XML = "application/sparql-results+json", "application/sparql-results+xml"
SOLUTIONS: Final = {
    _JSON: _JSON,
    _XML: _XML,
    "application/json": _JSON,
    "application/xml": _XML,
} | {media: media for media in ("text/csv", "text/tab-separated-values")}
GRAPHS: Final = (TURTLE, NTRIPLES, JSONLD)
_PARTS: Final = ("", "#dataset", "#graph")
_FORMATS: Final = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV",
                   "SPARQL_Results_TSV", "Turtle", "N-Triples", "JSON-LD")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was sent; the graphs are those that the protocol, not the text, names."""

    text: str
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """Answers queries: those of strangers, and those of people who signed in, each in a lane.

    So what is private is never in the memory of a process that runs a stranger's query.
    """

    wing: Wing
    datasets: Datasets
    strangers: Lane[State] = field(default_factory=Lane)
    people: Lane[State] = field(default_factory=Lane)

    async def show(self) -> Response:
        """Answer GET and HEAD: a query, or without one what the endpoint can do."""
        target = await self._target()
        pairs = [(name, value) for name, value in request.args.items(multi=True)]
        if not pairs:
            return await show_graph(self.wing, target, "fixed", _description(target.member))
        return await self._answer(target, _asked(pairs))

    async def take(self) -> Response:
        """Answer POST: the query as a form or by itself."""
        target = await self._target()
        media = content_type().essence
        if media not in (FORM, QUERY):
            raise Unsupported(f"Send a query as {QUERY} or {FORM}; nothing is updated here")
        try:
            text = (await small_body(MAX_QUERY_BYTES * 2)).decode()
        except UnicodeDecodeError as err:
            raise Invalid("A query is UTF-8") from err
        pairs = [(name, value) for name, value in request.args.items(multi=True)]
        pairs += parse_qsl(text, keep_blank_values=True) if media == FORM else [("query", text)]
        return await self._answer(target, _asked(pairs))

    async def options(self) -> Response:
        """Answer OPTIONS."""
        return options_of("query", await self._target())

    async def _target(self) -> Target:
        target = await self.wing.target()
        if not target.member.is_active and target.agent.member != target.member.id:
            raise NotFound
        return target

    async def _answer(self, target: Target, query: Query) -> Response:
        member, agent = target.member, target.agent
        accept = request.headers.get("Accept")
        table = choose(accept, list(SOLUTIONS))
        graph = choose(accept, GRAPHS)
        base = member.url(ENDPOINT)
        said = said_in(query.text, base)
        if said.asks_elsewhere:
            raise Forbidden("No other service is asked from here")
        _check_sources(member, [*said.sources, *query.default, *query.named])
        by_protocol = bool(query.default or query.named)
        ask = {
            "query": query.text,
            "base": base,
            "union": not (by_protocol or said.sources),
            "default": query.default if by_protocol else None,
            "named": query.named,
            "solutions": SOLUTIONS.get(table or ""),
            "boolean": SOLUTIONS.get(table or ""),
            "graph": graph,
            "limit": MAX_RESULT_BYTES,
            "seconds": QUERY_S,
        }
        is_stranger = not agent.is_authenticated
        lane = self.strangers if is_stranger else self.people
        media, body = await lane.ask(
            _key(member, agent),
            lambda held: self.datasets.load(member, agent, held),
            ask,
            # What others may read can change by documents elsewhere, so theirs is made anew.
            keep=is_stranger or agent.member == member.id,
        )
        if not media:
            return _refused(body.decode())
        shown = table if media == SOLUTIONS.get(table or "") else graph
        headers = {
            "Vary": VARY,
            "Cache-Control": "private, no-cache" if agent.is_authenticated else "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(body, headers=headers, content_type=shown)


def _key(member: Member, agent: Agent) -> str:
    """Who asks whom; two askers share a dataset only if nothing tells them apart."""
    return repr((member.id, replace(agent, scopes=None), str(agent.scopes)))


def _asked(pairs: list[tuple[str, str]]) -> Query:
    queries = [value for name, value in pairs if name == "query"]
    if any(name == "update" for name, _ in pairs):
        raise Invalid("Nothing is updated here; write the resources themselves")
    if len(queries) != 1:
        raise Invalid("Send one query")
    if len(queries[0].encode()) > MAX_QUERY_BYTES:
        raise TooLarge("A query may have 64 KiB")
    return Query(
        queries[0],
        tuple(value for name, value in pairs if name == "default-graph-uri"),
        tuple(value for name, value in pairs if name == "named-graph-uri"),
    )


def _check_sources(member: Member, sources: list[str]) -> None:
    if len(sources) > MAX_SOURCES:
        raise TooLarge(f"A query may name {MAX_SOURCES} graphs")
    for source in sources:
        if member.path(source) is None:
            raise Forbidden(f"Only graphs of this pod are read: {source[:200]}")


def _refused(why: str) -> Response:
    kind, _, text = why.partition(" ")
    if kind == "unacceptable":
        offered = "\n".join(["This is offered as:", *SOLUTIONS, *GRAPHS, ""])
        return Response(offered, 406, {"Vary": VARY}, content_type="text/plain; charset=utf-8")
    if kind == "large":
        raise TooLarge("The result has more than 8 MiB; add a LIMIT")
    if kind == "elsewhere":
        raise Forbidden("Nothing outside of this pod is asked from here")
    raise Invalid(f"Not a SPARQL query: {text[:500]}")


def _description(member: Member) -> bytes:
    service, dataset, graph = (NamedNode(member.url(ENDPOINT) + part) for part in _PARTS)
    formats = "http://www.w3.org/ns/formats/"
    return write_turtle(
        [
            *facts(
                service,
                (RDF.type, SD.Service),
                (SD.endpoint, service),
                (SD.supportedLanguage, SD.SPARQL11Query),
                (SD.feature, SD.UnionDefaultGraph),
                *((SD.resultFormat, NamedNode(formats + name)) for name in _FORMATS),
                (SD.defaultDataset, dataset),
            ),
            *facts(dataset, (RDF.type, SD.Dataset), (SD.defaultGraph, graph)),
            *facts(graph, (RDF.type, SD.Graph)),
        ]
    )
