"""What a query says of places outside its dataset, read from its words before it is run.

Spec: https://www.w3.org/TR/sparql11-query/#sparqlGrammar (terminals), #queryDataset
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

_TOKEN: Final = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*"""'''
    r"""|\'\'\'(?:[^'\\]|\\.|'(?!''))*\'\'\'"""
    r"""|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'"""
    r"""|(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)"""
    r"""|\#[^\n\r]*"""
    r"""|[?$]\w+|@[A-Za-z][A-Za-z0-9-]*"""
    r"""|(?P<name>(?:[^\W\d_](?:[\w.\-]*[\w\-])?)?:(?:[\w\-.:]|%[0-9A-Fa-f]{2}|\\.)*)"""
    r"""|(?P<word>\w+)""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True, slots=True)
class Said:
    """``asks_elsewhere``: there is a SERVICE; ``sources`` are the graphs of FROM [NAMED]."""

    asks_elsewhere: bool
    sources: tuple[str, ...]


def said_in(query: str, base: str) -> Said:
    """What a query says; strings, comments, IRIs and names are not taken for keywords.

    A keyword where none may stand is found too: such a query is not well formed anyway.
    """
    # Escapes of code points count before all else, so they cannot hide a word.
    query = _ESCAPE.sub(_unescaped, query)
    prefixes: dict[str, str] = {}
    sources: list[str] = []
    before: list[str] = ["", ""]
    declared = None
    asks_elsewhere = False
    for token in _TOKEN.finditer(query):
        word = (token["word"] or "").upper()
        asks_elsewhere |= word == "SERVICE"
        if token["iri"] is not None:
            iri = urljoin(base, token["iri"][1:-1])
            if before[-1] == "BASE":
                base = iri
            elif declared is not None:
                prefixes[declared] = iri
            elif _is_source(before):
                sources.append(iri)
        declared = None
        if token["name"] is not None:
            prefix, _, local = token["name"].partition(":")
            if before[-1] == "PREFIX":
                declared = prefix
            elif _is_source(before):
                sources.append(prefixes.get(prefix, "") + local.replace("\\", ""))
        if token["iri"] or token["name"] is not None or word:
            before = [before[-1], word]
    return Said(asks_elsewhere, tuple(sources))


def _is_source(before: list[str]) -> bool:
    return before[-1] == "FROM" or before == ["FROM", "NAMED"]


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else ""
