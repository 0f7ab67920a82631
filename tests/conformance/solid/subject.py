"""The server under question: a few words in which the cases speak to either server."""

from __future__ import annotations

import http.client
import itertools
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pyoxigraph
import rdflib
from pyoxigraph import RdfFormat

TURTLE = "text/turtle"
JSONLD = "application/ld+json"
N3 = "text/n3"
LDP = rdflib.Namespace("http://www.w3.org/ns/ldp#")
PIM = rdflib.Namespace("http://www.w3.org/ns/pim/space#")
SOLID = rdflib.Namespace("http://www.w3.org/ns/solid/terms#")
ACL = rdflib.Namespace("http://www.w3.org/ns/auth/acl#")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")
STAT = rdflib.Namespace("http://www.w3.org/ns/posix/stat#")
CONTAINER = f'<{LDP.BasicContainer}>; rel="type"'
PREFIXES = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix ex: <https://example.org/> .
"""
DONE = (200, 201, 202, 204, 205)
"""What a write says that was done."""

_numbers = itertools.count(1)


class Wrong(AssertionError):
    """The server does not do as the requirement says; the text is what the page shows."""


@dataclass(frozen=True)
class Agent:
    """Somebody with a WebID; ``sign`` gives the headers of a request by method and URL."""

    webid: str
    sign: Callable[[str, str], dict[str, str]]


@dataclass(frozen=True)
class Link:
    """One link of an answer."""

    rel: str
    target: str


class Loopback(httpx.HTTPTransport):
    """Finds every name on this machine, whatever its resolver knows."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its Host header stays."""
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


class Answer:
    """What the server said."""

    def __init__(self, asked: str, url: str, response: httpx.Response) -> None:
        self.asked = asked
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.url = url

    @property
    def text(self) -> str:
        return self.response.text

    @property
    def json(self) -> Any:
        return self.response.json()

    @property
    def links(self) -> list[Link]:
        """The Link headers, targets resolved against the request's URL."""
        found = []
        for header in self.headers.get_list("link"):
            for target, parameters in re.findall(r"<([^>]*)>((?:\s*;[^,<]*)*)", header):
                rels = re.search(r'rel\s*=\s*"?([^";]*)', parameters)
                found += [
                    Link(rel, urljoin(self.url, target))
                    for rel in (rels[1] if rels else "").split()
                ]
        return found

    def link(self, rel: str) -> str:
        """The one target of a link relation."""
        targets = [link.target for link in self.links if link.rel == rel]
        if len(targets) != 1:
            raise Wrong(f"{self.asked}: {len(targets)} links of rel {rel}, not 1")
        return targets[0]

    def words(self, header: str) -> set[str]:
        """A header's comma-separated values."""
        return {word.strip() for word in self.headers.get(header, "").split(",") if word.strip()}

    def has(self, header: str, *values: str) -> Answer:
        """Expect values among those of a header."""
        for value in values:
            if value.lower() not in {word.lower() for word in self.words(header)}:
                raise Wrong(f"{self.asked}: {header} lacks {value}")
        return self

    def says(self, *statuses: int) -> Answer:
        """Expect one of some statuses."""
        if self.status not in statuses:
            raise Wrong(f"{self.asked}: {self.status}, not {' or '.join(map(str, statuses))}")
        return self

    def graph(self) -> rdflib.Graph:
        """The body, read as RDF."""
        kind = self.headers.get("content-type", "").split(";")[0]
        syntax = {TURTLE: RdfFormat.TURTLE, JSONLD: RdfFormat.JSON_LD}.get(kind)
        if syntax is None:
            raise Wrong(f"{self.asked}: the answer is {kind}")
        quads = pyoxigraph.parse(self.response.content, format=syntax, base_iri=self.url)
        lines = pyoxigraph.serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
        return rdflib.Graph().parse(data=lines, format="nt")


