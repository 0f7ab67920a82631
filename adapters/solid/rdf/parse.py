"""Bytes to triples: Turtle, JSON-LD, RDF/XML and more, bounded and without a single fetch.

Spec: https://www.w3.org/TR/turtle/ https://www.w3.org/TR/json-ld11/ https://www.w3.org/TR/n-triples/
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TypeVar

import orjson
from pyoxigraph import BlankNode, DefaultGraph, Quad, RdfFormat, Triple, parse

from adapters.solid.rdf.vocab import CONTEXTS
from pod.errors import Invalid, TooLarge, Unprocessable, Unsupported

T = TypeVar("T")

Graph = list[Triple]
"""Triples in document order, each once; blank nodes are named in order of appearance."""

TURTLE: Final = "text/turtle"
JSONLD: Final = "application/ld+json"
NTRIPLES: Final = "application/n-triples"
RDFXML: Final = "application/rdf+xml"
TRIG: Final = "application/trig"
NQUADS: Final = "application/n-quads"
FORMATS: Final = {
    TURTLE: RdfFormat.TURTLE,
    JSONLD: RdfFormat.JSON_LD,
    NTRIPLES: RdfFormat.N_TRIPLES,
    RDFXML: RdfFormat.RDF_XML,
    TRIG: RdfFormat.TRIG,
    NQUADS: RdfFormat.N_QUADS,
}
RDF_ACCEPT: Final = f"{TURTLE}, {NTRIPLES};q=0.9, {JSONLD};q=0.8"
"""What to ask other servers for."""

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_TRIPLES: Final = 200_000
MAX_DEPTH: Final = 64
_SLICE_S: Final = 0.005
HEAVY_BYTES: Final = 200_000
"""From this size on a document is worked on in a thread."""

_TURTLE_TOKEN = re.compile(
    rb'"""(?:[^"\\]|\\.|"(?!""))*"""'
    rb"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    rb'|"(?:[^"\\\n\r]|\\.)*"'
    rb"|'(?:[^'\\\n\r]|\\.)*'"
    rb"|<[^<>\s\"{}|^`]*>"
    rb"|#[^\n\r]*"
    rb"|(?P<open><<|[\[({])|(?P<close>>>|[\])}])",
    re.DOTALL,
)
_ENTITY = re.compile(r"<!ENTITY[^>\"']*(?:\"[^\"]*&[^\"]*\"|'[^']*&[^']*')")
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)


def parse_rdf(body: bytes, media_type: str, base: str, *, only_default: bool = False) -> Graph:
    """The triples of a document; of its default graph, if ``only_default`` leaves named ones out.

    ``base`` resolves relative IRIs. Raises Unsupported for other media types, TooLarge over 8 MiB
    or 200,000 triples, Invalid (with the line) for what is not well formed, and Unprocessable for
    named graphs, quoted triples and JSON-LD contexts that would have to be fetched.
    """
    rdf_format = FORMATS.get(media_type)
    if rdf_format is None:
        raise Unsupported(f"{media_type} is not an RDF syntax that is read here")
    if len(body) > MAX_BYTES:
        raise TooLarge("An RDF document may have 8 MiB")
    if media_type == RDFXML:
        _bound_entities(body)
    else:
        _bound_depth(body, _JSON_TOKEN if media_type == JSONLD else _TURTLE_TOKEN)
    if media_type == JSONLD:
        body = _with_local_contexts(body)
    try:
        return _triples(parse(body, format=rdf_format, base_iri=base), only_default)
    except SyntaxError as err:
        line = f", line {err.lineno}" if err.lineno else ""
        raise Invalid(f"Not well-formed {media_type}{line}: {err.msg}") from err
    except ValueError as err:
        raise Invalid(f"Not well-formed {media_type}") from err


def check_rdf(body: bytes, media_type: str, base: str) -> None:
    """Raise what `parse_rdf` would of a document that is kept as it came."""
    parse_rdf(body, media_type, base, only_default=True)


async def aside(size: int, work: Callable[[], T]) -> T:
    """What ``work`` gives; done in a thread where the document it is about is heavy."""
    return await asyncio.to_thread(work) if size >= HEAVY_BYTES else work()


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items one by one; whoever else waits for the event loop gets it every 5 ms."""
    started = time.monotonic()
    for item in items:
        yield item
        if time.monotonic() - started > _SLICE_S:
            await asyncio.sleep(0)
            started = time.monotonic()


def _triples(quads: Iterable[Quad], only_default: bool) -> Graph:
    names: dict[BlankNode, BlankNode] = {}
    found: dict[Triple, None] = {}
    default = DefaultGraph()
    for subject, predicate, value, graph in quads:
        if graph != default:
            if only_default:
                continue
            raise Unprocessable("Named graphs cannot be edited here")
        if isinstance(subject, Triple) or isinstance(value, Triple):
            raise Unprocessable("Quoted triples are not kept here")
        if isinstance(subject, BlankNode):
            subject = names.setdefault(subject, BlankNode(f"b{len(names)}"))
        if isinstance(value, BlankNode):
            value = names.setdefault(value, BlankNode(f"b{len(names)}"))
        found[Triple(subject, predicate, value)] = None
        if len(found) > MAX_TRIPLES:
            raise TooLarge("An RDF document may have 200,000 triples")
    return list(found)


def _bound_depth(body: bytes, tokens: re.Pattern[bytes]) -> None:
    """Refuse deep nesting before the parser sees it: it recurses on its own stack."""
    openers = body.count(b"[") + body.count(b"{") + body.count(b"(") + body.count(b"<<")
    if openers <= MAX_DEPTH:
        return
    depth = 0
    for token in tokens.finditer(body):
        if token["open"]:
            depth += 1
            if depth > MAX_DEPTH:
                raise Unprocessable(f"Nested deeper than {MAX_DEPTH} levels")
        elif token["close"]:
            depth -= 1


def _bound_entities(body: bytes) -> None:
    """Refuse entities made of entities: a few lines of them unfold to gigabytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise Unprocessable("RDF/XML is read as UTF-8") from err
    if _ENTITY.search(text):
        raise Unprocessable("Entities made of other entities are not read here")


def _with_local_contexts(body: bytes) -> bytes:
    """The document with known remote contexts replaced by our own term tables."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid(f"Not well-formed JSON, line {err.lineno}") from err
    changed = _localise(document)
    return orjson.dumps(document) if changed else body


def _localise(node: object) -> bool:
    changed = False
    if isinstance(node, list):
        for item in node:
            changed |= _localise(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "@import":
                raise Unprocessable("JSON-LD contexts are not fetched; write the terms out")
            if key == "@context":
                node[key] = _local_context(value)
                changed = True
            changed |= _localise(node[key])
    return changed


def _local_context(context: object) -> object:
    if isinstance(context, list):
        return [_local_context(part) for part in context]
    if not isinstance(context, str):
        return context
    known = CONTEXTS.get(context.removesuffix("#"))
    if known is None:
        raise Unprocessable(f"JSON-LD contexts are not fetched, and {context[:100]} is not known")
    return known
