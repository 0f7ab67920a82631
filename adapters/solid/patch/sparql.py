"""SPARQL Update as older Solid apps send it: INSERT DATA, DELETE DATA, DELETE/INSERT ... WHERE.

Only basic graph patterns are read, never a query language: each operation becomes a `Patch` that,
unlike an N3 Patch, takes every match and does not mind what is missing.

Spec: https://www.w3.org/TR/sparql11-update/
"""

from __future__ import annotations

import re
from typing import Final

from pyoxigraph import BlankNode

from adapters.solid.patch.n3 import (
    MAX_PATCH_BYTES,
    MAX_PATTERNS,
    Patch,
    cut_formulae,
    name_scheme,
    variables_in,
)
from adapters.solid.rdf.parse import TURTLE, Graph, parse_rdf
from pod.errors import Invalid, TooLarge, Unprocessable

SPARQL: Final = "application/sparql-update"
MAX_OPERATIONS: Final = 50

_DIRECTIVE: Final = re.compile(r"\b(?:prefix\s+[^\s<:]*:|base)\s*<[^<>\s]*>", re.IGNORECASE)


def parse_update(body: bytes, base: str) -> list[Patch]:
    """The operations of an update, in order.

    Raises TooLarge, Invalid for what is not an update, Unprocessable for what goes beyond triples
    and triple patterns.
    """
    if len(body) > MAX_PATCH_BYTES:
        raise TooLarge("A patch may have 1 MiB")
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise Invalid("A patch is UTF-8 text") from err
    scheme = name_scheme(body)
    outer, formulae = cut_formulae(text, scheme)
    formula = rf"<{re.escape(scheme)}formula:(\d+)>"
    one = re.compile(
        rf"\s*(?:(insert|delete)\s+data\s*{formula}|delete\s+where\s*{formula}"
        rf"|(?:delete\s*{formula}\s*)?(?:insert\s*{formula}\s*)?where\s*{formula})\s*(;|$)",
        re.IGNORECASE,
    )

    def triples(index: str | None) -> Graph:
        return parse_rdf(formulae[int(index)].encode(), TURTLE, base) if index is not None else []

    rest = _DIRECTIVE.sub(" ", outer).strip()
    patches: list[Patch] = []
    while rest:
        match = one.match(rest)
        if match is None or len(patches) == MAX_OPERATIONS:
            raise Invalid("Not an update of the kinds that are read here")
        verb, data, both, deletes, inserts, where = match.groups()[:6]
        if data is not None:
            given = triples(data)
            is_insert = verb.lower() == "insert"
            patch = Patch([], [] if is_insert else given, given if is_insert else [], scheme, False)
        elif both is not None:
            patch = Patch(triples(both), triples(both), [], scheme, False)
        else:
            patch = Patch(triples(where), triples(deletes), triples(inserts), scheme, False)
        _check(patch)
        patches.append(patch)
        rest = rest[match.end() :].strip()
    return patches


def _check(patch: Patch) -> None:
    if len(patch.where) > MAX_PATTERNS:
        raise TooLarge(f"A patch may have {MAX_PATTERNS} conditions")
    bound = variables_in(patch.where, patch.variables)
    if (variables_in(patch.deletes + patch.inserts, patch.variables)) - bound:
        raise Unprocessable("A variable is used that WHERE does not bind")
    if any(
        isinstance(t.subject, BlankNode) or isinstance(t.object, BlankNode) for t in patch.deletes
    ):
        raise Unprocessable("What is deleted must not contain blank nodes")