class Subject:
    """One server with two people who know each other, alice's storage being asked about."""

    def __init__(
        self, name: str, storage: str, other_storage: str, issuer: str, alice: Agent, bob: Agent
    ) -> None:
        self.name = name
        self.storage = storage
        self.other_storage = other_storage
        self.issuer = issuer
        self.alice = alice
        self.bob = bob
        self._client = httpx.Client(transport=Loopback(), timeout=30)

    def close(self) -> None:
        """End all connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        url: str,
        body: bytes | str | None = None,
        kind: str | None = None,
        *,
        by: Agent | str | None = "alice",
        **headers: str | bytes,
    ) -> Answer:
        """One request, by alice unless said otherwise; headers are written with underscores."""
        agent = self.alice if by == "alice" else by
        sent: list[tuple[bytes, bytes]] = [
            (name.strip("_").replace("_", "-").encode(), _bytes(value))
            for name, value in headers.items()
        ]
        if kind is not None:
            sent.append((b"Content-Type", kind.encode()))
        if isinstance(agent, Agent):
            signed = agent.sign(method, url).items()
            sent += [(name.encode(), value.encode()) for name, value in signed]
        content = body.encode() if isinstance(body, str) else body
        response = self._client.request(method, url, content=content, headers=sent)
        return Answer(method, url, response)

    def raw(self, method: str, target: bytes, *, by: Agent | None = None) -> int:
        """The status of a request whose path is sent byte for byte."""
        at = urlsplit(self.storage)
        connection = http.client.HTTPConnection("127.0.0.1", at.port or 80, timeout=30)
        try:
            connection.putrequest(method, "/", skip_host=True)
            connection._buffer[0] = method.encode() + b" " + target + b" HTTP/1.1"  # type: ignore[attr-defined]  no other way to send odd bytes
            connection.putheader("Host", at.netloc)
            if by is not None:
                for name, value in by.sign(
                    method, f"{at.scheme}://{at.netloc}{target.decode('latin-1')}"
                ).items():
                    connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def socket(self) -> socket.socket:
        """A new connection to the server."""
        at = urlsplit(self.storage)
        return socket.create_connection(("127.0.0.1", at.port or 80), timeout=30)

    @contextmanager
    def stream(self, url: str) -> Iterator[Iterator[str]]:
        """An answer that does not end, in pieces as they come, to alice."""
        headers = self.alice.sign("GET", url)
        with self._client.stream("GET", url, headers=headers, timeout=10) as response:
            if response.status_code != 200:
                raise Wrong(f"GET: {response.status_code}, not 200")
            yield response.iter_text()

    def container(self) -> str:
        """The URL of a new container of alice's."""
        url = f"{self.storage}c{next(_numbers)}/"
        self.ask("PUT", url, "", TURTLE, Link=CONTAINER).says(*DONE)
        return url

    def document(self, body: str = "<> <https://example.org/p> 1 .", kind: str = TURTLE) -> str:
        """The URL of a new document in a new container."""
        url = f"{self.container()}document"
        self.put(url, body, kind)
        return url

    def put(self, url: str, body: str, kind: str = TURTLE) -> Answer:
        """Store something; it must work."""
        return self.ask("PUT", url, body, kind).says(*DONE)

    def patch(self, url: str, body: str, *, by: Agent | str | None = "alice") -> Answer:
        """Send an N3 Patch; the usual prefixes are known."""
        return self.ask("PATCH", url, PREFIXES + body, N3, by=by)

    def acl_of(self, url: str) -> str:
        """Where the access control list of a resource is."""
        return self.ask("HEAD", url).says(200).link("acl")

    def allow(self, url: str, *rules: str) -> None:
        """Give a resource a list: alice may do all, and what ``rules`` say (Turtle)."""
        inherited = f"; acl:default <{url}>" if url.endswith("/") else ""
        alice = f"acl:agent <{self.alice.webid}>"
        owner = self.to(url, alice, "Read", "Write", "Control", more=inherited)
        parts = [f"<#r{n}> a acl:Authorization; {rule} ." for n, rule in enumerate((owner, *rules))]
        self.put(self.acl_of(url), PREFIXES + "\n".join(parts))

    def to(self, url: str, who: str, *modes: str, more: str = "") -> str:
        """A rule for `allow`: ``who`` is Turtle, ``more`` further properties."""
        return (
            f"acl:accessTo <{url}>; {who}; acl:mode {', '.join(f'acl:{m}' for m in modes)} {more}"
        )

    def holds(self, url: str, *wanted: tuple[Any, Any, Any]) -> rdflib.Graph:
        """Expect triples in a resource; its graph."""
        graph = self.ask("GET", url, Accept=TURTLE).says(200).graph()
        for triple in wanted:
            if triple not in graph:
                raise Wrong(f"GET: lacks a triple about {_short(triple)}")
        return graph


def expect(condition: object, otherwise: str) -> None:
    """Expect something; ``otherwise`` is what the page shows."""
    if not condition:
        raise Wrong(otherwise)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _short(triple: Iterable[Any]) -> str:
    return " ".join(str(term).rpartition("#")[2].rpartition("/")[2] for term in triple)
