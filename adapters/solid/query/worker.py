"""A process that holds datasets and answers queries; it ends itself when a query takes too long.

Run by path, with nothing of the pod loaded. Each message on stdin and stdout is a line of JSON
whose ``size`` bytes follow. It can open no file and no socket.

Spec: https://www.w3.org/TR/sparql11-protocol/
"""

from __future__ import annotations

import io
import json
import resource
import select
import signal
import sys
from typing import IO, Any

from pyoxigraph import (
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
)

LOAD_S = 30.0
IDLE_S = 300.0
MEMORY = 1536 * 1024 * 1024


class _TooMuch(Exception):
    pass


class _Bounded(io.BytesIO):
    """Collects what is written, up to a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.limit:
            raise _TooMuch
        return super().write(data)


def answer(stores: dict[str, Store], ask: dict[str, Any], quads: bytes) -> tuple[str, bytes]:
    """What a message gets: the media type and the body, or an empty type and what went wrong."""
    for key in ask["forget"]:
        stores.pop(key, None)
    store = stores.setdefault(ask["key"], Store())
    for graph in ask["drop"]:
        store.remove_graph(NamedNode(graph))
    if quads:
        store.bulk_load(quads, format=RdfFormat.N_QUADS)
    signal.setitimer(signal.ITIMER_REAL, ask["seconds"])
    try:
        return _query(store, ask)
    except (SyntaxError, ValueError) as err:
        return "", f"malformed {err}".encode()
    except _TooMuch:
        return "", b"large"
    except OSError:
        return "", b"elsewhere"


def _query(store: Store, ask: dict[str, Any]) -> tuple[str, bytes]:
    sources: dict[str, Any] = {}
    if ask["default"] is not None:
        sources["default_graph"] = [NamedNode(graph) for graph in ask["default"]]
        sources["named_graphs"] = [NamedNode(graph) for graph in ask["named"]]
    results = store.query(
        ask["query"], base_iri=ask["base"], use_default_graph_as_union=ask["union"], **sources
    )
    if isinstance(results, QuerySolutions):
        wanted = ask["solutions"]
    else:
        wanted = ask["boolean"] if isinstance(results, QueryBoolean) else ask["graph"]
    if wanted is None:
        return "", b"unacceptable"
    out = _Bounded(ask["limit"])
    if isinstance(results, QuerySolutions | QueryBoolean):
        results.serialize(out, QueryResultsFormat.from_media_type(wanted))
    else:
        results.serialize(out, RdfFormat.from_media_type(wanted))
    return wanted, out.getvalue()


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer message after message, until nobody asks for a while or the asker is gone."""
    stores: dict[str, Store] = {}
    while select.select([source], [], [], IDLE_S)[0] and (line := source.readline()):
        ask = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, LOAD_S)
        media, body = answer(stores, ask, source.read(ask["size"]))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not ask["keep"]:
            stores.pop(ask["key"], None)
        sink.write(json.dumps({"media": media, "size": len(body)}).encode() + b"\n" + body)
        sink.flush()


if __name__ == "__main__":
    # The alarm ends the process even inside of native code: nothing handles it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    serve(sys.stdin.buffer, sys.stdout.buffer)
